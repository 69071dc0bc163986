"""What every task offers: a tally that takes in sample after sample and ends in one result.

A tally's state grows by a few numbers for each sample at most where there is no truth, and two
tallies of different samples merge into the tally of both, in their order.
"""

from collections.abc import Mapping
from typing import Any, Protocol, Self

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Label
from onnxpad.errors import DataError
from onnxpad.measure.pair import Array
from onnxpad.tasks.result import TaskResult

# One sample's outputs, a batch axis of 1 in front, by the original's names of them.
Outputs = Mapping[str, Array]


class Tally(Protocol):
    """The sums of one task over the samples seen so far."""

    def add(
        self,
        original: Outputs,
        candidate: Outputs,
        truth: Label | None,
        geometry: Geometry | None,
        moved: Outputs | None = None,
    ) -> None:
        """Take in one sample of both models.

        Args:
            original, candidate: their outputs.
            truth: the sample's label; None where it has none.
            geometry: where its picture lies in the input; None for what is no picture.
            moved: the original's outputs for the same sample shifted by one pixel along every
                spatial axis (measure.agreement_shift.shifted), for the natural floor. May be given
                for some samples only.

        Raises DataError, and changes nothing, when the outputs or the truth do not fit the task:
        the sample is to be counted, named and left out. Raises UsageError when a library that the
        truth needs is not installed.
        """
        ...

    def merge(self, other: Any) -> None:
        """Take in another tally of the same task, whose samples come after these."""
        ...

    def result(self, seed: int) -> TaskResult | None:
        """The record; None where nothing was added. The seed fixes the bootstrap."""
        ...


class Task(Protocol):
    """A task with all it was told: frozen, small, and the same for all workers."""

    @property
    def name(self) -> str:
        """classification, detection, segmentation, image or tensor."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs it reads, by the original's names."""
        ...

    def tally(self) -> Tally:
        """An empty tally."""
        ...


class Merging:
    """Merging for tallies whose state is lists and numbers: both are added, field by field."""

    __slots__ = ()
    state: tuple[str, ...] = ()

    def merge(self, other: Self) -> None:
        """Take in another tally, whose samples come after these."""
        for name in self.state:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def of_same_shape(original: Array, candidate: Array) -> None:
    """Raise DataError where the two outputs cannot be compared position by position."""
    if original.shape != candidate.shape:
        raise DataError(
            f"the two outputs have other shapes: {original.shape} and {candidate.shape}"
        )


def one_sample(outputs: Outputs, row: int, batch: int) -> dict[str, Array]:
    """The outputs of one row of a batch, a batch axis of 1 in front.

    An output without an axis of `batch` rows is handed on whole: tasks refuse what they cannot use.
    """
    return _rows(outputs, slice(row, row + 1), batch)


def first_samples(outputs: Outputs, many: int, batch: int) -> dict[str, Array]:
    """The outputs of the first rows of a batch, in the same way."""
    return _rows(outputs, slice(many), batch)


def _rows(outputs: Outputs, rows: slice, batch: int) -> dict[str, Array]:
    return {
        name: array[rows] if batch > 1 and array.shape[:1] == (batch,) else array
        for name, array in outputs.items()
    }
