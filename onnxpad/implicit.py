"""Zeros in front of a window op that could be its own: what folding and the rules ask."""

from collections.abc import Iterable

from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope
from onnxpad.values import attributes

# Ops that map 0 to 0, so that zeros in front of them are zeros behind them.
KEEPS_ZERO = frozenset(
    [
        "Abs",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "Cast",
        "Ceil",
        "Celu",
        "Dropout",
        "Elu",
        "Erf",
        "Floor",
        "Gelu",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Mish",
        "Neg",
        "Relu",
        "Round",
        "Selu",
        "Shrink",
        "Sign",
        "Sin",
        "Sinh",
        "Softsign",
        "Sqrt",
        "Swish",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "PRelu",
        "Transpose",
        "Unsqueeze",
        "Squeeze",
        "QuantizeLinear",
        "DequantizeLinear",
    ]
)


def only_windows_read(scope: Scope, names: Iterable[str], between: Iterable[int]) -> bool:
    """Whether nothing but window ops and the nodes ``between``, not even a Shape, reads tensors."""
    passed = set(between)
    return all(
        reader in passed or ops.window_op(scope.nodes[reader]) is not None
        for name in names
        for reader in scope.readers(name)
    )


def conv_takes_pads(node: NodeProto) -> bool:
    """Whether zeros in front of a convolution can be added to its own pads."""
    op = ops.window_op(node)
    if op is None or not op.conv or node.op_type == "DeformConv":
        return False
    return keeps_own_pads(node)


def keeps_own_pads(node: NodeProto) -> bool:
    """Whether a window op's pads are numbers that stand in its attributes."""
    if attributes(node).get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return False
    return not any(a.ref_attr_name for a in node.attribute) and node.domain != ops.NCHWC
