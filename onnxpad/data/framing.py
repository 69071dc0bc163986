"""How a picture is fitted into a model's input, and how positions map between the two.

Integers and numpy alone; onnxpad.data.pictures does what is decided here.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from onnxpad.runtime import Array

Size: TypeAlias = tuple[int, int]  # height, width

# Networks trained on crops are mostly tested on the inner 224 of 256 pixels.
_INNER = 0.875


@dataclass(frozen=True, slots=True)
class Resize:
    """How a picture of any size becomes one of the input's size.

    Attributes:
        kind: "stretch": proportions change. "crop": the largest window of the input's
            proportions at the centre, times `amount`, is resized. "short": the short side becomes
            `amount` pixels (0: so many that the input is 0.875 of them), then the centre is cut
            out.
            "letterbox": fitted in whole, the rest is `fill`. "none": the centre is cut out.
        centred: where a letterboxed picture lies; else at the top left.
        fill: pixel value, 0..255.
    """

    kind: Literal["stretch", "crop", "short", "letterbox", "none"] = "stretch"
    amount: float = 0.0
    centred: bool = True
    fill: float = 0.0

    def describe(self, size: Size) -> str:
        """In words, for an input of this size."""
        to = f"{size[1]}×{size[0]}"
        if self.kind == "stretch":
            return f"stretched to {to}"
        if self.kind == "none":
            return f"the centre {to} pixels as they are"
        if self.kind == "crop":
            share = "" if self.amount == 1 else f" {100 * self.amount:g} %"
            return f"the centre{share} resized to {to}"
        if self.kind == "short":
            square = round(size[0] / _INNER) if size[0] == size[1] else 0
            short = f"short side to {self.amount or square:g}"
            return f"{short if self.amount or square else 'resized'}, then the centre {to}"
        place = "centre" if self.centred else "top left"
        return f"letterbox {to} at the {place} on {self.fill:g}"

    def factor(self, source: Size, size: Size) -> float:
        """How much "short" resizes a picture."""
        if self.amount:
            return self.amount / min(source)
        return max(round(n / _INNER) / s for n, s in zip(size, source, strict=True))


@dataclass(frozen=True, slots=True)
class Frame:
    """The steps for one picture: cut out `window`, resize it to `resized`, lay it at `at`.

    Attributes:
        window: top, left, bottom, right in the picture.
        at: (y, x) of the resized window in the input; negative where it is cut off.
    """

    window: tuple[int, int, int, int]
    resized: Size
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a picture lies in the input: input = picture · scale + offset, axis by axis (y, x).

    Attributes:
        source: size of the picture, upright. size: of the input.
        scale: input pixels for one of the picture. offset: of its top left corner, in the input.
    """

    source: Size
    size: Size
    scale: tuple[float, float]
    offset: tuple[float, float]

    def to_input(self, xyxy: Array) -> Array:
        """Boxes (N, 4) of the picture, in pixels of the input, not clipped."""
        scale, offset = self._corners()
        return np.asarray(xyxy, np.float64) * scale + offset

    def to_source(self, xyxy: Array) -> Array:
        """Boxes (N, 4) of the input, in pixels of the picture, not clipped."""
        scale, offset = self._corners()
        return (np.asarray(xyxy, np.float64) - offset) / scale

    def nearest(self, values: Array, size: Size | None = None, outside: float = -1) -> Array:
        """A map (H, W, …) of the picture as the input sees it, by the nearest pixel.

        Args:
            values: of the picture's size.
            size: of the result; None: the input's. An output of another scale covers the same view.
            outside: the value where there is no picture.
        """
        size = size or self.size
        rows, columns = (self._source_index(axis, size[axis]) for axis in (0, 1))
        inside = np.ix_(rows >= 0, columns >= 0)
        shape = (*size, *values.shape[2:])
        found: Array = np.full(shape, outside, values.dtype)
        found[inside] = values[np.ix_(rows[rows >= 0], columns[columns >= 0])]
        return found

    def window(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of what the input sees of the picture, in its pixels."""
        whole = np.array([[0, 0, self.size[1], self.size[0]]], np.float64)
        left, top, right, bottom = self.to_source(whole)[0]
        height, width = self.source
        return max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))

    def _corners(self) -> tuple[Array, Array]:
        return np.array([self.scale[1], self.scale[0]] * 2), np.array(
            [self.offset[1], self.offset[0]] * 2
        )

    def _source_index(self, axis: int, count: int) -> Array:
        """For each of `count` positions the picture's row or column, −1 outside."""
        centre = (np.arange(count) + 0.5) * self.size[axis] / count
        place = (centre - self.offset[axis]) / self.scale[axis]
        # A centre on the line between two pixels takes the second, whatever rounding made of it.
        index = np.floor(place + 1e-9).astype(np.int64)
        return np.where((index >= 0) & (index < self.source[axis]), index, -1)


def frame(resize: Resize, source: Size, size: Size) -> Frame | str:
    """The steps that fit a picture of size `source` into `size`, or why it does not fit."""
    whole = (0, 0, *source)
    if resize.kind == "stretch":
        return Frame(whole, size, (0, 0))
    if resize.kind == "letterbox":
        resized = _times(source, min(size[0] / source[0], size[1] / source[1]))
        at = ((size[0] - resized[0]) // 2, (size[1] - resized[1]) // 2)
        return Frame(whole, resized, at if resize.centred else (0, 0))
    if resize.kind == "crop":
        factor = min(source[0] / size[0], source[1] / size[1]) * resize.amount
        return Frame(_centre(source, _times(size, factor)), size, (0, 0))
    resized = source
    if resize.kind == "short":
        resized = _times(source, resize.factor(source, size))
    if resized[0] < size[0] or resized[1] < size[1]:
        made = "" if resized == source else f", made {resized[1]}×{resized[0]},"
        return (
            f"{source[1]}×{source[0]} pixels{made} are fewer than the {size[1]}×{size[0]} to be "
            "cut out"
        )
    if resize.kind == "none":
        return Frame(_centre(source, size), size, (0, 0))
    return Frame(whole, resized, (-((resized[0] - size[0]) // 2), -((resized[1] - size[1]) // 2)))


def geometry(steps: Frame, source: Size, size: Size) -> Geometry:
    """Where these steps put the picture."""
    top, left, bottom, right = steps.window
    scale = steps.resized[0] / (bottom - top), steps.resized[1] / (right - left)
    offset = steps.at[0] - top * scale[0], steps.at[1] - left * scale[1]
    return Geometry(source, size, scale, offset)


def _times(size: Size, factor: float) -> Size:
    return max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)


def _centre(source: Size, size: Size) -> tuple[int, int, int, int]:
    high, wide = max(min(size[0], source[0]), 1), max(min(size[1], source[1]), 1)
    top, left = (source[0] - high) // 2, (source[1] - wide) // 2
    return top, left, top + high, left + wide
