import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from onnxpad.findings import Severity
from tests.rules.check import found, weight
from tests.rules.pads import conv, padded, pool
from tests.rules.running import run

NEGATIVE = -1 - np.random.default_rng(0).random((1, 3, 6, 6)).astype(np.float32)
MAX = [pool("MaxPool")]


@pytest.mark.parametrize("opset", [7, 10, 11, 13, 18, 21, 23])
def test_fires_where_onnx_runtime_drops_the_zeros(opset: int):
    made = padded(MAX, opset=opset)
    (finding,) = found("PAD205", made)
    assert finding.severity is Severity.ERROR
    graph = np.pad(NEGATIVE, [(0, 0), (0, 0), (1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(graph, (3, 3), (2, 3))
    says = windows.max((-2, -1))
    np.testing.assert_array_equal(run(made, NEGATIVE, optimise=False), says)
    optimised = run(made, NEGATIVE)
    assert (optimised[..., 0, :] < 0).all()
    assert (says[..., 0, :] == 0).all()


@pytest.mark.parametrize("before", ["Tanh", "Neg", "LeakyRelu"])
def test_fires_behind_what_may_be_negative(before: str):
    made = padded(MAX, before=[helper.make_node(before, ["x"], ["b"])], source="b")
    assert found("PAD205", made)


def _int8(dtype: int) -> ModelProto:
    return padded(MAX, fill=0, dtype=dtype)


def test_integers_are_folded_as_well():
    whole = np.full((1, 3, 6, 6), -7, np.int8)
    assert found("PAD205", _int8(TensorProto.INT8))
    assert run(_int8(TensorProto.INT8), whole).max() == -7
    assert run(_int8(TensorProto.INT8), whole, optimise=False).max() == 0


W = weight("w", (3, 3, 3, 3))
SILENT = {
    "Relu": padded(MAX, before=[helper.make_node("Relu", ["x"], ["b"])], source="b"),
    "Sigmoid": padded(MAX, before=[helper.make_node("Sigmoid", ["x"], ["b"])], source="b"),
    "axes": padded(MAX, pads=[1, 1, 1, 1], axes=[2, 3], opset=18),
    "auto_pad": padded([pool("MaxPool", auto_pad="VALID")]),
    "edge": padded(MAX, mode="edge"),
    "fill": padded(MAX, fill=-9.0),
    "a conv reads it too": padded(
        [conv(target="a"), pool("MaxPool", target="b"), helper.make_node("Add", ["a", "b"], ["y"])],
        [W],
    ),
    "average pool": padded([pool("AveragePool")]),
    "uint8": _int8(TensorProto.UINT8),
}


@pytest.mark.parametrize("name", SILENT)
def test_is_silent_where_the_result_is_that_of_the_graph(name: str):
    made = SILENT[name]
    assert not found("PAD205", made)
    x = (-NEGATIVE).astype(np.uint8) if name == "uint8" else NEGATIVE
    np.testing.assert_allclose(run(made, x), run(made, x, optimise=False), atol=1e-5)
