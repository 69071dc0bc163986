"""Run crops inside and outside of their surroundings, and sum up how the maps differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.measure.context import ORIGINAL, ContextSums, Sums
from onnxpad.measure.crop import Crop, cut, positions
from onnxpad.measure.pair import Array, pair
from onnxpad.measure.rings import ring_index
from onnxpad.probe.anatomy import Map
from onnxpad.probe.probe import Runner, SomeRunner


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A way to compute a crop: a model, and the pixels of real surroundings it is given.

    `grow` pixels on each side, multiples of the total stride, are cut off the maps again.
    """

    run: SomeRunner
    grow: tuple[int, ...] | None = None


def context_sums(
    image: Array,
    crop: Crop,
    maps: Sequence[Map],
    original: Runner,
    contenders: Mapping[str, Contender],
    rings: int | None = None,
) -> Sums:
    """Run one large image, or a batch of them, and its crop.

    Args:
        image: as the model takes it; the crop was placed for its shape.
        maps: the original's outputs, as it hands them out.
        original: the model whose large run is the reference, and whose crop comes first.
        contenders: by name, which must not be "original".
        rings: the outermost rings to keep, None for all.

    Returns the sums of each contender and of "original", one for each map.
    """
    reference = original(crop.surroundings(image))
    none = (0,) * len(crop.axes)
    alone = original(crop.of(image, none))
    wanted = []
    for one, large, small in zip(maps, reference, alone, strict=True):
        size = tuple(small.shape[a] for a in one.axes)
        wanted.append(cut(large, one.axes, positions(crop.begin, one.stride), size))
    own = [_errors(w, s, one.axes, rings) for one, w, s in zip(maps, wanted, alone, strict=True)]
    found: Sums = {
        ORIGINAL: tuple(_sums(w, o, o, m) for w, o, m in zip(wanted, own, maps, strict=True))
    }
    for name, contender in contenders.items():
        grow = contender.grow or none
        values = contender.run(crop.of(image, grow))
        made = []
        for one, want, ours, value in zip(maps, wanted, own, values, strict=True):
            kept = None if value is None else _shrunk(value, one, grow, want.shape)
            theirs = None if kept is None else _errors(want, kept, one.axes, rings)
            made.append(_sums(want, ours, theirs, one))
        found[name] = tuple(made)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Errors:
    """Squared differences of each image by ring, (N, rings), and how many elements they sum."""

    squares: Array
    counts: Array
    nonfinite: int


def _errors(want: Array, value: Array, axes: tuple[int, ...], rings: int | None) -> _Errors:
    both = pair(want, value)
    index = ring_index(tuple(want.shape[a] for a in axes)).ravel()
    width = int(index.max(initial=-1)) + 1
    square = _positions(np.square(both.delta), axes)
    if both.finite is None:
        per = want.size // max(square.size, 1)
        counts = np.bincount(index, minlength=width) * per * len(square)
        lost = 0
    else:
        held = _positions(both.finite.astype(np.float64), axes).sum(axis=0)
        counts = np.bincount(index, held, width)
        lost = int(want.size - held.sum())
    rows = np.stack([np.bincount(index, row, width) for row in square])
    return _Errors(rows[:, :rings], counts[:rings], lost)


def _positions(values: Array, axes: tuple[int, ...]) -> Array:
    """Sum over channels: (N, positions)."""
    others = tuple(a for a in range(1, values.ndim) if a not in axes)
    summed: Array = values.sum(axis=others)
    return summed.reshape(1 if 0 in axes else len(summed), -1)


def _sums(want: Array, ours: _Errors, theirs: _Errors | None, one: Map) -> ContextSums:
    if theirs is None:
        return ContextSums(uncompared=len(ours.squares))
    variance = want.astype(np.float64).var(axis=one.axes)
    each = variance.reshape(len(ours.squares), -1).mean(axis=1)
    usable = np.where(np.isfinite(each), each, 0.0)
    x, y = (_per_image(e) for e in (ours, theirs))
    return ContextSums(
        tuple(int(n) for n in theirs.counts),
        tuple(float(v) for v in theirs.squares.sum(axis=0)),
        float(usable.sum()),
        len(each),
        int((usable == 0).sum()),
        0,
        theirs.nonfinite,
        tuple(float(v) for v in (x.sum(), y.sum(), x @ x, x @ y, y @ y)),
    )


def _per_image(errors: _Errors) -> Array:
    """Mean squared difference of each ring, summed over the rings, of each image."""
    per = errors.counts / len(errors.squares)
    summed: Array = (errors.squares / np.maximum(per, 1)).sum(axis=1)
    return summed


def _shrunk(value: Array, one: Map, grow: tuple[int, ...], shape: tuple[int, ...]) -> Array | None:
    """The map without what the surroundings added; None where it is not of the wanted shape."""
    size = [shape[a] for a in one.axes]
    if any(grow):
        try:
            value = cut(value, one.axes, positions(grow, one.stride), size)
        except ValueError:
            return None
    return value if value.shape == shape else None
