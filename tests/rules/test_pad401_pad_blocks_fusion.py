from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, helper, numpy_helper

import onnxpad
from onnxpad.findings import Severity
from tests.rules.check import found, weight
from tests.rules.pads import conv, padded, pool
from tests.rules.running import optimised, run

W = weight("w", (3, 3, 3, 3))
X = np.random.default_rng(0).standard_normal((1, 3, 6, 6)).astype(np.float32)


def _between(*nodes: NodeProto, last: str = "r") -> ModelProto:
    return padded([*nodes, conv(source=last)], [W])


def _quantised() -> ModelProto:
    """Pad, Q, DQ, Conv: as exporters leave it that quantise in front of every Conv."""
    stored = [
        W,
        numpy_helper.from_array(np.float32(0.05), "s"),
        numpy_helper.from_array(np.uint8(128), "z"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["p", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        conv(source="d"),
    ]
    return padded(nodes, stored)


FIRES: Mapping[str, ModelProto] = {
    "Relu": _between(helper.make_node("Relu", ["p"], ["r"])),
    "Transpose": _between(helper.make_node("Transpose", ["p"], ["r"], perm=[0, 1, 3, 2])),
    "axes": padded([conv()], [W], pads=[1, 1, 1, 1], axes=[2, 3], opset=18),
    "auto_pad": padded([conv(auto_pad="VALID")], [W]),
    "Q/DQ": _quantised(),
}


@pytest.mark.parametrize("name", FIRES)
def test_fires_where_onnx_runtime_keeps_a_pad_that_rewrite_removes(name: str, tmp_path: Path):
    made = FIRES[name]
    (finding,) = found("PAD401", made)
    assert finding.severity is Severity.NOTE
    assert optimised(made, tmp_path)["Pad"] == 1
    rewritten = onnxpad.rewrite(made, "zero").model
    assert "Pad" not in [node.op_type for node in rewritten.graph.node]
    np.testing.assert_allclose(run(rewritten, X), run(made, X), atol=1e-5)


def test_says_what_is_in_the_way():
    assert found("PAD401", FIRES["Relu"])[0].primary.detail == "Relu stands between"
    assert found("PAD401", FIRES["axes"])[0].primary.detail == "read by Conv"


FOLDED = {
    "directly in front": padded([conv()], [W]),
    "two convolutions": padded(
        [conv(target="a"), conv(target="b"), helper.make_node("Add", ["a", "b"], ["y"])], [W]
    ),
    "opset 9": padded([conv()], [W], opset=9),
}


@pytest.mark.parametrize("name", FOLDED)
def test_is_silent_where_onnx_runtime_folds(name: str, tmp_path: Path):
    assert not found("PAD401", FOLDED[name])
    assert optimised(FOLDED[name], tmp_path)["Pad"] == 0


NEEDED = {
    "Sigmoid": _between(helper.make_node("Sigmoid", ["p"], ["r"])),
    "max-pool": padded([pool("MaxPool", auto_pad="VALID")]),
    "a max-pool reads it too": padded(
        [conv(target="a"), pool("MaxPool", target="b"), helper.make_node("Add", ["a", "b"], ["y"])],
        [W],
    ),
    "auto_pad": padded([conv(auto_pad="SAME_UPPER")], [W]),
}


@pytest.mark.parametrize("name", NEEDED)
def test_is_silent_where_the_pad_is_needed(name: str):
    assert not found("PAD401", NEEDED[name])
    rewritten = onnxpad.rewrite(NEEDED[name], "zero").model
    assert "Pad" in [node.op_type for node in rewritten.graph.node]


@pytest.mark.parametrize("given", [{"mode": "edge"}, {"fill": 1.0}])
def test_is_silent_on_other_modes(given: dict[str, object]):
    assert not found("PAD401", padded([conv()], [W], **given))
