"""Well-known networks written out with onnx.helper, random weights, batch 1."""

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


class Net:
    """Writes a network node by node; every layer returns its output's name."""

    def __init__(self, size: int, channels: int = 3) -> None:
        self.size = size
        self.channels = {"x": channels}
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []
        self._random = np.random.default_rng(0)

    def op(self, kind: str, *inputs: str, channels: int = 0, **attributes: object) -> str:
        """Add a node; channels: of its output, if not those of its first input."""
        name = f"{kind.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        self.channels[name] = channels or self.channels[inputs[0]]
        return name

    def weight(self, *shape: int) -> str:
        """Noise that keeps the size of what passes a convolution."""
        scale = np.sqrt(2 / max(1, np.prod(shape[1:])))
        values = (self._random.standard_normal(shape) * scale).astype(np.float32)
        self._weights.append(numpy_helper.from_array(values, f"w{len(self._weights)}"))
        return self._weights[-1].name

    def conv(self, x: str, out: int, kernel: int = 3, stride: int = 1, group: int = 1) -> str:
        """Convolution with bias (batch normalisation folded in), padded by half its kernel."""
        weight = self.weight(out, self.channels[x] // group, kernel, kernel)
        return self.op(
            "Conv", x, weight, self.weight(out), channels=out, group=group,
            kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[kernel // 2] * 4,
        )  # fmt: skip

    def relu(self, x: str) -> str:
        """Relu."""
        return self.op("Relu", x)

    def relu6(self, x: str) -> str:
        """Clip to 0..6."""
        return self.op("Clip", x, self.number(0), self.number(6))

    def number(self, value: float) -> str:
        """A scalar."""
        name = f"number{value:g}"
        if all(w.name != name for w in self._weights):
            self._weights.append(numpy_helper.from_array(np.float32(value), name))
        return name

    def pool(self, x: str) -> str:
        """The max-pool behind a ResNet's stem."""
        return self.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)

    def classify(self, x: str, classes: int = 1000) -> ModelProto:
        """Global average, one fully connected layer."""
        flat = self.op("Flatten", self.op("GlobalAveragePool", x))
        return self.model(self.op("Gemm", flat, self.weight(classes, self.channels[x]), transB=1))

    def model(self, output: str) -> ModelProto:
        """The network as a model."""
        side = [1, self.channels["x"], self.size, self.size]
        graph = helper.make_graph(
            self._nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, side)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], self._weights,
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def resnet(depth: int) -> ModelProto:
    """He et al. 2016, 224 px; stride in the 3×3 convolution of a bottleneck."""
    counts, deep = {18: ((2, 2, 2, 2), False), 50: ((3, 4, 6, 3), True)}[depth]
    net = Net(224)
    x = net.pool(net.relu(net.conv("x", 64, 7, 2)))
    for stage, count in enumerate(counts):
        width = 64 << stage
        for block in range(count):
            stride = 2 if stage and not block else 1
            out = width * 4 if deep else width
            if deep:
                y = net.relu(net.conv(net.relu(net.conv(x, width, 1)), width, 3, stride))
                y = net.conv(y, out, 1)
            else:
                y = net.conv(net.relu(net.conv(x, width, 3, stride)), width)
            if net.channels[x] != out or stride > 1:
                x = net.conv(x, out, 1, stride)
            x = net.relu(net.op("Add", y, x))
    return net.classify(x)


def mobilenet_v2() -> ModelProto:
    """Sandler et al. 2018, 224 px."""
    net = Net(224)
    x = net.relu6(net.conv("x", 32, 3, 2))
    for expand, out, count, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):  # fmt: skip
        for block in range(count):
            stride = first if block == 0 else 1
            wide = net.channels[x] * expand
            y = net.relu6(net.conv(x, wide, 1)) if expand > 1 else x
            y = net.conv(net.relu6(net.conv(y, wide, 3, stride, wide)), out, 1)
            x = net.op("Add", x, y) if stride == 1 and net.channels[x] == out else y
    return net.classify(net.relu6(net.conv(x, 1280, 1)))


def chain() -> ModelProto:
    """Eight 3×3 convolutions of 32 channels at 256 px."""
    net = Net(256)
    x = "x"
    for _ in range(8):
        x = net.relu(net.conv(x, 32))
    return net.model(net.conv(x, 3))


def unet() -> ModelProto:
    """Ronneberger et al. 2015 with padded convolutions, a quarter of its width, at 256 px."""
    net = Net(256)

    def two(x: str, width: int) -> str:
        return net.relu(net.conv(net.relu(net.conv(x, width)), width))

    x, left = "x", []
    for width in (16, 32, 64, 128):
        left.append(two(x, width))
        x = net.op("MaxPool", left[-1], kernel_shape=[2, 2], strides=[2, 2])
    x = two(x, 256)
    for skip in reversed(left):
        width = net.channels[skip]
        weight = net.weight(net.channels[x], width, 2, 2)
        x = net.op("ConvTranspose", x, weight, channels=width, kernel_shape=[2, 2], strides=[2, 2])
        x = two(net.op("Concat", skip, x, channels=2 * width, axis=1), width)
    return net.model(net.conv(x, 2, 1))


NETS: dict[str, Callable[[], ModelProto]] = {
    "ResNet-18": lambda: resnet(18),
    "ResNet-50": lambda: resnet(50),
    "MobileNetV2": mobilenet_v2,
    "3×3 chain": chain,
    "U-Net": unet,
}
