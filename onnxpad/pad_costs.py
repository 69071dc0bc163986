"""What padding costs at run time: the model that decides where a Pad stands.

Time of one thread of ONNX Runtime's CPU provider in microseconds, from sizes alone. The constants
were measured on an AVX-512 server core (docs/cost.md). Placement goes by differences of these
estimates and leaves padding where it is unless a move is clearly worth it, so that a faster or
slower machine changes little.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import prod

from onnx import TensorProto, helper

from onnxpad.scopes import TensorInfo

# A node more, at whatever size: its kernel is looked up, its output allocated.
NODE = 1.0
# A row more in one such pass: Pad copies row by row, and so are blocked tensors reordered.
ROW = 0.0028
# Quantised tensors: convolutions run with channels last, so that Pad copies long runs, and each
# element of a result is scaled and rounded.
BYTE_QUANTISED = 0.00001
REQUANTISE = 0.0004
# One byte read and written again.
BYTE = 0.00002
# Passes over a tensor between blocked convolutions: ReorderOutput, Pad, ReorderInput. Around
# anything else Pad is the only one.
BLOCKED_PASSES, PASSES = 3, 1
# One multiplication of a convolution with kernel 1, floats.
MAC = 0.000008
# A move must save this share of what the padding costs where it is, and this much at all.
LEAST_SHARE, LEAST = 0.15, 3.0
# What stands for a size that is known only at run time.
NOMINAL = 64

Amounts = Mapping[int, int]  # axis -> elements invented on both sides together


@dataclass(frozen=True, slots=True)
class Sized:
    """A tensor's element size in bytes and its sizes, nominal where they are not known."""

    item: int
    dims: tuple[int, ...]

    def elements(self, amounts: Amounts) -> int:
        """How many it has once it is padded."""
        if not amounts:
            return prod(self.dims)
        return prod([size + amounts.get(axis, 0) for axis, size in enumerate(self.dims)])


def sized(info: TensorInfo) -> Sized | None:
    """What a tensor weighs, None where its rank or type is unknown."""
    if info.shape is None or not info.dtype or info.dtype == TensorProto.STRING:
        return None
    dims = tuple(
        dim if isinstance(dim, int) else (NOMINAL if axis else 1)
        for axis, dim in enumerate(info.shape)
    )
    return Sized(_item(info.dtype), dims)


@cache
def _item(dtype: int) -> int:
    """Bytes of one element of an ONNX type."""
    return int(helper.tensor_dtype_to_np_dtype(dtype).itemsize)


def pad_cost(tensor: Sized, amounts: Amounts, *, blocked: bool) -> float:
    """Microseconds of one Pad. blocked: whether its neighbours work on a blocked layout."""
    elements = tensor.elements(amounts)
    last = max(amounts, default=0)
    row = prod(tensor.dims[last:]) + prod(tensor.dims[last + 1 :]) * amounts.get(last, 0)
    passes = BLOCKED_PASSES if blocked else PASSES
    if tensor.item == 1:
        return NODE + elements * BYTE_QUANTISED
    rows = elements / max(row, 1)
    return passes * (NODE + rows * ROW + elements * tensor.item * BYTE)


def halo_cost(tensor: Sized, amounts: Amounts, macs: int) -> float:
    """Microseconds more that a node takes whose result is padded. macs: for one element of it."""
    more = tensor.elements(amounts) - tensor.elements({})
    if tensor.item == 1:
        return more * REQUANTISE
    if not macs:
        return more * 2 * tensor.item * BYTE
    return more * macs * MAC
