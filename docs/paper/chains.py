"""Chains of layers with the shapes of known networks, and a small random one, for docs/paper.md.

What follows from shapes alone needs no trained weights: every kernel here but those of ``random``
is left to the studies, which count each weight as 1.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

# Operator, kernel, stride and pad of one layer.
Layer = tuple[str, int, int, int]
CONV: Layer = ("Conv", 3, 1, 1)
STEP: Layer = ("Conv", 3, 2, 1)
HALF: Layer = ("MaxPool", 2, 2, 0)

RESNET18: list[Layer] = [
    ("Conv", 7, 2, 3), ("MaxPool", 3, 2, 1), *[CONV] * 4,
    STEP, *[CONV] * 3, STEP, *[CONV] * 3, STEP, *[CONV] * 3,
]  # fmt: skip
MOBILENET_V1: list[Layer] = [
    STEP if step == 2 else CONV for step in (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
]
VGG19: list[Layer] = [layer for many in (2, 2, 4, 4, 4) for layer in [CONV] * many + [HALF]]
DENSENET: list[Layer] = [
    ("Conv", 7, 2, 3), ("MaxPool", 3, 2, 1), *[("AveragePool", 2, 2, 0)] * 3,
]  # fmt: skip
CONVNEXT: list[Layer] = [("Conv", 4, 4, 0), *[("Conv", 2, 2, 0)] * 3]
YOLOV8: list[Layer] = [STEP] * 5


def chain(path: Path, layers: list[Layer], size: int, channels: int = 3, seed: int = 0) -> Path:
    """Write a chain of layers with random weights and biases; returns the path.

    Args:
        size: of the square input (1, 3, size, size). channels: of every layer.
    """
    rng = np.random.default_rng(seed)
    nodes: list[NodeProto] = []
    weights: list[TensorProto] = []
    last, read = "image", 3
    for number, (op, kernel, stride, pad) in enumerate(layers, 1):
        name, shape = f"{op.lower()}{number}", {"kernel_shape": [kernel] * 2, "pads": [pad] * 4}
        inputs = [last]
        if op == "Conv":
            spread = 1 / np.sqrt(read * kernel**2)
            arrays = (rng.normal(0, spread, (channels, read, kernel, kernel)),
                      rng.normal(0, 0.5, channels))  # fmt: skip
            for word, array in zip(("weight", "bias"), arrays, strict=True):
                weights.append(numpy_helper.from_array(array.astype(np.float32), f"{name}.{word}"))
                inputs.append(weights[-1].name)
            read = channels
        out = f"{name}.out"
        nodes.append(helper.make_node(op, inputs, [out], name, strides=[stride] * 2, **shape))
        last = out
        if op == "Conv":
            nodes.append(helper.make_node("Relu", [out], [f"{name}.relu"], f"{name}.relu"))
            last = f"{name}.relu"
    onnx.save(_model(nodes, weights, last, size), path)
    return path


def _model(nodes: list[NodeProto], weights: list[TensorProto], last: str, size: int) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
