from itertools import pairwise

import pytest
from onnx import ModelProto, helper

from onnxpad.findings import Severity
from tests.rules.check import chain, found, weight
from tests.rules.pads import conv, padded, pool

W = weight("w", (3, 3, 3, 3))


def _first(mode: str, zeros: int) -> ModelProto:
    """One explicit Pad, then convolutions that pad zeros."""
    names = ["p", *(f"t{i}" for i in range(zeros)), "y"]
    nodes = [conv(source=names[0], target=names[1])]
    nodes += [conv(source=a, target=b, pads=[1, 1, 1, 1]) for a, b in pairwise(names[1:])]
    return padded(nodes, [W], mode=mode)


def test_counts_every_mode_and_lists_the_rarer_sites():
    (finding,) = found("PAD204", _first("reflect", 16))
    assert finding.severity is Severity.NOTE
    assert finding.facts == {"zero": 16, "reflect": 1}
    assert "16 zero and 1 reflect" in finding.message
    assert [place.identity for place in finding.locations] == ["pad"]


def test_another_constant_is_another_mode():
    made = padded([conv(target="t"), conv(source="t", pads=[1] * 4)], [W], fill=-1.0)
    (finding,) = found("PAD204", made)
    assert finding.facts == {"zero": 1, "constant:-1.0": 1}


@pytest.mark.parametrize(
    "made",
    [
        _first("constant", 3),
        padded([conv()], [W], mode="reflect"),
        padded([pool("MaxPool", pads=[1] * 4, target="t"), conv(source="t", pads=[1] * 4)], [W]),
        padded([conv(target="t"), pool("MaxPool", source="t", pads=[1] * 4)], [W], mode="edge"),
        padded([conv(target="t"), pool("AveragePool", source="t", pads=[1] * 4)], [W], mode="edge"),
        chain(("Conv", {"kernel_shape": [3, 3]}), ("Relu", {})),
    ],
    ids=["zeros in two forms", "one", "pools", "max-pool", "average pool", "none"],
)
def test_is_silent_on_one_mode(made: ModelProto):
    assert not found("PAD204", made)


def test_both_modes_of_one_convolution_count():
    made = padded(
        [helper.make_node("Relu", ["p"], ["r"]), conv(source="r", pads=[1] * 4)], [W], mode="edge"
    )
    (finding,) = found("PAD204", made)
    assert finding.facts == {"edge": 1, "zero": 1}
