"""Where two outputs differ: Δ = candidate − original by distance to the border.

Ring d holds the positions at distance d from the nearest border of the output; ring 0 is the
outermost. Padding acts from the border inwards, so the profile shows how far a change reaches.
For each ring: mean |Δ|, RMS Δ and max |Δ| over samples, channels and positions. Sums are float64.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from math import prod, sqrt

import numpy as np

from onnxpad.measure.pair import Array, Pair

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RingProfile:
    """The result; entry d of every tuple is ring d.

    Attributes:
        counts: elements compared (finite on both sides).
        mean_abs, rms, max_abs: of Δ, in the output's own unit.
        scale: RMS of the original's output over all rings; 0 where it is zero everywhere.
    """

    counts: tuple[int, ...]
    mean_abs: Values
    rms: Values
    max_abs: Values
    scale: float

    @property
    def relative(self) -> Values | None:
        """RMS Δ of each ring / RMS of the whole original; None where that is zero."""
        return tuple(v / self.scale for v in self.rms) if self.scale > 0 else None

    @property
    def depth(self) -> int:
        """The number of rings from the border to the innermost that differs at all."""
        return max((d + 1 for d, v in enumerate(self.max_abs) if v > 0), default=0)


@dataclass(frozen=True, slots=True)
class RingSums:
    """What is kept of the samples seen so far; a + b is what both saw."""

    counts: tuple[int, ...] = ()
    sum_abs: Values = ()
    sum_square: Values = ()
    max_abs: Values = ()
    square_original: float = 0.0

    def __add__(self, other: "RingSums") -> "RingSums":
        return RingSums(
            tuple(a + b for a, b in zip_longest(self.counts, other.counts, fillvalue=0)),
            _added(self.sum_abs, other.sum_abs),
            _added(self.sum_square, other.sum_square),
            tuple(max(p) for p in zip_longest(self.max_abs, other.max_abs, fillvalue=0.0)),
            self.square_original + other.square_original,
        )

    def result(self) -> RingProfile:
        """The record."""
        some = [max(n, 1) for n in self.counts]
        return RingProfile(
            self.counts,
            tuple(v / n for v, n in zip(self.sum_abs, some, strict=True)),
            tuple(sqrt(v / n) for v, n in zip(self.sum_square, some, strict=True)),
            self.max_abs,
            sqrt(self.square_original / max(sum(self.counts), 1)),
        )


def rings(outputs: Pair, axes: tuple[int, ...]) -> RingSums:
    """Sum up one pair of outputs whose spatial axes are `axes`, in ascending order.

    Raises ValueError for axes the outputs do not have.
    """
    y, delta, finite = outputs.original, outputs.delta, outputs.finite
    if not axes or list(axes) != sorted(set(axes) & set(range(y.ndim))):
        raise ValueError(f"no spatial axes {axes} in a shape of {y.ndim} axes")
    others = tuple(i for i in range(y.ndim) if i not in axes)
    space = tuple(y.shape[i] for i in axes)
    index = ring_index(space)
    width = int(index.max(initial=-1)) + 1
    size = np.abs(delta)
    peak = np.zeros(width)
    np.maximum.at(peak, index.ravel(), size.max(axis=others, initial=0.0).ravel())
    if finite is None:
        compared = np.full(space, prod(y.shape[i] for i in others))
    else:
        compared = finite.sum(axis=others)
    return RingSums(
        tuple(int(n) for n in _by_ring(index, compared, width)),
        tuple(float(v) for v in _by_ring(index, size.sum(axis=others), width)),
        tuple(float(v) for v in _by_ring(index, np.square(delta).sum(axis=others), width)),
        tuple(float(v) for v in peak),
        float(np.square(y).sum()),
    )


@lru_cache(maxsize=32)
def ring_index(space: tuple[int, ...]) -> Array:
    """The ring of every position of a space of these sizes: an integer array of that shape."""
    index = np.full(space, max(space, default=0), np.int64)
    for axis, size in enumerate(space):
        along = np.minimum(np.arange(size), np.arange(size)[::-1])
        shape = [-1 if i == axis else 1 for i in range(len(space))]
        np.minimum(index, along.reshape(shape), out=index)
    index.flags.writeable = False
    return index


def _by_ring(index: Array, values: Array, width: int) -> Array:
    return np.bincount(index.ravel(), weights=values.ravel(), minlength=width)


def _added(a: Values, b: Values) -> Values:
    return tuple(x + y for x, y in zip_longest(a, b, fillvalue=0.0))
