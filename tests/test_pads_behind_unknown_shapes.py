"""Pads computed from the size of a tensor whose shape no tool can infer."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

import onnxpad


def same_behind_gelu(how: str) -> ModelProto:
    """QuickGelu of ONNX Runtime, then a Pad by the width modulo 3, then a convolution.

    Nobody infers shapes through com.microsoft, so not even the number of axes is known.
    """
    asked = {
        "gather": [
            helper.make_node("Shape", ["g"], ["all"]),
            helper.make_node("Gather", ["all", "last"], ["width"], axis=0),
        ],
        "start": [helper.make_node("Shape", ["g"], ["width"], start=-1)],
        "span": [helper.make_node("Shape", ["g"], ["width"], start=3, end=4)],
    }[how]
    nodes = [
        helper.make_node("QuickGelu", ["x"], ["g"], domain="com.microsoft", alpha=1.0),
        *asked,
        helper.make_node("Mod", ["width", "three"], ["left"]),
        helper.make_node("Concat", ["front", "left", "front", "left"], ["pads"], axis=0),
        helper.make_node("Pad", ["g", "pads"], ["p"], name="pad"),
        helper.make_node("Conv", ["p", "w"], ["y"], name="conv"),
    ]
    weight = np.random.default_rng(0).standard_normal((2, 2, 3, 3)).astype(np.float32)
    constants = {
        "w": weight, "last": np.array([3 if how == "gather" else -1]), "three": np.array([3]),
        "front": np.array([0, 0, 0]),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, "h", "w_"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return model


def _run(model: ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
@pytest.mark.parametrize("how", ["gather", "start", "span"])
def test_such_a_pad_is_a_site(how: str, mode: str) -> None:
    model = same_behind_gelu(how)
    result = onnxpad.rewrite(model, mode)
    assert len(result.changed) == 1
    x = np.random.default_rng(1).standard_normal((1, 2, 5, 8)).astype(np.float32)
    hidden = x / (1 + np.exp(-x))
    padded = np.pad(hidden, ((0, 0), (0, 0), (0, 0), (2, 2)), mode=mode)
    plain = onnx.ModelProto.FromString(model.SerializeToString())
    del plain.graph.node[:-1]
    plain.graph.node[0].input[0] = "x"
    assert np.allclose(_run(result.model, x), _run(plain, padded), rtol=0, atol=1e-5)
