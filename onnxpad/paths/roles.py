"""Which axes of each tensor are channels and which are space, told by the window ops around it."""

from collections.abc import Mapping
from dataclasses import dataclass

from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope
from onnxpad.trace import same_axis
from onnxpad.values import attributes


@dataclass(frozen=True, slots=True)
class Roles:
    """The axes of a map.

    Attributes:
        space: spatial axes, in the order of the window ops' kernels.
        channels: all other axes but the first, the batch; their product counts.
    """

    space: tuple[int, ...]
    channels: tuple[int, ...]


def find_roles(scope: Scope) -> dict[str, Roles]:
    """The roles of all maps that stand between window ops, through whatever keeps their axes."""
    found: dict[str, Roles] = {}
    for node in scope.nodes:
        _window(scope, node, found)
    before = -1
    while len(found) > before:
        before = len(found)
        for node in scope.nodes:
            _forth(scope, node, found)
        for node in reversed(scope.nodes):
            _back(scope, node, found)
    return found


def _window(scope: Scope, node: NodeProto, found: dict[str, Roles]) -> None:
    op = ops.window_op(node)
    other = node.op_type in ("ConvTranspose", "DepthToSpace", "SpaceToDepth")
    pooled = node.op_type.startswith("Global") or node.op_type == "QLinearGlobalAveragePool"
    if op is None and not other and not pooled:
        return
    shape = scope.info(node.input[0]).shape
    if shape is None or len(shape) < 3:
        return
    last = op is not None and ops.channels_last(node, op)
    last = last or bool(attributes(node).get("channels_last", 0))
    rank = len(shape)
    space = tuple(range(1, rank - 1)) if last else tuple(range(2, rank))
    roles = Roles(space, (rank - 1,) if last else (1,))
    for name in (node.input[0], node.output[0]):
        found.setdefault(name, roles)


_KEEPS = ops.UNARY | ops.BINARY | ops.PER_CHANNEL | ops.QUANTISE | ops.FUSED_UNARY | {
    "Concat", "Crop", "Pad", "Resize", "Upsample", "Slice", "Split", "Softmax", "LogSoftmax", "LRN",
    "InstanceNormalization", "GroupNormalization", "LayerNormalization", "Sum", "Mean", "Where",
    "Expand", "Clip", "MeanVarianceNormalization", "LpNormalization", "Tile",
}  # fmt: skip


def _forth(scope: Scope, node: NodeProto, found: dict[str, Roles]) -> None:
    for name in node.input:
        if name in found:
            for target in node.output:
                if target and target not in found:
                    roles = _through(scope, node, name, target, found[name])
                    if roles is not None:
                        found[target] = roles


def _back(scope: Scope, node: NodeProto, found: dict[str, Roles]) -> None:
    made = next((found[name] for name in node.output if name in found), None)
    if made is None:
        return
    for name in node.input:
        if name and name not in found and name not in scope.initializers:
            if node.op_type == "Transpose":
                perm = _perm(scope, node)
                if perm is not None:
                    found[name] = Roles(
                        tuple(perm[a] for a in made.space), tuple(perm[a] for a in made.channels)
                    )
                continue
            if node.op_type in _KEEPS and _rank(scope, name) == _rank(scope, node.output[0]):
                found[name] = made
            elif node.op_type in ("Reshape", "Squeeze", "Unsqueeze", "Flatten") and (
                name == node.input[0]
            ):
                roles = _reshaped(scope, node.output[0], name, made)
                if roles is not None:
                    found[name] = roles


def _through(scope: Scope, node: NodeProto, name: str, target: str, roles: Roles) -> Roles | None:
    if node.op_type == "Transpose":
        perm = _perm(scope, node)
        if perm is None:
            return None
        return Roles(
            tuple(perm.index(a) for a in roles.space), tuple(perm.index(a) for a in roles.channels)
        )
    if node.op_type in _KEEPS and _rank(scope, name) == _rank(scope, target):
        return roles
    if node.op_type in ("Reshape", "Squeeze", "Unsqueeze", "Flatten") and name == node.input[0]:
        return _reshaped(scope, name, target, roles)
    reduced = node.op_type.startswith("Reduce") and attributes(node).get("keepdims", 1)
    last = _rank(scope, name) - 1
    product = node.op_type == "MatMul" and name == node.input[0] and last in roles.channels
    return roles if reduced or product else None


def _reshaped(scope: Scope, before: str, after: str, roles: Roles) -> Roles | None:
    """The roles after a reshape that keeps the batch and every spatial axis whole, in order."""
    ours, theirs = scope.info(before).shape, scope.info(after).shape
    if ours is None or theirs is None or not theirs or len(theirs) < 2 or ours[0] != theirs[0]:
        return None
    space = tuple(same_axis(ours, theirs, axis) for axis in roles.space)
    kept = tuple(axis for axis in space if axis is not None)
    if len(kept) != len(space) or len(set(kept)) != len(kept) or 0 in kept:
        return None
    return Roles(kept, tuple(a for a in range(1, len(theirs)) if a not in kept))


def _perm(scope: Scope, node: NodeProto) -> list[int] | None:
    given = attributes(node).get("perm")
    rank = _rank(scope, node.input[0])
    perm = list(given) if given else list(range(rank))[::-1] if rank else None
    return perm if perm and perm[0] == 0 else None


def _rank(scope: Scope, name: str) -> int:
    return len(scope.info(name).shape or ())


def sizes(
    scope: Scope, name: str, roles: Mapping[str, Roles]
) -> tuple[int, tuple[int, ...]] | None:
    """(channels, spatial sizes) of a map; None where they are not known."""
    shape = scope.info(name).shape
    if shape is None or name not in roles:
        return None
    one = roles[name]
    dims = [shape[a] for a in (*one.channels, *one.space) if a < len(shape)]
    if len(dims) != len(one.channels) + len(one.space):
        return None
    known = [d for d in dims if isinstance(d, int) and d > 0]
    if len(known) != len(dims):
        return None
    count = 1
    for dim in known[: len(one.channels)]:
        count *= dim
    return count, tuple(known[len(one.channels) :])
