"""Helpers of the tests of rules: small models, and one rule run over one of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from onnxpad.auditing import audit_model
from onnxpad.findings import Finding
from onnxpad.rules import RULES
from onnxpad.rules.rule import Rule


def the_rule(code: str) -> Rule:
    return next(rule for rule in RULES if rule.code == code)


def found(
    code: str,
    model: ModelProto | str | Path,
    targets: tuple[str, ...] = (),
    size: tuple[int, ...] | None = None,
) -> tuple[Finding, ...]:
    """What one rule finds in a model."""
    return audit_model(model, "model.onnx", [the_rule(code)], targets, size).findings


def weight(name: str, shape: Sequence[int], seed: int = 0) -> TensorProto:
    rng = np.random.default_rng(seed)
    return numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)


def model(
    nodes: Sequence[NodeProto],
    initializers: Sequence[TensorProto] = (),
    shape: Sequence[int | str | None] = (1, 3, 32, 32),
    opset: int = 17,
    dtype: int = TensorProto.FLOAT,
) -> ModelProto:
    """A model from the input ``x`` to the last node's first output."""
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", dtype, list(shape))],
        [helper.make_tensor_value_info(nodes[-1].output[0], dtype, None)],
        list(initializers),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def chain(
    *layers: tuple[str, dict[str, object]],
    channels: int = 3,
    shape: Sequence[int | str | None] = (1, 3, 32, 32),
    opset: int = 17,
) -> ModelProto:
    """Layers in a row, each (op type, attributes); a Conv gets a weight of its kernel_shape."""
    nodes, weights, last = [], [], "x"
    for number, (op, given) in enumerate(layers):
        inputs = [last]
        if op in ("Conv", "ConvTranspose"):
            weights.append(
                weight(f"w{number}", (channels, channels, *given["kernel_shape"]), number)  # type: ignore[misc]
            )
            inputs.append(f"w{number}")
        last = f"t{number}"
        nodes.append(helper.make_node(op, inputs, [last], name=f"{op.lower()}{number}", **given))
    return model(nodes, weights, shape, opset)
