"""What each operator does to reached positions."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import numpy as np
from onnx import NodeProto

from onnxpad import ops, reach_windows
from onnxpad.reach_axis import LARGEST, Mask, in_blocks, repeated
from onnxpad.reach_state import Context, LostError, Spread, States, all_through, only
from onnxpad.trace import pass_on
from onnxpad.values import attributes


def join(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    """Element by element, shapes broadcast: what reaches any operand reaches the result."""
    shape = context.scope.info(node.output[0]).shape
    along = {frozenset(s.masks) for s in states if s is not None and s.masks}
    if shape is None and len(along) > 1:
        raise LostError("works on tensors of unknown shape")
    masks: dict[int, Mask] = {}
    for name, state in zip(node.input, states, strict=True):
        ours = context.scope.info(name).shape
        # behind operators that nobody infers shapes for, equal axes are taken to be equal
        offset = 0 if shape is None or ours is None else len(shape) - len(ours)
        for axis, mask in state.masks.items() if state is not None else ():
            target = axis + offset
            size = context.known(node.output[0], target) or len(mask)
            if len(mask) not in (1, size) or size > LARGEST:
                raise LostError("joins maps of different sizes")
            wide = mask if len(mask) == size else np.broadcast_to(mask, (size,))
            if target in masks and len(masks[target]) != size:
                raise LostError("joins maps of different sizes")
            masks[target] = masks[target] | wide if target in masks else wide
    return Spread(masks, all_through(states))


def _concat(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    rank = len(context.shape(node.output[0]))
    axis = attributes(node).get("axis", 1) % rank
    beside = [s for s in states if s is not None and axis in s.masks]
    masks: dict[int, Mask] = {}
    for other in {a for s in states if s is not None for a in s.masks} - {axis}:
        along = [s.masks[other] for s in states if s is not None and other in s.masks]
        if len({len(mask) for mask in along}) > 1:
            raise LostError("joins maps of different sizes")
        masks[other] = np.logical_or.reduce(along)
    if beside:
        # where one operand is reached along another axis and its neighbour is not, no masks by
        # axis can say so
        for other, mask in masks.items():
            if any(
                s is None or not np.array_equal(s.masks.get(other, ~mask), mask) for s in states
            ):
                raise LostError("joins different maps side by side")
        read = zip(node.input, states, strict=True)
        masks[axis] = np.concatenate([context.mask(state, name, axis) for name, state in read])
    return Spread(masks, all_through(states))


def _slice(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    state, given = only(states), attributes(node)
    if "starts" in given:
        parts = [given["starts"], given["ends"], given.get("axes"), None]
    else:
        names = [*node.input[1:], "", ""][:4]
        parts = [context.values.ints(context.scope, n) if n else None for n in names]
        if (
            parts[0] is None
            or parts[1] is None
            or any(n and p is None for n, p in zip(names, parts, strict=True))
        ):
            raise LostError("cuts at places that are not known")
    starts, ends = parts[0], parts[1]
    axes = range(len(starts)) if parts[2] is None else parts[2]
    steps = [1] * len(starts) if parts[3] is None else parts[3]
    masks = dict(state.masks)
    for axis, *cut in zip(axes, starts, ends, steps, strict=True):
        where = -1 if axis is None else context.axis(node.input[0], axis)
        if axis is not None and where not in masks:
            continue
        if axis is None or None in cut:
            raise LostError("cuts at places that are not known")
        start, end, step = cut
        # counted backwards, an end below the begin is None to Python and a large negative to ONNX
        past = step < 0 and end < -len(masks[where])
        masks[where] = masks[where][start : None if past else end : step]
    return Spread(masks, state.through)


def _crop(_context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    """Crop, of ONNX before 1.5 and still run: ``border`` is left, top, right, bottom."""
    state, given = only(states), attributes(node)
    border = given.get("border", [])
    if given.get("scale") or len(border) != 4 or min(border) < 0 or not set(state.masks) <= {2, 3}:
        raise LostError("cuts in a way that is not known")
    left, top, right, bottom = border
    cuts = {2: (top, bottom), 3: (left, right)}
    masks = {a: m[cuts[a][0] : len(m) - cuts[a][1]] for a, m in state.masks.items()}
    return Spread(masks, state.through)


def _gather(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    state = only(states)
    rank = len(context.shape(node.input[0]))
    axis = attributes(node).get("axis", 0) % rank
    count = len(context.shape(node.input[1]))
    masks = {a + (count - 1 if a > axis else 0): m for a, m in state.masks.items() if a != axis}
    if axis in state.masks:
        taken = context.values.ints(context.scope, node.input[1])
        if count != 1 or taken is None or None in taken:
            raise LostError("picks positions that are not known")
        masks[axis] = state.masks[axis][[i for i in taken if i is not None]]
    return Spread(masks, state.through)


def _split(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    state = only(states)
    rank = len(context.shape(node.input[0]))
    if attributes(node).get("axis", 0) % rank in state.masks:
        raise LostError("cuts the map into several")
    return state


def _moved(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    state = only(states)
    axes = tuple(sorted(state.masks))
    moved = pass_on(context.scope, context.values, node, node.input[0], axes)
    if moved is None:
        raise LostError("rearranges positions")
    return Spread(dict(zip(moved, (state.masks[a] for a in axes), strict=True)), state.through)


def _blocks(_context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    state, size = only(states), attributes(node).get("blocksize", 1)
    masks: dict[int, Mask] = {}
    for axis, mask in state.masks.items():
        made = repeated(mask, size) if node.op_type == "DepthToSpace" else in_blocks(mask, size)
        if made is None:
            raise LostError("does not divide the map")
        masks[axis] = made
    return Spread(masks, state.through)


def _normal(context: Context, index: int, node: NodeProto, states: States) -> Spread:
    """Normalisation, softmax: each position stays one, but reads those it is normalised with."""
    state = only(states)
    rank = context.rank(node.input[0], state)
    if not node.op_type.startswith(("Instance", "Group")):  # others may count from the back
        rank = len(context.shape(node.input[0]))
    along = ops.normalised_axes(node, rank, context.scope.opset)
    read = [mask for axis, mask in state.masks.items() if axis in along]
    through = context.mixes(index, "normalises", read) if read else frozenset()
    return Spread(state.masks, state.through | through)


def _reduce(context: Context, index: int, node: NodeProto, states: States) -> Spread:
    """Global pooling, Reduce and arg-max: axes of a map become one number."""
    state, given = only(states), attributes(node)
    rank = len(context.shape(node.input[0]))
    keep = given.get("keepdims", 1)
    if node.op_type in ops.GLOBAL:
        axes: Sequence[int | None] = range(2, rank)
    elif node.op_type.startswith("Arg"):
        axes = [given.get("axis", 0)]
    else:
        named = given.get("axes")
        if named is None and len(node.input) > 1 and node.input[1]:
            named = context.values.ints(context.scope, node.input[1])
            if named is None or None in named:
                raise LostError("reduces axes that are not known")
        axes = named or (() if given.get("noop_with_empty_axes") else range(rank))
    gone = {a % rank for a in axes if a is not None}
    read = [mask for axis, mask in state.masks.items() if axis in gone]
    through = context.mixes(index, "reduces", read) if read else frozenset()
    order = list(accumulate(0 if keep or a not in gone else 1 for a in range(rank)))
    masks = {a - order[a]: m for a, m in state.masks.items() if a not in gone}
    return Spread(masks, state.through | through)


def _product(context: Context, index: int, node: NodeProto, states: States) -> Spread:
    """A product of the last axis (channels) with a matrix of the model's own."""
    state = states[0]
    rank = len(context.shape(node.input[0]))
    second = len(states) > 1 and states[1] is not None and bool(states[1].masks)
    if state is None or second or rank - 1 in state.masks or rank < 3:
        masks = [m for s in states if s is not None for m in s.masks.values()]
        context.mixes(index, "multiplies positions", masks)
        raise LostError("multiplies positions with each other")
    return Spread(state.masks, all_through(states))


def _everything(context: Context, index: int, _node: NodeProto, states: States) -> Spread:
    masks = [m for s in states if s is not None for m in s.masks.values()]
    context.mixes(index, "reads every position", masks)
    raise LostError("reads every position at once")


_ELEMENTWISE = (
    ops.UNARY | ops.FUSED_UNARY | ops.BINARY | ops.PER_CHANNEL | ops.QUANTISE
    | {"Sum", "Mean", "Where", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "LRN",
       "QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "IsNaN", "IsInf"}
)  # fmt: skip
_REDUCTIONS = ("Mean", "Max", "Min", "Sum", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare")
_PRODUCTS = ("MatMul", "MatMulInteger", "QLinearMatMul", "Gemm")

RULES: Mapping[str, Callable[[Context, int, NodeProto, States], Spread]] = {
    **dict.fromkeys(_ELEMENTWISE, join),
    **dict.fromkeys((op_type for _, op_type in ops.WINDOW_OPS), reach_windows.window),
    **dict.fromkeys(("Transpose", "Unsqueeze", "Squeeze", "Reshape", "Flatten"), _moved),
    **dict.fromkeys(ops.NORMALISING, _normal),
    **dict.fromkeys(ops.SEQUENTIAL, _everything),
    **dict.fromkeys(ops.GLOBAL, _reduce),
    **dict.fromkeys([f"Reduce{what}" for what in _REDUCTIONS], _reduce),
    **dict.fromkeys(("ArgMax", "ArgMin"), _reduce),
    **dict.fromkeys(_PRODUCTS, _product),
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), _blocks),
    **dict.fromkeys(("Resize", "Upsample"), reach_windows.resize),
    "Pad": reach_windows.pad,
    "ConvTranspose": reach_windows.transposed,
    "Concat": _concat,
    "Crop": _crop,
    "Slice": _slice,
    "Gather": _gather,
    "Split": _split,
}

# Behind these an output holds sums over positions, no longer positions.
COLLAPSING = frozenset(_PRODUCTS) | ops.GLOBAL | ops.SEQUENTIAL
