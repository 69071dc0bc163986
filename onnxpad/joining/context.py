"""Crops with and without their real surroundings, run through one model and its contenders."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from onnxpad.errors import RunError
from onnxpad.joining.insides import Inside
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.scenes import Pictures, Scenes
from onnxpad.measure.context import ContextError, Sums, merged, results
from onnxpad.measure.context_run import Contender, context_sums
from onnxpad.measure.crop import on_grid, place_crop

# Enough for an inside, and small enough for many images to hold it and its surroundings.
_USUAL = 128
# Large pictures of batches and volumes are kept below this.
_MOST_ELEMENTS = 2**25

Space = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Large pictures, and the size of the crop in their middle."""

    scenes: Scenes
    crop: Space

    @property
    def margin(self) -> int:
        """Pixels of real surroundings on each side of the crop, at the narrowest."""
        return min((a - b) // 2 for a, b in zip(self.scenes.space, self.crop, strict=True))


@dataclass(frozen=True, slots=True)
class Context:
    """What was found.

    Attributes:
        errors: of each map, by contender; the model itself is onnxpad.measure.context.ORIGINAL.
        names: of the maps, untrusted.
        crop, large: sizes of the crop and of the image it was cut from, per spatial axis.
        images: crops seen. skipped: images that were too small.
        mixed: operators that mix positions globally, so that context changes the inside too.
        real: whether the images were a user's own.
    """

    errors: Mapping[str, tuple[ContextError, ...]]
    names: tuple[str, ...]
    crop: Space
    large: Space
    images: int
    skipped: int
    mixed: tuple[str, ...]
    real: bool


def context(
    inside: Inside, around: Surroundings, contenders: Mapping[str, Contender], limit: Limit,
    tell: Progress,
) -> Context:  # fmt: skip
    """Measure the model, and its contenders against the same reference. Raises RunError."""
    anatomy, maps, scenes = inside.probe.anatomy, inside.maps, around.scenes
    run = inside.probe.runner(maps)
    sums: Sums = {}
    images = 0
    for picture in scenes:
        place = place_crop(picture.shape, inside.probe.feeding.axes, around.crop, anatomy.stride)
        if place is None:
            break
        sums = merged(sums, context_sums(picture, place, maps, run, contenders))
        images += inside.main.batch
        tell("border", images, limit.most)
        if images >= limit.most or limit.expired:
            break
    if not images:
        raise RunError("no image is large enough to surround a crop")
    return Context(
        results(sums, maps), tuple(one.name for one in maps), around.crop, scenes.space, images,
        scenes.skipped, anatomy.global_ops, scenes.real,
    )  # fmt: skip


def surroundings(inside: Inside, pictures: Pictures, *, sized: bool) -> Surroundings:
    """Large pictures, and the size of the crop in their middle.

    The margin is half the crop at least: what the original pads at the border of the large image
    must not reach the crop, or the reference would have the original's artifacts in it.

    Args:
        sized: whether a size was asked for, which is then the crop's.

    Raises RunError with the reason where there is nothing to measure.
    """
    inside.need_maps()
    stride, fed = inside.probe.anatomy.stride, inside.probe.feeding.space
    usual = fed if sized or len(fed) == 1 else _usual(fed, stride)
    if pictures.source.origin in ("arrays", "function"):
        inner = _margin(fed, stride, 4)
        smaller = tuple(n - 2 * m for n, m in zip(fed, inner, strict=True))
        if all(n >= 4 * s for n, s in zip(smaller, stride, strict=True)):
            own = (picture for picture, _ in pictures.fed())
            return Surroundings(Scenes(fed, real=True, pictures=own), smaller)
    for crop in dict.fromkeys((fed, usual)):
        found = pictures.own([_around(crop, _margin(crop, stride, 2))])
        if found is not None:
            return Surroundings(found, crop)
    # A size that the model was made for shows more of its layers; others are a matter of time.
    crop = fed if max(fed) <= 2 * _USUAL and not _free(inside) else usual
    large = _around(crop, _margin(crop, stride, 1))
    if prod(large) * prod(inside.main.shape) > _MOST_ELEMENTS * prod(fed):
        crop = usual
        large = _around(crop, _margin(crop, stride, 2))
    return Surroundings(pictures.made(large), crop)


def _free(inside: Inside) -> bool:
    """Whether the model leaves the sizes of its pictures open."""
    axes = inside.probe.feeding.axes
    return not any(isinstance(inside.main.info.shape[axis], int) for axis in axes)


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
