"""The verdict, the budget, and the sections of a comparison in the order they are told."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from onnxpad.budget import (
    FAIL,
    HELD,
    INCONCLUSIVE,
    MISSED,
    PASS,
    UNMEASURED,
    WARNING,
    Judged,
    Quantity,
)
from onnxpad.comparison import Comparison, OutputComparison
from onnxpad.report.accuracy import accuracy
from onnxpad.report.borders import border, tiles
from onnxpad.report.figures import count, number, percent
from onnxpad.report.layering import layers
from onnxpad.report.sections import BAD, DIM, GOOD, PLAIN, Cell, Grid, Section, cells
from onnxpad.text import printable

VERDICT_TONES = {"better": GOOD, "worse": BAD, "mixed": BAD}
_WEIGHT_TONES = {HELD: GOOD, MISSED: BAD, WARNING: PLAIN}
LIMIT_HEADS = ("limit", "outcome", "found", "95 %")


def verdict(comparison: Comparison) -> tuple[Cell, tuple[str, ...]]:
    """(one word or sentence with its tone, the reasons, bad news first)."""
    if comparison.verdict is None:
        return headline(comparison), ()
    word = printable(comparison.verdict.word, 40)
    reasons = tuple(printable(reason, 400) for reason in comparison.verdict.reasons)
    return Cell(word, VERDICT_TONES.get(word, PLAIN)), reasons


def headline(comparison: Comparison) -> Cell:
    """How far the outputs differ, in one clause, the worst number first."""
    if not comparison.outputs:
        return Cell("no output could be compared", BAD)
    if comparison.identical:
        return Cell("every output is the same, element by element", GOOD)
    worst = max((o for o in comparison.outputs if not o.identical), key=_badness)
    name, share = printable(worst.name, 40), worst.difference.relative_max
    if worst.uncompared:
        return Cell(f"{name} has other shapes on {count(worst.uncompared, 'sample')}", BAD)
    if worst.difference.unlike:
        return Cell(f"{name} is NaN or infinite where the other model's is not", BAD)
    if share is None:
        return Cell(f"{name} differs, where the original is 0")
    return Cell(f"{name} differs by {percent(share)} of its maximum")


def _badness(output: OutputComparison) -> tuple[int, int, float]:
    found = output.difference
    return output.uncompared, found.unlike, found.relative_max or 0.0


def short_names(comparison: Comparison) -> tuple[str, str]:
    """File names of both models, printable; with their folders where they are the same."""
    paths = comparison.original, comparison.candidate
    names = [printable(PurePath(path).name, 60) for path in paths]
    if names[0] == names[1] and paths[0] != paths[1]:
        names = [printable(path, 60) for path in paths]
    return names[0], names[1]


def sections(comparison: Comparison, *, every: bool = False) -> Iterator[Section]:
    """All measures, measured or not, in the order of their weight; the budget last."""
    yield accuracy(comparison.task, comparison.no_task, every=every)
    yield border(comparison.border, comparison.no_border, every=every)
    yield layers(comparison.layers, comparison.no_layers, every=every)
    yield tiles(comparison.tiles, comparison.no_tiles, every=every)
    yield budget(comparison.judged)


def unmeasured(comparison: Comparison) -> tuple[str, ...]:
    """What was not measured, with the reason: a phrase for each reason."""
    reasons: dict[str, list[str]] = {}
    for section in sections(comparison):
        if section.absent:
            reasons.setdefault(printable(section.absent, 300), []).append(section.title.lower())
    return tuple(f"{', '.join(what)} ({why})" for why, what in reasons.items())


def budget(judged: tuple[Judged, ...]) -> Section:
    """Each limit with what was found, the missed ones first."""
    rows = tuple(limit_row(one) for one in worst_first(judged))
    lost = sum(one.weight == MISSED for one in judged)
    title = f"Budget: {count(lost, 'limit')} missed" if lost else "Budget: held"
    warned = [one for one in judged if one.weight == WARNING]
    if not lost and warned:
        proven = all(one.outcome != INCONCLUSIVE for one in warned)
        told = f"held, with {count(len(warned), 'warning')}"
        title = f"Budget: {told if proven else 'not missed, but not proven either'}"
    grids = (Grid(LIMIT_HEADS, rows, words=2),) if rows else ()
    return Section("budget", title, grids=grids)


def worst_first(judged: Iterable[Judged]) -> list[Judged]:
    """Limits that were missed, then warnings, then those that held."""
    order = (MISSED, WARNING, HELD)
    outcomes = (FAIL, UNMEASURED, INCONCLUSIVE, PASS)
    return sorted(judged, key=lambda j: (order.index(j.weight), outcomes.index(j.outcome)))


def limit_row(one: Judged) -> tuple[Cell, ...]:
    """The limit, its outcome, what was found, and the interval of that."""
    return (
        Cell(str(one.limit)),
        Cell(one.outcome, _WEIGHT_TONES[one.weight]),
        *cells(*found_told(one.found), tone=DIM if one.found is None else PLAIN),
    )


def found_told(found: Quantity | None) -> tuple[str, str]:
    """A quantity and its interval, a dash for what there is not."""
    if found is None:
        return "–", "–"
    shown = f"{found.value:.4g}"
    if found.low == found.high:
        return shown, "–"
    low, high = (_bound(v) for v in (found.low, found.high))
    return shown, f"[{low}, {high}]"


def _bound(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e300 else number(value)
