"""What is kept of one output while samples pass by: the sums of every measure that applies."""

from dataclasses import dataclass, field

from onnxpad.comparison import OutputComparison
from onnxpad.data.layout import output_axes
from onnxpad.data.plan import InputPlan, main_input
from onnxpad.errors import ModelError
from onnxpad.measure.agreement import AgreementSums, agreement, class_count
from onnxpad.measure.difference import DifferenceSums, difference
from onnxpad.measure.pair import Array, pair
from onnxpad.measure.rings import RingSums, rings
from onnxpad.runtime import Session
from onnxpad.text import printable


@dataclass(slots=True)
class OutputTally:
    """The sums for one output of both models; grows with its size, never with the samples.

    Attributes:
        original, candidate: its names in the two models.
        plans: the inputs as they are fed. real: whether the samples are a user's own.
        unlike_shapes: samples whose two outputs differ in shape, and an example.
    """

    original: str
    candidate: str
    dtype: str
    plans: tuple[InputPlan, ...]
    real: bool
    shape: tuple[int, ...] | None = None
    axes: tuple[int, ...] | None = None
    unlike_shapes: int = 0
    example: str = ""
    differences: DifferenceSums = field(default_factory=DifferenceSums)
    ring_sums: RingSums = field(default_factory=RingSums)
    agreements: AgreementSums = field(default_factory=AgreementSums)

    def add(self, ours: Array, theirs: Array, batch: int, count: int) -> None:
        """Take in one feed's outputs, of which the first `count` rows of `batch` are samples."""
        if ours.shape != theirs.shape:
            self.unlike_shapes += count
            self.example = self.example or f"{_sizes(ours.shape)} and {_sizes(theirs.shape)}"
            return
        axes = self._spatial(ours.shape)
        if self.shape is None:
            self.shape, self.axes = ours.shape, axes
        if count < batch and ours.ndim and ours.shape[0] == batch:
            ours, theirs = ours[:count], theirs[:count]
        outputs = pair(ours, theirs)
        self.differences += difference(outputs)
        if axes and axes == self.axes:
            self.ring_sums += rings(outputs, axes)
        elif self.real and class_count(ours.shape):
            self.agreements += agreement(ours, theirs)

    def result(self) -> OutputComparison:
        """The record."""
        shape = self.shape or ()
        scores = class_count(shape) is not None and not self.axes
        agreed = self.agreements.result() if scores and self.real else None
        return OutputComparison(
            self.original,
            self.dtype,
            shape,
            self.unlike_shapes,
            self.differences.result(),
            self.ring_sums.result() if self.axes else None,
            self.axes or (),
            "" if self.axes else "not a spatial output",
            scores,
            agreed,
            "" if agreed else _no_agreement(scores=scores),
        )

    def warnings(self) -> tuple[str, ...]:
        """What went wrong with this output, as sentences."""
        name, found = f"output {printable(self.original)}", self.differences.result()
        texts = []
        if self.unlike_shapes:
            texts.append(
                f"{name}: on {self.unlike_shapes} samples the two outputs have other shapes "
                f"({self.example}) and were not compared"
            )
        if found.nonfinite_original or found.nonfinite_candidate:
            texts.append(
                f"{name}: NaN or infinite values: {found.nonfinite_original} in the original, "
                f"{found.nonfinite_candidate} in the candidate, {found.unlike} not the same "
                "in both; they are left out of the differences"
            )
        return tuple(texts)

    def _spatial(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        source = main_input(self.plans)
        states = [p.shape for p in self.plans if p.role == "state"]
        if source is None or source.layout is None or shape in states:
            return None
        return output_axes(shape, source.shape, source.layout)


def pair_outputs(
    original: Session, candidate: Session, filled: tuple[InputPlan, ...], *, real: bool
) -> tuple[list[OutputTally], tuple[str, ...]]:
    """Outputs to compare, by name or else by position, and sentences on what is left out.

    Raises ModelError when they cannot be paired, or when none holds numbers.
    """
    ours = original.outputs
    theirs = {o.name: o for o in candidate.outputs}
    warnings = []
    if {o.name for o in ours} != set(theirs):
        if len(ours) != len(theirs):
            raise ModelError(
                f"{original.label} has {len(ours)} outputs and {candidate.label} "
                f"{len(theirs)}, with different names: they cannot be paired"
            )
        renamed = zip(ours, candidate.outputs, strict=True)
        theirs = {o.name: other for o, other in renamed}
        warnings.append("the outputs have different names and were paired by position")
    tallies = []
    for info in ours:
        other = theirs[info.name]
        if info.numeric and other.numeric:
            tallies.append(OutputTally(info.name, other.name, info.dtype, filled, real))
        else:
            kind = info.dtype if other.numeric else other.dtype
            warnings.append(
                f"output {printable(info.name)} was not compared: it is a {printable(kind)}, "
                "no tensor of numbers"
            )
    if not tallies:
        raise ModelError(f"{original.label}: no output holds numbers to compare")
    return tallies, tuple(warnings)


def _no_agreement(*, scores: bool) -> str:
    if scores:
        return "synthetic samples show no agreement on real ones; give --data"
    return "not class scores"


def _sizes(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"
