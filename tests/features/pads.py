"""The forms of Pad: those that pad a convolution, and those that do something else."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from tests.features._build import constant, conv, feature, ints, model, tensor, value, weight

ONE = (0, 0, 1, 1, 0, 0, 1, 1)
W = weight("W", 3, 2, 3, 3)


def _pad(
    *inputs: str, x: str = "x", y: str = "p", name: str = "pad", **attributes: Any
) -> NodeProto:
    return helper.make_node("Pad", [x, *inputs], [y], name=name, **attributes)


def _after(
    pads: Sequence[int], *more: TensorProto, mode: str = "constant", opset: int = 17
) -> ModelProto:
    """x → Pad → Conv without padding of its own; ``more`` become the Pad's further inputs."""
    pad = _pad("pads", *(t.name for t in more), mode=mode)
    return model([pad, conv("p", pads=None)], [W, ints("pads", pads), *more], opset=opset)


@feature()
def pad_attributes_opset7() -> ModelProto:
    """Up to opset 10 pads, mode and value are attributes."""
    return model([_pad(pads=ONE, mode="constant", value=0.0), conv("p", pads=None)], [W], opset=7)


@feature()
def pad_attributes_opset10() -> ModelProto:
    return model([_pad(pads=ONE), conv("p", pads=None)], [W], opset=10)


@feature()
def pad_initializer() -> ModelProto:
    return _after(ONE)


@feature()
def pad_constant_node() -> ModelProto:
    return model([constant("pads", ONE), _pad("pads"), conv("p", pads=None)], [W])


@feature()
def pad_constant_value_ints() -> ModelProto:
    """Constant's value_ints instead of a tensor."""
    make = helper.make_node("Constant", [], ["pads"], name="make_pads", value_ints=ONE)
    return model([make, _pad("pads"), conv("p", pads=None)], [W])


@feature()
def pad_from_shape_arithmetic() -> ModelProto:
    """TF-SAME as PyTorch exports it: pads computed from Shape, for stride 2."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"], name="shape"),
        helper.make_node("Slice", ["shape", "two", "four", "zero"], ["hw"], name="spatial"),
        helper.make_node("Add", ["hw", "one"], ["hw1"], name="plus"),
        helper.make_node("Div", ["hw1", "two"], ["out"], name="ceil"),
        helper.make_node("Sub", ["out", "one"], ["last"], name="last"),
        helper.make_node("Mul", ["last", "two"], ["start"], name="start"),
        helper.make_node("Add", ["start", "three"], ["end"], name="end"),
        helper.make_node("Sub", ["end", "hw"], ["need"], name="need"),
        helper.make_node("Max", ["need", "zero"], ["total"], name="at_least_0"),
        helper.make_node("Div", ["total", "two"], ["begin"], name="half"),
        helper.make_node("Sub", ["total", "begin"], ["rest"], name="rest"),
        helper.make_node(
            "Concat", ["none", "begin", "none", "rest"], ["pads"], name="pads", axis=0
        ),
        _pad("pads"),
        conv("p", pads=None, strides=[2, 2]),
    ]
    numbers = [
        ints(n, [v]) for n, v in (("zero", 0), ("one", 1), ("two", 2), ("three", 3), ("four", 4))
    ]
    return model(nodes, [W, ints("none", [0, 0]), *numbers])


@feature()
def pad_from_constant_of_shape() -> ModelProto:
    """torch.onnx's F.pad: ConstantOfShape, Concat, Reshape, reversed Slice, Transpose, Cast."""
    nodes = [
        helper.make_node("ConstantOfShape", ["four"], ["zeros"], name="zeros", value=ints("", [0])),
        helper.make_node("Concat", ["torch_pads", "zeros"], ["all"], name="all", axis=0),
        helper.make_node("Reshape", ["all", "pairs"], ["rows"], name="rows"),
        helper.make_node(
            "Slice", ["rows", "last", "before", "axis", "back"], ["turned"], name="turn"
        ),
        helper.make_node("Transpose", ["turned"], ["columns"], name="columns", perm=[1, 0]),
        helper.make_node("Reshape", ["columns", "flat"], ["line"], name="line"),
        helper.make_node("Cast", ["line"], ["pads"], name="cast", to=TensorProto.INT64),
        _pad("pads"),
        conv("p", pads=None),
    ]
    numbers = [
        ints("four", [4]),
        ints("torch_pads", [1, 0, 2, 1]),
        ints("pairs", [-1, 2]),
        ints("last", [-1]),
        ints("before", [-9223372036854775807]),
        ints("axis", [0]),
        ints("back", [-1]),
        ints("flat", [-1]),
    ]
    return model(nodes, [W, *numbers])


@feature()
def pad_from_input() -> ModelProto:
    """Pads that only a run can tell."""
    inputs = [value("x", (1, 2, 9, 8)), value("pads", (8,), TensorProto.INT64)]
    return model([_pad("pads"), conv("p", pads=None)], [W], inputs=inputs)


@feature()
def pad_axes() -> ModelProto:
    pad = _pad("pads", "", "axes")
    return model(
        [pad, conv("p", pads=None)], [W, ints("pads", [1, 2, 1, 0]), ints("axes", [2, 3])], opset=18
    )


@feature()
def pad_axes_negative() -> ModelProto:
    """Negative axes, in the order width, height."""
    axes = ints("axes", [-1, -2])
    pad = _pad("pads", "", "axes")
    return model([pad, conv("p", pads=None)], [W, ints("pads", [1, 2, 1, 0]), axes], opset=18)


@feature()
def pad_uneven() -> ModelProto:
    return _after((0, 0, 0, 1, 0, 0, 2, 0))


@feature()
def pad_nonzero() -> ModelProto:
    return _after(ONE, tensor("half", np.float32(0.5)))


@feature()
def pad_zero_value_input() -> ModelProto:
    return _after(ONE, tensor("nothing", np.float32(0)))


@feature()
def pad_negative_zero_value() -> ModelProto:
    return _after(ONE, tensor("nothing", np.float32(-0.0)))


@feature()
def pad_value_constant_node() -> ModelProto:
    nodes = [constant("fill", 0.0, np.float32), _pad("pads", "fill"), conv("p", pads=None)]
    return model(nodes, [W, ints("pads", ONE)])


@feature()
def pad_value_from_input() -> ModelProto:
    inputs = [value("x", (1, 2, 9, 8)), value("fill", ())]
    return model(
        [_pad("pads", "fill"), conv("p", pads=None)], [W, ints("pads", ONE)], inputs=inputs
    )


@feature()
def pad_shared_by_two_convs() -> ModelProto:
    nodes = [
        _pad("pads"),
        conv("p", y="y", pads=None, name="a"),
        conv("p", "V", "z", pads=None, name="b"),
    ]
    outputs = [value("y", (None,) * 4), value("z", (None,) * 4)]
    return model(nodes, [W, weight("V", 4, 2, 3, 1), ints("pads", ONE)], outputs=outputs)


@feature()
def pad_read_beside_the_conv() -> ModelProto:
    """The padded tensor goes into a Conv and, as it is, into something that is no window."""
    nodes = [
        _pad("pads"),
        conv("p", pads=None),
        helper.make_node("ReduceMax", ["p"], ["z"], name="peak", keepdims=0),
    ]
    return model(nodes, [W, ints("pads", ONE)], outputs=[value("y", (None,) * 4), value("z", ())])


@feature()
def pad_is_output() -> ModelProto:
    outputs = [value("y", (None,) * 4), value("p", (None,) * 4)]
    return model([_pad("pads"), conv("p", pads=None)], [W, ints("pads", ONE)], outputs=outputs)


@feature()
def pad_before_padded_conv() -> ModelProto:
    """Padding in both places: the Pad's and the Conv's own."""
    return model([_pad("pads"), conv("p")], [W, ints("pads", ONE)])


@feature()
def pad_after_pad() -> ModelProto:
    nodes = [
        _pad("pads", name="outer"),
        _pad("pads", x="p", y="q", name="inner"),
        conv("q", pads=None),
    ]
    return model(nodes, [W, ints("pads", ONE)])


@feature()
def pad_through_pointwise() -> ModelProto:
    nodes = [
        _pad("pads"),
        helper.make_node("Relu", ["p"], ["r"], name="relu"),
        helper.make_node("Identity", ["r"], ["i"], name="identity"),
        conv("i", pads=None),
    ]
    return model(nodes, [W, ints("pads", ONE)])


@feature()
def pad_through_bias() -> ModelProto:
    """An Add between Pad and Conv: the Conv does not see zeros, it sees the bias."""
    nodes = [
        _pad("pads"),
        helper.make_node("Add", ["p", "b"], ["s"], name="bias"),
        conv("s", pads=None),
    ]
    return model(nodes, [W, ints("pads", ONE), weight("b", 1, 2, 1, 1)])


@feature()
def pad_through_cast() -> ModelProto:
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], name="to_half", to=TensorProto.FLOAT16),
        _pad("pads", x="h"),
        helper.make_node("Cast", ["p"], ["f"], name="to_float", to=TensorProto.FLOAT),
        conv("f", pads=None),
    ]
    return model(nodes, [W, ints("pads", ONE)])


@feature()
def pad_through_transpose() -> ModelProto:
    """TensorFlow's layout: padded as NHWC, convolved as NCHW."""
    nodes = [
        _pad("pads"),
        helper.make_node("Transpose", ["p"], ["t"], name="to_nchw", perm=[0, 3, 1, 2]),
        conv("t", pads=None),
    ]
    return model(
        nodes, [W, ints("pads", (0, 1, 1, 0, 0, 1, 1, 0))], inputs=[value("x", (1, 9, 8, 2))]
    )


@feature()
def pad_through_unsqueeze() -> ModelProto:
    """A 1-D signal padded, then convolved as an image of height 1."""
    nodes = [
        _pad("pads"),
        helper.make_node("Unsqueeze", ["p", "axis"], ["u"], name="as_image"),
        conv("u", "V", pads=None),
    ]
    weights = [weight("V", 3, 2, 1, 5), ints("axis", [2]), ints("pads", (0, 0, 2, 0, 0, 2))]
    return model(nodes, weights, inputs=[value("x", (1, 2, 12))])


@feature()
def pad_through_reshape() -> ModelProto:
    nodes = [
        _pad("pads"),
        helper.make_node("Reshape", ["p", "shape"], ["u"], name="as_image"),
        conv("u", "V", pads=None),
    ]
    weights = [
        weight("V", 3, 2, 1, 5),
        ints("shape", [1, 2, 1, 16]),
        ints("pads", (0, 0, 2, 0, 0, 2)),
    ]
    return model(nodes, weights, inputs=[value("x", (1, 2, 12))])


@feature()
def pad_into_concat() -> ModelProto:
    join = helper.make_node("Concat", ["p", "other"], ["y"], name="join", axis=1)
    inputs = [value("x", (1, 2, 9, 8)), value("other", (1, 2, 11, 10))]
    nodes = [_pad("pads"), join, conv("x", y="z")]
    return model(
        nodes,
        [W, ints("pads", ONE)],
        inputs=inputs,
        outputs=[value("y", (None,) * 4), value("z", (None,) * 4)],
    )


@feature()
def pad_into_add() -> ModelProto:
    """A map padded to the size of another one, and added."""
    inputs = [value("x", (1, 2, 9, 8)), value("other", (1, 2, 11, 10))]
    nodes = [_pad("pads"), helper.make_node("Add", ["p", "other"], ["s"], name="add"), conv("s")]
    return model(nodes, [W, ints("pads", ONE)], inputs=inputs)


@feature()
def pad_channels() -> ModelProto:
    """ResNet's option-A shortcut: channels are padded, nothing spatial."""
    nodes = [
        conv(y="c", pads=[1, 1, 1, 1]),
        _pad("pads"),
        helper.make_node("Add", ["c", "p"], ["y"], name="shortcut"),
    ]
    return model(nodes, [W, ints("pads", (0, 0, 0, 0, 0, 1, 0, 0))])


@feature()
def pad_batch() -> ModelProto:
    return _after((0, 0, 0, 0, 1, 0, 0, 0))


@feature()
def pad_channels_and_space() -> ModelProto:
    pad = _pad("pads")
    return model(
        [pad, conv("p", "V", pads=None)],
        [weight("V", 3, 4, 3, 3), ints("pads", (0, 1, 1, 1, 0, 1, 1, 1))],
    )


@feature()
def pad_negative() -> ModelProto:
    """Negative pads crop."""
    return _after((0, 0, -1, -1, 0, 0, -1, -1))


@feature()
def pad_mixed_sign() -> ModelProto:
    return _after((0, 0, 1, -1, 0, 0, 1, 1))


@feature()
def pad_nothing() -> ModelProto:
    return _after((0,) * 8)


@feature()
def pad_reflect() -> ModelProto:
    return _after(ONE, mode="reflect")


@feature()
def pad_edge() -> ModelProto:
    return _after(ONE, mode="edge")


@feature()
def pad_wrap() -> ModelProto:
    return _after(ONE, mode="wrap", opset=19)


@feature()
def pad_reflect_opset9() -> ModelProto:
    return model([_pad(pads=ONE, mode="reflect"), conv("p", pads=None)], [W], opset=9)


@feature()
def pad_before_pointwise_conv() -> ModelProto:
    """Copies stay copies behind a convolution of kernel 1, where the 3×3 one reads them."""
    nodes = [
        _pad("pads", mode="edge"),
        conv("p", "V", "expanded", pads=None, name="expand"),
        helper.make_node("Relu", ["expanded"], ["r"], name="relu"),
        conv("r", "U", pads=None),
    ]
    return model(nodes, [weight("V", 4, 2, 1, 1), weight("U", 3, 4, 3, 3), ints("pads", ONE)])


@feature()
def pad_before_pool() -> ModelProto:
    pool = helper.make_node(
        "MaxPool", ["p"], ["y"], name="pool", kernel_shape=[3, 3], strides=[2, 2]
    )
    return model(
        [_pad("pads", "low"), pool], [ints("pads", ONE), tensor("low", np.float32(-np.inf))]
    )


@feature()
def circular_slice_concat() -> ModelProto:
    """padding_mode="circular" as torch.onnx exports it: two Slices and a Concat an axis."""

    def wrap(x: str, y: str, axis: int) -> list[NodeProto]:
        at = f"axis{axis}"
        return [
            helper.make_node("Slice", [x, "m1", "big", at], [f"{y}_tail"], name=f"{y}_tail"),
            helper.make_node("Slice", [x, "zero", "one", at], [f"{y}_head"], name=f"{y}_head"),
            helper.make_node(
                "Concat", [f"{y}_tail", x, f"{y}_head"], [y], name=f"{y}_join", axis=axis
            ),
        ]

    numbers = [
        ("m1", -1),
        ("big", 9223372036854775807),
        ("zero", 0),
        ("one", 1),
        ("axis2", 2),
        ("axis3", 3),
    ]
    nodes = [*wrap("x", "rows", 2), *wrap("rows", "both", 3), conv("both", pads=None)]
    return model(nodes, [W, *(ints(name, [number]) for name, number in numbers)])


@feature()
def space_to_batch() -> ModelProto:
    """TensorFlow's dilated convolution: pad, cut into 2×2 phases, convolve, put together again."""
    nodes = [
        _pad("pads"),
        helper.make_node("Reshape", ["p", "cut"], ["c"], name="cut"),
        helper.make_node("Transpose", ["c"], ["t"], name="phases", perm=[3, 5, 0, 1, 2, 4]),
        helper.make_node("Reshape", ["t", "batch"], ["b"], name="batch"),
        conv("b", y="v", pads=None),
        helper.make_node("Reshape", ["v", "uncut"], ["u"], name="uncut"),
        helper.make_node("Transpose", ["u"], ["w"], name="unphase", perm=[2, 3, 4, 0, 5, 1]),
        helper.make_node("Reshape", ["w", "image"], ["y"], name="image"),
    ]
    shapes = [
        ints("pads", (0, 0, 2, 2, 0, 0, 3, 2)),
        ints("cut", [1, 2, 7, 2, 6, 2]),
        ints("batch", [4, 2, 7, 6]),
        ints("uncut", [2, 2, 1, 3, 5, 4]),
        ints("image", [1, 3, 10, 8]),
    ]
    return model(nodes, [W, *shapes])
