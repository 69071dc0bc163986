"""Context error of both models: the same crops, held against the same real surroundings."""

from math import prod

from onnxpad.comparison import Border, BorderOutput
from onnxpad.errors import RunError
from onnxpad.joining.insides import Insides
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.scenes import Pictures, Scenes
from onnxpad.measure.context import ORIGINAL, Sums, merged, results
from onnxpad.measure.context_run import Contender, context_sums
from onnxpad.measure.crop import on_grid, place_crop

# Enough for an inside, and small enough for many images to hold it and its surroundings.
_USUAL = 128
# Real surroundings whose worth is told for models with spatial outputs, in pixels per side.
_OVERLAPS = (4, 16)
_CANDIDATE = "candidate"
# Large pictures of batches and volumes are kept below this.
_MOST_ELEMENTS = 2**25

Space = tuple[int, ...]


def border(
    insides: Insides, pictures: Pictures, limit: Limit, tell: Progress, *, sized: bool = False
) -> Border:
    """Measure it.

    Args:
        sized: whether a size was asked for, which is then the crop's.

    Raises RunError with the reason where there is nothing to measure.
    """
    insides.need_maps()
    scenes, crop = _scenes(insides, pictures, sized=sized)
    anatomy, maps = insides.original.anatomy, insides.maps
    axes, stride = insides.original.feeding.axes, anatomy.stride
    margin = min((a - b) // 2 for a, b in zip(scenes.space, crop, strict=True))
    overlaps = () if anatomy.deepest else _grown(stride, margin)
    contenders = {_CANDIDATE: Contender(insides.candidate.some(insides.theirs))}
    itself = insides.original.some(maps)
    contenders |= {_name(o): Contender(itself, o) for o in overlaps}
    run = insides.original.runner(maps)
    sums: Sums = {}
    images = 0
    for picture in scenes:
        place = place_crop(picture.shape, axes, crop, stride)
        if place is None:
            break
        sums = merged(sums, context_sums(picture, place, maps, run, contenders))
        images += insides.main.batch
        tell("border", images, limit.most)
        if images >= limit.most or limit.expired:
            break
    if not images:
        raise RunError("no image is large enough to surround a crop")
    found = results(sums, maps)
    outputs = tuple(
        BorderOutput(
            one.name, found[ORIGINAL][i], found[_CANDIDATE][i],
            tuple((max(o), found[_name(o)][i]) for o in overlaps),
        )
        for i, one in enumerate(maps)
    )  # fmt: skip
    return Border(
        outputs, crop, scenes.space, images, scenes.skipped, anatomy.global_ops, scenes.real
    )


def _scenes(insides: Insides, pictures: Pictures, *, sized: bool) -> tuple[Scenes, Space]:
    """Large pictures, and the size of the crop in their middle.

    The margin is half the crop at least: what the original pads at the border of the large image
    must not reach the crop, or the reference would have the original's artifacts in it.
    """
    stride, fed = insides.original.anatomy.stride, insides.original.feeding.space
    usual = fed if sized or len(fed) == 1 else _usual(fed, stride)
    if pictures.source.origin in ("arrays", "function"):
        inner = _margin(fed, stride, 4)
        smaller = tuple(n - 2 * m for n, m in zip(fed, inner, strict=True))
        if all(n >= 4 * s for n, s in zip(smaller, stride, strict=True)):
            own = (picture for picture, _ in pictures.fed())
            return Scenes(fed, real=True, pictures=own), smaller
    for crop in dict.fromkeys((fed, usual)):
        found = pictures.own([_around(crop, _margin(crop, stride, 2))])
        if found is not None:
            return found, crop
    # A size that the model was made for shows more of its layers; others are a matter of time.
    crop = fed if max(fed) <= 2 * _USUAL and not _free(insides) else usual
    large = _around(crop, _margin(crop, stride, 1))
    if prod(large) * prod(insides.main.shape) > _MOST_ELEMENTS * prod(fed):
        crop = usual
        large = _around(crop, _margin(crop, stride, 2))
    return pictures.made(large), crop


def _free(insides: Insides) -> bool:
    """Whether the model leaves the sizes of its pictures open."""
    axes = insides.original.feeding.axes
    return not any(isinstance(insides.main.info.shape[axis], int) for axis in axes)


def _usual(fed: Space, stride: Space) -> Space:
    """At most the usual size, or four strides, equal to the size that runs modulo the stride."""
    found = []
    for n, s in zip(fed, stride, strict=True):
        most = max(_USUAL, 4 * s)
        found.append(n if n <= most else n - -(-(n - most) // s) * s)
    return tuple(found)


def _margin(crop: Space, stride: Space, share: int) -> Space:
    """A share of the crop's smallest size, on the grid along each axis, one stride at least."""
    return on_grid(max(min(crop) // share, 1), stride)


def _around(crop: Space, margin: Space) -> Space:
    return tuple(n + 2 * m for n, m in zip(crop, margin, strict=True))


def _grown(stride: Space, margin: int) -> tuple[Space, ...]:
    wanted = dict.fromkeys(on_grid(pixels, stride) for pixels in _OVERLAPS)
    return tuple(space for space in wanted if max(space) <= margin)


def _name(grown: Space) -> str:
    return f"overlap {grown}"
