"""What a task found: frozen records, which reports and budgets read."""

from dataclasses import dataclass
from math import inf

from onnxpad.measure.paired import Flips, Interval
from onnxpad.tasks.metrics import METRICS, MetricInfo


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of METRICS.

    Attributes:
        name: its key there.
        original, delta: None for metrics between the two models, and `candidate` is the value.
        low, high: the 95 % interval of the delta, or of the value where there is no delta; None
            for fewer than two samples.
        n: samples it stands on.
        floor: for metrics between the models: the same metric of the original against itself
            under a 1-px shift of the input; None where it was not measured. floor_n: its samples.
    """

    name: str
    original: float | None
    candidate: float
    delta: float | None
    low: float | None
    high: float | None
    n: int
    floor: float | None = None
    floor_n: int = 0

    @property
    def info(self) -> MetricInfo:
        """Unit, direction and meaning."""
        return METRICS[self.name]

    @property
    def within_floor(self) -> bool | None:
        """Whether the models differ no more than the original from itself under a shift."""
        if self.floor is None:
            return None
        better = self.candidate >= self.floor
        return better if self.info.higher_is_better else self.candidate <= self.floor


@dataclass(frozen=True, slots=True)
class Part:
    """A metric on a part of the truth, without an interval.

    Attributes:
        kind: "class", "size" (of objects), "zone" or "ring" (distance to the border).
        label: which one, printable.
        original, candidate: None where the part holds no truth.
        n: what it stands on: objects, or pixels.
    """

    kind: str
    label: str
    metric: str
    original: float | None
    candidate: float | None
    n: int

    @property
    def delta(self) -> float | None:
        """Candidate − original."""
        if self.original is None or self.candidate is None:
            return None
        return self.candidate - self.original


@dataclass(frozen=True, slots=True)
class TaskResult:
    """Accuracy of original and candidate on the same samples.

    Attributes:
        task: classification, detection, segmentation, image or tensor.
        labelled: samples with truth. samples: all of them.
        metrics: in order of importance; those against truth first.
        parts: by class, size, zone or ring; empty without truth.
        flips: samples by who was right, for classifiers with labels. flips.p is McNemar's p.
        notes: printable sentences a reader must know.
    """

    task: str
    labelled: int
    samples: int
    metrics: tuple[Metric, ...]
    parts: tuple[Part, ...]
    flips: Flips | None
    notes: tuple[str, ...]

    def metric(self, name: str) -> Metric | None:
        """The metric of this name, if it was measured."""
        return next((m for m in self.metrics if m.name == name), None)

    def quantities(self) -> dict[str, tuple[float, float, float]]:
        """What a budget may limit: name → (value, low, high).

        NAME is the candidate's value. Of metrics against truth it has no interval, and NAME_delta,
        candidate − original, has one. An unknown interval is unbounded.
        """
        found = {}
        for m in self.metrics:
            low = -inf if m.low is None else m.low
            high = inf if m.high is None else m.high
            if m.delta is None:
                found[m.name] = m.candidate, low, high
            else:
                found[m.name] = m.candidate, m.candidate, m.candidate
                found[f"{m.name}_delta"] = m.delta, low, high
        return found


def against_truth(
    name: str, original: float, candidate: float, interval: Interval | None, n: int
) -> Metric:
    """A metric each model has for itself; `interval` is that of the delta."""
    low, high = (interval.low, interval.high) if interval else (None, None)
    return Metric(name, original, candidate, candidate - original, low, high, n)


def between(
    name: str, value: float, interval: Interval | None, n: int, floor: tuple[float, int] | None
) -> Metric:
    """A metric between the two models; `floor` is (value, samples) under a 1-px shift."""
    low, high = (interval.low, interval.high) if interval else (None, None)
    at, count = floor or (None, 0)
    return Metric(name, None, value, None, low, high, n, at, count)
