"""Context error: how far a crop's border is from what real surroundings would have made of it.

A large image runs through the original; the part of its map that belongs to the crop is the
reference. The crop runs alone. With ring d the positions at distance d from the map's border,

    NE(d) = mean over ring d of (alone − reference)² / Var,

Var the variance of the reference over the crop's positions, mean over channels and images. No
labels are needed; the reference is the same for every candidate. A model without padding has 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from math import sqrt

from onnxpad.probe.anatomy import Map

Values = tuple[float, ...]
ORIGINAL = "original"
# What float32 leaves between two runs at two sizes is far below; what eyes see is above.
NEGLIGIBLE = 1e-6
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Ratio:
    """Summed ring error of a candidate / of the original; the 95 % interval over images.

    None for the interval where fewer than two images were seen.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ContextError:
    """One output of one contender. Entry d of the tuples is ring d, in the map's positions.

    Attributes:
        counts: elements compared. error: NE(d); () where the variance is zero.
        mean_square: the mean squared difference, in the output's unit.
        variance: of the reference. stride: input pixels from one position to the next.
        images: crops seen. flat: those whose reference has no variance (they are counted in).
        uncompared: crops for which the contender made a map of another size, or none.
        nonfinite: elements left out, NaN or infinite.
        ratio: of the summed error to the original's; None for the original itself, and where
            the original has no error to speak of.
    """

    counts: tuple[int, ...]
    error: Values
    mean_square: Values
    variance: float
    stride: tuple[Fraction, ...]
    images: int
    flat: int
    uncompared: int
    nonfinite: int
    ratio: Ratio | None

    @property
    def total(self) -> float | None:
        """NE summed over the rings."""
        return sum(self.error) if self.error else None

    @property
    def floor(self) -> float | None:
        """NE of the innermost ring: what no padding explains, unseen content above all."""
        return self.error[-1] if self.error else None

    def depth(self, error: float = NEGLIGIBLE) -> int:
        """Rings from the border to the innermost whose NE is above `error`."""
        return max((d + 1 for d, value in enumerate(self.error) if value > error), default=0)

    def discard(self, error: float = NEGLIGIBLE) -> int | None:
        """Input pixels to discard per side so that what remains has NE of at most `error`.

        None where even the innermost ring has more.
        """
        depth = self.depth(error)
        if not self.error or depth >= len(self.error):
            return None
        return int(-(-depth * max(self.stride) // 1))


def discard_cost(tile: int, pixels: int, axes: int = 2) -> float | None:
    """Compute for one kept pixel when `pixels` per side of a tile are discarded: (T/(T−2k))².

    None where nothing of the tile remains.
    """
    return (tile / (tile - 2 * pixels)) ** axes if tile > 2 * pixels else None


@dataclass(frozen=True, slots=True)
class ContextSums:
    """What is kept of the crops seen so far; a + b is what both saw.

    Attributes:
        moments: Σx, Σy, Σx², Σxy, Σy² over images of the summed ring errors of the original, x,
            and of this contender, y.
    """

    counts: tuple[int, ...] = ()
    squares: Values = ()
    variance: float = 0.0
    images: int = 0
    flat: int = 0
    uncompared: int = 0
    nonfinite: int = 0
    moments: Values = (0.0,) * 5

    def __add__(self, other: "ContextSums") -> "ContextSums":
        return ContextSums(
            tuple(a + b for a, b in zip_longest(self.counts, other.counts, fillvalue=0)),
            tuple(a + b for a, b in zip_longest(self.squares, other.squares, fillvalue=0.0)),
            self.variance + other.variance,
            self.images + other.images,
            self.flat + other.flat,
            self.uncompared + other.uncompared,
            self.nonfinite + other.nonfinite,
            tuple(a + b for a, b in zip(self.moments, other.moments, strict=True)),
        )

    def result(self, stride: tuple[Fraction, ...], *, original: bool = False) -> ContextError:
        """The record."""
        some = [max(n, 1) for n in self.counts]
        square = tuple(v / n for v, n in zip(self.squares, some, strict=True))
        variance = self.variance / max(self.images, 1)
        error = tuple(v / variance for v in square) if variance > 0 else ()
        ratio = None if original else self._ratio(variance)
        return ContextError(
            self.counts, error, square, variance, stride, self.images, self.flat,
            self.uncompared, self.nonfinite, ratio,
        )  # fmt: skip

    def _ratio(self, variance: float) -> Ratio | None:
        x, y, xx, xy, yy = self.moments
        n = self.images
        if not n or x <= NEGLIGIBLE * variance * n:
            return None
        ratio = y / x
        if n < 2:
            return Ratio(ratio, None, None)
        # The delta method for a ratio of two means.
        scatter = max(yy - 2 * ratio * xy + ratio * ratio * xx, 0.0) * n / (n - 1)
        spread = _Z * sqrt(scatter) / x
        return Ratio(ratio, max(ratio - spread, 0.0), ratio + spread)


Sums = dict[str, tuple[ContextSums, ...]]


def merged(a: Sums, b: Sums) -> Sums:
    """The sums of two lots of images."""
    if not a or not b:
        return a or b
    return {k: tuple(x + y for x, y in zip(a[k], b[k], strict=True)) for k in a}


def results(sums: Sums, maps: Sequence[Map]) -> dict[str, tuple[ContextError, ...]]:
    """The records, by contender."""
    return {
        name: tuple(
            one.result(m.stride, original=name == ORIGINAL)
            for one, m in zip(many, maps, strict=True)
        )
        for name, many in sums.items()
    }
