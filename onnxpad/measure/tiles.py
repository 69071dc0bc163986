"""Tiles: what a large image looks like when a model sees it tile by tile.

Tiles of T input pixels overlap by K; where two overlap each gives up half, and the rest is put
together. Against the map of the whole image at once:

- error by distance d to the nearest seam, mean squared difference / variance of the whole map;
- the share of positions whose class differs, by the same distance, for segmentation;
- the jump over the seams: RMS difference of the two positions on either side of a seam, put
  together / whole. 1 is a seam that nobody sees.

A quarter of a tile along the border of the image itself is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from math import prod, sqrt

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tiling:
    """How an image is cut.

    Attributes:
        axes: spatial axes of the image. tile: pixels along each.
        step: from one tile to the next, a multiple of the total stride.
        count: tiles along each axis.
    """

    axes: tuple[int, ...]
    tile: tuple[int, ...]
    step: tuple[int, ...]
    count: tuple[int, ...]

    @property
    def overlap(self) -> tuple[int, ...]:
        """Pixels that two neighbours share."""
        return tuple(t - s for t, s in zip(self.tile, self.step, strict=True))

    @property
    def large(self) -> tuple[int, ...]:
        """Pixels of the image that are covered."""
        each = zip(self.tile, self.step, self.count, strict=True)
        return tuple(t + (n - 1) * s for t, s, n in each)

    @property
    def cost(self) -> float:
        """Pixels computed / pixels covered, for an image without end: (T / (T − K)) per axis."""
        return prod(t / s for t, s in zip(self.tile, self.step, strict=True))


def place_tiles(
    image: Sequence[int],
    axes: tuple[int, ...],
    tile: tuple[int, ...],
    overlap: int,
    stride: tuple[int, ...],
) -> Tiling | None:
    """Cover an image of this shape; None where it holds one tile only, or not even that.

    The overlap is rounded up so that every tile begins on the grid of the total stride.

    Raises ValueError where tiles overlap so much that none moves on.
    """
    step = tuple((t - overlap) // s * s for t, s in zip(tile, stride, strict=True))
    if overlap < 0 or min(step) < 1:
        raise ValueError(f"tiles of {tile} pixels cannot overlap by {overlap} at stride {stride}")
    each = zip(axes, tile, step, strict=True)
    count = tuple((image[axis] - t) // s + 1 for axis, t, s in each)
    if min(count) < 1 or max(count) < 2:
        return None
    return Tiling(axes, tile, step, count)


@dataclass(frozen=True, slots=True)
class Seams:
    """One output of one model. Entry d of the tuples is distance d from the nearest seam.

    Attributes:
        counts: elements compared. error: NE(d); () where the whole map has no variance.
        stride: input pixels from one position to the next.
        jump, jump_whole: RMS difference over the seams, put together and in the whole map.
        changed: share of positions of another class; () where the output holds no classes.
        images: seen. uncompared: those for which the model made maps of other sizes, or none.
    """

    counts: tuple[int, ...]
    error: Values
    stride: tuple[Fraction, ...]
    jump: float
    jump_whole: float
    changed: Values
    images: int
    uncompared: int

    @property
    def visibility(self) -> float | None:
        """Jump / jump of the whole map; None where the whole map has none."""
        return self.jump / self.jump_whole if self.jump_whole > 0 else None

    def discard(self, error: float) -> int | None:
        """Input pixels to discard at each side of a seam for NE of at most `error` beyond.

        None where even the positions farthest from a seam have more.
        """
        depth = max((d + 1 for d, v in enumerate(self.error) if v > error), default=0)
        if not self.error or depth >= len(self.error):
            return None
        return int(-(-depth * max(self.stride) // 1))


@dataclass(frozen=True, slots=True)
class SeamSums:
    """What is kept of the images seen so far; a + b is what both saw."""

    counts: tuple[int, ...] = ()
    squares: Values = ()
    places: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    variance: float = 0.0
    jumps: int = 0
    jump: float = 0.0
    jump_whole: float = 0.0
    images: int = 0
    uncompared: int = 0

    def __add__(self, other: "SeamSums") -> "SeamSums":
        return SeamSums(
            _added(self.counts, other.counts),
            tuple(a + b for a, b in zip_longest(self.squares, other.squares, fillvalue=0.0)),
            _added(self.places, other.places),
            _added(self.changed, other.changed),
            self.variance + other.variance,
            self.jumps + other.jumps,
            self.jump + other.jump,
            self.jump_whole + other.jump_whole,
            self.images + other.images,
            self.uncompared + other.uncompared,
        )

    def result(self, stride: tuple[Fraction, ...]) -> Seams:
        """The record."""
        variance = self.variance / max(self.images, 1)
        each = zip(self.squares, self.counts, strict=True)
        error = tuple(s / max(n, 1) / variance for s, n in each) if variance > 0 else ()
        jumps = max(self.jumps, 1)
        return Seams(
            self.counts,
            error,
            stride,
            sqrt(self.jump / jumps),
            sqrt(self.jump_whole / jumps),
            tuple(c / max(n, 1) for c, n in zip(self.changed, self.places, strict=False)),
            self.images,
            self.uncompared,
        )


def _added(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip_longest(a, b, fillvalue=0))
