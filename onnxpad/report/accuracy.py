"""Accuracy and agreement as a section."""

from collections.abc import Sequence

from onnxpad.report.figures import count, interval, p_value, plain, signed
from onnxpad.report.sections import BAD, DIM, GOOD, PLAIN, Cell, Grid, Section, cells
from onnxpad.tasks.result import Metric, Part, TaskResult
from onnxpad.text import printable

_MOST_PARTS = 6


def accuracy(task: TaskResult | None, absent: str, *, every: bool = False) -> Section:
    """Metrics against truth, then those between the models beside their floor, then parts."""
    if task is None:
        return Section("accuracy", "Accuracy", absent=absent)
    return Section(
        "accuracy",
        f"Accuracy: {printable(task.task)}, {_stands_on(task)}",
        (*_flips(task), *(Cell(printable(note, 300), DIM) for note in task.notes)),
        (),
        tuple(g for g in (_truth(task), _between(task), *_parts(task, every)) if g.rows),
    )


def _stands_on(task: TaskResult) -> str:
    if not task.labelled:
        return f"{count(task.samples, 'sample')} without labels"
    of = "" if task.labelled == task.samples else f" of {task.samples}"
    return f"{task.labelled}{of} labelled samples"


def _truth(task: TaskResult) -> Grid:
    rows = []
    for m in task.metrics:
        if m.delta is None:
            continue
        unit = m.info.unit
        tone = metric_tone(m)
        rows.append(
            (
                Cell(_named(m)),
                Cell(plain(m.original, unit)),
                Cell(plain(m.candidate, unit)),
                Cell(signed(m.delta, unit), tone),
                Cell(interval(m.low, m.high, unit, sign=True), tone),
                Cell(str(m.n), DIM),
            )
        )
    return Grid(("metric", "original", "candidate", "delta", "95 %", "n"), tuple(rows))


def metric_tone(m: Metric) -> str:
    """Good or bad where the interval of the delta excludes 0."""
    if m.delta is None or m.low is None or m.high is None or m.low <= 0 <= m.high:
        return PLAIN
    return GOOD if (m.delta > 0) == m.info.higher_is_better else BAD


def _between(task: TaskResult) -> Grid:
    rows = []
    for m in task.metrics:
        if m.delta is not None:
            continue
        unit = m.info.unit
        within = m.within_floor
        told = "not measured" if within is None else "within it" if within else "beyond it"
        tone = PLAIN if within is None else GOOD if within else BAD
        rows.append(
            (
                Cell(_named(m)),
                Cell(plain(m.candidate, unit)),
                Cell(interval(m.low, m.high, unit)),
                Cell(plain(m.floor, unit)),
                Cell(told, tone),
                Cell(str(m.n), DIM),
            )
        )
    heads = ("between the models", "value", "95 %", "1-px floor", "", "n")
    return Grid(heads, tuple(rows))


def _named(m: Metric) -> str:
    return f"{m.name}, dB" if m.info.unit == "dB" else m.name


def _flips(task: TaskResult) -> tuple[Cell, ...]:
    found = task.flips
    if found is None:
        return ()
    text = (
        f"{count(found.lost, 'sample')} right before and wrong now, {found.gained} the other way "
        f"round, of {found.total}; exact McNemar p = {p_value(found.p)}"
    ).replace("= <", "<")
    return (Cell(text),)


def _parts(task: TaskResult, every: bool) -> tuple[Grid, ...]:
    """One grid for each kind of part; classes with the worst first, the others in order."""
    kinds = dict.fromkeys((p.kind, p.metric) for p in task.parts)
    return tuple(
        _part_grid(kind, [p for p in task.parts if (p.kind, p.metric) == (kind, name)], every)
        for kind, name in kinds
    )


def _part_grid(kind: str, parts: Sequence[Part], every: bool) -> Grid:
    if kind == "class":
        parts = sorted(parts, key=lambda p: p.delta if p.delta is not None else 2.0)
    shown = parts if every else parts[:_MOST_PARTS]
    unit = "dB" if parts[0].metric.startswith("psnr") else ""
    rows = tuple(
        (
            *cells(printable(p.label, 30), plain(p.original, unit), plain(p.candidate, unit)),
            Cell(signed(p.delta, unit)),
            Cell(str(p.n), DIM),
        )
        for p in shown
    )
    heads = (f"{parts[0].metric} by {kind}", "original", "candidate", "delta", "n")
    return Grid(heads, rows, more=len(parts) - len(shown))
