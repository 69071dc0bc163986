"""Build padding out of ONNX nodes: Pad where it can do it, strips put around the tensor else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from onnxpad.builder import Builder, Ints, whole
from onnxpad.modes import Mode
from onnxpad.neighbours import NEIGHBOURS, neighbours
from onnxpad.ops import FLOATS

# Element types that both the ONNX documents (opset 11 on) and ONNX Runtime's Pad know.
_PAD_TYPES = frozenset(
    getattr(TensorProto, name)
    for name in [
        "FLOAT",
        "FLOAT16",
        "DOUBLE",
        "INT8",
        "UINT8",
        "INT32",
        "INT64",
        "UINT32",
        "UINT64",
        "BOOL",
    ]
)


@dataclass(frozen=True, slots=True)
class PadAxis:
    """One axis to pad: its index, its size (None unknown), and how much to invent on each side."""

    axis: int
    size: int | None
    begin: Ints
    end: Ints

    @property
    def fixed(self) -> tuple[int, int] | None:
        """(begin, end) where both are known."""
        if isinstance(self.begin, str) or isinstance(self.end, str):
            return None
        return int(self.begin[0]), int(self.end[0])


def pad(
    build: Builder, tensor: str, axes: Sequence[PadAxis], mode: Mode, rank: int, dtype: int,
    *, output: str = "", fill: NDArray[Any] | None = None,
) -> str:  # fmt: skip
    """Pad a tensor; returns the padded tensor's name (``output`` if given).

    Args:
        axes: the axes to pad, ascending.
        rank: axes of the tensor.
        dtype: its ONNX element type.
        fill: the scalar to write for zero and constant, if not the mode's own number: the zero
            point of an integer tensor.
    """
    operator = pad_operator(build, mode, axes, dtype)
    if operator:
        return _pad_node(build, tensor, axes, operator, mode, rank, dtype, output, fill)
    operator = _operator(build, mode, axes, dtype)
    if operator and build.enough and _fits(axes) in ({None}, {None, True}):
        least = {a.axis: max(a.fixed or (0,)) + 1 for a in axes if a.size is None}
        return build.either(
            build.enough(tensor, least),
            lambda: _pad_node(build, tensor, axes, operator, mode, rank, dtype, "", None),
            lambda: _composed(build, tensor, axes, mode, rank, dtype, ""),
            output=output,
        )
    return _composed(build, tensor, axes, mode, rank, dtype, output)


def _composed(
    build: Builder, tensor: str, axes: Sequence[PadAxis], mode: Mode, rank: int, dtype: int,
    output: str,
) -> str:  # fmt: skip
    for position, axis in enumerate(axes):
        last = position == len(axes) - 1
        tensor = _strips(build, tensor, axis, mode, rank, dtype, output if last else "")
    return tensor


def _fits(axes: Sequence[PadAxis]) -> set[bool | None]:
    """Whether reflect finds enough elements to mirror, along the axes; None: if they are many."""
    return {
        a.fixed is not None and (None if a.size is None else max(a.fixed) < a.size) for a in axes
    }


def pad_operator(build: Builder, mode: Mode, axes: Sequence[PadAxis], dtype: int) -> str:
    """The Pad operator's word for the mode here, "" where it cannot do it."""
    operator = _operator(build, mode, axes, dtype)
    return "" if operator == "reflect" and _fits(axes) != {True} else operator


def _operator(build: Builder, mode: Mode, axes: Sequence[PadAxis], dtype: int) -> str:
    """The same where sizes are large enough for it."""
    fixed = [a.fixed for a in axes]
    if build.opset < 11 and (None in fixed or dtype not in FLOATS):
        return ""
    if dtype not in _PAD_TYPES and not (dtype == TensorProto.BFLOAT16 and build.opset >= 13):
        return ""
    if mode.name == "symmetric" and all(f and max(f) <= 1 for f in fixed):
        return "edge"  # the same where the padding is 1
    if mode.kind.pad_since is None or build.opset < mode.kind.pad_since:
        return ""
    return mode.kind.pad_name


def _pad_node(
    build: Builder, tensor: str, axes: Sequence[PadAxis], operator: str, mode: Mode, rank: int,
    dtype: int, output: str, fill: NDArray[Any] | None,
) -> str:  # fmt: skip
    begins: list[Ints] = [whole(0)] * rank
    ends: list[Ints] = [whole(0)] * rank
    for axis in axes:
        begins[axis.axis], ends[axis.axis] = axis.begin, axis.end
    amounts = build.concat([*begins, *ends])
    filled = operator == "constant" and (fill is not None or mode.value != 0)
    value = fill if fill is not None else np.array(mode.value)
    if build.opset < 11:
        attrs: dict[str, Any] = {"value": float(value)} if filled else {}
        pads = [int(v) for v in amounts] if not isinstance(amounts, str) else []
        return build.op("Pad", [tensor], output=output, mode=operator, pads=pads, **attrs)
    inputs = [tensor, build.ints(amounts)]
    if filled:
        inputs.append(build.constant(value, dtype))
    return build.op("Pad", inputs, output=output, mode=operator)


def _strips(
    build: Builder, tensor: str, axis: PadAxis, mode: Mode, rank: int, dtype: int, output: str
) -> str:
    """Pad one axis by taking strips of the tensor and joining them to it.

    Fixed amounts: Concat(strip, tensor, strip), which copies as little as Pad does. Amounts known
    only at run time: one Gather over the whole axis, which also crops where they are negative.
    """
    fixed = axis.fixed
    if axis.size is None and fixed is not None and max(fixed) <= 1 and mode.name in NEIGHBOURS:
        return neighbours(build, tensor, axis.axis, fixed, mode, output)
    size: Ints = whole(axis.size) if axis.size else build.size(tensor, axis.axis)
    if fixed is None:
        where = build.range(build.sub(whole(0), axis.begin), build.add(size, axis.end))
        return _take(build, tensor, axis, mode, where, size, rank, dtype, output)
    parts = [tensor]
    if fixed[0]:
        where = np.arange(-fixed[0], 0, dtype=np.int64)
        parts.insert(0, _take(build, tensor, axis, mode, where, size, rank, dtype))
    if fixed[1]:
        after = build.add(size, np.arange(fixed[1], dtype=np.int64))
        parts.append(_take(build, tensor, axis, mode, after, size, rank, dtype))
    return build.op("Concat", parts, output=output, axis=axis.axis)


def _take(
    build: Builder, tensor: str, axis: PadAxis, mode: Mode, where: Ints, size: Ints, rank: int,
    dtype: int, output: str = "",
) -> str:  # fmt: skip
    """The tensor continued to the positions ``where`` (negative: before it) along one axis."""
    if mode.name == "linear":
        return _take_linear(build, tensor, axis, where, size, rank, dtype, output)
    index = build.ints(_SOURCE[mode.name](build, where, size, axis.begin))
    return build.op("Gather", [tensor, index], output=output, axis=axis.axis)


def _remainder(build: Builder, where: Ints, period: Ints, begin: Ints) -> tuple[Ints, Ints]:
    """(q + begin, m) with where = q period + m and 0 <= m < period; where >= -begin, period >= 1.

    Begin is left in: most modes use m alone, and a node that nobody reads is not to be written.
    """
    shifted = build.add(where, build.mul(begin, period))
    quotient = build.div(shifted, period)
    return quotient, build.sub(shifted, build.mul(quotient, period))


def _edge_source(build: Builder, where: Ints, size: Ints, _begin: Ints) -> Ints:
    inside = build.max(where, whole(0))
    return build.min(inside, build.sub(size, whole(1)))


def _wrap_source(build: Builder, where: Ints, size: Ints, begin: Ints) -> Ints:
    return _remainder(build, where, size, begin)[1]


def _symmetric_source(build: Builder, where: Ints, size: Ints, begin: Ints) -> Ints:
    period = build.mul(size, whole(2))
    _, m = _remainder(build, where, period, begin)
    return build.min(m, build.sub(build.sub(period, whole(1)), m))


def _reflect_period(build: Builder, size: Ints) -> Ints:
    """2 (size - 1), but 1 for a size of 1, whose one element is repeated as numpy.pad does."""
    return build.max(build.sub(build.mul(size, whole(2)), whole(2)), whole(1))


def _reflect_source(build: Builder, where: Ints, size: Ints, begin: Ints) -> Ints:
    period = _reflect_period(build, size)
    _, m = _remainder(build, where, period, begin)
    return build.min(m, build.sub(period, m))


# Which element stands at a position outside, for any distance: numpy.pad's repeated continuation.
_SOURCE = {
    "edge": _edge_source,
    "wrap": _wrap_source,
    "symmetric": _symmetric_source,
    "reflect": _reflect_source,
}


def _take_linear(
    build: Builder, tensor: str, axis: PadAxis, where: Ints, size: Ints, rank: int, dtype: int,
    output: str,
) -> str:  # fmt: skip
    """Mirrored and turned at the border: 2 x[border] - x[mirrored], continued without end.

    With where = q P + m, P = 2 (n - 1): x[m] + 2q (x[n-1] - x[0]) on the rising half (m < n - 1)
    and -x[P-m] - 2q x[0] + (2q + 2) x[n-1] on the falling one. Each factor is a small integer.
    """
    period = _reflect_period(build, size)
    quotient, m = _remainder(build, where, period, axis.begin)
    q = build.sub(quotient, axis.begin)
    mirrored = build.min(m, build.sub(period, m))
    # A size of 1 has no slope: every factor but that of the element itself is 0.
    several = build.at_least_one(build.sub(size, whole(1)))
    falling = build.mul(build.at_least_one(build.add(build.sub(m, size), whole(2))), several)
    twice = build.mul(build.mul(q, whole(2)), several)
    factors = (
        (mirrored, build.sub(whole(1), build.mul(falling, whole(2)))),
        (whole(0), build.sub(whole(0), twice)),
        (build.sub(size, whole(1)), build.add(twice, build.mul(falling, whole(2)))),
    )
    total = ""
    for index, factor in factors:
        if not isinstance(factor, str) and not factor.any():
            continue
        taken = build.op("Gather", [tensor, build.ints(index)], axis=axis.axis)
        term = build.op("Mul", [taken, _as_factor(build, factor, axis.axis, rank, dtype)])
        total = build.op("Add", [total, term]) if total else term
    return build.op("Identity", [total], output=output) if output else total


def _as_factor(build: Builder, factor: Ints, axis: int, rank: int, dtype: int) -> str:
    """Integers as numbers of the tensor's type, laid along its axis."""
    shape = [-1] + [1] * (rank - 1 - axis)
    if not isinstance(factor, str) and dtype in FLOATS:
        return build.constant(factor.reshape(shape), dtype)
    shaped = build.op("Reshape", [build.ints(factor), build.constant(shape)])
    return build.op("Cast", [shaped], to=dtype)


def same_amounts(
    build: Builder, tensor: str, axis: int, stride: int, extent: int, *, lower: bool
) -> tuple[Ints, Ints]:
    """(begin, end) of auto_pad SAME along an axis whose size is known only at run time."""
    size = build.size(tensor, axis)
    count = build.div(build.add(size, whole(stride - 1)), whole(stride))
    reach = build.add(build.mul(build.sub(count, whole(1)), whole(stride)), whole(extent))
    total = build.max(build.sub(reach, size), whole(0))
    small = build.div(total, whole(2))
    large = build.sub(total, small)
    return (large, small) if lower else (small, large)
