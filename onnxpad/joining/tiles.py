"""Large images cut in tiles and put together again: seams of both models, and of a halo."""

from dataclasses import dataclass

from onnxpad.comparison import Border, SeamOutput, Tiles
from onnxpad.errors import RunError
from onnxpad.joining.insides import Insides
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.scenes import Pictures
from onnxpad.joining.tile_halo import Sites, tile_halo
from onnxpad.measure.context import discard_cost
from onnxpad.measure.tiles import SeamSums, Tiling, place_tiles
from onnxpad.measure.tiles_run import seam_sums

# Normalised errors for which the pixels to discard are told.
ERRORS = (1e-2, 1e-3, 1e-4, 1e-6)
_ORIGINAL, _CANDIDATE, _HALO = "original", "candidate", "halo"

Space = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, in pixels.

    Attributes:
        halo: per side, around every tile; None for as many as the border error reaches.
    """

    tile: int
    overlap: int = 0
    halo: int | None = None


def tiles(
    insides: Insides, pictures: Pictures, wanted: Wanted, limit: Limit, tell: Progress,
    border: Border | None, sites: Sites, classes: int | None = None,
) -> Tiles:  # fmt: skip
    """Measure them.

    Args:
        border: tells how far the original's border reaches.
        sites: tell the mode that the candidate pads with.
        classes: the axis of scores where the output holds classes.

    Raises RunError with the reason where tiles make no sense.
    """
    insides.need_maps()
    maps, stride = insides.maps, insides.original.anatomy.stride
    if insides.original.anatomy.deepest:
        raise RunError("the outputs are not spatial, so tiles cannot be put together")
    size, large = _sizes(wanted, stride)
    run = insides.original.runner(maps)
    models = {_ORIGINAL: run, _CANDIDATE: insides.candidate.some(insides.theirs)}
    halo, no_halo = None, ""
    try:
        halo, models[_HALO] = tile_halo(insides, run, size, wanted.halo, border, sites)
    except RunError as error:
        no_halo = str(error)
    totals = {name: [SeamSums()] * len(maps) for name in models}
    images = 0
    placed: Tiling | None = None
    for picture in pictures.own([large]) or pictures.made(large):
        axes = insides.original.feeding.axes
        placed = place_tiles(picture.shape, axes, size, wanted.overlap, stride)
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
        raise RunError(f"no image holds two tiles of {wanted.tile} pixels")
    outputs = []
    for i, one in enumerate(maps):
        seams = {name: sums[i].result(one.stride) for name, sums in totals.items()}
        outputs.append(SeamOutput(one.name, seams[_ORIGINAL], seams[_CANDIDATE], seams.get(_HALO)))
    shared = max(placed.overlap)
    costs = _discards(border, max(size))
    return Tiles(tuple(outputs), max(size), shared, images, costs, halo, no_halo)


def _sizes(wanted: Wanted, stride: Space) -> tuple[Space, Space]:
    """Sizes of a tile, in whole strides, and of an image that holds two along each axis."""
    size = tuple(-(-wanted.tile // s) * s for s in stride)
    step = tuple((n - wanted.overlap) // s * s for n, s in zip(size, stride, strict=True))
    if min(step) < 1:
        raise RunError(
            f"tiles of {wanted.tile} pixels that overlap by {wanted.overlap} do not move on: the "
            f"model's stride is {max(stride)}"
        )
    return size, tuple(n + s for n, s in zip(size, step, strict=True))


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
