"""Where samples come from, behind one interface: synthetic scenes, a folder of images, arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.plan import InputPlan
from onnxpad.errors import DataError
from onnxpad.runtime import Array, TensorInfo
from onnxpad.text import printable

Plans = tuple[InputPlan, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """What one run gets.

    Attributes:
        arrays: one for every input.
        count: how many samples it holds.
        batch: rows of the batch, each for one sample; those beyond `count` only fill it up. 1
            where a sample is a whole feed.
        name: the sample's (first) name, for messages.
    """

    arrays: Mapping[str, Array]
    count: int
    batch: int
    name: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that could not be used, and why. Both texts are printable."""

    name: str
    reason: str


class Source(Protocol):
    """Samples that can be walked through as often as needed."""

    @property
    def origin(self) -> str:
        """One of "synthetic", "images", "arrays"."""
        ...

    @property
    def total(self) -> int | None:
        """How many samples there are; None: as many as wanted."""
        ...

    @property
    def known(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the feeds that the samples fix, by input."""
        ...

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        ...

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """What the reader of a result must know about the samples."""
        ...

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """The samples, in an order that the seed fixes. Endless where total is None."""
        ...


@dataclass(frozen=True, slots=True)
class SyntheticSource:
    """Dead leaves and 1/f noise, see onnxpad.data.synthetic."""

    origin: str = "synthetic"
    total: int | None = None

    @property
    def known(self) -> Mapping[str, tuple[int, ...]]:
        """Nothing: scenes come in any size."""
        return {}

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        kinds = {p.role for p in plans}
        words = [
            text
            for role, text in (("scene", "dead-leaves scenes"), ("signal", "1/f noise"))
            if role in kinds
        ]
        return f"synthetic: {' and '.join(words) or 'constants'}"

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """None: that the samples are synthetic stands in the note."""
        del plans
        return ()

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """Scene after scene, for ever."""
        batch = batch_size(plans)
        at = 0
        while True:
            yield Feed(synthetic.feed(plans, seed, at), batch, batch, f"scene {at}")
            at += batch


def open_source(data: Path | None, inputs: tuple[TensorInfo, ...]) -> Source:
    """The source `data` names: None, a folder of images or one image, a .npy or .npz file.

    Raises DataError when it is none of these or does not fit the inputs.
    """
    if data is None:
        return SyntheticSource()
    if data.suffix.lower() in (".npy", ".npz") and data.is_file():
        from onnxpad.data.arrays import ArraySource

        return ArraySource.open(data, inputs)
    if not data.exists():
        raise DataError(f"data {printable(str(data))}: there is no such file or folder")
    from onnxpad.data.images import ImageSource

    return ImageSource.open(data)


def batch_size(plans: Plans) -> int:
    """Samples in one feed."""
    return max((p.batch for p in plans), default=1)


def order(total: int, seed: int) -> list[int]:
    """A shuffled order, so that any first part of it is a fair choice of the whole.

    Folders are sorted by class: their first images would show one class only.
    """
    keys = synthetic.generator(seed, 0).random(total)
    return [int(i) for i in np.argsort(keys, kind="stable")]
