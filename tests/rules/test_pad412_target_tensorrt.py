import pytest
from onnx import TensorProto

from onnxpad.findings import Confidence, Severity
from tests.rules.check import chain, found
from tests.rules.padded import computed, padded


def test_fires_on_uint8():
    (finding,) = found("PAD412", padded(dtype=TensorProto.UINT8), ("tensorrt",))
    assert finding.severity is Severity.ERROR
    assert finding.confidence is Confidence.MEDIUM


def test_is_less_sure_of_int8_and_of_computed_amounts():
    for model in (padded(dtype=TensorProto.INT8), computed()):
        (finding,) = found("PAD412", model, ("tensorrt",))
        assert finding.severity is Severity.WARNING
        assert finding.confidence is Confidence.LOW


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_is_silent_on_floats(mode, dtype):
    assert not found("PAD412", padded(mode, dtype=dtype), ("tensorrt",))


def test_is_silent_on_wrap():
    assert not found("PAD412", padded("wrap", opset=19), ("tensorrt",))


def test_is_silent_for_other_targets_and_for_none():
    model = padded(dtype=TensorProto.UINT8)
    assert not found("PAD412", model)
    others = {"cuda", "tensorrt", "openvino", "coreml"} - {"tensorrt"}
    assert not found("PAD412", model, tuple(sorted(others)))


def test_is_silent_on_pads_of_window_ops():
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    assert not found("PAD412", chain(conv, opset=21), ("tensorrt",))
