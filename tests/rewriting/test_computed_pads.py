"""Several Pads in a row whose amounts are computed at run time."""

import numpy as np
import pytest
from onnx import checker, helper

import onnxpad
from tests.truth.oracle import model_of, numpy_pad, run


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap", "symmetric"])
def test_two_in_a_row(mode: str) -> None:
    """What one Pad's rewrite builds must not land in front of the other."""
    nodes = []
    for at, (x, y) in enumerate((("x", "a"), ("b", "c"))):
        nodes += [
            helper.make_node("Shape", [x], [f"n{at}"], start=2, end=3),
            helper.make_node("Div", [f"n{at}", f"n{at}"], [f"one{at}"]),
            helper.make_node(
                "Concat", ["none", f"one{at}", f"one{at}", "none", f"one{at}", f"one{at}"],
                [f"p{at}"], axis=0,
            ),
            helper.make_node("Pad", [x, f"p{at}"], [y], name=f"pad{at}"),
            helper.make_node("Conv", [y, "w"], ["b" if at == 0 else "y"], name=f"conv{at}"),
        ]  # fmt: skip
    x = np.random.default_rng(0).normal(1, 1, (1, 2, 6, 5)).astype(np.float32)
    w = np.random.default_rng(1).normal(0, 1, (2, 2, 3, 3)).astype(np.float32)
    constants = {"w": w, "none": np.zeros(2, np.int64)}
    model = model_of(nodes, {"x": x}, constants, 17, dynamic=True)
    result = onnxpad.rewrite(model, mode)
    assert len(result.changed) == 2
    checker.check_model(result.model)
    conv = helper.make_node("Conv", ["x", "w"], ["y"])
    expected = x
    for _ in range(2):
        padded = numpy_pad(expected, [(1, 1), (1, 1)], mode)
        expected = run(model_of([conv], {"x": padded}, {"w": w}, 17), x=padded)
    np.testing.assert_allclose(run(result.model, x=x), expected, rtol=0, atol=1e-4)
