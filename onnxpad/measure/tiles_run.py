"""Run an image tile by tile, put the maps together, and sum up how they differ from the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from onnxpad.measure.crop import cut, positions
from onnxpad.measure.pair import Array, pair
from onnxpad.measure.tiles import SeamSums, Tiling
from onnxpad.probe.anatomy import Map
from onnxpad.probe.probe import Runner, SomeRunner


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """A map put together from tiles.

    Attributes:
        values: of the whole map's shape.
        seams: along each spatial axis, the positions at which another tile begins.
        margin: positions along the image's own border that are not judged, a quarter of a tile:
            there a candidate differs from the original without any seam.
    """

    values: Array
    seams: tuple[tuple[int, ...], ...]
    margin: tuple[int, ...]


def seam_sums(
    image: Array,
    tiling: Tiling,
    maps: Sequence[Map],
    original: Runner,
    models: Mapping[str, SomeRunner],
    classes: int | None = None,
) -> dict[str, tuple[SeamSums, ...]]:
    """Run an image whole through the original, and in tiles through every model.

    Args:
        maps: the original's outputs. models: by name, the original among them if wanted.
        classes: the axis of the outputs that holds a score for each class. Outputs of integers
            are classes themselves.
    """
    none = (0,) * len(tiling.axes)
    whole = original(cut(image, tiling.axes, none, tiling.large))
    found = {}
    for name, run in models.items():
        joined = stitch(image, tiling, maps, run, [w.shape for w in whole])
        found[name] = tuple(
            SeamSums(uncompared=1) if j is None else _compare(w, j, m.axes, classes)
            for w, j, m in zip(whole, joined, maps, strict=True)
        )
    return found


def stitch(
    image: Array,
    tiling: Tiling,
    maps: Sequence[Map],
    run: SomeRunner,
    shapes: Sequence[tuple[int, ...]],
) -> list[Joined | None]:
    """Maps of these shapes put together from tiles; None where the tiles do not fill them.

    Tiles of a model without padding give smaller maps, which fill the whole only if the tiles
    overlap by what is missing.
    """
    joined: list[Joined | None] = [None] * len(maps)
    lost: set[int] = set()
    for at in product(*map(range, tiling.count)):
        begin = [i * s for i, s in zip(at, tiling.step, strict=True)]
        values = run(cut(image, tiling.axes, begin, tiling.tile))
        for number, (one, value) in enumerate(zip(maps, values, strict=True)):
            if value is None or not _fills(value, one, shapes[number], tiling):
                lost.add(number)
                continue
            target = joined[number]
            if target is None:
                target = Joined(
                    np.zeros(shapes[number], value.dtype),
                    _seams(value, one, tiling),
                    tuple(value.shape[a] // 4 for a in one.axes),
                )
                joined[number] = target
            inside, outside = _kept(value, one, at, tiling)
            target.values[outside] = value[inside]
    return [None if number in lost else value for number, value in enumerate(joined)]


def _fills(value: Array, one: Map, shape: tuple[int, ...], tiling: Tiling) -> bool:
    """Whether tiles of this size, put side by side, give exactly the whole map."""
    step = positions(tiling.step, one.stride)
    wanted = list(shape)
    for axis, move, count in zip(one.axes, step, tiling.count, strict=True):
        if value.ndim != len(shape) or value.shape[axis] < move:
            return False
        wanted[axis] -= (count - 1) * move
    return value.shape == tuple(wanted)


def _seams(value: Array, one: Map, tiling: Tiling) -> tuple[tuple[int, ...], ...]:
    """Where, along each axis, the kept part of the second tile begins, of the third, and so on."""
    found = []
    step = positions(tiling.step, one.stride)
    for axis, move, count in zip(one.axes, step, tiling.count, strict=True):
        shared = value.shape[axis] - move
        found.append(tuple(i * move + shared // 2 for i in range(1, count)))
    return tuple(found)


def _kept(
    value: Array, one: Map, at: Sequence[int], tiling: Tiling
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of a tile's map that is kept, in the tile and in the whole."""
    inside, outside = [slice(None)] * value.ndim, [slice(None)] * value.ndim
    step = positions(tiling.step, one.stride)
    for i, axis in enumerate(one.axes):
        size = value.shape[axis]
        shared = size - step[i]
        low = shared // 2 if at[i] else 0
        high = step[i] + shared // 2 if at[i] < tiling.count[i] - 1 else size
        inside[axis] = slice(low, high)
        outside[axis] = slice(at[i] * step[i] + low, at[i] * step[i] + high)
    return tuple(inside), tuple(outside)


def seam_distance(space: tuple[int, ...], seams: Sequence[Sequence[int]]) -> Array:
    """Distance of every position to the nearest seam: 0 on both sides of it."""
    found = np.full(space, max(space), np.int64)
    for axis, places in enumerate(seams):
        at = np.arange(space[axis])
        for place in places:
            along = np.where(at >= place, at - place, place - 1 - at)
            shape = [-1 if i == axis else 1 for i in range(len(space))]
            np.minimum(found, along.reshape(shape), out=found)
    return found


def _compare(whole: Array, joined: Joined, axes: tuple[int, ...], classes: int | None) -> SeamSums:
    variance = float(pair(whole, whole).original.var(axis=axes).mean())
    space = [whole.shape[a] - 2 * m for a, m in zip(axes, joined.margin, strict=True)]
    ours, theirs = (cut(v, axes, joined.margin, space) for v in (whole, joined.values))
    seams = [[s - m for s in many] for many, m in zip(joined.seams, joined.margin, strict=True)]
    both = pair(ours, theirs)
    others = tuple(a for a in range(ours.ndim) if a not in axes)
    index = seam_distance(tuple(space), seams).ravel()
    compared = np.ones(ours.shape, bool) if both.finite is None else both.finite
    counts = np.bincount(index, compared.sum(axis=others).ravel())
    squares = np.bincount(index, np.square(both.delta).sum(axis=others).ravel())
    jumps, jump, jump_whole = _jumps(both.original, both.original + both.delta, seams, axes)
    places, changed = _classes(ours, theirs, axes, index, classes)
    return SeamSums(
        tuple(int(n) for n in counts),
        tuple(float(v) for v in squares),
        places,
        changed,
        variance,
        jumps,
        jump,
        jump_whole,
        1,
    )


def _jumps(
    whole: Array, joined: Array, seams: Sequence[Sequence[int]], axes: tuple[int, ...]
) -> tuple[int, float, float]:
    """Elements over seams, Σ of the squared steps put together and in the whole."""
    count, sums = 0, [0.0, 0.0]
    for axis, places in zip(axes, seams, strict=True):
        for place in places:
            for i, values in enumerate((joined, whole)):
                after, before = values.take(place, axis), values.take(place - 1, axis)
                sums[i] += float(np.square(after - before).sum())
            count += whole.size // whole.shape[axis]
    return count, sums[0], sums[1]


def _classes(
    whole: Array, joined: Array, axes: tuple[int, ...], index: Array, classes: int | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """By distance: positions, and those whose class differs. Empty where there are no classes."""
    if classes is not None:
        ours, theirs = (np.expand_dims(v.argmax(classes), classes) for v in (whole, joined))
    elif whole.dtype.kind in "iub":
        ours, theirs = whole, joined
    else:
        return (), ()
    others = tuple(a for a in range(ours.ndim) if a not in axes)
    differ = (ours != theirs).sum(axis=others).ravel()
    per = ours.size // max(differ.size, 1)
    places = np.bincount(index) * per
    return tuple(int(n) for n in places), tuple(int(n) for n in np.bincount(index, differ))
