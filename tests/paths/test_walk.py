"""Paths through graphs: figures of the paper, and one-hot images through ONNX Runtime.

With all weights 1 and no nonlinearity a net is linear, so that the sum of its outputs for an image
with a single 1 is the number of paths from that pixel: counted by running.
"""

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper, shape_inference

from onnxpad.measure.foveation import foveation
from onnxpad.model import load_model
from onnxpad.paths.walk import count_paths
from onnxpad.subject import subject
from tests.rules.check import chain

CONV = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
POOL = ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})


def paths(model: ModelProto, mode: str | None = None, source: str = "x") -> np.ndarray:
    """(channels, height, width)."""
    known = subject(load_model(model))
    found, notes = count_paths(known.main, known.values, known.survey.sites, source, mode)
    assert notes == {}
    return np.ldexp(np.repeat(found.values, found.runs, axis=0), found.exponent)


def ratios(model: ModelProto, mode: str | None = None):
    return foveation(paths(model, mode).mean(axis=0))


def vgg19() -> ModelProto:
    layers = [layer for many in (2, 2, 4, 4, 4) for layer in [CONV] * many + [POOL]]
    return chain(*layers, shape=(1, 3, 512, 512))


def test_vgg19_at_512():
    zero = ratios(vgg19())
    assert zero.corner == pytest.approx(0.0038, abs=5e-5)
    assert zero.edge == pytest.approx(0.0615, abs=5e-5)
    assert ratios(vgg19(), "reflect").highest == pytest.approx(1.206, abs=5e-4)
    assert ratios(vgg19(), "partial").highest == pytest.approx(1.124, abs=5e-4)
    assert ratios(vgg19(), "symmetric").uniform == 1.0


def strided(kernel: int, pad: int, op: str = "Conv") -> tuple[str, dict[str, object]]:
    return op, {"kernel_shape": [kernel, kernel], "pads": [pad] * 4, "strides": [2, 2]}


def resnet18(size: int) -> ModelProto:
    """The main path."""
    layers = [strided(7, 3), strided(3, 1, "MaxPool"), *[CONV] * 4]
    for _ in range(3):
        layers += [strided(3, 1), *[CONV] * 3]
    return chain(*layers, shape=(1, 3, size, size))


def mobilenet_v1(size: int) -> ModelProto:
    steps = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    layers = [strided(3, 1) if step == 2 else CONV for step in steps]
    return chain(*layers, shape=(1, 3, size, size))


@pytest.mark.parametrize(("make", "uneven"), [(resnet18, 1.284), (mobilenet_v1, 1.236)])
def test_uneven_sizes_favour_the_left(make, uneven: float):
    assert ratios(make(224)).left_right == pytest.approx(uneven, abs=5e-4)
    assert ratios(make(225)).left_right == pytest.approx(1.0, abs=1e-12)


def test_a_hundred_wide_layers_do_not_overflow():
    found = ratios(chain(*[CONV] * 100, channels=64, shape=(1, 64, 40, 40)))
    assert np.isfinite(found.corner)
    assert 0 < found.corner < 1


# Truth by running --------------------------------------------------------------------------------


def counted_by_running(model: ModelProto) -> np.ndarray:
    """(channels, height, width): Σ outputs for each one-hot image."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    _, channels, height, width = (
        d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim
    )
    found = np.zeros(channels * height * width)
    for at in range(len(found)):
        image = np.zeros(len(found), np.float32)
        image[at] = 1.0
        outputs = session.run(None, {"x": image.reshape(1, channels, height, width)})
        found[at] = sum(out.sum(dtype=np.float64) for out in outputs)
    return found.reshape(channels, height, width)


class Builder:
    """A random graph of the operators that are linear, with weights of 1, in doubles."""

    def __init__(self, draw, channels: int, size: tuple[int, int]) -> None:
        self.draw, self.nodes, self.weights = draw, [], []
        self.maps = [("x", channels, size)]

    def constant(self, array: np.ndarray) -> str:
        name = f"c{len(self.weights)}"
        kept = array.astype(np.float32) if array.dtype == np.float64 else array
        self.weights.append(numpy_helper.from_array(kept, name))
        return name

    def add(
        self, op: str, inputs: list[str], channels: int, size: tuple[int, int], **given
    ) -> None:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **given))
        self.maps.append((name, channels, size))

    def step(self) -> None:
        kinds = [
            self.conv, self.conv, self.transposed, self.pad, self.join, self.cut,
            self.resize, self.fold, self.last, self.split,
        ]  # fmt: skip
        self.draw(st.sampled_from(kinds))()

    def map(self) -> tuple[str, int, tuple[int, int]]:
        return self.draw(st.sampled_from(self.maps[-3:]))

    def conv(self) -> None:
        name, channels, (h, w) = self.map()
        kernel = self.draw(st.sampled_from([1, 2, 3]))
        stride = self.draw(st.sampled_from([1, 1, 2]))
        dilation = self.draw(st.sampled_from([1, 1, 2]))
        pads = [self.draw(st.integers(0, 2)) for _ in range(4)]
        group = self.draw(st.sampled_from([1, channels]))
        out = channels if group > 1 else self.draw(st.sampled_from([2, 3, 4]))
        extent = dilation * (kernel - 1) + 1
        sizes = [(n + pads[i] + pads[i + 2] - extent) // stride + 1 for i, n in enumerate((h, w))]
        if min(sizes) < 2:
            return
        weight = self.constant(np.ones((out, channels // group, kernel, kernel)))
        self.add("Conv", [name, weight], out, tuple(sizes), kernel_shape=[kernel] * 2,
                 strides=[stride] * 2, dilations=[dilation] * 2, pads=pads,
                 group=group)  # fmt: skip

    def transposed(self) -> None:
        name, channels, (h, w) = self.map()
        kernel, stride = self.draw(st.sampled_from([(2, 2), (3, 2), (3, 1), (4, 2)]))
        pad = self.draw(st.integers(0, 1))
        extra = self.draw(st.integers(0, stride - 1))
        sizes = [(n - 1) * stride + kernel - 2 * pad + extra for n in (h, w)]
        if max(sizes) > 24 or min(sizes) < 2:
            return
        weight = self.constant(np.ones((channels, 2, kernel, kernel)))
        self.add("ConvTranspose", [name, weight], 2, tuple(sizes), strides=[stride] * 2,
                 pads=[pad] * 4, output_padding=[extra] * 2)  # fmt: skip

    def pad(self) -> None:
        name, channels, (h, w) = self.map()
        mode = self.draw(st.sampled_from(["constant", "edge", "reflect", "wrap"]))
        a, b, c, d = (self.draw(st.integers(0, 1)) for _ in range(4))
        amounts = self.constant(np.array([0, 0, a, b, 0, 0, c, d], np.int64))
        self.add("Pad", [name, amounts], channels, (h + a + c, w + b + d), mode=mode)

    def join(self) -> None:
        one, other = self.map(), self.map()
        if one[2] != other[2]:
            return
        if one[1] == other[1] and self.draw(st.booleans()):
            self.add("Add", [one[0], other[0]], one[1], one[2])
        else:
            self.add("Concat", [one[0], other[0]], one[1] + other[1], one[2], axis=1)

    def cut(self) -> None:
        name, channels, (h, w) = self.map()
        if min(h, w) < 4 or channels < 2:
            return
        bounds = [np.array(v, np.int64) for v in ([1, 1, 0], [channels, h, w - 1], [1, 2, 3])]
        steps = self.constant(np.array([1, 2, 1], np.int64))
        self.add("Slice", [name, *map(self.constant, bounds), steps], channels - 1,
                 ((h - 1 + 1) // 2, w - 1))  # fmt: skip

    def resize(self) -> None:
        name, channels, (h, w) = self.map()
        mode = self.draw(st.sampled_from(["nearest", "linear"]))
        if max(h, w) > 12:
            return
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        self.add("Resize", [name, "", scales], channels, (2 * h, 2 * w), mode=mode)

    def fold(self) -> None:
        name, channels, (h, w) = self.map()
        if channels % 4 == 0 and max(h, w) <= 12:
            mode = self.draw(st.sampled_from(["DCR", "CRD"]))
            self.add("DepthToSpace", [name], channels // 4, (2 * h, 2 * w), blocksize=2, mode=mode)
        elif h % 2 == 0 and w % 2 == 0 and min(h, w) >= 4:
            self.add("SpaceToDepth", [name], channels * 4, (h // 2, w // 2), blocksize=2)

    def last(self) -> None:
        """Channels last, a product over them, and back."""
        name, channels, size = self.map()
        self.add("Transpose", [name], channels, size, perm=[0, 2, 3, 1])
        weight = self.constant(np.ones((channels, 2)))
        self.add("MatMul", [self.maps.pop()[0], weight], 2, size)
        self.add("Transpose", [self.maps.pop()[0]], 2, size, perm=[0, 3, 1, 2])

    def split(self) -> None:
        name, channels, size = self.map()
        if channels < 2:
            return
        lengths = self.constant(np.array([1, channels - 1], np.int64))
        first, second = f"s{len(self.nodes)}a", f"s{len(self.nodes)}b"
        self.nodes.append(helper.make_node("Split", [name, lengths], [first, second], axis=1))
        self.maps += [(first, 1, size), (second, channels - 1, size)]

    def model(self) -> ModelProto:
        read = {name for node in self.nodes for name in node.input}
        ends = [m for m in self.maps if m[0] not in read] or [self.maps[-1]]
        _, channels, size = self.maps[0]
        graph = helper.make_graph(
            self.nodes, "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, *size])],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, *s]) for n, c, s in ends],
            self.weights,
        )  # fmt: skip
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
        return shape_inference.infer_shapes(made, strict_mode=True)


@st.composite
def graphs(draw) -> ModelProto:
    builder = Builder(
        draw, draw(st.integers(1, 4)), (draw(st.integers(4, 7)), draw(st.integers(4, 7)))
    )
    while not builder.nodes:
        builder.conv()
    for _ in range(draw(st.integers(0, 5))):
        builder.step()
    return builder.model()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs())
def test_random_graphs_count_as_the_runtime_does(model: ModelProto):
    wanted = counted_by_running(model)
    scale = max(wanted.max(), 1.0)
    # single precision, terms of one sign: a few ulp relative to the largest
    np.testing.assert_allclose(paths(model) / scale, wanted / scale, rtol=0, atol=1e-6)


def test_an_explicit_pad_counts_as_the_op_s_own():
    own = chain(CONV, CONV, shape=(1, 3, 12, 10))
    amounts = {"kernel_shape": [3, 3]}
    pads = numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "p")
    explicit = chain(("Conv", amounts), ("Conv", amounts), shape=(1, 3, 12, 10))
    nodes = []
    for node in explicit.graph.node:
        padded = f"{node.output[0]}.padded"
        nodes += [helper.make_node("Pad", [node.input[0], "p"], [padded]), node]
        node.input[0] = padded
    kept = [type(n).FromString(n.SerializeToString()) for n in nodes]
    del explicit.graph.node[:]
    explicit.graph.node.extend(kept)
    explicit.graph.initializer.append(pads)
    for mode in (None, "edge", "reflect", "wrap", "partial"):
        np.testing.assert_allclose(paths(explicit, mode), paths(own, mode), rtol=1e-14, atol=0)
