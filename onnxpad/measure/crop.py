"""A crop inside a larger image, placed so that both are seen on the same grid of positions."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from onnxpad.measure.pair import Array

Space = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Crop:
    """Where a crop lies, in input pixels along each spatial axis.

    Attributes:
        axes: the spatial axes of the image arrays.
        begin: multiples of the model's total stride. size: of the crop.
        large: of the image that is used; equal to ``size`` modulo the total stride, so that
            strided windows fall on the same pixels in both.
    """

    axes: tuple[int, ...]
    begin: Space
    size: Space
    large: Space

    def surroundings(self, image: Array) -> Array:
        """The part of the image that gives the reference."""
        return cut(image, self.axes, (0,) * len(self.axes), self.large)

    def of(self, image: Array, grow: Sequence[int]) -> Array:
        """The crop and so many pixels of its real surroundings on each side."""
        begin = tuple(b - g for b, g in zip(self.begin, grow, strict=True))
        size = tuple(s + 2 * g for s, g in zip(self.size, grow, strict=True))
        return cut(image, self.axes, begin, size)


def place_crop(
    image: Sequence[int],
    axes: tuple[int, ...],
    size: Space,
    stride: Space,
    margin: int = 1,
) -> Crop | None:
    """Put a crop into the middle of an image of this shape; None where the image is too small.

    Args:
        image: shape of the whole array. axes: its spatial axes.
        size: the crop's spatial sizes. stride: the model's total stride.
        margin: the fewest pixels of real surroundings on each side.
    """
    begin, large = [], []
    for axis, length, step in zip(axes, size, stride, strict=True):
        spare = image[axis] - length
        first = spare // 2 // step * step
        last = (spare - first) // step * step
        if min(first, last) < max(margin, 1):
            return None
        begin.append(first)
        large.append(first + length + last)
    return Crop(axes, tuple(begin), size, tuple(large))


def on_grid(pixels: int, stride: Space) -> Space:
    """Pixels rounded up to whole strides along each axis."""
    return tuple(-(-pixels // step) * step for step in stride)


def positions(pixels: Sequence[int], stride: Sequence[Fraction]) -> Space:
    """Input pixels as positions of a map. Raises ValueError where they are not whole."""
    found = [Fraction(p) / s for p, s in zip(pixels, stride, strict=True)]
    if any(f.denominator != 1 for f in found):
        raise ValueError(f"{tuple(pixels)} pixels are no whole positions at stride {stride}")
    return tuple(int(f) for f in found)


def cut(values: Array, axes: Sequence[int], begin: Sequence[int], size: Sequence[int]) -> Array:
    """A part of an array. Raises ValueError where it reaches beyond the array."""
    index = [slice(None)] * values.ndim
    for axis, first, length in zip(axes, begin, size, strict=True):
        if first < 0 or length < 1 or first + length > values.shape[axis]:
            raise ValueError(f"{first} to {first + length} of {values.shape[axis]} on axis {axis}")
        index[axis] = slice(first, first + length)
    return np.ascontiguousarray(values[tuple(index)])
