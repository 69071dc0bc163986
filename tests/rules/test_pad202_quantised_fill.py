import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

import onnxpad
from onnxpad.findings import Severity
from tests.rules.check import found, model
from tests.rules.pads import ONE, conv, padded, pool
from tests.rules.running import run

POINT, SCALE = 128, 0.1


def _constants(zero_point: int = POINT) -> list[TensorProto]:
    kernel = np.random.default_rng(0).integers(-9, 9, (3, 3, 3, 3)).astype(np.int8)
    return [
        numpy_helper.from_array(kernel, "w"),
        numpy_helper.from_array(np.float32(SCALE), "s"),
        numpy_helper.from_array(np.uint8(zero_point), "z"),
        numpy_helper.from_array(np.int8(0), "zw"),
    ]


def _qlinear(fill: int | None) -> ModelProto:
    inputs = ["p", "s", "z", "w", "s", "zw", "s", "z"]
    layer = helper.make_node("QLinearConv", inputs, ["y"], "q", kernel_shape=[3, 3])
    return padded([layer], _constants(), fill=fill, dtype=TensorProto.UINT8)


def _qdq(fill: int | None) -> ModelProto:
    """Q, Pad, DQ, Conv: the Pad's border is dequantised behind it."""
    stored = [*_constants()[1:3]]
    kernel = np.random.default_rng(0).standard_normal((3, 3, 3, 3)).astype(np.float32)
    stored += [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(np.array(ONE), "pads")]
    inputs = ["q", "pads"]
    if fill is not None:
        stored.append(numpy_helper.from_array(np.uint8(fill), "fill"))
        inputs.append("fill")
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("Pad", inputs, ["p"], "pad"),
        helper.make_node("DequantizeLinear", ["p", "s", "z"], ["d"]),
        conv(source="d"),
    ]
    return model(nodes, stored, (1, 3, 6, 6))


def _input(made: ModelProto) -> np.ndarray:
    rng = np.random.default_rng(1)
    if made.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8:
        return rng.integers(100, 156, (1, 3, 6, 6)).astype(np.uint8)
    return rng.standard_normal((1, 3, 6, 6)).astype(np.float32)


@pytest.mark.parametrize("build", [_qlinear, _qdq])
@pytest.mark.parametrize("fill", [None, 0, 100])
def test_fires_and_the_border_alone_differs(build, fill: int | None):
    wrong, right = build(fill), build(POINT)
    (finding,) = found("PAD202", wrong)
    assert finding.severity is Severity.WARNING
    assert finding.facts == {"sites": 1, "furthest": (fill or 0) - POINT}
    assert not found("PAD202", right)
    x = _input(wrong)
    differs = run(wrong, x) != run(right, x)
    assert differs[..., 0, :].any()
    assert differs[..., :, -1].any()
    assert not differs[..., 1:-1, 1:-1].any()


@pytest.mark.parametrize("build", [_qlinear, _qdq])
def test_the_advice_mends_it(build):
    wrong = build(0)
    mended = onnxpad.rewrite(wrong, "zero", from_mode=f"constant:{-POINT}").model
    assert not found("PAD202", mended)
    x = _input(wrong)
    np.testing.assert_array_equal(run(mended, x), run(build(POINT), x))


@pytest.mark.parametrize(
    "made",
    [
        padded([pool("MaxPool")], fill=0, dtype=TensorProto.UINT8),
        padded([conv()], _constants()[:0], fill=0.5),
        padded([conv()], fill=0.0),
    ],
    ids=["max-pool", "float", "float zero"],
)
def test_is_silent_on_floats_and_max_pools(made: ModelProto):
    assert not found("PAD202", made)
