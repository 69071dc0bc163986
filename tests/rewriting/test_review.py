"""Models that a reviewer thought of: each was got wrong once."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

import onnxpad
from onnxpad.errors import UsageError
from onnxpad.modes import Mode
from onnxpad.plan_file import read_plan
from onnxpad.scopes import all_reads
from tests.rewriting.running import fault, outputs, parsed

Array = NDArray[Any]


def weights(*shape: int) -> Array:
    """The same numbers each time, of no symmetry."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def value(name: str, *shape: int | str | None, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(
    nodes: list[NodeProto], inputs: list[Any], results: list[Any], *, functions: Any = (),
    opset: int = 17, **constants: Array,
) -> ModelProto:  # fmt: skip
    """A model that imports whatever its nodes and functions need."""
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", inputs, results, tensors)
    domains = {n.domain for holder in (graph, *functions) for n in holder.node} - {""}
    imports = [helper.make_opsetid(d, opset if d == "" else 1) for d in ("", *sorted(domains))]
    model = helper.make_model(graph, opset_imports=imports, functions=list(functions))
    model.ir_version = 8
    return model


def rewritten(model: ModelProto, mode: str | None, **how: Any) -> onnxpad.RewriteResult:
    """A rewrite, with what must hold of every one."""
    before = model.SerializeToString()
    result = onnxpad.rewrite(model, mode, **how)
    assert model.SerializeToString() == before
    assert not fault(result.model) or fault(model)
    assert result.undo(parsed(result.model)).SerializeToString() == before
    return result


def conv(name: str = "c", output: str = "y", **attributes: Any) -> NodeProto:
    return helper.make_node("Conv", ["x", "w"], [output], name=name, **attributes)


def refer(node: NodeProto, kind: int, *names: str) -> NodeProto:
    """Let attributes of a node refer to a function's of the same name."""
    for name in names:
        node.attribute.add(name=name, ref_attr_name=name, type=kind)
    return node


def called(body: NodeProto, names: list[str], **attributes: Any) -> ModelProto:
    """A model that calls a local function of one node."""
    imports = [helper.make_opsetid(body.domain, 1 if body.domain else 17)]
    function = helper.make_function("d", "F", ["x", "w"], ["y"], [body], imports, names)
    call = helper.make_node("F", ["x", "w"], ["y"], domain="d", **attributes)
    result = value("y", None, None, None, None)
    return model_of(
        [call], [value("x", 1, 2, 8, 8)], [result], functions=[function], w=weights(3, 2, 3, 3)
    )


INTS, STRING = AttributeProto.INTS, AttributeProto.STRING


@pytest.mark.parametrize("mode", ["edge", "reflect", "partial"])
def test_same_with_the_callers_strides_is_refused(mode: str) -> None:
    """Taken for a stride of 1, the padding was of another size."""
    body = refer(conv(auto_pad="SAME_UPPER"), INTS, "strides")
    result = rewritten(called(body, ["strides"], strides=[2, 2]), mode)
    assert len(result.refused) == 1
    assert not result.changed


def test_the_callers_auto_pad_is_seen() -> None:
    body = refer(conv(), STRING, "auto_pad")
    result = rewritten(called(body, ["auto_pad"], auto_pad="SAME_UPPER"), "edge")
    assert len(result.refused) == 1
    assert not result.changed


def test_partial_with_the_callers_dilations_is_refused() -> None:
    body = refer(conv(pads=[2, 2, 2, 2]), INTS, "dilations")
    model = called(body, ["dilations"], dilations=[2, 2])
    assert rewritten(model, "partial").refused
    assert rewritten(model, "edge").changed


def test_a_function_of_contrib_ops_alone() -> None:
    """New nodes are ONNX's own: the function must import their operator set."""
    body = conv(pads=[1] * 4, activation="Relu")
    body.op_type, body.domain = "FusedConv", "com.microsoft"
    x = weights(1, 2, 8, 8)
    (found,) = outputs(rewritten(called(body, []), "edge").model, {"x": x})
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], mode="edge")
    plain = model_of(
        [conv()], [value("x", 1, 2, 10, 10)], [value("y", 1, 3, 8, 8)], w=weights(3, 2, 3, 3)
    )
    (expected,) = outputs(plain, {"x": padded})
    np.testing.assert_allclose(found, np.maximum(expected, 0), rtol=0, atol=1e-5)


@pytest.mark.parametrize("mode", ["edge", "symmetric", "partial"])
@pytest.mark.parametrize("declared", [(1, 3, 8, 8), (2, 3, 16, 8)], ids=["batch", "size"])
def test_declared_shapes_that_do_not_hold(declared: tuple[int, ...], mode: str) -> None:
    """Tools that change an input's size leave the shapes behind it; runtimes only warn of it."""
    second = helper.make_node("Conv", ["a", "v"], ["y"], pads=[2] * 4)
    model = model_of(
        [conv(output="a", pads=[1] * 4), second], [value("x", 2, 2, 8, 8)], [value("y", *declared)],
        w=weights(3, 2, 3, 3), v=weights(3, 3, 5, 5),
    )  # fmt: skip
    right = rewritten(model, mode)
    model.graph.value_info.append(value("a", *declared))
    x = weights(2, 2, 8, 8)
    result = rewritten(model, mode)
    assert len(result.changed) == 2
    (found,), (expected,) = outputs(result.model, {"x": x}), outputs(right.model, {"x": x})
    np.testing.assert_array_equal(found, expected)
    assert expected.shape == (2, 3, 8, 8)


def test_one_nameless_node_is_named_by_its_output() -> None:
    model = model_of(
        [conv("", "a", pads=[1] * 4), helper.make_node("Relu", ["a"], ["y"], name="relu")],
        [value("x", 1, 2, 8, 8)], [value("y", None, None, None, None)], w=weights(3, 2, 3, 3),
    )  # fmt: skip
    assert [s.identity for s in onnxpad.find_sites(model)] == ["a"]


def test_a_node_named_as_another_ones_output() -> None:
    second = helper.make_node("Conv", ["b", "v"], ["y"], name="b", pads=[1] * 4)
    model = model_of(
        [conv("", "b", pads=[1] * 4), second], [value("x", 1, 2, 8, 8)],
        [value("y", None, None, None, None)], w=weights(3, 2, 3, 3), v=weights(3, 3, 3, 3),
    )  # fmt: skip
    assert [s.identity for s in onnxpad.find_sites(model)] == ["b", "y"]
    assert [c.site.node for c in rewritten(model, "edge", only=["b"]).changed] == ["b"]


def test_two_ifs_of_one_name(tmp_path: Any) -> None:
    def branch(output: str) -> Any:
        body = [conv("conv", output, pads=[1] * 4)]
        return helper.make_graph(body, output, [], [value(output, 1, 3, 8, 8)])

    nodes = [
        helper.make_node(
            "If", ["on"], [f"o{i}"], name="If", then_branch=branch(f"t{i}"),
            else_branch=branch(f"e{i}"),
        )
        for i in (1, 2)
    ]  # fmt: skip
    nodes.append(helper.make_node("Add", ["o1", "o2"], ["y"]))
    model = model_of(
        nodes, [value("x", 1, 2, 8, 8), value("on", kind=TensorProto.BOOL)],
        [value("y", None, None, None, None)], w=weights(3, 2, 3, 3),
    )  # fmt: skip
    result = rewritten(model, "edge")
    names = [c.site.identity for c in result.changed]
    assert len(set(names)) == 4
    plan = tmp_path / "plan.json"
    plan.write_text(result.plan.to_json(), encoding="utf-8")
    again = rewritten(model, None, plan=read_plan(plan))
    assert again.model.SerializeToString() == result.model.SerializeToString()


@pytest.mark.parametrize("opset", [7, 11, 17])
def test_linear_padding_of_a_free_size_is_known_again(opset: int) -> None:
    """It takes some 130 nodes an axis."""
    model = model_of(
        [conv(pads=[1, 2] * 2)], [value("x", 1, 2, "h", "w")], [value("y", *[None] * 4)],
        opset=opset, w=weights(3, 2, 3, 3),
    )  # fmt: skip
    linear = rewritten(model, "linear").model
    (site,) = onnxpad.find_sites(linear)
    assert str(site.mode) == "linear"
    x = weights(1, 2, 7, 6)
    again = rewritten(linear, "wrap", from_mode="linear").model
    (found,) = outputs(again, {"x": x})
    (expected,) = outputs(rewritten(model, "wrap").model, {"x": x})
    np.testing.assert_array_equal(found, expected)


MISUSE: list[dict[str, Any]] = [
    {"mode": 3},
    {"mode": b"edge"},
    {"mode": ["edge"]},
    {"mode": "edge", "only": 5},
    {"mode": "edge", "only": [5]},
    {"mode": "edge", "set": {"c": 1}},
    {"mode": "edge", "set": "c=edge"},
    {"set": ["c=edge"]},
    {"set": [("c",)]},
    {"set": [(1, "edge")]},
    {"mode": "edge", "from_mode": 1},
    {"mode": "edge", "fallback": 1},
    {"mode": "edge", "halo": "8"},
    {"mode": "edge", "halo": 1.5},
    {"mode": "edge", "target": None},
    {"plan": 5},
    {"plan": {"c": "edge"}},
    {"plan": "plan\0.json"},
    {"mode": "mean", "means": 5},
]


@pytest.mark.parametrize("arguments", MISUSE, ids=str)
def test_arguments_of_the_wrong_type(arguments: dict[str, Any]) -> None:
    model = model_of([conv(pads=[1] * 4)], [value("x", 1, 2, 8, 8)],
                     [value("y", 1, 3, 8, 8)], w=weights(3, 2, 3, 3))  # fmt: skip
    with pytest.raises(UsageError):
        onnxpad.rewrite(model, **arguments)


@pytest.mark.parametrize("source", [5, None, b"model.onnx", "mo\0del.onnx", ModelProto().graph])
def test_sources_of_the_wrong_type(source: Any) -> None:
    for use in (onnxpad.find_sites, lambda s: onnxpad.rewrite(s, "edge")):
        with pytest.raises(onnxpad.OnnxpadError):
            use(source)


def test_results_used_in_the_wrong_way(tmp_path: Any) -> None:
    model = model_of([conv(pads=[1] * 4)], [value("x", 1, 2, 8, 8)],
                     [value("y", 1, 3, 8, 8)], w=weights(3, 2, 3, 3))  # fmt: skip
    result: Any = onnxpad.rewrite(model, "edge")
    for path in (5, tmp_path / "a\0b.onnx"):
        with pytest.raises(onnxpad.OnnxpadError):
            result.save(path)
    for proto in (5, "model.onnx", model):
        with pytest.raises(UsageError):
            result.undo(proto)
    assert not list(tmp_path.iterdir())


def test_a_number_that_the_type_cannot_hold() -> None:
    """It was written as infinity."""
    model = model_of([conv(pads=[1] * 4)], [value("x", 1, 2, 8, 8)],
                     [value("y", 1, 3, 8, 8)], w=weights(3, 2, 3, 3))  # fmt: skip
    assert rewritten(model, "constant:1e300").refused
    assert rewritten(model, "constant:1e30").changed


@pytest.mark.parametrize("mode", ["symmetric", "reflect", "wrap"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_padding_of_a_computed_amount_is_seen(rank: int, mode: str) -> None:
    """On all its axes, not on those alone whose amounts are known."""
    sizes = [f"s{i}" for i in range(rank)]
    model = model_of(
        [conv(auto_pad="SAME_LOWER", strides=[2, 1, 3][:rank])], [value("x", 1, 2, *sizes)],
        [value("y", *[None] * (rank + 2))], opset=17, w=weights(3, 2, *[4] * rank),
    )  # fmt: skip
    (site,) = onnxpad.find_sites(rewritten(model, mode).model)
    assert [a.axis for a in site.axes] == list(range(2, rank + 2))
    assert str(site.mode) == mode


def test_linear_padding_of_three_free_sizes() -> None:
    """At opset 8 shape inference does not know how many axes the second step has."""
    model = model_of(
        [conv(pads=[1, 2, 1, 2, 1, 1])],
        [value("x", 1, 2, "d", "h", "w"), value("w", 3, 2, 3, 3, 3)],
        [value("y", *[None] * 5)], opset=8, w=weights(3, 2, 3, 3, 3),
    )  # fmt: skip
    model.ir_version = 3
    (site,) = onnxpad.find_sites(rewritten(model, "linear").model)
    assert [(a.begin, a.end) for a in site.axes] == [(1, 2), (2, 1), (1, 1)]


def test_no_halo_where_an_output_tells_a_size() -> None:
    nodes = [conv(pads=[1] * 4), helper.make_node("Shape", ["y"], ["s"])]
    model = model_of(
        nodes, [value("x", 1, 2, 8, 8)],
        [value("y", 1, 3, 8, 8), value("s", 4, kind=TensorProto.INT64)], w=weights(3, 2, 3, 3),
    )  # fmt: skip
    result = rewritten(model, "edge", halo=2)
    assert result.halo is None
    assert "size of a map" in result.halo_refusal


def test_a_function_with_more_callers_than_are_asked() -> None:
    """The first five hundred agreed on a size; the next had another, and was padded wrongly."""
    body = helper.make_node("Conv", ["x", "w"], ["y"], name="c", pads=[2] * 4)
    imports = [helper.make_opsetid("", 17)]
    function = helper.make_function("d", "F", ["x", "w"], ["y"], [body], imports)
    calls = [helper.make_node("F", ["x", "w"], [f"o{i}"], domain="d") for i in range(500)]
    calls.append(helper.make_node("F", ["z", "w"], ["y"], domain="d"))
    model = model_of(
        calls, [value("x", 1, 2, 4, 4), value("z", 1, 2, 9, 9)], [value("y", *[None] * 4)],
        functions=[function], w=weights(3, 2, 3, 3),
    )  # fmt: skip
    z = weights(1, 2, 9, 9)
    result = rewritten(model, "symmetric")
    (found,) = outputs(result.model, {"x": weights(1, 2, 4, 4), "z": z})
    padded = np.pad(z, [(0, 0), (0, 0), (2, 2), (2, 2)], mode="symmetric")
    plain = model_of(
        [conv()], [value("x", 1, 2, 13, 13)], [value("y", 1, 3, 11, 11)], w=weights(3, 2, 3, 3)
    )
    np.testing.assert_allclose(found, outputs(plain, {"x": padded})[0], rtol=0, atol=1e-5)


def test_attributes_that_pass_through_two_functions() -> None:
    """An axis that only the outermost caller tells was taken for 0, and the size with it."""
    joined = refer(helper.make_node("Concat", ["x", "x"], ["q"]), AttributeProto.INT, "axis")
    padded = helper.make_node("Conv", ["q", "w"], ["y"], name="c", pads=[2] * 4)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]
    inner = helper.make_function("d", "I", ["x", "w"], ["y"], [joined, padded], imports, ["axis"])
    call = refer(helper.make_node("I", ["x", "w"], ["y"], domain="d"), AttributeProto.INT, "axis")
    outer = helper.make_function("d", "O", ["x", "w"], ["y"], [call], imports, ["axis"])
    model = model_of(
        [helper.make_node("O", ["x", "w"], ["y"], domain="d", axis=3)], [value("x", 1, 2, 4, 4)],
        [value("y", *[None] * 4)], functions=[inner, outer], w=weights(3, 2, 3, 3),
    )  # fmt: skip
    (site,) = onnxpad.find_sites(model)
    assert [a.size for a in site.axes] == [None, None]


@pytest.mark.parametrize("mode", ["edge", "constant"])
def test_pools_alone_selects_no_padding_that_was_chosen(mode: str) -> None:
    """A Pad that copies, or writes a number, is left unless --from or --set names it."""
    model = model_of(
        [helper.make_node("Pad", ["x", "p", "v"], ["q"], name="pad", mode=mode),
         helper.make_node("AveragePool", ["q"], ["y"], kernel_shape=[3, 3])],
        [value("x", 1, 2, 6, 6)], [value("y", 1, 2, 6, 6)], p=np.array([0, 0, 1, 1] * 2),
        v=np.array(0.5, np.float32),
    )  # fmt: skip
    now = {"edge": "edge", "constant": "constant:0.5"}[mode]
    assert not rewritten(model, "reflect", pools=True).changed
    assert rewritten(model, "reflect", pools=True, from_mode=now).changed
    assert rewritten(model, None, set={"pad": "reflect"}).changed


def test_advice_can_be_followed() -> None:
    """--from takes finite numbers only."""
    model = model_of(
        [helper.make_node("Pad", ["x", "p", "v"], ["q"], name="pad"),
         helper.make_node("Conv", ["q", "w"], ["y"], name="c")],
        [value("x", 1, 2, 6, 6), value("v")], [value("y", *[None] * 4)],
        p=np.array([0, 0, 1, 1] * 2), w=weights(3, 2, 3, 3),
    )  # fmt: skip
    (left,) = rewritten(model, "edge").left
    assert "--set" in left.reason
    assert rewritten(model, None, set={"pad": "edge"}).changed


def test_what_deformable_convolutions_still_read_is_said() -> None:
    node = helper.make_node("DeformConv", ["x", "w", "o"], ["y"], name="c", pads=[1] * 4)
    model = model_of(
        [node], [value("x", 1, 2, 6, 6), value("o", 1, 18, 6, 6)], [value("y", 1, 3, 6, 6)],
        opset=19, w=weights(3, 2, 3, 3),
    )  # fmt: skip
    model.ir_version = 9
    (change,) = rewritten(model, "reflect").changed
    assert "still read 0" in change.how


def test_strided_kernels_of_one_element_never_pad() -> None:
    """TensorFlow's shortcuts are such: with a free size each was taken for a padding site."""

    def same(kernel: list[int], strides: list[int]) -> ModelProto:
        node = conv(auto_pad="SAME_UPPER", strides=strides)
        return model_of(
            [node], [value("x", 1, 2, "h", "w")], [value("y", *[None] * 4)],
            w=weights(3, 2, *kernel),
        )  # fmt: skip

    assert not onnxpad.find_sites(same([1, 1], [2, 2]))
    (site,) = onnxpad.find_sites(same([3, 1], [2, 2]))
    assert [a.axis for a in site.axes] == [2]
    (again,) = onnxpad.find_sites(rewritten(same([3, 1], [2, 2]), "reflect").model)
    assert str(again.mode) == "reflect"


def unknown_shape(**attributes: Any) -> ModelProto:
    """A convolution behind an operator that shape inference does not know."""
    node = helper.make_node("Unknown", ["a"], ["x"], domain="custom")
    inputs = [helper.make_tensor_value_info("a", TensorProto.FLOAT, None)]
    return model_of(
        [node, conv(**attributes)], inputs, [value("y", *[None] * 4)], w=weights(3, 2, 3, 3)
    )


@pytest.mark.parametrize("mode", ["edge", "zero", "symmetric"])
def test_padding_of_one_axis_of_a_tensor_of_unknown_shape(mode: str) -> None:
    """The tensor was taken to end at the padded axis."""
    wrapped = rewritten(unknown_shape(pads=[2, 0, 2, 0]), "wrap").model
    result = rewritten(wrapped, mode, from_mode="wrap")
    assert len(result.changed) == 1
    assert result.changed[0].site.rank == 4


@pytest.mark.parametrize("mode", ["symmetric", "reflect", "wrap", "linear"])
def test_nothing_is_written_that_nobody_reads(mode: str) -> None:
    model = model_of(
        [conv(pads=[2] * 4)], [value("x", 1, 2, "h", "w")], [value("y", *[None] * 4)],
        w=weights(3, 2, 3, 3),
    )  # fmt: skip
    result = rewritten(model, mode).model
    read = {name for node in result.graph.node for name in all_reads(node)} | {"y"}
    assert {name for node in result.graph.node for name in node.output} <= read
    back = rewritten(result, "zero", from_mode=mode).model
    assert [n.op_type for n in back.graph.node] == ["Conv"]


def test_a_halo_planned_for_another_input() -> None:
    model = model_of([conv(pads=[1] * 4)], [value("x", 1, 2, 8, 8)],
                     [value("y", 1, 3, 8, 8)], w=weights(3, 2, 3, 3))  # fmt: skip
    for source, done in (("x", True), ("image", False)):
        plan = onnxpad.Plan((), (source, Mode("edge"), 2))
        if done:
            assert rewritten(model, None, plan=plan).halo is not None
            continue
        with pytest.raises(UsageError, match="image"):
            onnxpad.rewrite(model, plan=plan)
