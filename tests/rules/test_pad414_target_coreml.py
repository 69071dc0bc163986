import pytest
from onnx import TensorProto

from onnxpad.findings import Severity
from tests.rules.check import chain, found
from tests.rules.padded import computed, padded


@pytest.mark.parametrize(
    "model",
    [
        padded("edge"),
        padded("wrap", opset=19),
        padded(dtype=TensorProto.DOUBLE),
        padded(dtype=TensorProto.UINT8),
        padded(opset=10),
        padded("constant", pads=[0, 0, -1, -1, 0, 0, 1, 1]),
        padded(pads=[0, 1, 0, 0, 0, 1, 0, 0]),
        computed(),
    ],
    ids=["edge", "wrap", "double", "uint8", "opset-10", "negative", "channels", "computed"],
)
def test_fires_on_what_runs_elsewhere(model):
    (finding,) = found("PAD414", model, ("coreml",))
    assert finding.severity is Severity.WARNING
    assert finding.facts == {"sites": 1}


def test_notes_reflect_on_free_sizes():
    (finding,) = found("PAD414", padded(shape=(1, 3, "h", "w")), ("coreml",))
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.FLOAT16])
@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_is_silent_on_what_it_takes(mode, dtype):
    assert not found("PAD414", padded(mode, dtype=dtype), ("coreml",))


def test_is_silent_on_constants_along_channels():
    assert not found("PAD414", padded("constant", pads=[0, 1, 0, 0, 0, 1, 0, 0]), ("coreml",))


def test_is_silent_for_other_targets_and_for_none():
    model = padded("edge")
    assert not found("PAD414", model)
    others = {"cuda", "tensorrt", "openvino", "coreml"} - {"coreml"}
    assert not found("PAD414", model, tuple(sorted(others)))


def test_is_silent_on_pads_of_window_ops():
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    assert not found("PAD414", chain(conv, opset=21), ("coreml",))
