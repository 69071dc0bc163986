"""Whether the change helped: one word, and why, bad news first. A pure function of records.

Two things are judged. The border: the summed error against real context, candidate / original; it
falls, or rises, when its 95 % interval lies below, or above, 1. The task: with labels, the deltas
of its accuracy metrics, which worsen when the interval lies beyond 0 on the bad side; without,
agreement with the original, which counts as unharmed within the natural floor, the original's
agreement with itself under a shift of one pixel.

| task      | border falls | rises  | no difference | not measured |
|-----------|--------------|--------|---------------|--------------|
| worse     | worse        | worse  | worse         | worse        |
| unharmed  | better       | worse  | no difference | no difference |
| better    | better       | mixed  | mixed         | mixed        |
| changed   | mixed        | worse  | mixed         | mixed        |
| unknown   | unknown      | worse  | unknown       | unknown      |

Changed: the labels show no harm beyond the interval, and yet the two models disagree more often
than the natural floor: too few samples to call that harmless. A candidate that gives NaN or
infinite values where the original does not is worse, whatever else was measured.
Where the border error falls at one output and rises at another, that is mixed, unless the task is
worse. Outputs that are equal in every element are no difference, whatever was measured.
"""

from dataclasses import dataclass

from onnxpad.comparison import Border, BorderOutput, Comparison, Verdict
from onnxpad.measure.context import NEGLIGIBLE
from onnxpad.tasks.result import Metric, TaskResult
from onnxpad.text import printable

BETTER, WORSE, SAME, MIXED, UNKNOWN = "better", "worse", "no difference", "mixed", "unknown"
_CHANGED = "changed"
_FALLS, _RISES, _BOTH = "falls", "rises", "both"


@dataclass(frozen=True, slots=True)
class _Finding:
    """One side of the verdict: its state, and sentences."""

    state: str
    reasons: tuple[str, ...]


def verdict(comparison: Comparison) -> Verdict:
    """Judge a comparison by its records alone."""
    if comparison.identical:
        return Verdict(SAME, ("both models give equal outputs on every sample",))
    task = judge_task(comparison.task, comparison.no_task)
    border = judge_border(comparison.border, comparison.no_border)
    word = _word(task.state, border.state)
    reasons = (*task.reasons, *border.reasons)
    if task.state in (SAME, _CHANGED, UNKNOWN) and border.state in (_RISES, _BOTH):
        reasons = (*border.reasons, *task.reasons)
    broken = _broken(comparison)
    if broken:
        return Verdict(WORSE, (broken, *reasons))
    told = _disagreement(task.state, border.state)
    return Verdict(word, (told, *reasons) if told else reasons)


# By the task's state; then for a border error that falls, rises, is the same, is unknown.
_WORDS = {
    WORSE: (WORSE, WORSE, WORSE, WORSE),
    SAME: (BETTER, WORSE, SAME, SAME),
    BETTER: (BETTER, MIXED, MIXED, MIXED),
    _CHANGED: (MIXED, WORSE, MIXED, MIXED),
    UNKNOWN: (UNKNOWN, WORSE, UNKNOWN, UNKNOWN),
}


def _word(task: str, border: str) -> str:
    if border == _BOTH:
        return WORSE if task == WORSE else MIXED
    return _WORDS[task][(_FALLS, _RISES, SAME, UNKNOWN).index(border)]


def _broken(comparison: Comparison) -> str:
    """What is broken in the candidate alone, "" if nothing is."""
    for output in comparison.outputs:
        found = output.difference
        if found.nonfinite_candidate > found.nonfinite_original:
            return (
                f"output {printable(output.name, 40)} of the candidate holds NaN or infinite "
                "values where the original's does not"
            )
    return ""


def _disagreement(task: str, border: str) -> str:
    if task == WORSE and border == _FALLS:
        return "the two disagree: the border error falls, and the task suffers all the same"
    if task == BETTER and border in (_RISES, _BOTH):
        return "the two disagree: the task gains, and the border error rises all the same"
    return ""


def judge_task(result: TaskResult | None, reason: str) -> _Finding:
    """The task's side: worse, better, SAME (unharmed), changed or UNKNOWN."""
    if result is None:
        return _Finding(UNKNOWN, (f"the task was not measured: {reason or 'no data'}",))
    labelled = [m for m in result.metrics if not m.info.between]
    judged = labelled or [m for m in result.metrics if m.floor is not None or _shares(m)]
    each = [_Finding(*_judge(m)) for m in judged]
    if not each:
        return _Finding(UNKNOWN, (f"task {result.task} has no measure of harm without labels",))
    order = (WORSE, BETTER, SAME, UNKNOWN)
    state = min((f.state for f in each), key=order.index)
    if state == SAME and all(m.low is None and m.delta for m in judged):
        state = UNKNOWN
    told = [r for kind in order for f in each if f.state == kind for r in f.reasons]
    agreed = [_judge(m) for m in result.metrics if m.name == "agreement"] if labelled else []
    told += [sentence for _, sentences in agreed for sentence in sentences]
    if state == SAME and any(kind == WORSE for kind, _ in agreed):
        state = _CHANGED
    return _Finding(state, tuple(told))


def _shares(metric: Metric) -> bool:
    """Agreement, which says something even without a floor."""
    return metric.name == "agreement"


def _judge(metric: Metric) -> tuple[str, tuple[str, ...]]:
    return _judge_between(metric) if metric.info.between else _judge_delta(metric)


def _judge_delta(metric: Metric) -> tuple[str, tuple[str, ...]]:
    delta, low, high = metric.delta or 0.0, metric.low, metric.high
    told = f"{metric.name} {_change(metric, delta)}"
    if low is None or high is None:
        if delta == 0:
            return SAME, (f"{told} (too few samples for an interval)",)
        return UNKNOWN, (f"{told}, of which too few samples tell no interval",)
    told += f" (95 % interval {_signed(low)} to {_signed(high)})"
    if not metric.info.higher_is_better:
        low, high = -high, -low
    if high < 0:
        return WORSE, (told,)
    return (BETTER, (told,)) if low > 0 else (SAME, (f"{told}: no difference to be sure of",))


def _judge_between(metric: Metric) -> tuple[str, tuple[str, ...]]:
    high, floor = metric.high, metric.floor
    told = f"{metric.name} {metric.candidate:.3g} of candidate and original"
    if metric.candidate == 1 and metric.info.unit == "share":
        return SAME, (told,)
    if floor is not None:
        told += f"; of the original and itself one pixel further {floor:.3g}"
        if metric.within_floor:
            return SAME, (f"{told}: within the natural floor",)
        if high is None or high >= floor:
            return SAME, (f"{told}: not beyond the interval",)
        return WORSE, (f"{told}: beyond the natural floor",)
    if high is None:
        return UNKNOWN, (f"{told}, of too few samples for an interval",)
    return (WORSE if high < 1 else SAME), (told,)


def judge_border(border: Border | None, reason: str) -> _Finding:
    """The border's side: falls, rises, both (of several outputs), SAME or UNKNOWN."""
    if border is None:
        return _Finding(UNKNOWN, (f"the border error was not measured: {reason or 'no reason'}",))
    each = [_judge_output(one) for one in border.outputs]
    order = (_RISES, _FALLS, SAME, UNKNOWN)
    states = {state for state, _ in each}
    state = _BOTH if {_RISES, _FALLS} <= states else min(states, key=order.index, default=UNKNOWN)
    reasons = tuple(told for kind in order for s, told in each if s == kind)
    if border.mixed and reasons:
        others = " and others" * (len(border.mixed) > 1)
        told = f"{printable(border.mixed[0], 60)}{others} let all of an image act everywhere"
        reasons += (f"the border error is mixed: {told}",)
    return _Finding(state, reasons)


def _judge_output(one: BorderOutput) -> tuple[str, str]:
    ratio, name = one.candidate.ratio, f"at output {printable(one.name, 40)}"
    if not one.candidate.images:
        return UNKNOWN, f"the candidate has no map to hold against the original {name}"
    if ratio is None:
        theirs = one.candidate.total
        if theirs is not None and theirs > NEGLIGIBLE:
            return _RISES, f"the border error {name} rises from none to {theirs:.3g}"
        return SAME, f"neither model has a border error {name}"
    told = f"the border error {name} is {ratio.value:.3g} times the original's"
    if ratio.low is None or ratio.high is None:
        return (SAME if ratio.value == 1 else UNKNOWN), f"{told} (one image: no interval)"
    told += f" (95 % interval {ratio.low:.3g} to {ratio.high:.3g})"
    if ratio.high < 1:
        return _FALLS, told
    return (_RISES, told) if ratio.low > 1 else (SAME, told)


def _change(metric: Metric, delta: float) -> str:
    if delta == 0:
        return f"does not change ({metric.candidate:.3g})"
    word = "rises" if delta > 0 else "falls"
    return f"{word} from {metric.original:.3g} to {metric.candidate:.3g}"


def _signed(value: float) -> str:
    return f"{value:+.3g}" if value else "0"
