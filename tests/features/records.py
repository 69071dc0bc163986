"""What a model carries besides its computation, and forms of the file itself."""

import numpy as np
from onnx import ModelProto, TensorProto, helper

from tests.features._build import (
    IMAGE,
    array,
    conv,
    feature,
    graph,
    ints,
    model,
    plain,
    tensor,
    unknown_field,
    value,
    weight,
)


def _props(proto: object, **entries: str) -> None:
    for key, text in entries.items():
        entry = proto.metadata_props.add()  # type: ignore[attr-defined]  # every level has the field
        entry.key, entry.value = key, text


@feature()
def model_metadata_props() -> ModelProto:
    made = plain(ir_version=10)
    _props(made, author="someone", licence="<b>none</b> ✓")
    return made


@feature()
def graph_metadata_props() -> ModelProto:
    made = plain(ir_version=10)
    _props(made.graph, stage="graph")
    return made


@feature()
def node_metadata_props() -> ModelProto:
    made = plain(ir_version=10)
    _props(made.graph.node[0], namespace="net.layer1.conv", scope="layer1")
    return made


@feature()
def value_metadata_props() -> ModelProto:
    made = model(
        [conv(y="h"), helper.make_node("Relu", ["h"], ["y"], name="relu")],
        [weight("W", 3, 2, 3, 3)],
        ir_version=10,
    )
    made.graph.value_info.append(value("h", (1, 3, 9, 8)))
    _props(made.graph.value_info[0], kind="feature map")
    _props(made.graph.input[0], kind="image")
    _props(made.graph.output[0], kind="activation")
    _props(made.graph.initializer[0], kind="weights")
    return made


@feature()
def doc_strings() -> ModelProto:
    made = plain()
    made.doc_string = "model\nin two lines"
    made.graph.doc_string = "graph"
    made.graph.node[0].doc_string = "node"
    made.graph.node[0].attribute[0].doc_string = "attribute"
    made.graph.input[0].doc_string = "input"
    made.graph.output[0].doc_string = "output"
    made.graph.initializer[0].doc_string = "tensor"
    return made


@feature()
def model_fields() -> ModelProto:
    made = plain()
    made.producer_name, made.producer_version = "an exporter", "1.2"
    made.domain, made.model_version = "org.example", 41
    return made


@feature()
def quantization_annotation() -> ModelProto:
    made = model(
        [conv()],
        [weight("W", 3, 2, 3, 3), tensor("W_scale", np.float32(0.5)), tensor("W_zero", np.int8(0))],
    )
    annotation = made.graph.quantization_annotation.add(tensor_name="W")
    annotation.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="W_scale")
    annotation.quant_parameter_tensor_names.add(key="ZERO_POINT_TENSOR", value="W_zero")
    return made


@feature()
def sparse_initializer() -> ModelProto:
    dense = array("W", 3, 2, 3, 3)
    flat = np.arange(0, dense.size, 5)
    made = model([conv()], [])
    sparse = helper.make_sparse_tensor(
        tensor("W", dense.reshape(-1)[flat]), tensor("W_at", flat.astype(np.int64)), [*dense.shape]
    )
    made.graph.sparse_initializer.append(sparse)
    return made


@feature()
def training_info() -> ModelProto:
    made = plain()
    info = made.training_info.add()
    step = helper.make_node("Sub", ["W", "gradient"], ["W_next"], name="step")
    info.algorithm.CopyFrom(
        graph([step], [value("gradient", (3, 2, 3, 3))], [value("W_next", (3, 2, 3, 3))], [], "sgd")
    )
    info.update_binding.add(key="W", value="W_next")
    return made


@feature()
def device_configurations() -> ModelProto:
    made = plain(ir_version=11, opset=23)
    configuration = made.configuration.add(name="two", num_devices=2)
    configuration.device.extend(["cuda:0", "cuda:1"])
    sharded = made.graph.node[0].device_configurations.add(configuration_id="two", pipeline_stage=1)
    sharded.sharding_spec.add(tensor_name="W", device=[0, 1])
    return made


@feature()
def denotations() -> ModelProto:
    made = plain()
    made.graph.input[0].type.denotation = "IMAGE"
    shape = made.graph.input[0].type.tensor_type.shape
    for dim, name in zip(
        shape.dim, ["DATA_BATCH", "DATA_CHANNEL", "DATA_FEATURE", "DATA_FEATURE"], strict=True
    ):
        dim.denotation = name
    return made


@feature()
def unknown_fields() -> ModelProto:
    made = plain()
    for proto in (
        made,
        made.graph,
        made.graph.node[0],
        made.graph.node[0].attribute[0],
        made.graph.input[0],
        made.graph.initializer[0],
    ):
        unknown_field(proto)
    return made


@feature()
def unused_domain() -> ModelProto:
    return model(
        [conv()], [weight("W", 3, 2, 3, 3)], domains=["com.microsoft", "org.example.unused"]
    )


@feature(not_checked="onnx.checker does not take ai.onnx for the default domain")
def domain_spelled_out() -> ModelProto:
    made = plain()
    made.opset_import[0].domain = "ai.onnx"
    made.graph.node[0].domain = "ai.onnx"
    return made


@feature()
def ir3_inputs() -> ModelProto:
    weights = [weight("W", 3, 2, 3, 3), weight("B", 3)]
    node = helper.make_node("Conv", ["x", "W", "B"], ["y"], name="conv", pads=[1, 1, 1, 1])
    inputs = [value("x", IMAGE), value("W", (3, 2, 3, 3)), value("B", (3,))]
    return model([node], weights, inputs=inputs, opset=7, ir_version=3)


@feature()
def ir3_opset8() -> ModelProto:
    pool = helper.make_node(
        "MaxPool", ["h"], ["y"], name="pool", kernel_shape=[2, 2], strides=[2, 2]
    )
    inputs = [value("x", IMAGE), value("W", (3, 2, 3, 3))]
    return model(
        [conv(y="h"), pool], [weight("W", 3, 2, 3, 3)], inputs=inputs, opset=8, ir_version=3
    )


@feature()
def input_default() -> ModelProto:
    """IR ≥ 4: an initializer that is an input too is a default that callers may replace."""
    inputs = [value("x", IMAGE), value("W", (3, 2, 3, 3))]
    return model([conv()], [weight("W", 3, 2, 3, 3)], inputs=inputs)


@feature()
def pads_input_default() -> ModelProto:
    """Pads that a caller may replace: what is padded is not known when rewriting."""
    inputs = [value("x", IMAGE), value("pads", (8,), TensorProto.INT64)]
    pad = helper.make_node("Pad", ["x", "pads"], ["p"], name="pad")
    pads = ints("pads", [0, 0, 1, 1, 0, 0, 1, 1])
    return model([pad, conv("p", pads=None)], [weight("W", 3, 2, 3, 3), pads], inputs=inputs)


@feature()
def weights_are_inputs() -> ModelProto:
    """No initializer at all: weights are fed, and kernel_shape is left to inference."""
    return model([conv()], [], inputs=[value("x", IMAGE), value("W", (3, 2, 3, 3))])


@feature(not_checked="onnx.checker wants a shape for every input")
def weights_of_unknown_shape() -> ModelProto:
    return model([conv(kernel_shape=[3, 3])], [], inputs=[value("x", IMAGE), value("W", None)])


@feature()
def computed_weights() -> ModelProto:
    scale = helper.make_node("Mul", ["W0", "gain"], ["W"], name="scale")
    return model([scale, conv()], [weight("W0", 3, 2, 3, 3), tensor("gain", np.float32(2))])


@feature()
def constant_node_weights() -> ModelProto:
    make = helper.make_node("Constant", [], ["W"], name="make_W", value=weight("", 3, 2, 3, 3))
    return model([make, conv()])


@feature()
def non_utf8_attribute() -> ModelProto:
    """A string attribute is bytes in the format; GraphSurgeon cannot import this one."""
    text = helper.make_node("Constant", [], ["label"], name="label")
    text.attribute.append(helper.make_attribute("value_string", b"caf\xe9 \xff"))
    return model([text, conv()], [weight("W", 3, 2, 3, 3)])


@feature()
def nameless_nodes() -> ModelProto:
    nodes = [
        conv(y="a", name=""),
        helper.make_node("Relu", ["a"], ["b"]),
        conv("b", "V", "y", name=""),
    ]
    return model(nodes, [weight("W", 3, 2, 3, 3), weight("V", 2, 3, 3, 3)])


@feature(not_run="ONNX Runtime wants node names of one graph to differ")
def nodes_of_one_name() -> ModelProto:
    nodes = [conv(y="a", name="same"), conv("a", "V", "y", name="same")]
    return model(nodes, [weight("W", 3, 2, 3, 3), weight("V", 2, 3, 3, 3)])


@feature()
def names_with_odd_characters() -> ModelProto:
    nodes = [conv(y="a", name="net/block[0]/conv*?"), conv("a", "V", "y", name="<i>é</i>\x1b[31m ")]
    return model(nodes, [weight("W", 3, 2, 3, 3), weight("V", 2, 3, 3, 3)])


@feature()
def name_a_new_tensor_would_take() -> ModelProto:
    """Names that an edit is likely to invent are already there."""
    taken = [
        "conv_pad",
        "conv_pads",
        "x_padded",
        "conv/pad",
        "conv.pad",
        "onnxpad_0",
        "onnxpad/conv/pad",
    ]
    nodes = [helper.make_node("Relu", ["x"], [name], name=name) for name in taken]
    total = helper.make_node("Sum", taken, ["s"], name="sum")
    return model([*nodes, total, conv("s")], [weight("W", 3, 2, 3, 3)])


@feature()
def empty_optional_inputs() -> ModelProto:
    clip = helper.make_node("Clip", ["x", "", "six"], ["c"], name="clip")
    resize = helper.make_node("Resize", ["c", "", "scales"], ["r"], name="resize", mode="nearest")
    node = helper.make_node("Conv", ["r", "W", ""], ["y"], name="conv", pads=[1, 1, 1, 1])
    weights = [
        weight("W", 3, 2, 3, 3),
        tensor("six", np.float32(6)),
        tensor("scales", [1, 1, 2, 2], np.float32),
    ]
    return model([clip, resize, node], weights)


@feature()
def dead_nodes() -> ModelProto:
    """Nodes and initializers nobody reads are the caller's, not ours to clean."""
    nodes = [
        conv(),
        conv(y="unread", name="dead"),
        helper.make_node("Relu", ["unread"], ["unread2"]),
    ]
    return model(nodes, [weight("unused", 5), weight("W", 3, 2, 3, 3)])


@feature()
def typed_tensor_data() -> ModelProto:
    """Weights and pads in float_data and int64_data instead of raw bytes."""
    dense = array("W", 3, 2, 3, 3)
    pads = helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 1])
    weights = helper.make_tensor("W", TensorProto.FLOAT, dense.shape, dense.reshape(-1).tolist())
    pad = helper.make_node("Pad", ["x", "pads"], ["p"], name="pad")
    return model([pad, conv("p", pads=None)], [weights, pads])


@feature()
def output_is_also_read() -> ModelProto:
    nodes = [conv(), conv("y", "V", "z", name="next")]
    outputs = [value("y", (None,) * 4), value("z", (None,) * 4)]
    return model(nodes, [weight("W", 3, 2, 3, 3), weight("V", 2, 3, 3, 3)], outputs=outputs)


@feature()
def shared_weights() -> ModelProto:
    nodes = [conv(y="a", name="first"), conv("a", name="second")]
    return model(nodes, [weight("W", 2, 2, 3, 3)])


@feature()
def opset_newest() -> ModelProto:
    """The newest opset that the lowest allowed versions of both libraries know."""
    return plain(opset=23, ir_version=11)
