"""Pad with the means of the channels: zeros, and a map of numbers added to them."""

from collections.abc import Sequence
from math import prod

import numpy as np

from onnxpad.builder import Builder, Ints, whole
from onnxpad.compose import PadAxis, pad
from onnxpad.modes import Mode

# Elements of a map that is written out; a larger one is computed when the model runs.
_LARGEST_MASK = 2**22


def pad_mean(
    build: Builder, tensor: str, axes: Sequence[PadAxis], rank: int, dtype: int,
    means: Sequence[float], *, output: str = "",
) -> str:  # fmt: skip
    """Pad with one number per channel: zeros, and then a map added that is 0 inside.

    Adding 0 leaves the interior what it was, and Pad itself knows one number only.
    """
    padded = pad(build, tensor, axes, Mode("zero"), rank, dtype)
    border = _border(build, tensor, axes, rank, dtype)
    column = np.array(means).reshape([1, -1] + [1] * (rank - 2))
    values = build.op("Mul", [border, build.constant(column, dtype)])
    return build.op("Add", [padded, values], output=output)


def _border(build: Builder, tensor: str, axes: Sequence[PadAxis], rank: int, dtype: int) -> str:
    """1 where padding stands, 0 inside, in shape (1, 1, padded sizes...)."""
    sizes_known = all(a.size is not None and a.fixed is not None for a in axes)
    if sizes_known and prod(a.size or 1 for a in axes) <= _LARGEST_MASK:
        mask = np.zeros([1] * rank)
        for axis in axes:
            begin, end = axis.fixed or (0, 0)
            along = np.ones(begin + (axis.size or 0) + end)
            along[begin : begin + (axis.size or 0)] = 0
            shape = [-1 if i == axis.axis else 1 for i in range(rank)]
            mask = np.maximum(mask, along.reshape(shape))
        return build.constant(mask, dtype)
    sizes: list[Ints] = [whole(1)] * rank
    for axis in axes:
        sizes[axis.axis] = build.size(tensor, axis.axis)
    one = build.constant(np.ones([1] * rank), dtype)
    inside = pad(
        build, build.op("Tile", [one, build.ints(build.concat(sizes))]), axes, Mode("zero"), rank,
        dtype,
    )  # fmt: skip
    return build.op("Sub", [one, inside])
