"""How reached positions spread along one axis: boolean masks in, boolean masks out, no ONNX.

A mask holds, for each position of an axis, whether invented elements reach it. In several axes a
position is reached when it is along any of them. That is exact: what a window op, a crop or a join
makes of the complement of a product of sets is again such a complement.
"""

from collections.abc import Sequence
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from onnxpad.geometry import Window, end_extent, out_size

Mask = NDArray[np.bool_]

LARGEST = 2**16  # positions of an axis
MOST_WORK = 2**24  # positions x taps


def slid(
    mask: Mask, window: Window, begin: int, end: int, *, ceil_mode: bool, invents: bool
) -> Mask | None:
    """The mask behind a window op with padding; None where no window fits, or it is too large.

    Also None for pads below 0, which crop.

    Args:
        begin, end: padded elements. invents: whether they count as reached.
    """
    size = len(mask)
    out = out_size(size, window, begin, end, ceil=ceil_mode)
    if out == 0 or min(begin, end) < 0 or not _small(size + begin + end, window, out):
        return None
    extent = end_extent(size, window, begin, end, ceil=ceil_mode)
    padded = np.full(begin + size + extent, invents)
    padded[begin : begin + size] = mask
    span = (out - 1) * window.stride + 1
    made = np.zeros(out, dtype=bool)
    for start in range(0, window.extent, window.dilation):
        made |= padded[start : start + span : window.stride]
    return made


def spread(mask: Mask, window: Window, begin: int, out: int) -> Mask | None:
    """The mask behind a transposed convolution: position i writes i s + t d - begin for tap t.

    Args:
        begin: elements cropped at the begin. out: positions of the result.
    """
    fits = 0 <= begin <= LARGEST and 0 < out <= LARGEST
    if not fits or not _small(len(mask) * window.stride + window.extent, window, out):
        return None
    whole = np.zeros(max((len(mask) - 1) * window.stride + window.extent, begin + out), dtype=bool)
    span = (len(mask) - 1) * window.stride + 1
    for tap in range(window.kernel):
        start = tap * window.dilation
        whole[start : start + span : window.stride] |= mask
    return whole[begin : begin + out]


def _small(size: int, window: Window, out: int) -> bool:
    return size + window.extent <= LARGEST and out * window.kernel <= MOST_WORK


def padded(mask: Mask, begin: int, end: int, mode: str, *, invents: bool) -> Mask | None:
    """The mask behind a Pad node; negative amounts crop, copies carry what they are copies of.

    Args:
        mode: the operator's own word.
        invents: whether what is padded counts as reached, copies too.
    """
    if max(begin, end, 0) > LARGEST or len(mask) + begin + end <= 0:
        return None
    mask = mask[max(-begin, 0) : len(mask) - max(-end, 0)]
    amounts = (max(begin, 0), max(end, 0))
    if not len(mask):
        return None
    if mode == "constant" or invents:
        return np.pad(mask, amounts, constant_values=invents)
    kinds = {"edge": "edge", "reflect": "reflect", "wrap": "wrap"}
    return np.pad(mask, amounts, mode=kinds[mode]) if mode in kinds else None  # type: ignore[call-overload]  # numpy's overloads want literals


def repeated(mask: Mask, size: int) -> Mask | None:
    """The mask of positions that become blocks of ``size`` (DepthToSpace)."""
    return np.repeat(mask, size) if 0 < size * len(mask) <= LARGEST else None


def in_blocks(mask: Mask, size: int) -> Mask | None:
    """The mask of blocks of ``size`` positions (SpaceToDepth)."""
    return None if size < 1 or len(mask) % size else np.asarray(mask.reshape(-1, size).any(axis=1))


def read_at(mask: Mask, positions: Sequence[Sequence[int]]) -> Mask:
    """The mask of outputs that each read several positions; those outside read the nearest."""
    last = len(mask) - 1
    return np.array([any(mask[min(max(i, 0), last)] for i in read) for read in positions])


def resized(out: int, size: int, scale: float, how: str, mode: str, rounding: str) -> (
    list[list[int]] | None
):  # fmt: skip
    """The input positions that each output of a Resize reads; None for forms that are not known.

    Args:
        out, size: positions of the output and the input.
        scale: output positions for each input position.
        how: coordinate_transformation_mode. mode: nearest, linear or cubic.
        rounding: nearest_mode.
    """
    if max(out, size) > LARGEST:
        return None
    found = []
    for position in range(out):
        x = _coordinate(position, out, size, scale, how)
        if x is None:
            return None
        x = round(x, 9)  # half-way points stay where they are, whatever the division left
        if mode == "nearest":
            found.append([_ROUNDING[rounding](x)])
        elif x == floor(x):
            found.append([int(x)])
        else:
            taps = {"linear": (0, 1), "cubic": (-1, 0, 1, 2)}[mode]
            found.append([floor(x) + tap for tap in taps])
    return found


_ROUNDING = {
    "round_prefer_floor": lambda x: ceil(x - 0.5),
    "round_prefer_ceil": lambda x: floor(x + 0.5),
    "floor": floor,
    "ceil": ceil,
}


def _coordinate(position: int, out: int, size: int, scale: float, how: str) -> float | None:
    """Where an output position lies among the input's (ONNX Resize, version 19)."""
    middle = (position + 0.5) / scale
    if how == "align_corners" or (how == "pytorch_half_pixel" and out == 1):
        return position * (size - 1) / (out - 1) if out > 1 else 0.0
    if how == "half_pixel_symmetric":
        return size / 2 * (1 - out / (scale * size)) + middle - 0.5
    places = {
        "asymmetric": position / scale,
        "half_pixel": middle - 0.5,
        "pytorch_half_pixel": middle - 0.5,
        "tf_half_pixel_for_nn": middle,
    }
    return places.get(how)
