import pytest
from onnx import TensorProto

from onnxpad.findings import Confidence, Severity
from tests.rules.check import chain, found
from tests.rules.padded import padded


@pytest.mark.parametrize("dtype", [TensorProto.INT8, TensorProto.UINT8])
def test_fires_on_8_bit_integers(dtype):
    (finding,) = found("PAD411", padded(dtype=dtype), ("cuda",))
    assert finding.severity is Severity.WARNING
    assert finding.confidence is Confidence.HIGH
    assert finding.primary.identity == "pad"


@pytest.mark.parametrize("mode", ["constant", "wrap"])
def test_fires_from_opset_19_on(mode):
    (finding,) = found("PAD411", padded(mode, opset=19), ("cuda",))
    assert finding.confidence is Confidence.MEDIUM
    assert "26393" in finding.advice


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE])
@pytest.mark.parametrize("opset", [10, 11, 18])
def test_is_silent_on_floats_before(dtype, opset):
    assert not found("PAD411", padded(opset=opset, dtype=dtype), ("cuda",))


def test_is_silent_for_other_targets_and_for_none():
    model = padded(opset=19)
    assert not found("PAD411", model)
    others = {"cuda", "tensorrt", "openvino", "coreml"} - {"cuda"}
    assert not found("PAD411", model, tuple(sorted(others)))


def test_is_silent_on_pads_of_window_ops():
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    assert not found("PAD411", chain(conv, opset=21), ("cuda",))
