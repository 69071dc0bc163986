"""Context error, and seams between tiles, as sections."""

from collections.abc import Callable, Iterator
from math import isfinite

from onnxpad.comparison import Border, BorderOutput, SeamOutput, Tiles
from onnxpad.measure.context import ContextError, Ratio, discard_cost
from onnxpad.measure.tiles import Seams
from onnxpad.report.figures import (
    NONE,
    brief,
    count,
    number,
    percent,
    shape,
    times,
    times_interval,
)
from onnxpad.report.ringline import pooled_bins
from onnxpad.report.sections import (
    BAD,
    DIM,
    GOOD,
    PLAIN,
    Cell,
    Grid,
    Profile,
    Section,
    Series,
    cells,
)
from onnxpad.text import printable

BINS = 11
_MOST_OUTPUTS = 3
# Errors for which the pixels to discard are stated, and the share of the original's error that
# real surroundings have to bring it down to before that many pixels are advised.
STATED = (1e-2, 1e-3)
ENOUGH = 0.05


def border(found: Border | None, absent: str, *, every: bool = False) -> Section:
    """The headline ratio of each output, its rings, pixels to discard, overlap advice."""
    if found is None:
        return Section("border", "Border against real context", absent=absent)
    shown = found.outputs if every else found.outputs[:_MOST_OUTPUTS]
    lines = [*_caveats(found)]
    for one in shown:
        lines += _told(one)
    if len(shown) < len(found.outputs):
        lines.append(Cell(f"… and {len(found.outputs) - len(shown)} more outputs", DIM))
    profiles = tuple(p for one in shown for p in _profile(one))
    size = f"of {shape(found.crop)} out of {shape(found.large)}"
    title = f"Border against real context: {count(found.images, 'crop')} {size}"
    grids = (_discards(shown, found.crop), *(_overlaps(one) for one in shown if every))
    return Section(
        "border", title, tuple(lines), profiles, tuple(grid for grid in grids if grid.rows)
    )


def _caveats(found: Border) -> Iterator[Cell]:
    if found.mixed:
        names = printable(", ".join(found.mixed), 200)
        yield Cell(
            f"mixed: {names} mix positions from everywhere, so context changes the inside too", BAD
        )
    if found.skipped:
        verb = "was" if found.skipped == 1 else "were"
        yield Cell(f"{count(found.skipped, 'image')} {verb} too small and left out", DIM)
    if not found.real:
        yield Cell("on synthetic scenes; your own images are a better witness (--data)", DIM)


def _told(one: BorderOutput) -> Iterator[Cell]:
    name = printable(one.name, 30)
    if one.original.total is None:
        yield Cell(f"{name}: the reference is flat, so there is no scale for an error")
        return
    yield Cell(f"{name}: {told_ratio(one.candidate, one.original)}", tone(one.candidate.ratio))
    for who, error in (("original", one.original), ("candidate", one.candidate)):
        if error.uncompared:
            yield Cell(f"{name}: {count(error.uncompared, 'crop')} of the {who} of another size")
        if error.nonfinite:
            yield Cell(f"{name}: {error.nonfinite} NaN or infinite elements of the {who}", BAD)
    yield from _advice(one)


def told_ratio(candidate: ContextError, original: ContextError) -> str:
    """The headline: the summed ring error over the original's."""
    ratio = candidate.ratio
    if ratio is None:
        if not candidate.total or candidate.total <= 1e-6:
            return "neither model has any border error"
        return f"border error {number(candidate.total)}, where the original has none"
    bounds = f" {times_interval(ratio.low, ratio.high)}".rstrip()
    floor = f"; innermost ring {number(original.floor)} → {number(candidate.floor)}"
    return f"border error {times(ratio.value)} of the original's{bounds}{floor}"


def tone(ratio: Ratio | None) -> str:
    """Bad above 1, good below, plain where the interval holds 1."""
    if (
        ratio is None
        or not isfinite(ratio.value)
        or ratio.value == 1
        or (ratio.low or 0) <= 1 <= (ratio.high or 0)
    ):
        return PLAIN
    return BAD if ratio.value > 1 else GOOD


def overlap_shares(one: BorderOutput) -> tuple[tuple[int, float], ...]:
    """(pixels of real surroundings, summed error over that without), where there is an error."""
    whole = one.original.total
    if not whole:
        return ()
    return tuple((px, e.total / whole) for px, e in one.overlap if e.total is not None)


def _advice(one: BorderOutput) -> Iterator[Cell]:
    shares = overlap_shares(one)
    if not shares:
        return
    enough = next((found for found in shares if found[1] <= ENOUGH), None)
    if enough is None:
        px, left = min(shares, key=lambda found: found[1])
        yield Cell(f"even {px} px of real surroundings per side leave {times(left)} of the error")
    else:
        px, left = enough
        yield Cell(
            f"{px} px of real surroundings per side bring the original's error to {times(left)}: "
            f"for tiles, an overlap of {2 * px} px does more than any padding",
            GOOD,
        )


def _profile(one: BorderOutput) -> Iterator[Profile]:
    ours, theirs = one.original, one.candidate
    if not any(ours.error + theirs.error) or len(ours.error) != len(theirs.error):
        return
    labels, first = pooled_bins(ours.counts, ours.error, BINS)
    _, second = pooled_bins(theirs.counts, theirs.error, BINS)
    yield Profile(
        f"{printable(one.name, 24)}: context error by distance to the border",
        labels,
        (_series("original", first), _series("candidate", second)),
    )


def _series(name: str, values: tuple[float, ...]) -> Series:
    return Series(name, values, tuple(map(brief, values)))


def _discards(outputs: tuple[BorderOutput, ...], crop: tuple[int, ...]) -> Grid:
    rows = []
    for one in outputs:
        if not one.original.error:
            continue
        for error in STATED:
            found = [e.discard(error) for e in (one.original, one.candidate)]
            if found == [None, None] and error != STATED[0]:
                continue
            rows.append(
                (
                    Cell(printable(one.name, 24)),
                    *cells(number(error), *(pixels_told(px) for px in found)),
                    Cell(times(discard_cost(min(crop), found[0], len(crop)))
                         if found[0] is not None and crop else NONE, DIM),
                )
            )  # fmt: skip
    heads = ("px to discard per side", "for error", "original", "candidate", "cost at this size")
    return Grid(heads, tuple(rows))


def pixels_told(px: int | None) -> str:
    """Pixels; all where not even the middle is good enough."""
    return "all" if px is None else f"{px} px"


def _overlaps(one: BorderOutput) -> Grid:
    shares = overlap_shares(one)
    rows = tuple(cells(f"{px} px per side", times(share)) for px, share in shares)
    return Grid((f"{printable(one.name, 20)} with real surroundings", "error left"), rows)


def tiles(found: Tiles | None, absent: str, *, every: bool = False) -> Section:
    """Seams of each output, and what a stated error costs."""
    if found is None:
        return Section("tiles", "Tiles", absent=absent)
    shown = found.outputs if every else found.outputs[:_MOST_OUTPUTS]
    rows = tuple(row for one in shown for row in _seams(one))
    heads = ("seams", "original", "candidate", *(["halo"] if found.halo else []))
    grid = Grid(heads, rows, more=len(found.outputs) - len(shown))
    costs = tuple(
        cells(number(error), pixels_told(px), times(cost)) for error, px, cost in found.discard
    )
    title = (
        f"Tiles of {found.tile} px, overlap {found.overlap}: {count(found.images, 'large image')}"
    )
    discard = Grid(("error allowed (original)", "discard per side", "compute"), costs)
    grids = tuple(g for g in (grid, discard) if g.rows)
    return Section("tiles", title, tuple(_halo(found)), (), grids)


def _halo(found: Tiles) -> Iterator[Cell]:
    halo = found.halo
    if halo is None:
        if found.no_halo:
            yield Cell(f"no halo beside them: {printable(found.no_halo, 300)}", DIM)
        return
    yield Cell(
        f"halo: each tile of the original with {halo.pixels} px of {printable(halo.mode)} per side "
        f"({printable(halo.why, 200)}), {times(halo.cost)} its compute"
    )


def _seams(one: SeamOutput) -> Iterator[tuple[Cell, ...]]:
    name = printable(one.name, 30)
    each = [s for s in (one.original, one.candidate, one.halo) if s is not None]
    yield _row(f"{name}: jump over the seam", [s.visibility for s in each], times)
    yield _row(f"{name}: error at the seam", [_first(s.error) for s in each], number)
    if any(s.changed for s in each):
        yield _row(f"{name}: class changed at the seam", [_first(s.changed) for s in each], percent)
        yield _row(f"{name}: class changed anywhere", [_changed(s) for s in each], percent)
    lost = [s.uncompared for s in each]
    if any(lost):
        yield (Cell(f"{name}: images not compared"), *cells(*map(str, lost), tone=BAD))


def _row(
    name: str, values: list[float | None], show: Callable[[float | None], str]
) -> tuple[Cell, ...]:
    """The original's value, and the others' held against it."""
    ours, *others = values
    return (Cell(name), Cell(show(ours)), *(_held(v, ours, show) for v in others))


def _held(value: float | None, ours: float | None, show: Callable[[float | None], str]) -> Cell:
    if value is None or ours is None or show(value) == show(ours):
        return Cell(show(value))
    return Cell(show(value), BAD if value > ours else GOOD)


def _first(values: tuple[float, ...]) -> float | None:
    return values[0] if values else None


def _changed(seams: Seams) -> float | None:
    if not seams.changed or not sum(seams.counts):
        return None
    each = zip(seams.changed, seams.counts, strict=False)
    return sum(c * n for c, n in each) / sum(seams.counts)
