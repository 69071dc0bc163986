import numpy as np
import pytest
from onnx import helper, numpy_helper

from onnxpad import rewrite
from onnxpad.errors import UsageError
from onnxpad.rules import RULES
from onnxpad.targets import FLOAT_PADS, TARGETS
from tests.rules.check import chain, found, model, weight


def test_every_target_has_a_rule_and_every_rule_a_target():
    named = {r.name.removeprefix("target-") for r in RULES if r.name.startswith("target-")}
    assert named == set(TARGETS)


def test_every_row_says_who_says_so():
    for limits in TARGETS.values():
        for limit in limits:
            assert limit.what
            assert any(digit in limit.source for digit in "0123456789"), limit.source


def test_rewriting_takes_the_targets_that_have_no_integer_pads():
    net = chain(("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}))
    assert FLOAT_PADS == ("cuda", "tensorrt")
    for target in FLOAT_PADS:
        rewrite(net, "edge", target=target)
    with pytest.raises(UsageError, match="cuda or tensorrt"):
        rewrite(net, "edge", target="abacus")


@pytest.mark.parametrize("target", FLOAT_PADS)
def test_what_rewriting_builds_for_a_target_passes_its_rule(target):
    code = {"cuda": "PAD411", "tensorrt": "PAD412"}[target]
    net = quantised()
    plain = rewrite(net, "edge").model
    assert found(code, plain, (target,))
    assert not found(code, rewrite(net, "edge", target=target).model, (target,))


def quantised():
    """x -> Q -> DQ -> Conv with pads."""
    tensors = [
        numpy_helper.from_array(np.float32(0.1), "s"),
        numpy_helper.from_array(np.uint8(7), "z"),
        weight("w", (3, 3, 3, 3)),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("Conv", ["d", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    return model(nodes, tensors)
