"""The verdict by table: every state of the task beside every state of the border."""

from dataclasses import replace
from fractions import Fraction

import pytest

from onnxpad.comparison import Border, BorderOutput, Comparison, OutputComparison, Run, Samples
from onnxpad.measure.context import ContextError, Ratio
from onnxpad.measure.difference import Difference
from onnxpad.measure.latency import Latency
from onnxpad.tasks.result import Metric, TaskResult
from onnxpad.verdict import judge_border, judge_task, verdict


def context(
    ratio: Ratio | None, total: float = 0.5, images: int = 3, name: str = "y"
) -> BorderOutput:
    def error(value: float, ratio: Ratio | None) -> ContextError:
        one = (Fraction(1), Fraction(1))
        return ContextError((8,), (value,), (value,), 1.0, one, images, 0, 0, 0, ratio)

    ours = 0.5 if ratio else 0.0
    return BorderOutput(name, error(ours, None), error(total, ratio))


def border(*outputs: BorderOutput, mixed: tuple[str, ...] = ()) -> Border:
    return Border(outputs, (8, 8), (16, 16), 3, 0, mixed, real=True)


def accuracy(low: float | None, high: float | None, name: str = "top1") -> Metric:
    delta = -0.1 if low is None or high is None else (low + high) / 2
    return Metric(name, 0.8, 0.8 + delta, delta, low, high, 50)


def agreement(value: float, low: float, high: float, floor: float | None = None) -> Metric:
    return Metric("agreement", None, value, None, low, high, 50, floor, 50 if floor else 0)


def task(*metrics: Metric, name: str = "classification") -> TaskResult:
    return TaskResult(name, 50, 50, metrics, (), None, ())


def comparison(
    result: TaskResult | None, edge: Border | None, *, identical: bool = False
) -> Comparison:
    change = 0.0 if identical else 0.1
    difference = Difference(5, change, change, change, 1.0, 1.0, 0, 0, 0)
    output = OutputComparison("y", "float32", (1, 5), 0, difference, None, (), "", True, None, "")
    samples = Samples("images", "", 0, 1, 1, False, (), 0, ())
    run = Run("cpu", "", 1, "1", 1.0, Latency(1, 1, 1, 1, 1, 1, 1, 1, 1))
    return Comparison("a", "b", (output,), samples, (), run, None, result, "no data", edge, "none")


TASKS = {
    "worse": task(accuracy(-0.2, -0.1)),
    "unharmed": task(accuracy(-0.1, 0.1)),
    "better": task(accuracy(0.1, 0.2)),
    "changed": task(accuracy(-0.1, 0.1), agreement(0.7, 0.6, 0.8, floor=0.95)),
    "unknown": None,
}
BORDERS = {
    "falls": border(context(Ratio(0.5, 0.4, 0.6))),
    "rises": border(context(Ratio(2.0, 1.5, 2.5))),
    "same": border(context(Ratio(1.0, 0.8, 1.2))),
    "both": border(context(Ratio(0.5, 0.4, 0.6)), context(Ratio(2.0, 1.5, 2.5))),
    "unknown": None,
}
TABLE = {
    "worse": ("worse", "worse", "worse", "worse", "worse"),
    "unharmed": ("better", "worse", "no difference", "mixed", "no difference"),
    "better": ("better", "mixed", "mixed", "mixed", "mixed"),
    "changed": ("mixed", "worse", "mixed", "mixed", "mixed"),
    "unknown": ("unknown", "worse", "unknown", "mixed", "unknown"),
}
CASES = [
    (kind, edge, word)
    for kind, words in TABLE.items()
    for edge, word in zip(BORDERS, words, strict=True)
]


@pytest.mark.parametrize(("kind", "edge", "word"), CASES, ids=[f"{k}-{e}" for k, e, _ in CASES])
def test_table(kind: str, edge: str, word: str) -> None:
    found = verdict(comparison(TASKS[kind], BORDERS[edge]))
    assert found.word == word
    assert found.reasons
    opposed = (kind, edge) in (("worse", "falls"), ("better", "rises"), ("better", "both"))
    assert ("disagree" in found.reasons[0]) == opposed


def test_better_needs_a_task() -> None:
    assert verdict(comparison(None, BORDERS["falls"])).word == "unknown"


def test_equal_outputs_are_no_difference() -> None:
    assert verdict(comparison(None, None, identical=True)).word == "no difference"
    nothing = replace(comparison(None, None, identical=True), outputs=())
    assert verdict(nothing).word == "unknown"


@pytest.mark.parametrize(
    ("metric", "state"),
    [
        (agreement(1.0, 0.93, 1.0), "no difference"),
        (agreement(0.95, 0.9, 0.98), "worse"),
        (agreement(0.96, 0.9, 0.98, floor=0.95), "no difference"),
        (agreement(0.94, 0.9, 0.97, floor=0.95), "no difference"),
        (agreement(0.7, 0.6, 0.8, floor=0.95), "worse"),
        (Metric("cosine", None, 0.9, None, 0.8, 0.95, 9), "unknown"),
        (Metric("psnr_between", None, 30.0, None, 29.0, 31.0, 9, 25.0, 9), "no difference"),
        (Metric("psnr_between", None, 20.0, None, 19.0, 21.0, 9, 25.0, 9), "worse"),
        (accuracy(None, None), "unknown"),
        (Metric("top1", 1.0, 1.0, 0.0, None, None, 1), "no difference"),
    ],
)
def test_one_measure(metric: Metric, state: str) -> None:
    assert judge_task(task(metric), "").state == state


def test_labels_count_before_agreement() -> None:
    found = judge_task(task(accuracy(-0.1, 0.1), agreement(0.7, 0.6, 0.8, floor=0.95)), "")
    assert found.state == "changed"
    assert "beyond the natural floor" in found.reasons[-1]
    found = judge_task(task(accuracy(0.1, 0.2), agreement(0.7, 0.6, 0.8, floor=0.95)), "")
    assert found.state == "better"
    found = judge_task(task(accuracy(-0.1, 0.1), agreement(0.94, 0.9, 0.97, floor=0.95)), "")
    assert found.state == "no difference"


def test_broken_outputs_are_worse() -> None:
    whole = comparison(TASKS["better"], BORDERS["falls"])
    (output,) = whole.outputs
    difference = replace(output.difference, nonfinite_candidate=1, unlike=1)
    found = verdict(replace(whole, outputs=(replace(output, difference=difference),)))
    assert found.word == "worse"
    assert "NaN" in found.reasons[0]


def test_the_worst_measure_counts_and_comes_first() -> None:
    found = judge_task(task(accuracy(0.1, 0.2), accuracy(-0.2, -0.1, "top5")), "")
    assert found.state == "worse"
    assert found.reasons[0].startswith("top5 falls")


def test_borders_without_a_ratio() -> None:
    assert judge_border(border(context(None, total=0.0)), "").state == "no difference"
    assert judge_border(border(context(None, total=0.1)), "").state == "rises"
    assert judge_border(border(context(None, images=0)), "").state == "unknown"
    assert judge_border(border(context(Ratio(0.5, None, None))), "").state == "unknown"
    assert judge_border(border(context(Ratio(1.0, None, None))), "").state == "no difference"


def test_mixed_operators_are_said() -> None:
    found = judge_border(border(context(Ratio(0.5, 0.4, 0.6)), mixed=("norm\x1b", "b")), "")
    assert found.state == "falls"
    assert "mixed" in found.reasons[-1]
    assert "norm\\x1b and others" in found.reasons[-1]
