"""The window ops and the ways they pad."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper

from tests.features._build import Dims, array, conv, feature, model, plain, tensor, value, weight

W = weight("W", 3, 2, 3, 3)


def _one(
    op: str,
    *inputs: TensorProto,
    x: Dims = (1, 2, 9, 8),
    domain: str = "",
    opset: int = 17,
    **attributes: Any,
) -> ModelProto:
    """One node of ``op`` on x, with initializers as its further inputs."""
    node = helper.make_node(
        op, ["x", *(t.name for t in inputs)], ["y"], name=op.lower(), domain=domain, **attributes
    )
    domains = [domain] if domain else []
    outputs = [value("y", (None,) * len(x))]
    return model(
        [node], inputs, inputs=[value("x", x)], outputs=outputs, opset=opset, domains=domains
    )


@feature()
def conv_plain() -> ModelProto:
    return plain()


@feature()
def conv_without_padding() -> ModelProto:
    """The control: nothing to change."""
    return _one("Conv", W)


@feature()
def conv_zero_pads() -> ModelProto:
    return _one("Conv", W, pads=[0, 0, 0, 0])


@feature()
def conv_bias() -> ModelProto:
    return _one("Conv", W, weight("B", 3), pads=[1, 1, 1, 1])


@feature()
def conv_uneven() -> ModelProto:
    return _one("Conv", W, pads=[0, 1, 2, 0])


@feature()
def conv_pointwise_padded() -> ModelProto:
    """A 1×1 kernel with padding: whole windows of invented pixels."""
    return _one("Conv", weight("W", 3, 2, 1, 1), pads=[1, 1, 1, 1])


@feature()
def conv_pads_beyond_size() -> ModelProto:
    """More padding than the map has rows: reflect has to turn round more than once."""
    return _one("Conv", weight("W", 3, 2, 7, 7), x=(1, 2, 3, 2), pads=[3, 3, 3, 3])


@feature()
def conv_of_one_pixel() -> ModelProto:
    return _one("Conv", W, x=(1, 2, 1, 1), pads=[1, 1, 1, 1])


@feature()
def conv_strided() -> ModelProto:
    return _one("Conv", W, pads=[1, 1, 1, 1], strides=[2, 2])


@feature()
def conv_dilated() -> ModelProto:
    return _one("Conv", W, pads=[2, 3, 2, 3], dilations=[2, 3])


@feature()
def conv_grouped() -> ModelProto:
    return _one("Conv", weight("W", 4, 1, 3, 3), pads=[1, 1, 1, 1], group=2)


@feature()
def conv_depthwise() -> ModelProto:
    return _one("Conv", weight("W", 2, 1, 5, 5), pads=[2, 2, 2, 2], group=2)


@feature()
def conv_opset8_kernel() -> ModelProto:
    return _one("Conv", W, pads=[1, 1, 1, 1], kernel_shape=[3, 3], opset=8)


@feature()
def conv_opset22() -> ModelProto:
    return plain(opset=22, ir_version=10)


@feature()
def conv_1d() -> ModelProto:
    return _one("Conv", weight("W", 3, 2, 5), x=(1, 2, 12), pads=[2, 2])


@feature()
def conv_1d_causal() -> ModelProto:
    """The whole receptive field at begin, nothing at end: mirrored values would be the future."""
    return _one("Conv", weight("W", 3, 2, 3), x=(1, 2, 12), pads=[4, 0], dilations=[2])


@feature()
def conv_3d() -> ModelProto:
    return _one("Conv", weight("W", 3, 2, 3, 3, 3), x=(1, 2, 5, 6, 7), pads=[1, 0, 1, 1, 0, 1])


@feature()
def conv_dynamic_size() -> ModelProto:
    return _one("Conv", W, x=("N", 2, "H", "W"), pads=[1, 1, 1, 1])


@feature(not_checked="onnx.checker wants a shape for every input")
def conv_unknown_rank() -> ModelProto:
    made = plain()
    made.graph.input[0].type.tensor_type.ClearField("shape")
    return made


@feature()
def conv_two_axes_fixed_one_dynamic() -> ModelProto:
    return _one("Conv", W, x=(1, 2, None, 8), pads=[1, 1, 1, 1])


@feature()
def auto_pad_upper() -> ModelProto:
    return _one("Conv", W, auto_pad="SAME_UPPER", strides=[2, 2])


@feature()
def auto_pad_lower() -> ModelProto:
    return _one("Conv", W, auto_pad="SAME_LOWER", strides=[2, 2])


@feature()
def auto_pad_even_kernel() -> ModelProto:
    return _one("Conv", weight("W", 3, 2, 4, 2), auto_pad="SAME_UPPER")


@feature(not_run="ONNX Runtime refuses SAME with dilation")
def auto_pad_dilated() -> ModelProto:
    return _one("Conv", W, auto_pad="SAME_UPPER", dilations=[2, 2])


@feature()
def auto_pad_dynamic_size() -> ModelProto:
    return _one("Conv", W, x=("N", 2, "H", "W"), auto_pad="SAME_UPPER")


@feature()
def auto_pad_dynamic_size_strided() -> ModelProto:
    return _one("Conv", W, x=("N", 2, "H", "W"), auto_pad="SAME_LOWER", strides=[2, 2])


@feature()
def auto_pad_dynamic_size_opset10() -> ModelProto:
    """Strided SAME where Pad cannot take computed pads."""
    return _one("Conv", W, x=("N", 2, "H", "W"), auto_pad="SAME_UPPER", strides=[2, 2], opset=10)


@feature()
def auto_pad_valid() -> ModelProto:
    return _one("Conv", W, auto_pad="VALID")


@feature()
def auto_pad_notset() -> ModelProto:
    return _one("Conv", W, auto_pad="NOTSET", pads=[1, 1, 1, 1])


def _converted(dtype: int, array_dtype: npt.DTypeLike, opset: int = 17) -> ModelProto:
    kernel = weight("W", 3, 2, 3, 3, dtype=array_dtype)
    inputs, outputs = [value("x", (1, 2, 9, 8), dtype)], [value("y", (None,) * 4, dtype)]
    return model([conv()], [kernel], inputs=inputs, outputs=outputs, opset=opset)


@feature()
def conv_float16() -> ModelProto:
    return _converted(TensorProto.FLOAT16, np.float16)


@feature(not_run="ONNX Runtime's CPU provider has no float64 Conv")
def conv_float64() -> ModelProto:
    return _converted(TensorProto.DOUBLE, np.float64)


@feature(not_run="ONNX Runtime's CPU provider has no bfloat16 Conv")
def conv_bfloat16() -> ModelProto:
    made = _converted(TensorProto.BFLOAT16, np.float32, opset=22)
    bits = (array("W", 3, 2, 3, 3).view(np.uint32) >> 16).astype(np.uint16)
    kernel = made.graph.initializer[0]
    kernel.data_type, kernel.raw_data = TensorProto.BFLOAT16, bits.tobytes()
    made.ir_version = 10
    return made


def _quantised(
    name: str, values: npt.ArrayLike, zero: int, dtype: npt.DTypeLike = np.uint8
) -> list[TensorProto]:
    """An integer tensor with its scale and zero point."""
    return [tensor(name, values, dtype), *_scale(name, zero, dtype)]


def _scale(name: str, zero: int, dtype: npt.DTypeLike = np.uint8) -> list[TensorProto]:
    return [tensor(f"{name}_scale", np.float32(0.05)), tensor(f"{name}_zero", zero, dtype)]


KERNEL = (array("W", 3, 2, 3, 3) * 100).round().clip(-127, 127)


@feature()
def qdq_conv() -> ModelProto:
    """Quantise, dequantise, convolve, quantise, dequantise; zero point 7 of x."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["xq"], name="q"),
        helper.make_node("DequantizeLinear", ["xq", "x_scale", "x_zero"], ["xd"], name="dq"),
        helper.make_node("DequantizeLinear", ["K", "K_scale", "K_zero"], ["Kd"], name="dq_weight"),
        conv("xd", "Kd", "c"),
        helper.make_node("QuantizeLinear", ["c", "y_scale", "y_zero"], ["yq"], name="q_out"),
        helper.make_node("DequantizeLinear", ["yq", "y_scale", "y_zero"], ["y"], name="dq_out"),
    ]
    return model(nodes, [*_scale("x", 7), *_quantised("K", KERNEL, 0, np.int8), *_scale("y", 128)])


@feature()
def qdq_shared_dq() -> ModelProto:
    """One dequantised tensor read by a Conv and by a skip connection."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["xq"], name="q"),
        helper.make_node("DequantizeLinear", ["xq", "x_scale", "x_zero"], ["xd"], name="dq"),
        conv("xd", "V", "c"),
        helper.make_node("Add", ["c", "xd"], ["y"], name="skip"),
    ]
    return model(nodes, [*_scale("x", 7), weight("V", 2, 2, 3, 3)])


@feature()
def qdq_with_pad() -> ModelProto:
    """An explicit Pad between DequantizeLinear and Conv."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["xq"], name="q"),
        helper.make_node("DequantizeLinear", ["xq", "x_scale", "x_zero"], ["xd"], name="dq"),
        helper.make_node("Pad", ["xd", "pads"], ["p"], name="pad"),
        helper.make_node("QuantizeLinear", ["p", "x_scale", "x_zero"], ["pq"], name="q_padded"),
        helper.make_node("DequantizeLinear", ["pq", "x_scale", "x_zero"], ["pd"], name="dq_padded"),
        conv("pd", pads=None),
    ]
    return model(nodes, [W, *_scale("x", 7), tensor("pads", [0, 0, 1, 1, 0, 0, 1, 1], np.int64)])


def _qlinear_conv(
    domain: str = "", layout: Sequence[int] = (0, 1, 2, 3), opset: int = 17, **attributes: Any
) -> ModelProto:
    shape = np.array((1, 2, 9, 8))[list(layout)]
    names = ["x", "x_scale", "x_zero", "K", "K_scale", "K_zero", "y_scale", "y_zero"]
    node = helper.make_node(
        "QLinearConv",
        names,
        ["y"],
        name="qlinearconv",
        domain=domain,
        pads=[1, 1, 1, 1],
        **attributes,
    )
    weights = [*_scale("x", 7), *_quantised("K", KERNEL, 0, np.int8), *_scale("y", 128)]
    inputs = [value("x", shape.tolist(), TensorProto.UINT8)]
    outputs = [value("y", (None,) * 4, TensorProto.UINT8)]
    return model(
        [node],
        weights,
        inputs=inputs,
        outputs=outputs,
        opset=opset,
        domains=[domain] if domain else [],
    )


@feature()
def qlinear_conv() -> ModelProto:
    return _qlinear_conv()


@feature()
def qlinear_conv_opset10() -> ModelProto:
    """Integers where Pad takes floats alone."""
    return _qlinear_conv(opset=10)


@feature()
def qlinear_conv_channels_last() -> ModelProto:
    return _qlinear_conv("com.microsoft", (0, 2, 3, 1), channels_last=1)


def _conv_integer(*zero: TensorProto) -> ModelProto:
    names = ["x", "K", *(t.name for t in zero)]
    node = helper.make_node("ConvInteger", names, ["y"], name="convinteger", pads=[1, 1, 1, 1])
    inputs = [value("x", (1, 2, 9, 8), TensorProto.UINT8)]
    outputs = [value("y", (None,) * 4, TensorProto.INT32)]
    return model(
        [node], [tensor("K", KERNEL + 127, np.uint8), *zero], inputs=inputs, outputs=outputs
    )


@feature()
def conv_integer() -> ModelProto:
    return _conv_integer()


@feature()
def conv_integer_zero_points() -> ModelProto:
    return _conv_integer(tensor("x_zero", 7, np.uint8), tensor("K_zero", 127, np.uint8))


@feature()
def deform_conv() -> ModelProto:
    """Samples beyond the padded map read 0 whatever the padding is."""
    offset = tensor("offset", np.full((1, 18, 9, 8), 0.25, np.float32))
    return _one("DeformConv", W, offset, pads=[1, 1, 1, 1], opset=19)


@feature()
def fused_conv() -> ModelProto:
    return _one(
        "FusedConv", W, weight("B", 3), domain="com.microsoft", pads=[1, 1, 1, 1], activation="Relu"
    )


@feature(not_run="ONNX Runtime has NhwcConv on CUDA alone")
def nhwc_conv() -> ModelProto:
    return _one(
        "NhwcConv",
        weight("W", 3, 3, 3, 2),
        x=(1, 9, 8, 2),
        domain="com.microsoft",
        pads=[1, 1, 1, 1],
    )


@feature()
def nchwc_conv() -> ModelProto:
    """What ONNX Runtime writes when asked to save an optimised model: layout of blocks of 16."""
    kernel = weight("W", 16, 16, 3, 3)
    return _one("Conv", kernel, x=(1, 16, 9, 8), domain="com.microsoft.nchwc", pads=[1, 1, 1, 1])


@feature()
def qlinear_average_pool() -> ModelProto:
    names = ["x", "x_scale", "x_zero", "y_scale", "y_zero"]
    node = helper.make_node(
        "QLinearAveragePool", names, ["y"], name="pool", domain="com.microsoft",
        kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1,
    )  # fmt: skip
    inputs = [value("x", (1, 2, 9, 8), TensorProto.UINT8)]
    outputs = [value("y", (None,) * 4, TensorProto.UINT8)]
    weights = [*_scale("x", 7), *_scale("y", 7)]
    return model([node], weights, inputs=inputs, outputs=outputs, domains=["com.microsoft"])


@feature()
def max_pool() -> ModelProto:
    return _one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])


@feature()
def max_pool_indices() -> ModelProto:
    node = helper.make_node(
        "MaxPool", ["x"], ["y", "at"], name="pool", kernel_shape=[2, 2], pads=[1, 1, 0, 0]
    )
    outputs = [value("y", (None,) * 4), value("at", (None,) * 4, TensorProto.INT64)]
    return model([node], outputs=outputs)


@feature()
def max_pool_ceil() -> ModelProto:
    return _one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1], ceil_mode=1)


@feature()
def max_pool_dilated() -> ModelProto:
    return _one("MaxPool", kernel_shape=[3, 3], pads=[2, 2, 2, 2], dilations=[2, 2])


@feature()
def max_pool_auto_pad() -> ModelProto:
    return _one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")


@feature()
def max_pool_uint8() -> ModelProto:
    node = helper.make_node(
        "MaxPool", ["x"], ["y"], name="pool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]
    )
    inputs = [value("x", (1, 2, 9, 8), TensorProto.UINT8)]
    return model([node], inputs=inputs, outputs=[value("y", (None,) * 4, TensorProto.UINT8)])


@feature()
def average_pool() -> ModelProto:
    """count_include_pad 0: the padding is left out of the mean."""
    return _one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])


@feature()
def average_pool_counted() -> ModelProto:
    return _one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)


@feature()
def average_pool_ceil() -> ModelProto:
    return _one(
        "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1], ceil_mode=1,
        count_include_pad=1, opset=19,
    )  # fmt: skip


@feature()
def lp_pool() -> ModelProto:
    return _one("LpPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], p=2)


@feature()
def conv_transpose() -> ModelProto:
    """Its pads cut the output; it is looked at but never padded."""
    return _one("ConvTranspose", weight("W", 2, 3, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2])


@feature()
def channels_last_graph() -> ModelProto:
    """A model that takes and gives NHWC, as TensorFlow's exports do."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], name="to_nchw", perm=[0, 3, 1, 2]),
        conv("t", y="c", auto_pad="SAME_UPPER", pads=None, strides=[2, 2]),
        helper.make_node("Transpose", ["c"], ["y"], name="to_nhwc", perm=[0, 2, 3, 1]),
    ]
    return model(nodes, [W], inputs=[value("x", ("N", 9, 8, 2))])
