"""Where a padded border goes: followed forwards until window ops read it."""

from dataclasses import dataclass, field

from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope, Shape, node_name
from onnxpad.values import Values, attributes

Axes = tuple[int, ...]


@dataclass(slots=True)
class Trace:
    """Where a padded tensor is read.

    Attributes:
        readers: (node index, padded axes as that node sees them) of each window op reached.
        between: indices of the nodes passed on the way.
        through: whether convolutions of kernel 1 are among them.
        blocked: why the border is not only a window op's, "" if it is.
    """

    readers: list[tuple[int, Axes]] = field(default_factory=list)
    between: list[int] = field(default_factory=list)
    through: bool = False
    blocked: str = ""


# Nodes passed before a border is taken to stop at the first convolutions: a bound on the work.
_FARTHEST = 256


def follow(scope: Scope, values: Values, name: str, axes: Axes, *, convs: bool = False) -> Trace:
    """Follow the border of the tensor ``name``, padded on ``axes``, to the window ops it reaches.

    Passes pointwise ops, quantisation, normalisation of each position, further Pads, and reshapes
    that keep every padded axis whole; with ``convs`` also convolutions of kernel 1. Anything else
    that reads the border blocks.
    """
    trace = Trace()
    reached: dict[str, Axes] = {}
    joints: dict[int, NodeProto] = {}  # what waits for its other operand: x * sigmoid(x)
    queue = [(name, axes)]
    while queue and not trace.blocked and not (convs and len(trace.between) > _FARTHEST):
        name, axes = queue.pop()
        reached[name] = axes
        if name in scope.outputs:
            trace.blocked = f"its border is part of the output {name!r}"
            break
        for index in scope.readers(name):
            node = scope.nodes[index]
            if node.op_type == "Shape" or index in trace.between:
                continue
            passes = convs and pointwise_conv(scope, node, axes) and node.input[0] == name
            if ops.window_op(node) and node.input[0] == name and not passes:
                trace.readers.append((index, axes))
                continue
            trace.through |= passes
            onward = axes if passes else pass_on(scope, values, node, name, axes)
            if onward is not None:
                trace.between.append(index)
                queue.append((node.output[0], onward))
            elif ops.key(node) in _JOINTS:
                joints[index] = node
            else:
                trace.blocked = _feeds(node)
                break
        if not queue:
            _join(scope, trace, joints, reached, queue)
    if queue and not trace.blocked:
        trace.blocked = "its border reaches too far"
    trace.readers.sort()
    return trace


_FOREIGN = ops.QUANTISE | ops.FUSED_UNARY
_JOINTS = frozenset(("", op_type) for op_type in (*ops.BINARY, "Concat"))


def _join(
    scope: Scope,
    trace: Trace,
    joints: dict[int, NodeProto],
    reached: dict[str, Axes],
    queue: list[tuple[str, Axes]],
) -> None:
    """Pass those joints all of whose operands carry the border alike; the rest blocks."""
    for index, node in list(joints.items()):
        borders = {reached[name] for name in node.input if name in reached}
        shapes = [scope.info(name).shape for name in node.input if name in reached]
        ranks = {None if shape is None else len(shape) for shape in shapes}
        axes = next(iter(borders))
        alike = len(borders) == 1 and len(ranks) == 1 and None not in ranks
        if alike and _joins(scope, node, reached, axes):
            del joints[index]
            trace.between.append(index)
            queue.append((node.output[0], axes))
    if not queue and joints and not trace.blocked:
        trace.blocked = _feeds(next(iter(joints.values())))


def _joins(scope: Scope, node: NodeProto, reached: dict[str, Axes], axes: Axes) -> bool:
    """Whether a node of several operands, some of them bordered alike, has that border too."""
    if node.op_type != "Concat":
        return _small_operands(scope, node, frozenset(reached), axes)
    rank = len(scope.info(node.input[0]).shape or ())
    axis = attributes(node).get("axis", 1)
    return rank > 0 and axis % rank not in axes and all(name in reached for name in node.input)


def _feeds(node: NodeProto) -> str:
    return f"it feeds the {ops.op_name(node)} {node_name(node)!r}"


def pointwise_conv(scope: Scope, node: NodeProto, axes: Axes) -> bool:
    """Whether a convolution reads, along the axes, each position alone: kernel and stride 1."""
    op = ops.window_op(node)
    if op is None or not op.conv or ops.key(node) not in _POINTWISE:
        return False
    windows = ops.windows(scope, node, op)
    given = attributes(node)
    if windows is None or given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return False
    if any(a.ref_attr_name for a in node.attribute) or not all(
        2 <= axis < 2 + len(windows) for axis in axes
    ):
        return False
    pads = given.get("pads") or [0] * (2 * len(windows))
    return len(pads) == 2 * len(windows) and all(
        (windows[at].kernel, windows[at].stride, pads[at], pads[at + len(windows)]) == (1, 1, 0, 0)
        for at in (axis - 2 for axis in axes)
    )


_POINTWISE = frozenset((("", "Conv"), ("", "ConvInteger"), ("", "QLinearConv")))


def pass_on(scope: Scope, values: Values, node: NodeProto, name: str, axes: Axes) -> Axes | None:
    """The padded axes after a node, or None where the node does more than pass a border on."""
    domain, op_type = ops.key(node)
    if domain not in ("", ops.MICROSOFT) or (domain and op_type not in _FOREIGN):
        return None
    if op_type in ops.UNARY | ops.FUSED_UNARY | ops.PER_CHANNEL | {"Pad"} and node.input[0] == name:
        return axes
    if op_type in ops.BINARY:
        return axes if _small_operands(scope, node, frozenset((name,)), axes) else None
    if op_type in ops.QUANTISE | {"LayerNormalization"} and node.input[0] == name:
        alike = quantised_alike if op_type in ops.QUANTISE else _normalises_beside
        return axes if alike(scope, node, axes) else None
    if op_type in _MOVES and node.input[0] == name:
        return _moved(scope, values, node, axes)
    return None


def _small_operands(scope: Scope, node: NodeProto, names: frozenset[str], axes: Axes) -> bool:
    """Whether operands beside ``names`` have size 1 on the padded axes: no positional maps."""
    shape = scope.info(next(name for name in node.input if name in names)).shape
    for other in node.input:
        if other in names:
            continue
        theirs = scope.info(other).shape
        if theirs is None or (theirs and shape is None):
            return False
        rank = len(shape or ())
        for axis in axes:
            position = axis - rank + len(theirs)
            if position >= 0 and theirs[position] != 1:
                return False
    return True


def _normalises_beside(scope: Scope, node: NodeProto, axes: Axes) -> bool:
    """Whether a normalisation takes its means over none of the padded axes."""
    shape = scope.info(node.input[0]).shape
    if shape is None or len(list(filter(None, node.output))) > 1:
        return False
    return bool(max(axes) < attributes(node).get("axis", -1) % len(shape))


def quantised_alike(scope: Scope, node: NodeProto, axes: Axes) -> bool:
    """Whether a Q or DQ node uses one scale all along the padded axes: no blocks."""
    given = attributes(node)
    if given.get("block_size", 0):
        return False
    scale = scope.info(node.input[1]).shape
    if scale is None:
        return False
    count = 1
    for dim in scale:
        count *= dim if isinstance(dim, int) else 2
    if count == 1:
        return True
    rank = len(scope.info(node.input[0]).shape or ())
    axis = given.get("axis", 1)
    return rank > 0 and len(scale) == 1 and axis % rank not in axes


_MOVES = frozenset(("Transpose", "Unsqueeze", "Squeeze", "Reshape", "Flatten"))


def _moved(scope: Scope, values: Values, node: NodeProto, axes: Axes) -> Axes | None:
    """The padded axes after a node that only renames axes; None where one does not stay whole."""
    before, after = scope.info(node.input[0]).shape, scope.info(node.output[0]).shape
    if node.op_type == "Transpose":
        rank = len(before) if before is not None else len(attributes(node).get("perm", ()))
        perm = attributes(node).get("perm") or list(range(rank))[::-1]
        if sorted(perm) != list(range(len(perm))) or len(perm) <= max(axes):
            return None
        return tuple(perm.index(axis) for axis in axes)
    if node.op_type in ("Unsqueeze", "Squeeze"):
        return _unsqueezed(scope, values, node, axes, before)
    if before is None or after is None:
        return None
    moved = tuple(same_axis(before, after, axis) for axis in axes)
    return None if None in moved else tuple(m for m in moved if m is not None)


def _unsqueezed(
    scope: Scope, values: Values, node: NodeProto, axes: Axes, before: Shape | None
) -> Axes | None:
    named = attributes(node).get("axes")
    if named is None and len(node.input) > 1:
        named = values.ints(scope, node.input[1])
    if named is None and before is not None and node.op_type == "Squeeze":
        named = [i for i, d in enumerate(before) if d == 1]
    if named is None or None in named or before is None:
        return None
    rank = len(before)
    if node.op_type == "Unsqueeze":
        added = {n % (rank + len(named)) for n in named}
        kept = [i for i in range(rank + len(named)) if i not in added]
        return tuple(kept[axis] for axis in axes)
    dropped = {n % rank for n in named}
    kept = [i for i in range(rank) if i not in dropped]
    return tuple(kept.index(axis) for axis in axes) if set(axes) <= set(kept) else None


def same_axis(before: Shape, after: Shape, axis: int) -> int | None:
    """The axis of ``after`` that a reshape keeps whole as ``axis`` of ``before``, if any.

    A row-major reshape keeps an axis when its size and the number of elements behind it stay
    the same; one unknown size may stand in front of it on both sides.
    """
    size, behind = before[axis], _product(before[axis + 1 :])
    if not isinstance(size, int) or behind is None:
        return _same_by_name(before, after, axis)
    for candidate, theirs in enumerate(after):
        if theirs == size and _product(after[candidate + 1 :]) == behind:
            return candidate
    return None


def _same_by_name(before: Shape, after: Shape, axis: int) -> int | None:
    """The same for unknown sizes: only ones were added or removed, the rest is equal by name."""
    ours = [(i, d) for i, d in enumerate(before) if d != 1]
    theirs = [(i, d) for i, d in enumerate(after) if d != 1]
    alike = [d for _, d in ours] == [d for _, d in theirs] and None not in [d for _, d in ours]
    if not alike:
        return None
    return next((t for (o, _), (t, _) in zip(ours, theirs, strict=True) if o == axis), None)


def _product(shape: Shape) -> int | None:
    product = 1
    for dim in shape:
        if not isinstance(dim, int):
            return None
        product *= dim
    return product
