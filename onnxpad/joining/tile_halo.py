"""The halo that tiles of the original are given, beside the candidate: its mode, its width."""

from math import prod

from onnxpad.comparison import Border, TileHalo
from onnxpad.errors import RunError
from onnxpad.joining.insides import Insides
from onnxpad.measure.crop import on_grid
from onnxpad.measure.haloed import haloed
from onnxpad.modes import KINDS
from onnxpad.probe.probe import Runner, SomeRunner
from onnxpad.text import printable

# A halo is as wide as the original's border error is above this.
_ERROR = 1e-3
_COPYING = frozenset(kind.name for kind in KINDS if kind.copying)
_USUAL_MODE = "edge"

Sites = tuple[tuple[str, str, str], ...]


def tile_halo(
    insides: Insides, run: Runner, tile: tuple[int, ...], asked: int | None,
    border: Border | None, sites: Sites,
) -> tuple[TileHalo, SomeRunner]:  # fmt: skip
    """The halo, and the original with it, once it has run.

    Args:
        run: the original. tile: sizes of a tile.
        asked: pixels per side; None for as many as the border error reaches.
        sites: (site, mode in the original, in the candidate).

    Raises RunError with the reason where there is none.
    """
    mixing = insides.original.anatomy.global_ops
    if mixing:
        names = printable(", ".join(mixing), 200)
        raise RunError(f"{names} mix positions from everywhere, so a halo changes the inside too")
    pixels, why = (asked, "as asked") if asked is not None else _reach(border, min(tile))
    if not pixels:
        raise RunError(f"{why}: there is nothing for a halo to mend")
    feeding = insides.original.feeding
    around = on_grid(pixels, insides.original.anatomy.stride)
    if any(n != pixels for n in around) and asked is not None:
        why = f"{asked} px as asked, rounded up to the total stride"
    mode = _mode(sites)
    padded = haloed(run, insides.maps, feeding.axes, around, mode)
    padded(feeding.sized(tile)[feeding.main])
    cost = prod((t + 2 * n) / t for t, n in zip(tile, around, strict=True))
    return TileHalo(mode, max(around), cost, why), padded


def _reach(border: Border | None, tile: int) -> tuple[int, str]:
    """Pixels from the border to where the original's error is small, and the sentence for it."""
    each = [one.original.discard(_ERROR) for one in border.outputs] if border else [None]
    known = [pixels for pixels in each if pixels is not None]
    if len(known) < len(each):
        return max(tile // 4, 1), "a quarter of the tile: how far the border error reaches is open"
    reach = max(known, default=0)
    if not reach:
        return 0, f"the original's border error is nowhere above {_ERROR:g}"
    return reach, f"so far from the border the original's error is above {_ERROR:g}"


def _mode(sites: Sites) -> str:
    """The candidate's own mode where it has one, copying one; else edge."""
    changed = {after for _, before, after in sites if after != before}
    return changed.pop() if len(changed) == 1 and changed <= _COPYING else _USUAL_MODE
