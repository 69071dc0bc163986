"""Padding inside If, Loop and Scan bodies and local functions."""

from typing import Any

import numpy as np
from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto, TensorProto, helper

from tests.features._build import (
    IMAGE,
    constant,
    conv,
    feature,
    graph,
    ints,
    model,
    tensor,
    value,
    weight,
)

MAP = (1, 2, 9, 8)
FLAG = value("flag", (), TensorProto.BOOL)


def _branch(name: str, *nodes: NodeProto, **initializers: TensorProto):  # type: ignore[no-untyped-def]  # see graph
    return graph(nodes, [], [value("out", (None,) * 4)], initializers.values(), name)


def _if(then, orelse, y: str = "y", name: str = "choose") -> NodeProto:  # type: ignore[no-untyped-def]  # graphs
    return helper.make_node("If", ["flag"], [y], name=name, then_branch=then, else_branch=orelse)


@feature()
def if_shared_weights() -> ModelProto:
    """Both branches read the outer graph's weights."""
    then = _branch("then", conv(y="out", name="conv_then"))
    orelse = _branch("else", conv(y="out", name="conv_else", pads=[0, 1, 0, 1]))
    return model([_if(then, orelse)], [weight("W", 3, 2, 3, 3)], inputs=[value("x", IMAGE), FLAG])


@feature()
def if_own_weights() -> ModelProto:
    """Nodes, tensors and initializers of one name in both branches."""
    then = _branch(
        "then",
        conv(y="h"),
        helper.make_node("Relu", ["h"], ["out"], name="act"),
        W=weight("W", 3, 2, 3, 3),
    )
    orelse = _branch(
        "else",
        conv(y="h"),
        helper.make_node("Tanh", ["h"], ["out"], name="act"),
        W=weight("W", 3, 2, 3, 3),
    )
    return model([_if(then, orelse)], inputs=[value("x", IMAGE), FLAG])


@feature()
def if_reads_outer_pad() -> ModelProto:
    """The Pad stands outside, the Conv that reads it inside."""
    pad = helper.make_node("Pad", ["x", "pads"], ["p"], name="pad")
    then = _branch("then", conv("p", y="out", name="conv_then", pads=None))
    orelse = _branch("else", conv(y="out", name="conv_else"))
    weights = [weight("W", 3, 2, 3, 3), ints("pads", [0, 0, 1, 1, 0, 0, 1, 1])]
    return model([pad, _if(then, orelse)], weights, inputs=[value("x", IMAGE), FLAG])


@feature()
def if_reads_outer_constant() -> ModelProto:
    """The Pad's pads come from a Constant of the outer graph."""
    pad = helper.make_node("Pad", ["x", "pads"], ["p"], name="pad")
    then = _branch("then", pad, conv("p", y="out", name="conv_then", pads=None))
    orelse = _branch("else", conv(y="out", name="conv_else"))
    nodes = [constant("pads", [0, 0, 1, 1, 0, 0, 1, 1]), _if(then, orelse)]
    return model(nodes, [weight("W", 3, 2, 3, 3)], inputs=[value("x", IMAGE), FLAG])


@feature()
def nested_if() -> ModelProto:
    inner = _if(
        _branch("inner_then", conv(y="out")),
        _branch("inner_else", conv(y="out", dilations=[2, 2], pads=[2, 2, 2, 2])),
        "out",
        "inner",
    )
    outer = _if(_branch("then", inner), _branch("else", conv(y="out")))
    return model([outer], [weight("W", 3, 2, 3, 3)], inputs=[value("x", IMAGE), FLAG])


@feature()
def loop_body() -> ModelProto:
    """A Conv applied three times in a Loop, to a carried value."""
    body = graph(
        [
            conv("carried", y="next", name="conv"),
            helper.make_node("Identity", ["going"], ["still"], name="keep"),
        ],
        [
            value("step", (), TensorProto.INT64),
            value("going", (), TensorProto.BOOL),
            value("carried", MAP),
        ],
        [value("still", (), TensorProto.BOOL), value("next", MAP)],
        [weight("W", 2, 2, 3, 3)],
        "body",
    )
    node = helper.make_node("Loop", ["times", "true", "x"], ["y"], name="loop", body=body)
    return model([node], [tensor("times", np.int64(3)), tensor("true", np.bool_(True))])


@feature()
def scan_body() -> ModelProto:
    """A Conv in a Scan over frames; the slice has no batch axis until Unsqueeze gives it one."""
    body = graph(
        [
            helper.make_node("Unsqueeze", ["frame", "zero"], ["f4"], name="add_batch"),
            conv("f4", y="c4"),
            helper.make_node("Squeeze", ["c4", "zero"], ["mapped"], name="drop_batch"),
            helper.make_node("Add", ["total", "mapped"], ["total_next"], name="sum"),
        ],
        [value("total", (2, 9, 8)), value("frame", (2, 9, 8))],
        [value("total_next", (2, 9, 8)), value("mapped", (2, 9, 8))],
        [],
        "body",
    )
    node = helper.make_node(
        "Scan", ["start", "x"], ["end", "y"], name="scan", body=body, num_scan_inputs=1
    )
    weights = [
        weight("W", 2, 2, 3, 3),
        ints("zero", [0]),
        tensor("start", np.zeros((2, 9, 8), np.float32)),
    ]
    return model([node], weights, inputs=[value("x", (4, 2, 9, 8))])


def _function(
    name: str, nodes: list[NodeProto], attributes: list[str] | None = None, overload: str = ""
) -> FunctionProto:
    made = helper.make_function(
        "org.example",
        name,
        ["x", "W"],
        ["y"],
        nodes,
        [helper.make_opsetid("", 17), helper.make_opsetid("org.example", 1)],
        attributes or [],
    )
    made.overload = overload
    return made


def _call(x: str, w: str, y: str, name: str, op: str = "block", **attributes: Any) -> NodeProto:
    return helper.make_node(op, [x, w], [y], name=name, domain="org.example", **attributes)


def _with_functions(
    nodes: list[NodeProto], functions: list[FunctionProto], ir_version: int = 8
) -> ModelProto:
    weights = [weight("W", 3, 2, 3, 3), weight("V", 2, 3, 3, 3)]
    made = model(nodes, weights, domains=["org.example"], ir_version=ir_version)
    made.functions.extend(functions)
    return made


TWO_CALLS = [_call("x", "W", "a", "one"), _call("a", "V", "y", "two")]


@feature()
def function_called_twice() -> ModelProto:
    body = [conv(y="h"), helper.make_node("Relu", ["h"], ["y"], name="relu")]
    return _with_functions(TWO_CALLS, [_function("block", body)])


@feature()
def function_metadata() -> ModelProto:
    """Doc strings, metadata_props and value_info of a function."""
    made = _function("block", [conv(y="h"), helper.make_node("Relu", ["h"], ["y"], name="relu")])
    made.doc_string = "a block"
    made.metadata_props.add(key="stage", value="function")
    made.value_info.append(value("h", None))
    return _with_functions(TWO_CALLS, [made], ir_version=10)


@feature()
def function_overloads() -> ModelProto:
    """Two functions of one name, told apart by overload (IR 10)."""
    wide = _function("block", [conv(dilations=[2, 2], pads=[2, 2, 2, 2])], overload="wide")
    calls = [
        _call("x", "W", "a", "one"),
        _call("a", "V", "b", "two"),
        _call("b", "W", "y", "three"),
    ]
    for call, overload in zip(calls, ["near", "wide", "near"], strict=True):
        call.overload = overload
    return _with_functions(
        calls, [_function("block", [conv()], overload="near"), wide], ir_version=10
    )


def _reference(attribute: str, kind: AttributeProto.AttributeType) -> AttributeProto:
    return AttributeProto(name=attribute, ref_attr_name=f"the_{attribute}", type=kind)


@feature()
def function_pads_reference() -> ModelProto:
    """The Conv's pads are the function's attribute: a different padding at each call."""
    node = conv(pads=None)
    node.attribute.append(_reference("pads", AttributeProto.INTS))
    calls = [
        _call("x", "W", "a", "one", the_pads=[1, 1, 1, 1]),
        _call("a", "V", "y", "two", the_pads=[2, 0, 2, 0]),
    ]
    return _with_functions(calls, [_function("block", [node], ["the_pads"])])


@feature()
def function_pads_default() -> ModelProto:
    """The same, with a default that one call uses."""
    node = conv(pads=None)
    node.attribute.append(_reference("pads", AttributeProto.INTS))
    made = _function("block", [node])
    made.attribute_proto.append(helper.make_attribute("the_pads", [1, 1, 1, 1]))
    calls = [_call("x", "W", "a", "one"), _call("a", "V", "y", "two", the_pads=[2, 0, 2, 0])]
    return _with_functions(calls, [made])


@feature()
def function_with_pad() -> ModelProto:
    """Functions have no initializers: pads come from a Constant node."""
    body = [
        constant("pads", [0, 0, 1, 1, 0, 0, 1, 1]),
        helper.make_node("Pad", ["x", "pads"], ["p"], name="pad"),
        conv("p", pads=None),
    ]
    return _with_functions(TWO_CALLS, [_function("block", body)])


@feature()
def function_auto_pad() -> ModelProto:
    return _with_functions(
        TWO_CALLS,
        [_function("block", [conv(pads=None, auto_pad="SAME_UPPER", kernel_shape=[3, 3])])],
    )


@feature()
def function_in_function() -> ModelProto:
    outer = _function(
        "outer",
        [_call("x", "W", "h", "inner"), helper.make_node("Relu", ["h"], ["y"], name="relu")],
    )
    calls = [_call("x", "W", "a", "one", op="outer"), _call("a", "V", "y", "two")]
    return _with_functions(calls, [_function("block", [conv()]), outer])


@feature()
def function_unused() -> ModelProto:
    unused = _function("never_called", [conv()])
    return _with_functions([conv()], [unused])


@feature()
def function_called_in_branch() -> ModelProto:
    then = _branch("then", _call("x", "W", "out", "called"))
    orelse = _branch("else", conv(y="out", name="own"))
    made = _with_functions([_if(then, orelse)], [_function("block", [conv()])])
    made.graph.input.append(FLAG)
    return made


@feature()
def function_with_if() -> ModelProto:
    """A subgraph inside a function, whose Conv reads the function's own inputs."""
    inner = [
        helper.make_node("ReduceMean", ["x"], ["mean"], name="mean", keepdims=0),
        constant("zero", 0.0, np.float32),
        helper.make_node("Greater", ["mean", "zero"], ["flag"], name="is_bright"),
        _if(_branch("then", conv(y="out")), _branch("else", conv(y="out", name="other"))),
    ]
    return _with_functions([_call("x", "W", "y", "one")], [_function("block", inner)])
