"""Networks whose even sizes are known, and graphs drawn at random."""

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.helper import make_node

CHANNELS = 2

# (op, kernel, stride, pad) of the strided ops of an architecture, in order.
Step = tuple[str, int, int, int]
RESNET: list[Step] = [("Conv", 7, 2, 3), ("MaxPool", 3, 2, 1), *[("Conv", 3, 2, 1)] * 3]
MOBILENET: list[Step] = [("Conv", 3, 2, 1)] * 5
VGG: list[Step] = [("MaxPool", 2, 2, 0)] * 5
DENSENET: list[Step] = [
    ("Conv", 7, 2, 3),
    ("MaxPool", 3, 2, 1),
    *[("AveragePool", 2, 2, 0)] * 3,
]
CONVNEXT: list[Step] = [("Conv", 4, 4, 0), *[("Conv", 2, 2, 0)] * 3]
YOLOV8 = MOBILENET


class Net:
    """Nodes in a row, each with names of its own."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def op(self, kind: str, *inputs: str, **given: object) -> str:
        out = f"t{len(self.nodes)}"
        self.nodes.append(make_node(kind, list(inputs), [out], name=f"n{len(self.nodes)}", **given))
        return out

    def constant(self, values: object, kind: type = np.int64) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def window(
        self, last: str, op: str, kernel: int, stride: int, pad: int, **given: object
    ) -> str:
        shape = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4, **given}
        if op != "Conv":
            return self.op(op, last, **shape)
        weight = self.constant(np.ones((CHANNELS, CHANNELS, kernel, kernel)), np.float32)
        return self.op("Conv", last, weight, **shape)

    def model(
        self, out: str | Sequence[str], size: Sequence[int | str], opset: int = 17
    ) -> ModelProto:
        outs = [out] if isinstance(out, str) else list(out)
        graph = helper.make_graph(
            self.nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, *size])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outs],
            self.constants,
        )
        imports = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=imports, ir_version=8)


def architecture(steps: Sequence[Step], size: Sequence[int | str] = ("h", "w")) -> ModelProto:
    """Strided ops with stride-1 convolutions between them, global pooling and a matrix behind."""
    net, last = Net(), "x"
    for step in steps:
        last = net.window(last, *step)
        last = net.op("Relu", net.window(last, "Conv", 3, 1, 1))
    pooled = net.op("Flatten", net.op("GlobalAveragePool", last))
    return net.model(net.op("Gemm", pooled, net.constant(np.ones((CHANNELS, 5)), np.float32)), size)


def u_net(depth: int, *, down: Step = ("MaxPool", 2, 2, 0), sizes: str = "scales") -> ModelProto:
    """Down by 2 and up again, joined at each scale; sizes: scales, shape (computed) or floor."""
    net, last, kept = Net(), "x", []
    for _ in range(depth):
        last = net.window(last, "Conv", 3, 1, 1)
        kept.append(last)
        last = net.window(last, *down)
    for beside in reversed(kept):
        up = doubled(net, last, beside, sizes)
        joined = net.op("Concat", up, beside, axis=1)
        weight = net.constant(np.ones((CHANNELS, 2 * CHANNELS, 1, 1)), np.float32)
        last = net.op("Conv", joined, weight, kernel_shape=[1, 1])
    return net.model(last, ("h", "w"))


def doubled(net: Net, last: str, beside: str, sizes: str) -> str:
    """A map at twice its size; sizes: scales, shape (of the map beside it) or floor."""
    if sizes == "scales":
        return net.op("Resize", last, "", net.constant([1, 1, 2, 2], np.float32))
    # the size of the map beside it, as exporters of F.interpolate(size=...) write it
    shape = net.op("Shape", beside if sizes == "shape" else last)
    space = net.op("Slice", shape, net.constant([2]), net.constant([4]), net.constant([0]))
    if sizes == "floor":
        wide = net.op("Mul", net.op("Cast", space, to=1), net.constant(2.0, np.float32))
        space = net.op("Cast", net.op("Floor", wide), to=7)
    both = net.op("Concat", net.constant([1, CHANNELS]), space, axis=0)
    return net.op("Resize", last, "", "", both)
