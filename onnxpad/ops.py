"""What onnxpad knows about operators: which slide windows, which only pass values on."""

from dataclasses import dataclass
from typing import Any

from onnx import NodeProto, TensorProto

from onnxpad.geometry import Window
from onnxpad.scopes import DEFAULT_DOMAINS, Scope
from onnxpad.values import attributes

FLOATS = frozenset((TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE))
FLOATING = FLOATS | {TensorProto.BFLOAT16}
INTEGERS = frozenset((
    TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16,
    TensorProto.INT32, TensorProto.UINT32, TensorProto.INT64, TensorProto.UINT64,
))  # fmt: skip

MICROSOFT = "com.microsoft"
NCHWC = "com.microsoft.nchwc"


@dataclass(frozen=True, slots=True)
class WindowOp:
    """One row of the table of window ops.

    Attributes:
        conv: a convolution (pads are zeros, or zero points), else a pool.
        weight: input index of the kernel, -1 for pools.
        zero_point: input index of the data's zero point where the op takes integers, -1 for float.
        bias: input index of the bias, -1 where there is none.
        channels_last: the data is N, spatial..., C whatever the attributes say.
    """

    conv: bool = True
    weight: int = 1
    zero_point: int = -1
    bias: int = 2
    channels_last: bool = False


_CONV = WindowOp()
_POOL = WindowOp(conv=False, weight=-1, bias=-1)
_QLINEAR = WindowOp(weight=3, zero_point=2, bias=8)

_TABLE: dict[tuple[str, str], WindowOp] = {
    ("", "Conv"): _CONV,
    ("", "ConvInteger"): WindowOp(zero_point=2, bias=-1),
    ("", "QLinearConv"): _QLINEAR,
    ("", "DeformConv"): WindowOp(bias=3),
    ("", "MaxPool"): _POOL,
    ("", "AveragePool"): _POOL,
    ("", "LpPool"): _POOL,
    (MICROSOFT, "FusedConv"): _CONV,
    (MICROSOFT, "NhwcConv"): WindowOp(channels_last=True),
    (MICROSOFT, "NhwcFusedConv"): WindowOp(channels_last=True),
    (MICROSOFT, "NhwcMaxPool"): WindowOp(conv=False, weight=-1, bias=-1, channels_last=True),
    (MICROSOFT, "QLinearConv"): _QLINEAR,
    (MICROSOFT, "QLinearAveragePool"): WindowOp(conv=False, weight=-1, zero_point=2, bias=-1),
    (NCHWC, "Conv"): _CONV,
    (NCHWC, "MaxPool"): _POOL,
    (NCHWC, "AveragePool"): _POOL,
}  # fmt: skip

WINDOW_OPS = tuple(_TABLE)

# One input, one output, element by element: a padded border stays a border.
UNARY = frozenset(
    [
        "Abs",
        "Acos",
        "Acosh",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "Cast",
        "CastLike",
        "Ceil",
        "Celu",
        "Clip",
        "Cos",
        "Cosh",
        "Dropout",
        "Elu",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Log",
        "Mish",
        "Neg",
        "Not",
        "Reciprocal",
        "Relu",
        "Round",
        "Selu",
        "Shrink",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Swish",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "ImageScaler",
    ]
)
# What ONNX Runtime makes of activations that exporters spell out, in its own domain.
FUSED_UNARY = frozenset(("Gelu", "QuickGelu"))
# Element by element with a second operand.
BINARY = frozenset(
    ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu", "And", "Or", "Xor", "Mod"]
)
# Element by element along space, with statistics that are part of the model.
PER_CHANNEL = frozenset(("BatchNormalization",))
QUANTISE = frozenset(("QuantizeLinear", "DequantizeLinear"))
# A whole map becomes one number for each channel.
GLOBAL = frozenset(
    ["GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "QLinearGlobalAveragePool"]
)
# Every position of the result may depend on every position before.
SEQUENTIAL = frozenset(("Attention", "GRU", "LSTM", "MultiHeadAttention", "QAttention", "RNN"))
# Positions stay, but each depends on all that it is normalised with: see normalised_axes.
NORMALISING = frozenset(
    [
        "GroupNormalization",
        "Hardmax",
        "InstanceNormalization",
        "LayerNormalization",
        "LogSoftmax",
        "LpNormalization",
        "MeanVarianceNormalization",
        "Softmax",
    ]
)


def key(node: NodeProto) -> tuple[str, str]:
    """(domain, op type), the two spellings of the default domain as one."""
    return ("" if node.domain in DEFAULT_DOMAINS else node.domain, node.op_type)


def window_op(node: NodeProto) -> WindowOp | None:
    """The node's row in the table of window ops, None if it slides no window."""
    return _TABLE.get(key(node))


def op_name(node: NodeProto) -> str:
    """The operator as it is shown: domain::type, without the default domain."""
    domain, op_type = key(node)
    return f"{domain}::{op_type}" if domain else op_type


def normalised_axes(node: NodeProto, rank: int, opset: int) -> tuple[int, ...]:
    """Axes of its first input that a normalising op, or softmax, works along; () if malformed."""
    if node.op_type in ("GroupNormalization", "InstanceNormalization"):
        return tuple(range(2, rank))
    if node.op_type == "MeanVarianceNormalization":
        axes = attributes(node).get("axes", [0, 2, 3])
        return tuple(axis % rank for axis in axes if -rank <= axis < rank)
    old = opset < 13 and node.op_type in ("Hardmax", "LogSoftmax", "Softmax")
    first = attributes(node).get("axis", 1 if old else -1)
    if not -rank <= first < rank:
        return ()
    if old or node.op_type == "LayerNormalization":
        return tuple(range(first % rank, rank))
    return (first % rank,)


def channels_last(node: NodeProto, op: WindowOp) -> bool:
    """Whether the op's data is N, spatial..., C. None of ONNX's own operators has the attribute."""
    return op.channels_last or (
        node.domain not in DEFAULT_DOMAINS and bool(attributes(node).get("channels_last", 0))
    )


_WINDOW = frozenset(("kernel_shape", "strides", "dilations"))


def windows(
    scope: Scope, node: NodeProto, op: WindowOp, given: dict[str, Any] | None = None
) -> tuple[Window, ...] | None:
    """The op's window along each spatial axis; None where any part of it is unknown.

    Args:
        given: the node's attributes, by who has read them already.
    """
    given = attributes(node) if given is None else given
    if len(given) < len(node.attribute) and any(
        a.ref_attr_name and a.name in _WINDOW for a in node.attribute
    ):
        return None  # the function's caller says
    kernel: list[Any] | None = given.get("kernel_shape")
    if not kernel and op.weight >= 0 and len(node.input) > op.weight:
        shape = scope.info(node.input[op.weight]).shape
        if shape is None or not all(isinstance(d, int) for d in shape[2:]):
            return None
        kernel = list(shape[1:-1] if op.channels_last else shape[2:])
    if not kernel:
        return None
    strides = given.get("strides") or [1] * len(kernel)
    dilations = given.get("dilations") or [1] * len(kernel)
    valid = len(strides) == len(dilations) == len(kernel)
    if not valid or min(*kernel, *strides, *dilations) < 1:
        return None
    return tuple(Window(*three) for three in zip(kernel, strides, dilations, strict=True))
