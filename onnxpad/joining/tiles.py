"""Large images cut in tiles and put together again: what both models' seams look like."""

from onnxpad.comparison import Border, SeamOutput, Tiles
from onnxpad.errors import RunError
from onnxpad.joining.insides import Insides
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.scenes import Pictures
from onnxpad.measure.context import discard_cost
from onnxpad.measure.tiles import SeamSums, Tiling, place_tiles
from onnxpad.measure.tiles_run import seam_sums

# Normalised errors for which the pixels to discard are told.
ERRORS = (1e-2, 1e-3, 1e-4, 1e-6)
_ORIGINAL, _CANDIDATE = "original", "candidate"


def tiles(
    insides: Insides, pictures: Pictures, tile: int, overlap: int, limit: Limit, tell: Progress,
    border: Border | None, classes: int | None = None,
) -> Tiles:  # fmt: skip
    """Measure them.

    Args:
        border: tells how far the original's border reaches.
        classes: the axis of scores where the output holds classes.

    Raises RunError with the reason where tiles make no sense.
    """
    insides.need_maps()
    anatomy, maps = insides.original.anatomy, insides.maps
    if anatomy.deepest:
        raise RunError("the outputs are not spatial, so tiles cannot be put together")
    axes, stride = insides.original.feeding.axes, anatomy.stride
    size = tuple(-(-tile // s) * s for s in stride)
    step = tuple((n - overlap) // s * s for n, s in zip(size, stride, strict=True))
    if min(step) < 1:
        raise RunError(f"tiles of {tile} pixels that overlap by {overlap} do not move on: the "
                       f"model's stride is {max(stride)}")  # fmt: skip
    large = tuple(n + s for n, s in zip(size, step, strict=True))
    scenes = pictures.own([large]) or pictures.made(large)
    run, models = insides.original.runner(maps), {
        _ORIGINAL: insides.original.some(maps),
        _CANDIDATE: insides.candidate.some(insides.theirs),
    }  # fmt: skip
    totals = {name: [SeamSums()] * len(maps) for name in models}
    images = 0
    placed: Tiling | None = None
    for picture in scenes:
        placed = place_tiles(picture.shape, axes, size, overlap, stride)
        if placed is None:
            break
        found = seam_sums(picture, placed, maps, run, models, classes)
        for name, sums in found.items():
            totals[name] = [a + b for a, b in zip(totals[name], sums, strict=True)]
        images += insides.main.batch
        tell("tiles", images, limit.most)
        if images >= limit.most or limit.expired:
            break
    if not images or placed is None:
        raise RunError(f"no image holds two tiles of {tile} pixels")
    outputs = tuple(
        SeamOutput(
            m.name, totals[_ORIGINAL][i].result(m.stride), totals[_CANDIDATE][i].result(m.stride)
        )
        for i, m in enumerate(maps)
    )
    return Tiles(outputs, max(size), max(placed.overlap), images, _discards(border, max(size)))


def _discards(
    border: Border | None, tile: int
) -> tuple[tuple[float, int | None, float | None], ...]:
    """For each stated error, what the original must discard on every side of a tile."""
    if border is None:
        return ()
    found = []
    for error in ERRORS:
        each = [one.original.discard(error) for one in border.outputs]
        pixels = None if any(p is None for p in each) else max(p for p in each if p is not None)
        cost = None if pixels is None else discard_cost(tile, pixels, len(border.crop))
        found.append((error, pixels, cost))
    return tuple(found)
