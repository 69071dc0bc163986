"""Build padding out of ONNX nodes: Pad where it can do it, strips put around the tensor elsewhere.

GraphSurgeon makes the nodes, in a scratch graph; splice.py puts them into the model. Integer
arithmetic on sizes is folded while it is written, so a known size leaves constants behind and an
unknown one leaves a few tiny nodes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, TensorProto, helper

from onnxpad.modes import Mode

# A small integer tensor: known (numpy, int64, 1-D) or the name of a 1-D int64 tensor in the graph.
Ints = NDArray[np.int64] | str

# Element types that both the ONNX documents (opset 11 on) and ONNX Runtime's Pad know.
_PAD_TYPES = frozenset(
    getattr(TensorProto, name)
    for name in "FLOAT FLOAT16 DOUBLE INT8 UINT8 INT32 INT64 UINT32 UINT64 BOOL".split()
)
FLOATS = frozenset((TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE))
FLOATING = FLOATS | {TensorProto.BFLOAT16}


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


class Builder:
    """Writes new nodes for one scope of a model.

    Args:
        opset: version of the default operator set in that scope.
        taken: names in use anywhere in the model; new ones are added.
        prefix: what the names of new tensors begin with.
    """

    def __init__(self, opset: int, taken: set[str]) -> None:
        self.opset = opset
        self._taken = taken
        self._graph = gs.Graph(opset=opset)
        self._tensors: dict[str, gs.Variable] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._constant_nodes: list[gs.Node] = []
        self._references: dict[str, tuple[str, str]] = {}
        self._prefix = "onnxpad"

    def name_after(self, prefix: str) -> None:
        """Names of the nodes that follow begin with ``prefix``."""
        self._prefix = prefix

    def unique(self, stem: str) -> str:
        """A name that nothing in the model has."""
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}_{count}"
        self._taken.add(name)
        return name

    def op(self, op_type: str, inputs: Sequence[str], *, output: str = "", **attrs: Any) -> str:
        """Add one node; returns its output's name."""
        result = output or self.unique(f"{self._prefix}/{op_type}")
        node = gs.Node(op_type, name=self.unique(f"{result}/node"), attrs=attrs)
        node.inputs = [self._tensor(name) if name else gs.Variable.empty() for name in inputs]
        node.outputs = [self._tensor(result)]
        self._graph.nodes.append(node)
        return result

    def constant(self, array: NDArray[Any] | Sequence[int], dtype: int = 0) -> str:
        """A constant of the scope; equal ones are one."""
        values = np.asarray(array)
        if not isinstance(array, np.ndarray):
            values = values.astype(np.int64)
        if dtype:
            values = values.astype(helper.tensor_dtype_to_np_dtype(dtype))
        key = (str(values.dtype), values.shape, values.tobytes())
        if key not in self._constants:
            name = self.unique("onnxpad/constant")
            node = gs.Node("Constant", name=self.unique(f"{name}/node"))
            node.attrs = {"value": gs.Constant(name, np.ascontiguousarray(values))}
            node.outputs = [self._tensor(name)]
            self._constant_nodes.append(node)
            self._constants[key] = name
        return self._constants[key]

    def reference(self, attribute: str, name: str) -> str:
        """A Constant whose attribute refers to an attribute ``name`` of the enclosing function."""
        key = (attribute, (), name.encode())
        if key not in self._constants:
            self._constants[key] = self.unique("onnxpad/reference")
            self._references[self._constants[key]] = (attribute, name)
        return self._constants[key]

    def _tensor(self, name: str) -> gs.Variable:
        if name not in self._tensors:
            self._tensors[name] = gs.Variable(name)
        return self._tensors[name]

    def mark(self) -> int:
        """A point between nodes; ``export`` cuts there."""
        return len(self._graph.nodes)

    def export(self, marks: Iterable[int]) -> tuple[list[NodeProto], list[list[NodeProto]]]:
        """(constants, the other nodes cut at each mark but the first) as protos."""
        self._graph.nodes = [*self._constant_nodes, *self._graph.nodes]
        exported = list(gs.export_onnx(self._graph, do_type_check=False).graph.node)
        head = len(self._constant_nodes)
        cuts = [head + mark for mark in marks]
        pieces = [exported[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
        referring = [_referring(output, *r) for output, r in self._references.items()]
        return [*referring, *exported[:head]], pieces

    # Integer arithmetic on sizes and positions: numpy as long as all is known.

    def ints(self, value: Ints) -> str:
        """The value as a tensor of the graph."""
        return value if isinstance(value, str) else self.constant(value)

    def _arithmetic(self, op_type: str, a: Ints, b: Ints) -> Ints:
        if not isinstance(a, str) and not isinstance(b, str):
            return np.asarray(_FOLD[op_type](a, b))
        return self.op(op_type, [self.ints(a), self.ints(b)])

    def add(self, a: Ints, b: Ints) -> Ints:
        """a + b."""
        return self._arithmetic("Add", a, b)

    def sub(self, a: Ints, b: Ints) -> Ints:
        """a - b."""
        return self._arithmetic("Sub", a, b)

    def mul(self, a: Ints, b: Ints) -> Ints:
        """a b."""
        return self._arithmetic("Mul", a, b)

    def div(self, a: Ints, b: Ints) -> Ints:
        """a // b for a >= 0, where truncating (ONNX) and flooring (numpy) are the same."""
        return self._arithmetic("Div", a, b)

    def abs(self, a: Ints) -> Ints:
        """Absolute value."""
        return np.abs(a) if not isinstance(a, str) else self.op("Abs", [a])

    # Abs stands in for Min, Max and comparisons, which ONNX had for integers only from opset 12.

    def min(self, a: Ints, b: Ints) -> Ints:
        """The smaller, for a + b >= |a - b|."""
        return self.div(self.sub(self.add(a, b), self.abs(self.sub(a, b))), whole(2))

    def max(self, a: Ints, b: Ints) -> Ints:
        """The larger, for a + b + |a - b| >= 0."""
        return self.div(self.add(self.add(a, b), self.abs(self.sub(a, b))), whole(2))

    def at_least_one(self, a: Ints) -> Ints:
        """1 where a >= 1, else 0."""
        distance = self.sub(self.abs(a), self.abs(self.sub(a, whole(1))))
        return self.div(self.add(distance, whole(1)), whole(2))

    def size(self, tensor: str, axis: int) -> Ints:
        """The size of a tensor's axis, read at run time."""
        return self.op("Gather", [self.op("Shape", [tensor]), self.constant([axis])], axis=0)

    def range(self, start: Ints, stop: Ints) -> Ints:
        """start, start + 1, ..., stop - 1."""
        if not isinstance(start, str) and not isinstance(stop, str):
            return np.arange(start[0], stop[0])
        scalars = [self._scalar(v) for v in (start, stop)]
        return self.op("Range", [*scalars, self.constant(np.array(1))])

    def _scalar(self, value: Ints) -> str:
        if not isinstance(value, str):
            return self.constant(np.array(value[0]))
        return self.op("Reshape", [value, self.constant(np.array([], dtype=np.int64))])

    def concat(self, parts: Sequence[Ints]) -> Ints:
        """Joined end to end."""
        known = [p for p in parts if not isinstance(p, str)]
        if len(known) == len(parts):
            return np.concatenate(known)
        return self.op("Concat", [self.ints(p) for p in parts], axis=0)


def _referring(output: str, attribute: str, name: str) -> NodeProto:
    """GraphSurgeon knows no attribute references, so this one node is written directly."""
    node = NodeProto(op_type="Constant", name=f"{output}/node", output=[output])
    node.attribute.add(name=attribute, ref_attr_name=name, type=AttributeProto.INTS)
    return node


_FOLD = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.floor_divide}


def whole(*numbers: int) -> NDArray[np.int64]:
    """A known small integer tensor."""
    return np.array(numbers, dtype=np.int64)


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
    for position, axis in enumerate(axes):
        last = position == len(axes) - 1
        tensor = _strips(build, tensor, axis, mode, rank, dtype, output if last else "")
    return tensor


def pad_operator(build: Builder, mode: Mode, axes: Sequence[PadAxis], dtype: int) -> str:
    """The Pad operator's word for the mode here, "" where it cannot do it."""
    fixed = [a.fixed for a in axes]
    if build.opset < 11 and (None in fixed or dtype not in FLOATS):
        return ""
    if dtype not in _PAD_TYPES and not (dtype == TensorProto.BFLOAT16 and build.opset >= 13):
        return ""
    if mode.name in ("symmetric", "linear"):
        alike = mode.name == "symmetric" and all(f and max(f) <= 1 for f in fixed)
        return "edge" if alike else ""
    if mode.name == "wrap":
        return "wrap" if build.opset >= 19 else ""
    if mode.name == "reflect":
        fits = all(f and a.size and max(f) < a.size for f, a in zip(fixed, axes, strict=True))
        return "reflect" if fits else ""
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
        attrs = {"value": float(value)} if filled else {}
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
    size: Ints = whole(axis.size) if axis.size else build.size(tensor, axis.axis)
    fixed = axis.fixed
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
    """(q, m) with where = q period + m and 0 <= m < period, for where >= -begin, period >= 1."""
    shifted = build.add(where, build.mul(begin, period))
    quotient = build.div(shifted, period)
    return build.sub(quotient, begin), build.sub(shifted, build.mul(quotient, period))


def _edge_source(build: Builder, where: Ints, size: Ints, begin: Ints) -> Ints:
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
    q, m = _remainder(build, where, period, axis.begin)
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
