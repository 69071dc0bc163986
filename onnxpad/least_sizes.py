"""How large a tensor further up must be for an axis to have at least so many elements.

A window op makes (n + p_b + p_e - d(k - 1) - 1) // s + 1 elements of n, so that m or more come out
where n >= s (m - 1) + d(k - 1) + 1 - p_b - p_e. Elementwise nodes keep a size or, where operands
are broadcast, enlarge it. Walked upwards, each demand is an affine one of a tensor in front. It is
enough wherever the model runs at all, that is where every window on the way finds room.
"""

from dataclasses import dataclass, field

from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope
from onnxpad.values import attributes

_KEEPS = ops.UNARY | ops.PER_CHANNEL | ops.QUANTISE | ops.NORMALISING | {"LRN"}


@dataclass(frozen=True, slots=True)
class Demand:
    """An axis has m elements or more where the axis of ``tensor`` has times * m + more or more."""

    tensor: str
    axis: int
    times: int = 1
    more: int = 0

    def least(self, wanted: int) -> int:
        """Elements that the tensor needs for so many wanted ones."""
        return self.times * wanted + self.more


@dataclass(slots=True)
class LeastSizes:
    """Demands of one scope; each tensor is looked at once."""

    scope: Scope
    _known: dict[tuple[str, int], Demand] = field(default_factory=dict)

    def demand(self, name: str, axis: int) -> Demand:
        """What a tensor's axis demands of the tensor furthest up: an input, as a rule."""
        steps: list[tuple[tuple[str, int], Demand]] = []
        at = (name, axis)
        while at not in self._known:
            step = _step(self.scope, *at)
            producers = self.scope.producers
            # Damaged graphs may go round in circles.
            if step is None or producers.get(step.tensor, -1) >= producers[at[0]]:
                self._known[at] = Demand(*at)
                break
            steps.append((at, step))
            at = (step.tensor, step.axis)
        found = self._known[at]
        for at, step in reversed(steps):
            found = Demand(
                found.tensor, found.axis, found.times * step.times,
                found.times * step.more + found.more,
            )  # fmt: skip
            self._known[at] = found
        return found


def _step(scope: Scope, name: str, axis: int) -> Demand | None:
    """What an axis demands of what the tensor was made from; None where nothing can be said."""
    node = scope.producer(name)
    if node is None or not node.input or node.output[0] != name:
        return None
    if ops.window_op(node) is not None:
        return _window(scope, node, axis)
    domain, op_type = ops.key(node)
    data, rank = str(node.input[0]), len(scope.info(name).shape or ())
    if op_type in ops.FUSED_UNARY or (not domain and op_type in _KEEPS):
        return Demand(data, axis)
    return _placed(scope, node, axis, rank) if rank and not domain else None


def _placed(scope: Scope, node: NodeProto, axis: int, rank: int) -> Demand | None:
    """The same for nodes that put tensors together or their axes into another order."""
    data = str(node.input[0])
    if node.op_type in ops.BINARY:
        return _operand(scope, node, axis, rank)
    if node.op_type == "Concat" and attributes(node).get("axis", 1) % rank != axis:
        return Demand(data, axis)
    perm = attributes(node).get("perm") or list(range(rank))[::-1]
    if node.op_type == "Transpose" and axis < len(perm):
        return Demand(data, perm[axis])
    return None


def _operand(scope: Scope, node: NodeProto, axis: int, rank: int) -> Demand | None:
    """Broadcasting enlarges: what holds for one operand holds for the result."""
    free = []
    for name in dict.fromkeys(node.input):
        shape = scope.info(name).shape
        at = axis - rank + len(shape or ())
        if shape is not None and at >= 0 and not isinstance(shape[at], int):
            free.append((scope.producers.get(name, -1), name, at))
    return Demand(*min(free)[1:]) if free else None


def _window(scope: Scope, node: NodeProto, axis: int) -> Demand | None:
    op, given = ops.window_op(node), attributes(node)
    windows = ops.windows(scope, node, op, given) if op is not None else None
    free = any(a.ref_attr_name for a in node.attribute) or given.get("ceil_mode", 0)
    if op is None or windows is None or free:
        return None
    at = axis - (1 if ops.channels_last(node, op) else 2)
    if not 0 <= at < len(windows):
        return None
    window, data = windows[at], str(node.input[0])
    automatic = given.get("auto_pad", b"NOTSET")
    if automatic in (b"SAME_UPPER", b"SAME_LOWER"):
        return Demand(data, axis, window.stride, 1 - window.stride)
    pads = given.get("pads") or [0] * (2 * len(windows))
    if automatic == b"VALID":
        pads = [0] * (2 * len(windows))
    if len(pads) != 2 * len(windows):
        return None
    padded = pads[at] + pads[at + len(windows)]
    return Demand(data, axis, window.stride, window.extent - padded - window.stride)
