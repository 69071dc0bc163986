"""The study of modes as a record: one table, with the bad news first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.comparison import Comparison
from onnxpad.joining.quantities import quantities
from onnxpad.measure.constant_response import ConstantResponse
from onnxpad.measure.context import ContextError
from onnxpad.measure.foveation import Foveation
from onnxpad.studies.foveation import AS_IT_IS
from onnxpad.studies.maps_shown import width
from onnxpad.studies.modes_build import Candidate
from onnxpad.studies.modes_run import Outcome, Outcomes
from onnxpad.studies.planes import plane
from onnxpad.study import Cell, Chart, ModelStudy, Picture, Series, Table
from onnxpad.tasks.result import Metric, TaskResult
from onnxpad.text import count, one_line, printable
from onnxpad.verdict import BETTER, UNKNOWN, WORSE

_TONES = {BETTER: "good", WORSE: "bad"}
_WORDS = {UNKNOWN: "not known whether it helps"}
# How the verdict begins a reason that holds for every mode alike.
_NO_TASK = "the task was not measured"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one model.

    Attributes:
        size: of the input. last: the layer whose constant response is told. ran: where it ran.
        candidates: all that were planned, those without a path with the reason.
        foveated: by the candidates' names; no_paths: why some are missing.
    """

    model: str
    size: tuple[int, ...]
    last: str
    ran: str
    candidates: tuple[Candidate, ...]
    outcomes: Outcomes
    foveated: Mapping[str, Foveation]
    no_paths: str


@dataclass(frozen=True, slots=True)
class _Column:
    """A head, and what stands below it: of the model as it is, and of a candidate."""

    head: str
    own: Cell
    of: Callable[[Outcome], Cell]


def shown(found: Found) -> ModelStudy:
    """The record."""
    ran = [one for one in found.outcomes.each if one.comparison is not None]
    return ModelStudy(
        found.model,
        tuple(printable(text, 600) for text in _on(found, ran)),
        tuple(printable(text, 600) for text in _said(ran)),
        tuple(_tables(found, ran)),
        tuple(_pictures(found, ran)),
        tuple(_charts(ran)),
        {f"context error {n}": np.array(e.error) for n, e in _first_errors(ran)},
    )


def _on(found: Found, ran: Sequence[Outcome]) -> Iterator[str]:
    size = "×".join(map(str, found.size))
    for one in ran[:1]:
        assert one.comparison is not None
        samples = one.comparison.samples
        ended = ", as many as time allowed (--samples takes the time)" * samples.out_of_time
        yield f"{count(samples.count, 'sample')} of {size}{ended}, the same for every mode: " + (
            samples.note
        )
        border = one.comparison.border
        if border is not None:
            crop, large = ("×".join(map(str, s)) for s in (border.crop, border.large))
            whose = "the user's own images" if border.real else "synthetic scenes"
            yield f"context error: {count(border.images, 'crop')} of {crop} out of {large}, {whose}"
            if border.mixed:
                yield "the context error is mixed: some operators read the whole image"
        task = one.comparison.task
        yield from task.notes if task else (f"no accuracy: {one.comparison.no_task}",)
    for what, why in (("context error", found.outcomes.no_border),
                      ("constant response", found.outcomes.no_constant),
                      ("count of paths for some modes", found.no_paths)):  # fmt: skip
        if why:
            yield f"no {what}: {why}"
    for one in ran:
        if one.why:
            yield f"not all of {one.candidate.name} could be looked into: {one.why}"
    yield found.ran


def _said(ran: Sequence[Outcome]) -> Iterator[str]:
    """Bad news first, and nothing beyond what was measured."""
    by_word: dict[str, list[Outcome]] = {}
    for one in ran:
        by_word.setdefault(_word(one), []).append(one)
    if not ran:
        yield "no other padding could be run"
        return
    better = by_word.pop(BETTER, [])
    if not better:
        yield f"none of {count(len(ran), 'mode')} is better, by border and task together"
    for one in by_word.pop(WORSE, []):
        yield f"{one.candidate.name} is worse: {_reason(one)}"
    for word, some in by_word.items():
        for one in some:
            yield f"{one.candidate.name}: {_WORDS.get(word, word)}: {_reason(one)}"
    for one in better:
        yield f"{one.candidate.name} is better by these measures: {_reason(one)}"


def _word(one: Outcome) -> str:
    return one.comparison.verdict.word if one.comparison and one.comparison.verdict else "unknown"


def _reason(one: Outcome) -> str:
    """Why, without what `on` says of all modes already."""
    verdict = one.comparison.verdict if one.comparison else None
    reasons = [r for r in verdict.reasons if not r.startswith(_NO_TASK)] if verdict else [one.why]
    return "; ".join(reasons[:2]) or "nothing could be measured"


def _tables(found: Found, ran: Sequence[Outcome]) -> Iterator[Table]:
    tones = ("", *(_TONES.get(_word(one), "") for one in ran))
    for key, title, columns, notes in (
        ("modes", "Modes", tuple(_columns(found, ran)), tuple(_notes(found, ran))),
        ("intervals", "What was changed, and 95 % intervals", tuple(_intervals(ran)), ()),
    ):
        rows = [(AS_IT_IS, *(column.own for column in columns))]
        rows += [(one.candidate.name, *(column.of(one) for column in columns)) for one in ran]
        heads = ("padding", *(column.head for column in columns))
        if ran:
            yield Table(key, title, heads, tuple(rows), notes, tones)
    refused = [(c.name, one_line(c.refused)) for c in found.candidates if c.path is None]
    refused += [(o.candidate.name, one_line(o.why)) for o in found.outcomes.each
                if o.comparison is None]  # fmt: skip
    if refused:
        yield Table("refused", "Not measured", ("padding", "why"), tuple(refused))


def _notes(found: Found, ran: Sequence[Outcome]) -> Iterator[str]:
    yield "corner: paths from the corner pixels / from the centre"
    yield "left/right: paths from the left half / from the right half"
    last = printable(found.last, 60)
    yield f"px, rms: what zeros at the first layer leave in the last one, {last}"
    yield "px: how far in from the border, in input pixels (all: to the middle); rms: × interior"
    yield "context: the border's error against real surroundings, in times the original's"
    if any(one.comparison and one.comparison.task for one in ran):
        yield "floor: agreement of the original with itself one pixel further"
    yield "latency: time in times the original's; noise: the original's in times its own"


def _columns(found: Found, ran: Sequence[Outcome]) -> Iterator[_Column]:
    own_paths = found.foveated.get(AS_IT_IS)

    def paths(one: Outcome) -> Foveation | None:
        return None if one.candidate.halo else found.foveated.get(one.candidate.mode)

    yield _Column("corner", _get(own_paths, "corner"), lambda o: _get(paths(o), "corner"))
    yield _Column(
        "left/right", _get(own_paths, "left_right"), lambda o: _get(paths(o), "left_right")
    )
    yield _Column("px", _px(found.outcomes.own), lambda one: _px(one.constant))
    yield _Column("rms", _rms(found.outcomes.own), lambda one: _rms(one.constant))
    measured = any(one.comparison and one.comparison.border for one in ran)
    yield _Column("context", 1 if measured else None, lambda one: _ratio(one, 0))
    yield from _task_columns(ran)
    yield _Column("latency", 1 if ran else None, lambda one: _comparison(one).run.latency.ratio)
    yield _Column("verdict", None, _word)


def _told_metrics(ran: Sequence[Outcome]) -> Iterator[Metric]:
    """The first metric against truth, and the first between the two models, where there are any."""
    known = next((o.comparison.task for o in ran if o.comparison and o.comparison.task), None)
    for between in (False, True) if known else ():
        assert known is not None
        yield from [m for m in known.metrics if m.info.between == between][:1]


def _task_columns(ran: Sequence[Outcome]) -> Iterator[_Column]:
    for first in _told_metrics(ran):
        unit = f", {first.info.unit}" if first.info.unit not in ("share", "") else ""
        yield _Column(f"{first.name}{unit}", first.original, _of(first.name, lambda m: m.candidate))
        if first.info.between:
            yield _Column("floor", None, _of(first.name, lambda m: m.floor))
        else:
            yield _Column("change", None, _of(first.name, lambda m: m.delta))


def _intervals(ran: Sequence[Outcome]) -> Iterator[_Column]:
    yield _Column("changed", None, lambda one: one.candidate.sites)
    yield _Column("context", None, lambda one: _ratio(one, 1))
    for first in _told_metrics(ran):
        what = first.name if first.info.between else f"change of {first.name}"
        yield _Column(what, None, _of(first.name, lambda m: _interval(m.low, m.high)))
    yield _Column("latency", None, _latency)
    yield _Column("noise", None, _noise)


def _of(name: str, value: Callable[[Metric], Cell]) -> Callable[[Outcome], Cell]:
    def cell(one: Outcome) -> Cell:
        task: TaskResult | None = _comparison(one).task
        metric = task.metric(name) if task else None
        return None if metric is None else value(metric)

    return cell


def _comparison(one: Outcome) -> Comparison:
    assert one.comparison is not None
    return one.comparison


def _get(one: Foveation | None, name: str) -> float | None:
    return None if one is None else float(getattr(one, name))


def _px(one: ConstantResponse | None) -> Cell:
    if one is None or one.unsure:
        return None
    found = width(one)
    return "all" if found is None else found


def _rms(one: ConstantResponse | None) -> Cell:
    if one is None or one.unsure or not one.scale:
        return None
    return one.rms / one.scale


def _ratio(one: Outcome, part: int) -> Cell:
    """The highest ratio of all outputs, as budgets judge it; or its interval."""
    found = quantities(_comparison(one)).get("context_error")
    if found is None:
        return None
    return _interval(found.low, found.high) if part else found.value


def _interval(low: float | None, high: float | None) -> Cell:
    if low is None or high is None or not np.isfinite([low, high]).all():
        return None
    return f"{low:.3g} to {high:.3g}"


def _latency(one: Outcome) -> Cell:
    found = _comparison(one).run.latency
    return _interval(found.ratio_low, found.ratio_high)


def _noise(one: Outcome) -> Cell:
    found = _comparison(one).run.latency
    return _interval(found.floor_low, found.floor_high)


def _first_errors(ran: Sequence[Outcome]) -> Iterator[tuple[str, ContextError]]:
    """The first output's error by ring: of the model as it is, then of each candidate."""
    for number, one in enumerate(ran):
        border = _comparison(one).border
        if border is None or not border.outputs:
            continue
        if number == 0:
            yield AS_IT_IS, border.outputs[0].original
        yield one.candidate.name, border.outputs[0].candidate


def _charts(ran: Sequence[Outcome]) -> Iterator[Chart]:
    series = tuple(
        Series(
            name, tuple(float(d * max(error.stride)) for d in range(len(error.error))), error.error
        )
        for name, error in _first_errors(ran)
        if error.error
    )
    if series:
        yield Chart(
            "context", "Error against real surroundings by distance to the border",
            "input px from the border", "squared error / variance", series,
        )  # fmt: skip


def _pictures(found: Found, ran: Sequence[Outcome]) -> Iterator[Picture]:
    """What zeros at the first layer leave in the last one, on one scale."""
    many = [(AS_IT_IS, found.outcomes.own), *((o.candidate.name, o.constant) for o in ran)]
    for name, one in many:
        if one is not None and one.deviation is not None and not one.unsure and one.scale > 0:
            values = plane(one.deviation / one.scale)
            title = f"constant response of {one.layer}, padding {name}"
            yield Picture(f"constant {name}", title, values, "constant", "× interior")
