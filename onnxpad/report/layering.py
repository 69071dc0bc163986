"""What the layers show, as a section: constant response, line artifacts, drift."""

from dataclasses import dataclass

from onnxpad.comparison import Layers
from onnxpad.measure.constant_response import ConstantResponse
from onnxpad.measure.drift import Drift
from onnxpad.measure.mean_map import MeanMap
from onnxpad.report.figures import NONE, count, number, percent, pixels
from onnxpad.report.sections import BAD, DIM, GOOD, PLAIN, Cell, Grid, Section
from onnxpad.text import printable

_MOST_LAYERS = 10
ALL = "all"


@dataclass(frozen=True, slots=True)
class LayerRow:
    """All that is known of one layer of the original; None for what was not measured.

    Attributes:
        name: untrusted. responses, means: (original, candidate).
    """

    name: str
    op: str
    responses: tuple[ConstantResponse | None, ConstantResponse | None]
    means: tuple[MeanMap | None, MeanMap | None]
    drift: Drift | None

    @property
    def artifacts(self) -> tuple[int, int]:
        """Line artifacts of both models."""
        ours, theirs = (len(m.artifacts) if m else 0 for m in self.means)
        return ours, theirs

    @property
    def badness(self) -> tuple[float, ...]:
        """The higher the worse: candidate's lines, width and drift before the original's."""
        ours, theirs = (_largest(r) for r in self.responses)
        drift = self.drift.whole if self.drift and self.drift.whole is not None else 0.0
        return self.artifacts[1], theirs, self.artifacts[0], ours, drift


def _largest(found: ConstantResponse | None) -> float:
    if found is None or found.clean:
        return 0.0
    return width(found) or float("inf")


def width(found: ConstantResponse) -> float | None:
    """Input pixels from the border that the widest side takes; None without an interior."""
    sides = found.widths_px
    return None if sides is None else max((w for pair in sides for w in pair), default=0.0)


def rows_of(found: Layers) -> list[LayerRow]:
    """Every layer, in the order of the nodes."""
    rows: dict[str, LayerRow] = {}
    results, constant = found.results, found.constant
    if constant is not None:
        for ours, theirs in zip(constant.original, constant.candidate, strict=True):
            rows[ours.layer] = LayerRow(ours.layer, ours.op, (ours, theirs), (None, None), None)
    if results is None:
        return list(rows.values())
    drifts = {d.layer: d for d in results.drifts}
    for first, second in zip(results.original, results.candidate, strict=True):
        name = first.layer
        known = rows.get(name)
        responses = known.responses if known else (None, None)
        rows[name] = LayerRow(name, first.op, responses, (first, second), drifts.get(name))
    return list(rows.values())


def layers(found: Layers | None, absent: str, *, every: bool = False) -> Section:
    """Counts in sentences, then a table of the layers, the worst first."""
    if found is None:
        return Section("layers", "Layers", absent=absent)
    rows = sorted(rows_of(found), key=lambda row: row.badness, reverse=True)
    shown = rows if every else rows[:_MOST_LAYERS]
    heads = ("layer", "op", "constant px", "of scale", "lines", "drift")
    grid = Grid(heads, tuple(map(_row, shown)), words=2, more=len(rows) - len(shown))
    lines = (*_constants(found), *_lines(found))
    return Section(
        "layers", f"Layers: {len(rows)}, the worst first", lines, (), (grid,) if rows else ()
    )


def _constants(found: Layers) -> tuple[Cell, ...]:
    constant = found.constant
    if constant is None:
        return (Cell("constant response: not measured", DIM),)
    both = (constant.original, [c for c in constant.candidate if c is not None])
    bad = [[r for r in side if not r.clean] for side in both]
    text = (
        f"constant response: {len(bad[0])} of {count(len(constant.original), 'layer')} of the "
        f"original deviate from a constant, {len(bad[1])} of {len(both[1])} of the candidate"
    )
    told = [Cell(text, _compared(len(bad[0]), len(bad[1])))]
    if constant.first_sees_zero:
        told.append(Cell("the first layer is fed zeros: its own padding cannot show", DIM))
    apart = sorted({op for side in bad for r in side for op in r.apart})
    if apart:
        ops = printable(", ".join(apart), 100)
        told.append(Cell(f"border effects of {ops} themselves are counted in", DIM))
    unsure = sum(bool(r.unsure) for r in constant.original)
    if unsure:
        told.append(Cell(f"{count(unsure, 'layer')} without a certain interior value", DIM))
    return tuple(told)


def _lines(found: Layers) -> tuple[Cell, ...]:
    results = found.results
    if results is None:
        return (Cell("line artifacts and drift: not measured", DIM),)
    ours, theirs = (
        sum(bool(m.artifacts) for m in side) for side in (results.original, results.candidate)
    )
    images = max((m.images for m in results.original), default=0)
    told = [
        Cell(
            f"line artifacts in mean maps of {count(images, 'image')}: in {ours} layers of the "
            f"original, {theirs} of the candidate",
            _compared(ours, theirs),
        )
    ]
    if results.unpaired:
        verb = "has" if results.unpaired == 1 else "have"
        told.append(
            Cell(f"{count(results.unpaired, 'layer')} {verb} no counterpart in the candidate", DIM)
        )
    return tuple(told)


def _compared(ours: int, theirs: int) -> str:
    return PLAIN if ours == theirs else BAD if theirs > ours else GOOD


def _row(row: LayerRow) -> tuple[Cell, ...]:
    ours, theirs = row.responses
    before, after = row.artifacts
    return (
        Cell(printable(row.name, 200)),
        Cell(printable(row.op, 24), DIM),
        Cell(_arrow(_width(ours), _width(theirs))),
        Cell(_arrow(_relative(ours), _relative(theirs))),
        Cell(NONE) if row.means[0] is None
        else Cell(_arrow(str(before), str(after)), _compared(before, after)),
        Cell(percent(row.drift.whole) if row.drift else NONE),
    )  # fmt: skip


def _width(found: ConstantResponse | None) -> str:
    if found is None:
        return NONE
    if found.clean:
        return "0"
    wide = width(found)
    return ALL if wide is None else pixels(wide)


def _relative(found: ConstantResponse | None) -> str:
    if found is None or found.relative is None:
        return NONE
    return "0" if found.clean else number(found.relative)


def _arrow(before: str, after: str) -> str:
    return NONE if before == after == NONE else f"{before} → {after}"
