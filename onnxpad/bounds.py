"""Between which numbers a tensor's values lie, as far as the ops that made it tell.

Interval arithmetic over the graph: sound and coarse. What is not known is unbounded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import exp, inf, isnan, log1p

from onnx import NodeProto, TensorProto

from onnxpad import ops
from onnxpad.scopes import Scope
from onnxpad.values import Values, attributes

DEEPEST = 30  # nodes in a row: bounds are set by activations, a few nodes up


@dataclass(frozen=True, slots=True)
class Bounds:
    """All values lie in low .. high.

    Attributes:
        op: the operator that set them, "input" for an integer input; "" where several did.
    """

    low: float = -inf
    high: float = inf
    op: str = ""

    def hull(self, other: "Bounds") -> "Bounds":
        """The bounds of both together."""
        op = self.op if self.op == other.op else ""
        return Bounds(min(self.low, other.low), max(self.high, other.high), op)


ANY = Bounds()

_INTEGERS: dict[int, Bounds] = {
    TensorProto.UINT8: Bounds(0, 255, "input"),
    TensorProto.INT8: Bounds(-128, 127, "input"),
    TensorProto.UINT16: Bounds(0, 65535, "input"),
    TensorProto.INT16: Bounds(-32768, 32767, "input"),
    TensorProto.BOOL: Bounds(0, 1, "input"),
}

# Every output element is an input element, or a mean of some.
_SELECTS = frozenset((
    "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "GlobalAveragePool",
    "GlobalMaxPool", "Identity", "MaxPool", "ReduceMax", "ReduceMean", "ReduceMin", "Reshape",
    "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze",
))  # fmt: skip


def _sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0


def _softplus(x: float) -> float:
    return x if x > 700 else log1p(exp(x))


def _exp(x: float) -> float:
    return exp(x) if x < 700 else inf


# Operators that never fall.
_RISING: dict[str, Callable[[float], float]] = {
    "Relu": lambda x: max(x, 0.0),
    "Sigmoid": _sigmoid,
    "Softplus": _softplus,
    "Exp": _exp,
    "Sqrt": lambda x: max(x, 0.0) ** 0.5,
}
_FIXED = {"Softmax": (0.0, 1.0), "Tanh": (-1.0, 1.0), "Softsign": (-1.0, 1.0), "Erf": (-1.0, 1.0)}


class BoundsFinder:
    """Finds bounds of the tensors of a model, each once.

    Args:
        values: what is known of the model's small tensors.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self._known: dict[tuple[int, str], Bounds] = {}

    def find(self, scope: Scope, name: str, depth: int = 0) -> Bounds:
        """The bounds of a value as it is seen from a scope."""
        owner = scope.owner(name) if name else None
        if owner is None or depth > DEEPEST:
            return ANY
        key = (id(owner), name)
        if key not in self._known:
            self._known[key] = self._made(owner, name, depth)
        return self._known[key]

    def _made(self, scope: Scope, name: str, depth: int) -> Bounds:
        node = scope.producer(name)
        if name in scope.initializers or (node is not None and node.op_type == "Constant"):
            return self._constant(scope, name)
        if node is None:
            kind = _INTEGERS.get(scope.info(name).dtype, ANY)
            return kind if name in scope.inputs and not scope.is_function else ANY
        if ops.key(node)[0] or (name != node.output[0] and node.op_type != "Split"):
            return ANY  # a mask, indices
        found = self._after(scope, node, depth + 1)
        return ANY if isnan(found.low) or isnan(found.high) else found

    def _constant(self, scope: Scope, name: str) -> Bounds:
        value = self._values.value(scope, name)
        if value is None or value.size == 0 or any(v is None for v in value.reshape(-1)):
            return ANY
        return Bounds(float(min(value.reshape(-1))), float(max(value.reshape(-1))), "Constant")

    def _after(self, scope: Scope, node: NodeProto, depth: int) -> Bounds:
        op = node.op_type
        if op in _RULES:
            inputs = [self.find(scope, name, depth) for name in node.input]
            return _RULES[op](node, inputs) if inputs else ANY
        if op == "DequantizeLinear":
            return self._dequantised(scope, node, depth)
        return ANY

    def _dequantised(self, scope: Scope, node: NodeProto, depth: int) -> Bounds:
        kind = _INTEGERS.get(scope.info(node.input[0]).dtype, ANY)
        scale = self.find(scope, node.input[1], depth)
        given = len(node.input) > 2 and node.input[2]
        zero = self.find(scope, node.input[2], depth) if given else Bounds(0, 0, "Constant")
        if scale.op != "Constant" or scale.low <= 0 or zero.op != "Constant":
            return ANY
        steps = Bounds(kind.low - zero.high, kind.high - zero.low, node.op_type)
        return _combined("Mul", steps, scale)


def _rising(node: NodeProto, inputs: list[Bounds]) -> Bounds:
    function = _RISING[node.op_type]
    return Bounds(function(inputs[0].low), function(inputs[0].high), node.op_type)


def _cast(node: NodeProto, inputs: list[Bounds]) -> Bounds:
    return inputs[0] if attributes(node)["to"] in ops.FLOATING else ANY


def _concat(_: NodeProto, inputs: list[Bounds]) -> Bounds:
    return reduce(Bounds.hull, inputs)


def _clip(node: NodeProto, inputs: list[Bounds]) -> Bounds:
    """Clip has its limits as attributes until opset 10, then as inputs, each of them optional."""
    given, first = attributes(node), inputs[0]
    least, most = given.get("min", -inf), given.get("max", inf)
    limits = [b if b.op == "Constant" else ANY for b in inputs[1:]] + [ANY, ANY]
    least, most = max(least, limits[0].low), min(most, limits[1].high)
    low, high = (min(max(x, least), most) for x in (first.low, first.high))
    return Bounds(low, high, first.op if low == first.low else node.op_type)


def _hard_sigmoid(node: NodeProto, inputs: list[Bounds]) -> Bounds:
    alpha = attributes(node).get("alpha", 0.2)
    beta = attributes(node).get("beta", 0.5)
    if alpha <= 0:
        return ANY
    low, high = (min(max(alpha * x + beta, 0.0), 1.0) for x in (inputs[0].low, inputs[0].high))
    return Bounds(low, high, node.op_type)


def _abs(node: NodeProto, inputs: list[Bounds]) -> Bounds:
    low, high = inputs[0].low, inputs[0].high
    return Bounds(max(low, -high, 0.0), max(abs(low), abs(high)), node.op_type)


def _resize(node: NodeProto, inputs: list[Bounds]) -> Bounds:
    """Nearest and linear stay between the values; cubic overshoots, cropping invents."""
    given = attributes(node)
    smooth = given.get("mode", b"nearest") in (b"nearest", b"linear", b"bilinear")
    inside = given.get("coordinate_transformation_mode", b"") != b"tf_crop_and_resize"
    return inputs[0] if smooth and inside else ANY


def _times(a: float, b: float) -> float:
    product = a * b
    return 0.0 if isnan(product) else product  # an unbounded factor times nothing is nothing


def _combined(op: str, a: Bounds, b: Bounds) -> Bounds:
    """Bounds of a op b; named after the operand that is not a constant."""
    name = b.op if a.op == "Constant" else a.op if b.op == "Constant" else op
    if op == "Add":
        return Bounds(a.low + b.low, a.high + b.high, name)
    if op == "Sub":
        return Bounds(a.low - b.high, a.high - b.low, name)
    if op == "Div":
        if b.low <= 0 <= b.high:
            return ANY
        b = Bounds(1 / b.high, 1 / b.low, b.op)
    corners = [_times(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Bounds(min(corners), max(corners), name)


_RULES: dict[str, Callable[[NodeProto, list[Bounds]], Bounds]] = {
    **dict.fromkeys(_SELECTS, lambda _, inputs: inputs[0]),
    **dict.fromkeys(_RISING, _rising),
    **dict.fromkeys(_FIXED, lambda node, _: Bounds(*_FIXED[node.op_type], node.op_type)),
    **dict.fromkeys(
        ("Add", "Sub", "Mul", "Div"), lambda node, inputs: _combined(node.op_type, *inputs)
    ),
    "Cast": _cast,
    "Concat": _concat,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "Abs": _abs,
    "Resize": _resize,
    "Upsample": _resize,
}
