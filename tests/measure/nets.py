"""Small nets whose border is known, and probes on them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper

from onnxpad.probe.feeding import Feeding
from onnxpad.probe.probe import Probe, open_probe
from onnxpad.runtime import Provider
from tests.data.graphs import FLOAT, Dim, model

Array = np.ndarray[Any, Any]
CPU = Provider("cpu", "CPU")


def chain(
    layers: int,
    *,
    pad: int = 1,
    stride: int = 1,
    channels: int = 3,
    bias: float = 0.5,
    size: Dim = None,
    seed: int = 0,
    relu: bool = True,
) -> ModelProto:
    """x → (3×3 convolution → ReLU) × layers → y, NCHW, one image channel; tensors c1, c2, ..."""
    rng = np.random.default_rng(seed)
    weights: dict[str, Array] = {}
    nodes: list[NodeProto] = []
    at, into = "x", 1
    for i in range(1, layers + 1):
        scale = 1.0 / np.sqrt(9 * into)
        kernel = rng.standard_normal((channels, into, 3, 3)) * scale
        weights[f"w{i}"] = kernel.astype(np.float32)
        weights[f"b{i}"] = (bias * (1 + rng.random(channels))).astype(np.float32)
        nodes.append(
            helper.make_node(
                "Conv", [at, f"w{i}", f"b{i}"], [f"c{i}"], name=f"conv{i}",
                pads=[pad] * 4, strides=[stride] * 2, kernel_shape=[3, 3],
            )
        )  # fmt: skip
        at, into = f"c{i}", channels
        if relu and i < layers:
            nodes.append(helper.make_node("LeakyRelu", [at], [f"r{i}"], name=f"relu{i}"))
            at = f"r{i}"
    nodes.append(helper.make_node("Identity", [at], ["y"], name="last"))
    shape = (1, 1, size or "h", size or "w")
    return model(nodes, [("x", FLOAT, shape)], [("y", FLOAT, [1, channels, "a", "b"])], weights)


def feeding(
    size: Sequence[int] = (32, 32), *, channels: int = 1, seed: int = 0, name: str = "x"
) -> Feeding:
    """Noise of these spatial sizes, NCHW."""
    image = np.random.default_rng(seed).random((1, channels, *size), np.float32)
    axes = tuple(range(2, 2 + len(size)))
    return Feeding(name, axes, 1, {name: image})


def probe(source: ModelProto | Path, size: Sequence[int] = (32, 32), **options: Any) -> Probe:
    return open_probe(source, feeding(size, **options), provider=CPU, threads=1)


def noise(count: int, size: int, seed: int = 1) -> list[Array]:
    """Images of smooth noise, (1, 1, size, size)."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        rough = rng.random((size, size))
        smooth = sum(np.roll(rough, (i, j), (0, 1)) for i in range(3) for j in range(3))
        found.append((np.asarray(smooth)[None, None] / 9).astype(np.float32))
    return found
