"""Small real models for tests that run them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, save_model

Array = np.ndarray[Any, Any]
Dim = int | str | None
Value = tuple[str, int, Sequence[Dim]]

FLOAT = TensorProto.FLOAT


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    weights: dict[str, Array] | None = None,
    opset: int = 17,
    domains: Sequence[str] = (),
) -> ModelProto:
    """A checked-by-use ModelProto from values of (name, element type, shape)."""
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def saved(proto: ModelProto, path: Path) -> Path:
    save_model(proto, path)
    return path


def kernels(out: int, into: Dim, seed: int) -> Array:
    assert isinstance(into, int)
    return np.random.default_rng(seed).standard_normal((out, into, 3, 3)).astype(np.float32)


def conv(
    path: Path,
    mode: str = "zero",
    *,
    shape: Sequence[Dim] = (1, 3, 16, 16),
    channels: int = 4,
    seed: int = 0,
) -> Path:
    """x → [Pad of `mode`] → 3×3 convolution with a border of 1 → y; sizes stay."""
    weights = {"w": kernels(channels, shape[1], seed)}
    if mode == "zero":
        nodes = [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])]
    else:
        weights["p"] = np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
        nodes = [
            helper.make_node("Pad", ["x", "p"], ["q"], mode=mode),
            helper.make_node("Conv", ["q", "w"], ["y"]),
        ]
    out = [shape[0], channels, *shape[2:]]
    return saved(model(nodes, [("x", FLOAT, shape)], [("y", FLOAT, out)], weights), path)


def classifier(
    path: Path, mode: str = "zero", *, shape: Sequence[Dim] = ("N", 3, 16, 16), classes: int = 5
) -> Path:
    """Convolution, ReLU, global pooling, class scores (N, K)."""
    weights = {
        "w": kernels(classes, shape[1], 1),
        "p": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
    }
    attributes = {"mode": "constant" if mode == "zero" else mode}
    nodes = [
        helper.make_node("Pad", ["x", "p"], ["q"], **attributes),
        helper.make_node("Conv", ["q", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["scores"]),
    ]
    value = ("scores", FLOAT, [shape[0], classes])
    return saved(model(nodes, [("x", FLOAT, shape)], [value], weights), path)
