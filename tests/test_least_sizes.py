"""What a size further down demands of one further up, against models that ONNX Runtime runs."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from onnxpad import ops
from onnxpad.crossing import _ONE_TO_ONE, _RULES
from onnxpad.indexing import index
from onnxpad.least_sizes import Demand, LeastSizes, _step
from tests.rewriting.running import outputs


def _net(random: np.random.Generator) -> ModelProto:
    """A chain with branches, of one channel, on two free axes."""
    nodes: list[NodeProto] = []
    x = "x"
    for number in range(int(random.integers(2, 7))):
        y = f"t{number}"
        kind = random.choice(["conv", "conv", "conv", "pool", "relu", "add", "concat", "turn"])
        if kind in ("conv", "pool"):
            kernel = int(random.integers(1, 4))
            given: dict[str, Any] = {
                "kernel_shape": [kernel] * 2,
                "strides": random.integers(1, 4, 2).tolist(),
                "pads": random.integers(0, kernel, 4).tolist(),
            }
            if kind == "conv" and random.random() < 0.3:
                given |= {"auto_pad": str(random.choice(["SAME_UPPER", "SAME_LOWER"]))}
                del given["pads"]
            op, more = ("Conv", [f"w{kernel}"]) if kind == "conv" else ("MaxPool", [])
            nodes.append(helper.make_node(op, [x, *more], [y], **given))
        elif kind == "add":
            nodes += [helper.make_node("Neg", [x], [f"{y}n"]),
                      helper.make_node("Add", [f"{y}n", x], [y])]  # fmt: skip
        elif kind == "concat":
            nodes += [helper.make_node("Concat", [x, x], [f"{y}c"], axis=1),
                      helper.make_node("Conv", [f"{y}c", "half"], [y])]  # fmt: skip
        else:
            turned = {"perm": [0, 1, 3, 2]} if kind == "turn" else {}
            nodes.append(helper.make_node("Transpose" if turned else "Relu", [x], [y], **turned))
        x = y
    weights = [
        numpy_helper.from_array(np.ones((1, 1, k, k), np.float32), f"w{k}") for k in (1, 2, 3)
    ]
    weights.append(numpy_helper.from_array(np.ones((1, 2, 1, 1), np.float32), "half"))
    free = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, "h", "w"])]
    out = [helper.make_tensor_value_info(x, TensorProto.FLOAT, [None] * 4)]
    graph = helper.make_graph(nodes, "g", free, out, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("seed", range(120))
def test_as_many_as_are_demanded_are_enough_and_one_less_is_not(seed: int) -> None:
    model = _net(np.random.default_rng(seed))
    (scope,) = index(model)
    sizes = LeastSizes(scope)
    name = model.graph.output[0].name
    for axis in (2, 3):
        demand = sizes.demand(name, axis)
        assert demand.tensor == "x"
        assert sizes.demand(name, axis) == demand  # the same when asked again
        for wanted in (4, 6, 9):
            least = demand.least(wanted)
            for size, holds in ((least, True), (least + 1, True), (least - 1, False)):
                if size < 1:
                    continue
                shape = [1, 1, 200, 200]
                shape[demand.axis] = size
                made = _made(model, shape, axis)
                # 0: a window finds no room on the way, and the model does not run at all
                assert made == 0 or (made >= wanted) is holds


def _made(model: ModelProto, shape: list[int], axis: int) -> int:
    """Elements along an axis of the output; 0 where a window finds no room."""
    try:
        return outputs(model, {"x": np.zeros(shape, np.float32)})[0].shape[axis]
    except (Fail, InvalidArgument, RuntimeException):
        return 0


def test_what_padding_moves_through_passes_demands_on() -> None:
    """Else a tensor that placement made larger could be asked; of a Reshape sizes are known."""
    passes = ops.UNARY | ops.PER_CHANNEL | ops.QUANTISE | ops.BINARY | {"Concat", "Transpose"}
    convs = {"Conv", "ConvInteger", "QLinearConv"}
    assert _ONE_TO_ONE | set(_RULES) | ops.BINARY | {"Concat"} <= passes | convs | {"Reshape"}
    for op_type in sorted(_ONE_TO_ONE):
        node = helper.make_node(op_type, ["x"], ["y"])
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info("x", 1, [1, 1, "h", "w"])],
            [helper.make_tensor_value_info("y", 1, None)],
        )  # fmt: skip
        (scope,) = index(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]))
        assert _step(scope, "y", 2) == Demand("x", 2)


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("Relu", ["b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])],
        [helper.make_node("Relu", ["b"], ["b"])],
        [helper.make_node("Transpose", ["x"], ["b"], perm=[0, 1])],
    ],
    ids=["a circle", "itself", "a permutation too short"],
)
def test_damaged_graphs_are_walked_to_an_end(nodes: list[NodeProto]) -> None:
    outs = [helper.make_tensor_value_info("b", 1, [1, 1, "h", "w"])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", 1, [1, 1, "h", "w"])], outs
    )
    scope = index(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))[0]
    assert LeastSizes(scope).demand("b", 3).axis in (2, 3)
