import numpy as np
import pytest
from onnx import ModelProto

from onnxpad.findings import Severity
from tests.rules.check import found, model
from tests.rules.pads import padded, pool
from tests.rules.running import run

COUNTED = {"count_include_pad": 1}
SHAPE = (1, 3, 6, 6)


def _own(kernel: int = 3, pads: int = 1, **given: object) -> ModelProto:
    return model([pool("AveragePool", kernel, "x", pads=[pads] * 4, **given)], (), SHAPE, 19)


FIRES = {
    "own pads": _own(**COUNTED),
    "kernel 5": _own(5, 2, **COUNTED),
    "stride 2": _own(strides=[2, 2], **COUNTED),
    "dilation": _own(3, 2, dilations=[2, 2], **COUNTED),
    "explicit": padded([pool("AveragePool")]),
    "explicit and own": padded([pool("AveragePool", 5, pads=[1] * 4, count_include_pad=1)]),
}


@pytest.mark.parametrize("name", FIRES)
def test_states_what_a_map_of_ones_falls_to(name: str):
    (finding,) = found("PAD203", FIRES[name])
    assert finding.severity is Severity.NOTE
    ones = run(FIRES[name], np.ones(SHAPE, np.float32))
    assert finding.facts["corner"] == pytest.approx(ones.min())


SILENT = {
    "not counted": _own(),
    "no pads": model([pool("AveragePool", source="x", **COUNTED)], (), SHAPE),
    "edge": padded([pool("AveragePool")], mode="edge"),
    "max-pool": model([pool("MaxPool", source="x", pads=[1] * 4)], (), SHAPE),
}


@pytest.mark.parametrize("name", SILENT)
def test_is_silent_where_a_map_of_ones_stays_one(name: str):
    assert not found("PAD203", SILENT[name])
    assert (run(SILENT[name], np.ones(SHAPE, np.float32)) == 1).all()
