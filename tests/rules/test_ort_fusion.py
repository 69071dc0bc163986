"""What ONNX Runtime folds of explicit Pads is what ``ort_fusion`` says, case by case."""

from pathlib import Path

import pytest
from onnx import ModelProto, helper

from onnxpad.model import load_model
from onnxpad.ort_fusion import folds
from onnxpad.subject import subject
from tests.rules.check import weight
from tests.rules.pads import conv, padded, pool
from tests.rules.running import optimised

W = weight("w", (3, 3, 3, 3))
ADD = helper.make_node("Add", ["a", "b"], ["y"])
TWO_CONVS = [conv(target="a"), conv(target="b"), ADD]
TWO_POOLS = [pool("MaxPool", target="a"), pool("MaxPool", target="b"), ADD]
BOTH = [conv(target="a"), pool("MaxPool", target="b"), ADD]

FOLDED = {
    "conv": padded([conv()], [W]),
    "conv with pads": padded([conv(pads=[1, 1, 1, 1])], [W]),
    "conv with fill": padded([conv()], [W], fill=0.0),
    "two convs": padded(TWO_CONVS, [W]),
    "max-pool": padded([pool("MaxPool")]),
    "two max-pools": padded(TWO_POOLS),
    "dilated max-pool": padded([pool("MaxPool", dilations=[2, 2])]),
    "average pool": padded([pool("AveragePool")]),
    "average pool that counts its pads": padded(
        [pool("AveragePool", pads=[1] * 4, count_include_pad=1)]
    ),
}
KEPT = {
    "axes": padded([conv()], [W], pads=[1, 1, 1, 1], axes=[2, 3], opset=18),
    "axes, max-pool": padded([pool("MaxPool")], pads=[1, 1, 1, 1], axes=[2, 3], opset=18),
    "fill 0.5": padded([conv()], [W], fill=0.5),
    "edge": padded([conv()], [W], mode="edge"),
    "valid": padded([conv(auto_pad="VALID")], [W]),
    "valid max-pool": padded([pool("MaxPool", auto_pad="VALID")]),
    "activation between": padded([helper.make_node("Relu", ["p"], ["r"]), conv(source="r")], [W]),
    "conv and max-pool": padded(BOTH, [W]),
    "average pool with pads": padded([pool("AveragePool", kernel=5, pads=[1] * 4)]),
    "LpPool": padded([pool("LpPool")]),
    "max-pool with indices": padded(
        [helper.make_node("MaxPool", ["p"], ["y", "i"], kernel_shape=[3, 3])]
    ),
    "batch": padded([conv()], [W], pads=[1, 0, 1, 1, 0, 0, 1, 1]),
}


def _says(model: ModelProto) -> bool:
    looked = subject(load_model(model))
    node = next(n for n in looked.main.nodes if n.op_type == "Pad")
    return folds(looked.main, looked.values, node)


@pytest.mark.parametrize("name", FOLDED)
def test_folded(name: str, tmp_path: Path):
    assert optimised(FOLDED[name], tmp_path)["Pad"] == 0
    assert _says(FOLDED[name])


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str, tmp_path: Path):
    assert optimised(KEPT[name], tmp_path)["Pad"] == 1
    assert not _says(KEPT[name])


@pytest.mark.parametrize("opset", [7, 9, 10, 11, 13, 17, 18, 19, 21, 23])
@pytest.mark.parametrize("reader", ["Conv", "MaxPool"])
def test_every_opset_folds(opset: int, reader: str, tmp_path: Path):
    nodes, weights = ([conv()], [W]) if reader == "Conv" else ([pool(reader)], [])
    model = padded(nodes, weights, opset=opset)
    assert optimised(model, tmp_path)["Pad"] == 0
    assert _says(model)
