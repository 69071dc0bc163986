"""Which nodes a padded border can be moved through: the algebra of placement, node by node.

A padding that copies commutes with a node when each element of the node's result at a position of
the padded axes depends on its inputs at that very position alone, by the same rule everywhere. Then
padding the result is the same as padding the inputs. ``trace`` follows a border downwards through
what is named here; this module asks the way up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope
from onnxpad.trace import Axes, pointwise_conv, quantised_alike, same_axis
from onnxpad.values import Values, attributes


@dataclass(frozen=True, slots=True)
class Crossing:
    """What has to be padded in front of a node instead of its result.

    Attributes:
        inputs: the tensors, each once. axes: their padded axes, in the order of the result's.
        macs: multiplications for one element of the result, 0 for what only passes over memory.
    """

    inputs: tuple[str, ...]
    axes: Axes
    macs: int = 0


_ONE_TO_ONE = ops.UNARY - {"CastLike", "Dropout", "ImageScaler"}
_AFFINE = frozenset(("Identity", "BatchNormalization", "Conv", "Concat", "Transpose", "Reshape"))
_SUMS = frozenset(("Add", "Sub"))


def crossing(
    scope: Scope, values: Values, node: NodeProto, axes: Axes, *, affine: bool
) -> Crossing | None:
    """What to pad in front of a node so that its first result comes padded on ``axes``.

    Args:
        affine: only nodes that keep sums whose weights add up to 1, as mode linear needs.

    Returns:
        None where that is not the same, or where sizes that would tell are unknown.
    """
    domain, op_type = ops.key(node)
    if domain or not node.output or not node.input or any(node.output[1:]):
        return None
    if op_type in ops.BINARY:
        return _binary(scope, node, axes, affine=affine)
    if op_type == "Concat":
        return _concat(scope, node, axes)
    if (affine and op_type not in _AFFINE) or list(node.input).count(node.input[0]) > 1:
        return None
    rule = _alike if op_type in _ONE_TO_ONE else _RULES.get(op_type, _never)
    return rule(scope, values, node, axes)


def _alike(_: Scope, __: Values, node: NodeProto, axes: Axes) -> Crossing | None:
    return Crossing((node.input[0],), axes)


def _never(_: Scope, __: Values, ___: NodeProto, ____: Axes) -> Crossing | None:
    return None


def _conv(scope: Scope, _: Values, node: NodeProto, axes: Axes) -> Crossing | None:
    op = ops.window_op(node)
    shape = scope.info(node.input[op.weight]).shape if op is not None else None
    if shape is None or not pointwise_conv(scope, node, axes):
        return None
    macs = 1
    for dim in shape[1:]:
        if not isinstance(dim, int):
            return None
        macs *= dim
    return Crossing((node.input[0],), axes, macs)


def _binary(scope: Scope, node: NodeProto, axes: Axes, *, affine: bool) -> Crossing | None:
    """Operands that span the padded axes are padded; the others must have size 1 there."""
    after = scope.info(node.output[0]).shape
    if after is None:
        return None
    padded: list[str] = []
    for name in dict.fromkeys(node.input):
        shape = scope.info(name).shape
        if shape is None:
            return None
        own = [axis - len(after) + len(shape) for axis in axes]
        sizes = [shape[a] if a >= 0 else 1 for a in own]
        if all(size == 1 for size in sizes):
            continue
        whole = [after[axis] for axis in axes]
        if len(shape) != len(after) or None in sizes or sizes != whole:
            return None
        padded.append(name)
    if not padded or (affine and not _keeps_sums(node, padded)):
        return None
    return Crossing(tuple(padded), axes)


def _keeps_sums(node: NodeProto, padded: list[str]) -> bool:
    """Whether a node of two operands is affine in those that are padded, taken together."""
    if node.op_type in _SUMS:
        return True
    alone = padded == [node.input[0]] and node.input[1] not in padded
    return (node.op_type == "Mul" and len(padded) == 1 and node.input[0] != node.input[1]) or (
        node.op_type == "Div" and alone
    )


def _concat(scope: Scope, node: NodeProto, axes: Axes) -> Crossing | None:
    """Joined along another axis; every part is padded."""
    shape = scope.info(node.output[0]).shape
    if shape is None or attributes(node).get("axis", 1) % len(shape) in axes:
        return None
    return Crossing(tuple(dict.fromkeys(node.input)), axes)


def _transpose(scope: Scope, _: Values, node: NodeProto, axes: Axes) -> Crossing | None:
    rank = len(scope.info(node.output[0]).shape or ())
    perm = attributes(node).get("perm") or list(range(rank))[::-1]
    if not rank or sorted(perm) != list(range(rank)):
        return None
    return Crossing((node.input[0],), tuple(perm[axis] for axis in axes))


def _quantise(scope: Scope, _: Values, node: NodeProto, axes: Axes) -> Crossing | None:
    return Crossing((node.input[0],), axes) if quantised_alike(scope, node, axes) else None


def _normalise(_: Scope, __: Values, node: NodeProto, axes: Axes) -> Crossing | None:
    """With statistics of the model, a number for each channel (axis 1)."""
    given = attributes(node)
    trained = given.get("training_mode", 0) or not given.get("spatial", 1)
    return None if trained or min(axes) <= 1 else Crossing((node.input[0],), axes)


def _reshape(scope: Scope, values: Values, node: NodeProto, axes: Axes) -> Crossing | None:
    """A Reshape that keeps each padded axis whole, and says its shape in numbers."""
    before, after = scope.info(node.input[0]).shape, scope.info(node.output[0]).shape
    if before is None or after is None or reshape_target(scope, values, node, {}) is None:
        return None
    moved = tuple(
        same_axis(after, before, axis) if isinstance(after[axis], int) else None for axis in axes
    )
    found = tuple(axis for axis in moved if axis is not None)
    return Crossing((node.input[0],), found) if len(found) == len(axes) else None


def reshape_target(
    scope: Scope, values: Values, node: NodeProto, sizes: Mapping[int, int]
) -> list[int] | None:
    """The shape a Reshape gives, in numbers, with other sizes of some axes; None if unknown."""
    given = values.ints(scope, node.input[1]) if len(node.input) > 1 else None
    after = scope.info(node.output[0]).shape
    if given is None or after is None or len(given) != len(after) or 0 in given:
        return None
    target = [size for size in given if size is not None]
    if len(target) != len(given):
        return None
    return [sizes.get(axis, size) for axis, size in enumerate(target)]


_RULES = {
    "BatchNormalization": _normalise,
    "Conv": _conv,
    "ConvInteger": _conv,
    "DequantizeLinear": _quantise,
    "QLinearConv": _conv,
    "QuantizeLinear": _quantise,
    "Reshape": _reshape,
    "Transpose": _transpose,
}
