"""Guarded Pads in whole nets: at every size what slices alone give, and read back as Pads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, shape_inference

import onnxpad
from tests.rewriting.running import Array, outputs
from tests.rewriting.test_review import model_of, rewritten, value, weights

# another form of padding may lead to another order of sums: a few units in the last place
TOLERANCE = 1e-5
Feeds = Sequence[dict[str, tuple[int, ...]]]
SIZES = ((1, 1), (2, 3), (3, 2), (9, 12))


def conv(x: str, w: str, y: str, **attributes: Any) -> NodeProto:
    return helper.make_node("Conv", [x, w], [y], **attributes)


def node(op: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


def _net(nodes: list[NodeProto], inputs: dict[str, Any], **arrays: Array) -> ModelProto:
    given = [value(name, *shape) for name, shape in inputs.items()]
    return model_of(nodes, given, [helper.make_tensor_value_info("y", 1, None)], **arrays)


W, V = weights(3, 2, 3, 3), weights(3, 3, 3, 3)
FREE = {"x": (1, 2, "h", "w")}
ONE = {"pads": [1] * 4}


def _images(*sizes: tuple[int, int], channels: int = 2) -> Feeds:
    return [{"x": (1, channels, *size)} for size in sizes]


def _resize() -> ModelProto:
    """Nothing is known of a size behind a Resize: it is asked itself."""
    nodes = [
        conv("x", "w", "a", **ONE), node("Resize", "a  s", "r", mode="nearest"),
        conv("r", "v", "b", **ONE), node("Relu", "b", "c"),
        conv("c", "v", "y", strides=[2, 2], **ONE),
    ]  # fmt: skip
    nodes[1].input[:] = ["a", "", "s"]
    return _net(nodes, FREE, w=W, v=V, s=np.array([1, 1, 0.5, 1.5], np.float32))


def _two_inputs() -> ModelProto:
    """One may be broadcast over the other."""
    nodes = [
        conv("x", "w", "a"), conv("z", "w", "b", **ONE), node("Add", "a b", "s"),
        conv("s", "v", "y", **ONE),
    ]  # fmt: skip
    return _net(nodes, {**FREE, "z": (1, 2, "p", "q")}, w=W, v=V)


def _dense() -> ModelProto:
    nodes = [
        conv("x", "w", "a", **ONE),
        node("MaxPool", "a", "p", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, **ONE),
        conv("p", "v", "b", pads=[2] * 4, dilations=[2, 2]), node("Concat", "p b", "k", axis=1),
        conv("k", "u", "y", **ONE),
    ]  # fmt: skip
    return _net(nodes, FREE, w=W, v=V, u=weights(3, 6, 3, 3))


def _channels_last() -> ModelProto:
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]), conv("t", "w", "a", auto_pad="SAME_UPPER"),
        node("Relu", "a", "r"), conv("r", "v", "b", auto_pad="SAME_LOWER"),
        node("Transpose", "b", "y", perm=[0, 2, 3, 1]),
    ]  # fmt: skip
    return _net(nodes, {"x": (1, "h", "w", 2)}, w=W, v=weights(3, 3, 5, 5))


def _mobile() -> ModelProto:
    """Padding is moved up through the expansions."""
    nodes = [
        conv("x", "e", "a"), node("Relu", "a", "r"), conv("r", "d", "b", group=48, **ONE),
        node("Relu", "b", "q"), conv("q", "p", "s"), node("Add", "s x", "t"), conv("t", "e", "f"),
        node("Relu", "f", "g"), conv("g", "d", "y", group=48, strides=[2, 2], **ONE),
    ]  # fmt: skip
    return _net(
        nodes, {"x": (1, 8, "h", "w")}, e=weights(48, 8, 1, 1), d=weights(48, 1, 3, 3),
        p=weights(8, 48, 1, 1),
    )  # fmt: skip


def _loop() -> ModelProto:
    state = ("s", 1, 2, "h", "w")
    body = helper.make_graph(
        [conv("s", "k", "o", **ONE), node("Identity", "c", "d")], "b",
        [value("i", kind=TensorProto.INT64), value("c", kind=TensorProto.BOOL), value(*state)],
        [value("d", kind=TensorProto.BOOL), value("o", *state[1:])],
    )  # fmt: skip
    loop = helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)
    return _net([loop], FREE, n=np.array(2), k=weights(2, 2, 3, 3))


NETS: dict[str, tuple[ModelProto, Feeds]] = {
    "1-D": (_net([conv("x", "k", "y", pads=[2, 1])], {"x": (1, 2, "t")}, k=weights(3, 2, 4)),
            [{"x": (1, 2, n)} for n in (1, 2, 3, 40)]),
    "3-D": (_net([conv("x", "k", "y", pads=[1, 2, 0, 1, 0, 2])], {"x": (1, 2, "d", 6, "w")},
                 k=weights(3, 2, 3, 3, 3)),
            [{"x": (1, 2, d, 6, w)} for d, w in ((1, 2), (2, 3), (7, 8))]),
    "one size known": (_net([conv("x", "k", "y", pads=[1, 3, 1, 3])], {"x": (1, 2, "h", 8)},
                            k=weights(3, 2, 3, 7)), _images((1, 8), (2, 8), (9, 8))),
    "resize": (_resize(), _images((2, 2), (3, 4), (20, 11))),
    "two inputs": (_two_inputs(), [{"x": (1, 2, x, x), "z": (1, 2, z, z)}
                                   for x, z in ((3, 7), (9, 7), (6, 1), (3, 1), (4, 2))]),
    "dense": (_dense(), _images((1, 1), (3, 4), (5, 5), (20, 11))),
    "channels last": (_channels_last(), [{"x": (1, *size, 2)} for size in SIZES]),
    "mobile": (_mobile(), _images((1, 1), (2, 2), (2, 30), (20, 11), channels=8)),
    "loop": (_loop(), _images(*SIZES)),
}  # fmt: skip


def _same(one: ModelProto, other: ModelProto, feeds: Feeds) -> None:
    for shapes in feeds:
        fed = {name: weights(*shape) for name, shape in shapes.items()}
        for ours, theirs in zip(outputs(one, fed), outputs(other, fed), strict=True):
            assert ours.shape == theirs.shape
            assert np.abs(ours - theirs).max() <= TOLERANCE * np.abs(theirs).max()


@pytest.mark.parametrize("name", NETS)
def test_guarded_as_composed(name: str) -> None:
    model, feeds = NETS[name]
    guarded = rewritten(model, "reflect").model
    assert b"large_enough" in guarded.SerializeToString()
    shape_inference.infer_shapes(guarded, strict_mode=True)
    composed = rewritten(model, "reflect", target="cuda").model
    assert b"large_enough" not in composed.SerializeToString()
    _same(guarded, composed, feeds)
    assert {s.mode.name for s in onnxpad.find_sites(guarded) if s.conv} == {"reflect"}
    again = rewritten(guarded, "edge", from_mode="reflect").model
    _same(again, rewritten(model, "edge").model, feeds)
