"""Bounds hold what ONNX Runtime computes, and are tight where the rules rely on it."""

from math import inf

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from onnxpad.bounds import Bounds, BoundsFinder
from onnxpad.model import load_model
from onnxpad.subject import subject
from tests.rules.check import model
from tests.rules.running import run

SCALARS = {
    name: numpy_helper.from_array(np.array(value, np.float32), name)
    for name, value in {"half": 0.5, "two": 2, "minus": -3, "six": 6, "image": 127.5}.items()
}


def _node(op: str, *inputs: str, out: str = "y", **given: object) -> NodeProto:
    return helper.make_node(op, inputs, [out], **given)


def _chain(*nodes: NodeProto, dtype: int = TensorProto.FLOAT) -> ModelProto:
    used = [SCALARS[n] for n in SCALARS if any(n in node.input for node in nodes)]
    made = model(nodes, used, (1, 2, 6, 6), 17, dtype)
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    return made


def _relu(*nodes: NodeProto) -> ModelProto:
    return _chain(_node("Relu", "x", out="r"), *nodes)


CASES = {
    "Relu": (_chain(_node("Relu", "x")), Bounds(0, inf, "Relu")),
    "Sigmoid": (_chain(_node("Sigmoid", "x")), Bounds(0, 1, "Sigmoid")),
    "Softmax": (_chain(_node("Softmax", "x")), Bounds(0, 1, "Softmax")),
    "Tanh": (_chain(_node("Tanh", "x")), Bounds(-1, 1, "Tanh")),
    "Exp": (_chain(_node("Exp", "x")), Bounds(0, inf, "Exp")),
    "Abs": (_chain(_node("Abs", "x")), Bounds(0, inf, "Abs")),
    "HardSigmoid": (_chain(_node("HardSigmoid", "x")), Bounds(0, 1, "HardSigmoid")),
    "Softplus": (_chain(_node("Softplus", "x")), Bounds(0, inf, "Softplus")),
    "Sigmoid of Relu": (_relu(_node("Sigmoid", "r")), Bounds(0.5, 1, "Sigmoid")),
    "Clip": (_chain(_node("Clip", "x", "half", "six")), Bounds(0.5, 6, "Clip")),
    "Relu + 0.5": (_relu(_node("Add", "r", "half")), Bounds(0.5, inf, "Relu")),
    "Relu x -3": (_relu(_node("Mul", "r", "minus")), Bounds(-inf, 0, "Relu")),
    "2 - Sigmoid": (
        _chain(_node("Sigmoid", "x", out="s"), _node("Sub", "two", "s")), Bounds(1, 2, "Sigmoid")
    ),
    "Swish": (
        _chain(_node("Sigmoid", "x", out="s"), _node("Mul", "x", "s")), Bounds(-inf, inf, "Mul")
    ),
    "Concat": (
        _relu(_node("Sigmoid", "x", out="s"), _node("Concat", "r", "s", axis=1)), Bounds(0, inf, "")
    ),
    "max-pooled": (_relu(_node("MaxPool", "r", kernel_shape=[2, 2])), Bounds(0, inf, "Relu")),
    "image": (
        _chain(_node("Cast", "x", out="c", to=1), _node("Div", "c", "image"), dtype=2),
        Bounds(0, 2, "input"),
    ),
    "unknown": (_chain(_node("Sin", "x")), Bounds()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bounds_hold_and_are_as_tight_as_expected(name: str):
    made, expected = CASES[name]
    looked = subject(load_model(made))
    bounds = BoundsFinder(looked.values).find(looked.main, made.graph.output[0].name)
    assert bounds == expected
    rng = np.random.default_rng(0)
    if made.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8:
        x = rng.integers(0, 256, (1, 2, 6, 6)).astype(np.uint8)
    else:
        x = (20 * rng.standard_normal((1, 2, 6, 6))).astype(np.float32)
    y = run(made, x)
    assert bounds.low <= y.min()
    assert y.max() <= bounds.high


def test_indices_of_a_max_pool_are_no_values_of_it():
    made = model(
        [
            helper.make_node("Relu", ["x"], ["r"]),
            helper.make_node("MaxPool", ["r"], ["y", "i"], kernel_shape=[2, 2]),
            helper.make_node("Cast", ["i"], ["z"], to=1),
        ],
        (),
        (1, 2, 6, 6),
    )
    looked = subject(load_model(made))
    assert BoundsFinder(looked.values).find(looked.main, "z") == Bounds()


@pytest.mark.parametrize(("zero_point", "low", "high"), [(0, 0, 51), (128, -25.6, 25.4)])
def test_dequantised(zero_point: int, low: float, high: float):
    stored = [
        numpy_helper.from_array(np.array(0.2, np.float32), "s"),
        numpy_helper.from_array(np.array(zero_point, np.uint8), "z"),
    ]
    made = model(
        [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
        ],
        stored,
        (1, 2, 6, 6),
    )
    looked = subject(load_model(made))
    bounds = BoundsFinder(looked.values).find(looked.main, "y")
    assert (bounds.low, bounds.high) == pytest.approx((low, high))
    y = run(made, np.linspace(-99, 99, 72, dtype=np.float32).reshape(1, 2, 6, 6))
    assert (y.min(), y.max()) == pytest.approx((low, high), rel=1e-6)
