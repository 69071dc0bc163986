"""The sizes that operators make which join, move, cut or collapse axes."""

from collections.abc import Callable, Sequence

import numpy as np
from onnx import NodeProto

from onnxpad import ops
from onnxpad.size_moves import concat, crop, expand, flatten, move_blocks, reshape, sliced, tile
from onnxpad.size_state import SizeState, UnknownSizeError
from onnxpad.size_values import Dims, Element, lift
from onnxpad.size_windows import pad, resize, transposed, window
from onnxpad.values import attributes

Rule = Callable[[SizeState, NodeProto], Dims]


def _same(state: SizeState, node: NodeProto) -> Dims:
    return state.dims_of(node.input[0])


def _broadcast(state: SizeState, node: NodeProto) -> Dims:
    return _together(state, node, [state.dims_of(name) for name in node.input if name])


def _quantised_broadcast(state: SizeState, node: NodeProto) -> Dims:
    return _together(state, node, [state.dims_of(node.input[i]) for i in (0, 3)])


def _together(state: SizeState, node: NodeProto, shapes: Sequence[Dims]) -> Dims:
    rank = max(map(len, shapes))
    out: list[Element] = []
    for axis in range(-rank, 0):
        size: Element = 1
        for shape in shapes:
            if -axis <= len(shape):
                size = _meet(state, node, size, shape[axis])
        out.append(size)
    return tuple(out)


def _meet(state: SizeState, node: NodeProto, a: Element, b: Element) -> Element:
    """One axis of two operands: alike, or one of them 1."""
    if a is None or b is None:
        other = b if a is None else a
        return None if other == 1 else other
    if a is b or a == b or b == 1:
        return a
    if a == 1:
        return b
    fails = lift(lambda n, m: (n != m) & (np.asarray(n) != 1) & (np.asarray(m) != 1), a, b)
    state.refuse(node, fails, "joins maps of different sizes")
    return lift(lambda n, m: np.where(np.asarray(n) == 1, m, n), a, b)


def _transpose(state: SizeState, node: NodeProto) -> Dims:
    data = state.dims_of(node.input[0])
    order = attributes(node).get("perm") or list(range(len(data)))[::-1]
    return tuple(data[i] for i in order)


def _global(state: SizeState, node: NodeProto) -> Dims:
    data = state.dims_of(node.input[0])
    last = bool(attributes(node).get("channels_last", 0))
    return tuple(d if i in (0, len(data) - 1 if last else 1) else 1 for i, d in enumerate(data))


def _axes(state: SizeState, node: NodeProto, position: int = 1) -> list[int] | None:
    given = attributes(node).get("axes")
    if given is not None:
        return list(given)
    named = len(node.input) > position and node.input[position]
    return state.ints(node.input[position], "axes") if named else None


def _reduce(state: SizeState, node: NodeProto) -> Dims:
    data, axes = state.dims_of(node.input[0]), _axes(state, node)
    given = attributes(node)
    if not axes and given.get("noop_with_empty_axes", 0):
        return data
    gone = {a % len(data) for a in axes} if axes else set(range(len(data)))
    return _without(data, gone, keep=bool(given.get("keepdims", 1)))


def _arg(state: SizeState, node: NodeProto) -> Dims:
    data, given = state.dims_of(node.input[0]), attributes(node)
    gone = {given.get("axis", 0) % len(data)}
    return _without(data, gone, keep=bool(given.get("keepdims", 1)))


def _without(data: Dims, gone: set[int], *, keep: bool) -> Dims:
    if keep:
        return tuple(1 if i in gone else d for i, d in enumerate(data))
    return tuple(d for i, d in enumerate(data) if i not in gone)


def _squeeze(state: SizeState, node: NodeProto) -> Dims:
    data, axes = state.dims_of(node.input[0]), _axes(state, node)
    if axes is None:
        if any(not isinstance(d, int) for d in data):
            raise UnknownSizeError("drops whichever axes are 1")
        axes = [i for i, d in enumerate(data) if d == 1]
    gone = {a % len(data) for a in axes}
    for axis in gone:
        state.unlike(node, data[axis], 1, "drops an axis that is longer than 1")
    return _without(data, gone, keep=False)


def _unsqueeze(state: SizeState, node: NodeProto) -> Dims:
    data, axes = state.dims_of(node.input[0]), _axes(state, node) or []
    rank = len(data) + len(axes)
    new = {a % rank for a in axes}
    old = iter(data)
    return tuple(1 if i in new else next(old) for i in range(rank))


def _gather(state: SizeState, node: NodeProto) -> Dims:
    data, where = state.dims_of(node.input[0]), state.dims_of(node.input[1])
    axis = attributes(node).get("axis", 0) % len(data)
    return (*data[:axis], *where, *data[axis + 1 :])


def _gemm(state: SizeState, node: NodeProto) -> Dims:
    a, b = (state.dims_of(node.input[i]) for i in (0, 1))
    given = attributes(node)
    a = a[::-1] if given.get("transA", 0) else a
    b = b[::-1] if given.get("transB", 0) else b
    if len(a) != 2 or len(b) != 2:
        raise UnknownSizeError("multiplies tensors of other than two axes")
    state.unlike(node, a[1], b[0], "has weights for maps of one size only")
    return (a[0], b[1])


def _matmul(state: SizeState, node: NodeProto) -> Dims:
    a, b = (state.dims_of(node.input[i]) for i in (0, 1))
    if min(len(a), len(b)) < 2:
        raise UnknownSizeError("multiplies vectors")
    state.unlike(node, a[-1], b[-2], "has weights for maps of one size only")
    return (*_together(state, node, [(1, *a[:-2]), (1, *b[:-2])])[1:], a[-2], b[-1])


def _constant_of_shape(state: SizeState, node: NodeProto) -> Dims:
    return tuple(state.elements(node.input[0], "shape"))


_SAME = (
    *ops.UNARY, *ops.FUSED_UNARY, *ops.QUANTISE, "BatchNormalization", "InstanceNormalization",
    "GroupNormalization", "LayerNormalization", "SkipLayerNormalization", "LRN", "LpNormalization",
    "MeanVarianceNormalization", "RMSNormalization", "Softmax", "LogSoftmax", "Hardmax", "Affine",
    "CumSum", "IsNaN", "IsInf", "QLinearSigmoid", "QLinearLeakyRelu", "DynamicQuantizeLinear",
    "FakeQuant", "BiasGelu",
)  # fmt: skip
_BROADCAST = (
    *ops.BINARY, "Sum", "Mean", "Where", "Equal", "Less", "Greater", "LessOrEqual",
    "GreaterOrEqual", "BitShift",
)  # fmt: skip
_REDUCE = (
    "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
    "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp",
)  # fmt: skip
_GLOBAL = (
    "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "QLinearGlobalAveragePool",
)  # fmt: skip
_GROUPS: tuple[tuple[Sequence[str], Rule], ...] = (
    (_SAME, _same),
    (_BROADCAST, _broadcast),
    (_REDUCE, _reduce),
    (_GLOBAL, _global),
    (sorted({name for _, name in ops.WINDOW_OPS}), window),
)
RULES: dict[str, Rule] = {
    **{name: rule for names, rule in _GROUPS for name in names},
    "ArgMax": _arg,
    "ArgMin": _arg,
    "Concat": concat,
    "ConstantOfShape": _constant_of_shape,
    "ConvTranspose": transposed,
    "Crop": crop,
    "DepthToSpace": move_blocks,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Pad": pad,
    "QLinearAdd": _quantised_broadcast,
    "QLinearMul": _quantised_broadcast,
    "Reshape": reshape,
    "Resize": resize,
    "Slice": sliced,
    "SpaceToDepth": move_blocks,
    "Squeeze": _squeeze,
    "Tile": tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Upsample": resize,
}
