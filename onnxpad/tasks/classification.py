"""Classifiers: the label's score against all others.

Top-k: the label is among the k highest scores. Of equal scores (quantised models have many) the
lower class number stands first, so that results do not depend on a sorting algorithm. Scores may
be logits or probabilities, floats or integers; all are cast to float64 before they are compared.
A sample with a NaN among its scores has no class: it is wrong, and agrees with nothing.
"""

from dataclasses import dataclass, field

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import ClassLabel, Label
from onnxpad.errors import DataError
from onnxpad.measure.agreement import AgreementSums
from onnxpad.measure.pair import Array
from onnxpad.measure.paired import Interval, flips, mean_interval
from onnxpad.tasks.result import Metric, TaskResult, against_truth, between
from onnxpad.tasks.task import Merging, Outputs, of_same_shape

NO_CLASS = -1
_NO_RANK = 2**31


def class_scores(output: Array) -> Array:
    """The scores of one sample, (K,) in float64, from (1, K), (1, K, 1, 1) or (1, 1, 1, K).

    Raises DataError for anything else.
    """
    sizes = [size for size in output.shape[1:] if size != 1]
    if output.ndim < 2 or output.shape[0] != 1 or len(sizes) != 1:
        raise DataError(f"no class scores of one sample in an output of shape {output.shape}")
    return output.reshape(-1).astype(np.float64)


def top_class(scores: Array) -> int:
    """The class with the highest score, the first of equals; NO_CLASS where a score is NaN."""
    return NO_CLASS if np.isnan(scores).any() else int(scores.argmax())


def rank(scores: Array, label: int) -> int:
    """How many classes stand before `label`: 0 is top-1. Very large where a score is NaN."""
    if np.isnan(scores).any():
        return _NO_RANK
    mine = scores[label]
    return int((scores > mine).sum() + (scores[:label] == mine).sum())


@dataclass(frozen=True, slots=True)
class Classification:
    """The task.

    Attributes:
        output: the scores' name.
        offset: added to a label to get its position among the scores: 1 where position 0 is
            "background", as in TensorFlow's 1001 classes of ImageNet.
    """

    output: str
    offset: int = 0
    name: str = "classification"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The scores."""
        return (self.output,)

    def tally(self) -> "ClassificationTally":
        """An empty tally."""
        return ClassificationTally(self)


@dataclass(slots=True)
class ClassificationTally(Merging):
    """Ranks of the labels, sample by sample, and how often both put the same class first."""

    task: Classification
    classes: int = 0
    original: list[int] = field(default_factory=list)
    candidate: list[int] = field(default_factory=list)
    agreed: AgreementSums = field(default_factory=AgreementSums)
    floor: AgreementSums = field(default_factory=AgreementSums)
    nan_original: int = 0
    nan_candidate: int = 0

    state = ("original", "candidate", "agreed", "floor", "nan_original", "nan_candidate")

    def add(
        self,
        original: Outputs,
        candidate: Outputs,
        truth: Label | None,
        geometry: Geometry | None,
        moved: Outputs | None = None,
    ) -> None:
        """Take in one sample; see onnxpad.tasks.task."""
        del geometry
        name = self.task.output
        of_same_shape(original[name], candidate[name])
        ours = class_scores(original[name])
        theirs = class_scores(candidate[name])
        again = None if moved is None else top_class(class_scores(moved[name]))
        if isinstance(truth, ClassLabel):
            label = self._position(truth, len(ours))
            self.original.append(rank(ours, label))
            self.candidate.append(rank(theirs, label))
        self.classes = len(ours)
        first, second = top_class(ours), top_class(theirs)
        self.nan_original += first == NO_CLASS
        self.nan_candidate += second == NO_CLASS
        self.agreed += _agreed(first, second)
        if again is not None:
            self.floor += _agreed(first, again)

    def merge(self, other: "ClassificationTally") -> None:
        """Take in another tally, whose samples come after these."""
        Merging.merge(self, other)
        self.classes = max(self.classes, other.classes)

    def result(self, seed: int) -> TaskResult | None:
        """The record."""
        agreed = self.agreed.result()
        samples = agreed.total + agreed.unusable
        if not samples:
            return None
        metrics: list[Metric] = []
        if self.original:
            metrics.append(self._top("top1", 1, seed))
            if self.classes > 5:
                metrics.append(self._top("top5", 5, seed))
        if agreed.share is not None:
            floor = self.floor.result()
            metrics.append(
                between(
                    "agreement",
                    agreed.share,
                    Interval(agreed.low, agreed.high),
                    agreed.total,
                    None if floor.share is None else (floor.share, floor.total),
                )
            )
        ours, theirs = (np.array(r, np.int64) == 0 for r in (self.original, self.candidate))
        won = flips(ours, theirs) if self.original else None
        labelled = len(self.original)
        return TaskResult(self.task.name, labelled, samples, tuple(metrics), (), won, self._notes())

    def _position(self, truth: ClassLabel, count: int) -> int:
        at = truth.index + self.task.offset
        if not 0 <= at < count:
            plus = f" (with the class offset of {self.task.offset})" if self.task.offset else ""
            raise DataError(
                f"label {truth.index}{plus} is none of the {count} classes the model scores"
            )
        return at

    def _top(self, name: str, k: int, seed: int) -> Metric:
        ours, theirs = (
            (np.array(ranks, np.int64) < k).astype(np.float64)
            for ranks in (self.original, self.candidate)
        )
        interval = mean_interval(theirs - ours, seed)
        return against_truth(name, float(ours.mean()), float(theirs.mean()), interval, len(ours))

    def _notes(self) -> tuple[str, ...]:
        return tuple(
            f"the {who} gave NaN scores on {count} samples: counted as wrong"
            for who, count in (("original", self.nan_original), ("candidate", self.nan_candidate))
            if count
        )


def _agreed(first: int, second: int) -> AgreementSums:
    if first == second == NO_CLASS:
        return AgreementSums(unusable=1)
    return AgreementSums(int(first == second), 1)
