"""reflect of a size known at run time: Pad where the map is large enough, else slices."""

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

import onnxpad
from onnxpad.indexing import index
from onnxpad.model import Model
from onnxpad.placement import Placer
from onnxpad.sites import survey
from tests.rewriting.running import outputs, parsed
from tests.rewriting.test_review import conv, model_of, rewritten, value, weights

FREE = value("x", 1, 2, "h", "w")


def free_model(**attributes: Any) -> ModelProto:
    given = attributes or {"pads": [1, 2, 1, 2]}
    return model_of([conv(**given)], [FREE], [value("y", *[None] * 4)], w=weights(3, 2, 3, 3))


def kinds(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def the_if(model: ModelProto) -> NodeProto:
    return next(node for node in model.graph.node if node.op_type == "If")


def image(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("opset", [7, 10, 11, 13, 18, 21])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (2, 3), (3, 3), (9, 4), (40, 30)])
def test_at_every_size_it_is_numpys(opset: int, size: tuple[int, int]) -> None:
    model = free_model()
    model.opset_import[0].version = opset
    result = rewritten(model, "reflect").model
    assert kinds(result).count("If") == 1
    x = image(1, 2, *size)
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (2, 2)], "reflect")
    plain = model_of([conv()], [FREE], [value("y", *[None] * 4)], w=weights(3, 2, 3, 3))
    # two layouts of one convolution may sum in another order: a few units in the last place
    np.testing.assert_allclose(
        outputs(result, {"x": x})[0], outputs(plain, {"x": padded})[0], rtol=0, atol=4e-6
    )


@pytest.mark.parametrize("opset", [7, 8, 9, 10, 11, 15, 18])
def test_it_is_read_as_the_pad_it_is(opset: int) -> None:
    """Below opset 9 the branch reads integers that stand outside as floats and a Cast."""
    model = free_model()
    model.opset_import[0].version = opset
    found = survey(Model(rewritten(model, "reflect").model))
    ((site,), others) = found.sites, found.others
    assert (site.form, site.op, site.mode.name) == ("Pad", "Pad", "reflect")
    assert [(a.axis, a.begin, a.end) for a in site.axes] == [(2, 1, 1), (3, 2, 2)]
    assert not others


@pytest.mark.parametrize("mode", ["edge", "wrap", "symmetric", "zero", "linear", "constant:3"])
@pytest.mark.parametrize("opset", [7, 17])
def test_it_can_be_changed_again_and_leaves_nothing_behind(mode: str, opset: int) -> None:
    model = free_model()
    model.opset_import[0].version = opset
    again = rewritten(rewritten(model, "reflect").model, mode, from_mode="reflect").model
    straight = rewritten(model, mode).model
    assert sorted(kinds(again)) == sorted(kinds(straight))
    for size in ((1, 1), (3, 2), (20, 13)):
        feeds = {"x": image(1, 2, *size)}
        np.testing.assert_array_equal(outputs(again, feeds)[0], outputs(straight, feeds)[0])


def test_doing_it_again_changes_nothing() -> None:
    once = rewritten(free_model(), "reflect").model
    assert not rewritten(once, "reflect").changed


@pytest.mark.parametrize("target", ["cuda", "tensorrt"])
def test_other_runtimes_get_slices(target: str) -> None:
    assert "If" not in kinds(rewritten(free_model(), "reflect", target=target).model)


def test_known_sizes_need_no_guard() -> None:
    model = model_of([conv(pads=[1] * 4)], [value("x", 1, 2, 8, 8)], [value("y", *[None] * 4)],
                     w=weights(3, 2, 3, 3))  # fmt: skip
    assert kinds(rewritten(model, "reflect").model) == ["Constant", "Pad", "Conv"]
    one = model_of([conv(pads=[1, 9, 1, 9])], [value("x", 1, 2, "h", 8)],
                   [value("y", *[None] * 4)], w=weights(3, 2, 3, 3))  # fmt: skip
    assert "If" not in kinds(rewritten(one, "reflect").model)  # 9 of 8 are never enough


@pytest.mark.parametrize("change", ["other amounts", "other mode", "another tensor", "a Relu"])
def test_an_if_that_does_anything_else_is_no_pad(change: str) -> None:
    model = parsed(rewritten(free_model(), "reflect").model)
    bodies = {a.name: a.g for a in the_if(model).attribute}
    if change == "other amounts":
        pads = helper.make_node("Constant", [], ["more"], value_ints=[0, 0, 2, 2, 0, 0, 2, 2])
        model.graph.node.insert(0, pads)
        bodies["then_branch"].node[0].input[1] = "more"
    elif change == "other mode":
        bodies["then_branch"].node[0].attribute[0].s = b"edge"
    elif change == "another tensor":
        model.graph.node.insert(0, helper.make_node("Neg", ["x"], ["n"]))
        bodies["then_branch"].node[0].input[0] = "n"
    else:
        last = bodies["else_branch"].node[-1]
        relu = helper.make_node("Relu", ["raw"], [last.output[0]])
        last.output[0] = "raw"
        bodies["else_branch"].node.append(relu)
    scopes = index(model)
    assert not any(scope.guarded for scope in scopes)
    assert len(scopes) == 3
    sites = onnxpad.find_sites(model)
    assert not [site for site in sites if site.mode.name == "reflect"]


def test_a_branch_that_is_wrong_for_one_element_is_no_guard() -> None:
    """Mirroring at 0 and 1 by plain slices is right from two elements on."""
    pads = helper.make_node("Constant", [], ["p"], value_ints=[0, 0, 1, 1, 0, 0, 1, 1])
    held = [helper.make_node("Constant", [], [f"n{n}"], value_ints=[n]) for n in (0, 1, 2, 3)]
    back = [helper.make_node("Constant", [], [f"b{n}"], value_ints=[-n]) for n in (1, 2)]
    nodes = []
    for source, axis, result in (("x", 2, "half"), ("half", 3, "else")):
        first, last = f"{result}0", f"{result}1"
        nodes += [
            helper.make_node("Slice", [source, "n1", "n2", f"n{axis}"], [first]),
            helper.make_node("Slice", [source, "b2", "b1", f"n{axis}"], [last]),
            helper.make_node("Concat", [first, source, last], [result], axis=axis),
        ]
    pad = helper.make_node("Pad", ["x", "p"], ["then"], mode="reflect")
    bodies = {
        "then_branch": helper.make_graph([pad], "t", [], [value("then", *[None] * 4)]),
        "else_branch": helper.make_graph(nodes, "e", [], [value("else", *[None] * 4)]),
    }
    choose = helper.make_node("If", ["c"], ["q"], **bodies)
    model = model_of(
        [pads, *held, *back, choose, helper.make_node("Conv", ["q", "w"], ["y"])],
        [FREE, value("c", kind=9)], [value("y", *[None] * 4)], w=weights(3, 2, 3, 3),
    )  # fmt: skip
    x = image(1, 2, 5, 4)
    either = [outputs(model, {"x": x, "c": np.array(which)})[0] for which in (True, False)]
    np.testing.assert_array_equal(*either)
    assert not any(scope.guarded for scope in index(model))


def test_inside_functions_and_branches() -> None:
    body = helper.make_function(
        "d", "padded", ["x", "w"], ["y"], [conv(pads=[1] * 4)], [helper.make_opsetid("", 17)]
    )
    call = helper.make_node("padded", ["x", "w"], ["y"], domain="d")
    inner = helper.make_graph([conv(output="z", pads=[1] * 4)], "b", [], [value("z", *[None] * 4)])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    for model in (
        model_of([call], [FREE], [value("y", *[None] * 4)], functions=[body],
                 w=weights(3, 2, 3, 3)),
        model_of([branch], [FREE, value("c", kind=9)], [value("y", *[None] * 4)],
                 w=weights(3, 2, 3, 3)),
    ):  # fmt: skip
        result = rewritten(model, "reflect").model
        found = survey(Model(result))
        assert {site.mode.name for site in found.sites} == {"reflect"}
        assert not found.others
        for size in ((1, 1), (12, 7)):
            x = image(1, 2, *size)
            feeds = {"x": x} | ({"c": np.array(True)} if call not in model.graph.node else {})
            padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], "reflect")
            plain = model_of([conv()], [FREE], [value("y", *[None] * 4)], w=weights(3, 2, 3, 3))
            np.testing.assert_allclose(
                outputs(result, feeds)[0], outputs(plain, {"x": padded})[0], rtol=0, atol=4e-6
            )


def test_one_question_to_the_input_answers_for_all() -> None:
    """Five layers, of stride 2 in between: the last map has more than 1 element from 6 on."""
    nodes = [
        helper.make_node("Conv", [x, "w"], [y], pads=[1] * 4, strides=[stride] * 2)
        for x, y, stride in (("x", "a", 1), ("a", "b", 2), ("r", "c", 1), ("c", "d", 2),
                             ("d", "y", 1))
    ]  # fmt: skip
    nodes.insert(2, helper.make_node("Relu", ["b"], ["r"]))
    model = model_of(nodes, [value("x", 1, 2, "h", "w")], [value("y", *[None] * 4)],
                     w=weights(2, 2, 3, 3))  # fmt: skip
    result = rewritten(model, "reflect").model
    assert [kinds(result).count(kind) for kind in ("If", "Shape", "Greater")] == [5, 1, 1]
    composed = rewritten(model, "reflect", target="cuda").model
    assert "If" not in kinds(composed)
    for size in ((1, 1), (4, 9), (5, 5), (6, 6), (6, 5), (33, 20)):
        feeds = {"x": image(1, 2, *size)}
        np.testing.assert_allclose(
            outputs(result, feeds)[0], outputs(composed, feeds)[0], rtol=1e-5, atol=1e-5
        )


def test_a_pad_in_front_of_a_guarded_one_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its result is read inside the branches, which nothing renames."""
    monkeypatch.setattr(Placer, "_price", lambda *given: -100.0 * len(given[2].crossed))
    model = parsed(rewritten(free_model(pads=[1] * 4), "reflect").model)
    guard = the_if(model)
    pads = helper.make_node("Constant", [], ["more"], value_ints=[0, 0, 1, 1, 0, 0, 1, 1])
    nodes = [
        helper.make_node("Conv", ["x", "thin"], ["t"]), helper.make_node("Relu", ["t"], ["r"]),
        pads, helper.make_node("Pad", ["r", "more"], ["p"], mode="edge"),
    ]  # fmt: skip
    kept = [onnx.NodeProto.FromString(n.SerializeToString()) for n in model.graph.node]
    for node in kept:
        _rename(node, "x", "p")
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *kept])
    model.graph.initializer.append(numpy_helper.from_array(weights(2, 2, 1, 1), "thin"))
    assert guard.op_type == "If"
    result = rewritten(model, None, set={"p": "wrap"})
    assert len(result.changed) == 1
    assert kinds(result.model).count("If") == 1
    for size in ((1, 1), (7, 5)):
        outputs(result.model, {"x": image(1, 2, *size)})


def _rename(node: NodeProto, old: str, new: str) -> None:
    node.input[:] = [new if name == old else name for name in node.input]
    for attribute in node.attribute:
        for inner in attribute.g.node:
            _rename(inner, old, new)
