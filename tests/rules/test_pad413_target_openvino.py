import pytest

from onnxpad.findings import Severity
from tests.rules.check import chain, found
from tests.rules.padded import computed, padded


def test_fires_on_wrap():
    (finding,) = found("PAD413", padded("wrap", opset=19), ("openvino",))
    assert finding.severity is Severity.ERROR
    assert "37772" in finding.advice


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_is_silent_on_other_modes(mode):
    assert not found("PAD413", padded(mode, opset=19), ("openvino",))


def test_is_silent_on_computed_amounts():
    assert not found("PAD413", computed(), ("openvino",))


def test_is_silent_for_other_targets_and_for_none():
    model = padded("wrap", opset=19)
    assert not found("PAD413", model)
    others = {"cuda", "tensorrt", "openvino", "coreml"} - {"openvino"}
    assert not found("PAD413", model, tuple(sorted(others)))


def test_is_silent_on_pads_of_window_ops():
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    assert not found("PAD413", chain(conv, opset=21), ("openvino",))
