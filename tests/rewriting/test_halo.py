"""A halo: the same as padding the input by hand, running, and cutting the surplus off by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

import onnxpad
from onnxpad.errors import UsageError
from tests.truth.oracle import Array, numpy_pad, run

MODES = ("edge", "reflect", "symmetric", "wrap", "linear", "zero", "constant:0.5")
Size = int | str


class Net:
    """A small graph written node by node, on inputs of any size."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.constants: list[TensorProto] = []

    def constant(self, values: Any, kind: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, kind), name))
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def conv(self, x: str, channels: tuple[int, int], kernel: int = 3, **given: Any) -> str:
        weights = self.random.normal(0, 0.4, (channels[1], channels[0], kernel, kernel))
        pads = [kernel // 2] * 4
        bias = self.constant(self.random.normal(0.5, 1, channels[1]))
        made = self.op("Conv", x, self.constant(weights), bias, **({"pads": pads} | given))
        return self.op("Relu", made)

    def model(self, output: str, shape: tuple[Size, ...], opset: int = 17) -> ModelProto:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
        y = helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * len(shape))
        graph = helper.make_graph(self.nodes, "g", [x], [y], self.constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        made.ir_version = 8
        return made


def _plain(net: Net) -> tuple[str, int, float]:
    return net.conv(net.conv("x", (2, 3)), (3, 2)), 1, 1.0


def _down(net: Net) -> tuple[str, int, float]:
    inner = net.conv(net.conv("x", (2, 3), strides=[2, 2]), (3, 3), strides=[2, 2])
    return net.conv(inner, (3, 2)), 4, 0.25


def _unet(net: Net) -> tuple[str, int, float]:
    top = net.conv("x", (2, 3))
    low = net.conv(net.op("MaxPool", top, kernel_shape=[2, 2], strides=[2, 2]), (3, 3))
    weights = net.constant(net.random.normal(0, 0.4, (3, 3, 2, 2)))
    up = net.op("ConvTranspose", low, weights, strides=[2, 2])
    return net.conv(net.op("Concat", top, up, axis=1), (6, 2)), 2, 1.0


def _fpn(net: Net) -> tuple[str, int, float]:
    top = net.conv("x", (2, 3))
    low = net.conv(top, (3, 3), strides=[2, 2])
    sizes = net.op("Shape", top)
    up = net.op(
        "Resize", low, "", "", sizes, mode="nearest", coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )  # fmt: skip
    return net.conv(net.op("Add", top, up), (3, 2)), 2, 1.0


def _upscaler(net: Net) -> tuple[str, int, float]:
    return net.op("DepthToSpace", net.conv("x", (2, 8)), blocksize=2), 1, 2.0


def _squeeze(net: Net) -> tuple[str, int, float]:
    """Squeeze-and-excite: a gate of one number a channel, pooled over the map."""
    top = net.conv("x", (2, 3), strides=[2, 2])
    gate = net.op("Sigmoid", net.conv(net.op("GlobalAveragePool", top), (3, 3), 1))
    return net.conv(net.op("Mul", top, gate), (3, 2)), 2, 0.5


NETS: dict[str, Callable[[Net], tuple[str, int, float]]] = {
    "plain": _plain,
    "down": _down,
    "unet": _unet,
    "fpn": _fpn,
    "upscaler": _upscaler,
}


def _built(build: Callable[[Net], tuple[str, int, float]], *, fixed: bool) -> ModelProto:
    net = Net()
    output, *_ = build(net)
    return net.model(output, (1, 2, 16, 24) if fixed else (1, 2, "h", "w"))


def _image() -> Array:
    return np.random.default_rng(1).normal(0, 1, (1, 2, 16, 24)).astype(np.float32)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("fixed", [False, True])
def test_dense(name: str, mode: str, fixed: bool) -> None:
    model, image = _built(NETS[name], fixed=fixed), _image()
    _, stride, scale = NETS[name](Net())
    before = model.SerializeToString()
    result = onnxpad.rewrite(model, mode, halo=3)
    assert result.halo is not None
    pixels = -(-3 // stride) * stride
    assert result.halo.pixels == (pixels, pixels)
    assert result.halo.rounded == (pixels != 3)
    checker.check_model(result.model)
    word, _, value = mode.partition(":")
    padded = numpy_pad(image, [(pixels, pixels)] * 2, word, float(value or 0))
    cut = int(pixels * scale)
    expected = run(_built(NETS[name], fixed=False), x=padded)[..., cut:-cut, cut:-cut]
    found = run(result.model, x=image)
    np.testing.assert_array_equal(found, expected)
    assert found.shape == run(model, x=image).shape
    assert model.SerializeToString() == before
    assert result.undo(result.model).SerializeToString() == before


def test_the_deep_interior_stays() -> None:
    """Positions that no padding reaches are the original's, to the bit."""
    model = _built(_down, fixed=False)
    image = np.random.default_rng(2).normal(0, 1, (1, 2, 64, 64)).astype(np.float32)
    found = run(onnxpad.rewrite(model, "edge", halo=5).model, x=image)
    inner = (..., slice(4, -4), slice(4, -4))
    original = run(model, x=image)
    np.testing.assert_array_equal(found[inner], original[inner])
    assert not np.array_equal(found, original)


def test_pooled_head() -> None:
    """The last map is cropped in front of the pooling; the head sees as many positions."""
    net = Net()
    last, stride, _ = _down(net)
    head = net.op("GlobalAveragePool", last)
    model, image = net.model(head, (1, 2, 16, 24)), _image()
    result = onnxpad.rewrite(model, "reflect", halo=8)
    assert result.halo is not None
    assert result.halo.cropped == (last,)
    padded = numpy_pad(image, [(8, 8)] * 2, "reflect")
    trunk = Net()
    maps = run(trunk.model(_down(trunk)[0], (1, 2, "h", "w")), x=padded)
    cut = 8 // stride
    expected = maps[..., cut:-cut, cut:-cut].mean(axis=(2, 3), keepdims=True)
    # a mean of 24 float32 numbers, summed in another order
    np.testing.assert_allclose(run(result.model, x=image), expected, rtol=1e-6)


def test_squeeze_and_excite_pools_the_original_extent() -> None:
    net = Net()
    output, *_ = _squeeze(net)
    model, image = net.model(output, (1, 2, "h", "w")), _image()
    result = onnxpad.rewrite(model, "edge", halo=2)
    assert result.halo is not None
    assert len(result.halo.cropped) == 2
    assert run(result.model, x=image).shape == run(model, x=image).shape


def test_channels_last() -> None:
    net = Net()
    first = net.op("Transpose", "x", perm=[0, 3, 1, 2])
    output = net.op("Transpose", net.conv(first, (2, 3), strides=[2, 2]), perm=[0, 2, 3, 1])
    image = np.moveaxis(_image(), 1, 3).copy()
    for shape in ((1, "h", "w", 2), (1, 16, 24, 2)):
        model = net.model(output, shape)
        result = onnxpad.rewrite(model, "edge", halo=4)
        padded = np.pad(image, [(0, 0), (4, 4), (4, 4), (0, 0)], mode="edge")
        expected = run(net.model(output, (1, "h", "w", 2)), x=padded)[:, 2:-2, 2:-2]
        np.testing.assert_array_equal(run(result.model, x=image), expected)


def _flattened(net: Net) -> str:
    shape = net.constant([1, -1], np.int64)
    return net.op("Reshape", net.conv("x", (2, 2)), shape)


def _fixed_resize(net: Net) -> str:
    sizes = net.constant([1, 3, 16, 24], np.int64)
    low = net.conv("x", (2, 3), strides=[2, 2])
    return net.op("Resize", low, "", "", sizes, mode="linear")


def _corners(net: Net) -> str:
    scales = net.constant([1, 1, 2, 2])
    return net.op(
        "Resize", net.conv("x", (2, 3)), "", scales, mode="linear",
        coordinate_transformation_mode="align_corners",
    )  # fmt: skip


def _instance_norm(net: Net) -> str:
    one = net.constant([1.0, 1.0])
    return net.op("InstanceNormalization", net.conv("x", (2, 2)), one, one)


def _positional(net: Net) -> str:
    place = net.constant(np.zeros((1, 2, 16, 24)))
    return net.op("Add", net.conv("x", (2, 2)), place)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (_flattened, "flattens the map"),
        (_fixed_resize, "hard-coded output size"),
        (_corners, "aligns corners"),
        (_instance_norm, "normalises over the whole map"),
        (_positional, "of fixed size"),
    ],
)
def test_refused(build: Callable[[Net], str], words: str) -> None:
    net = Net()
    model = net.model(build(net), (1, 2, 16, 24))
    result = onnxpad.rewrite(model, "edge", halo=4)
    assert result.halo is None
    assert words in result.halo_refusal
    assert result.model.SerializeToString() == model.SerializeToString()


def test_a_plan_holds_a_halo(tmp_path: Any) -> None:
    model = _built(_unet, fixed=False)
    first = onnxpad.rewrite(model, "edge", halo=5)
    (tmp_path / "plan.json").write_text(first.plan.to_json())
    second = onnxpad.rewrite(model, plan=tmp_path / "plan.json")
    assert second.model.SerializeToString() == first.model.SerializeToString()


@pytest.mark.parametrize("extra", [{"pools": True}, {"only": ["*"]}, {"mode": "partial"}])
def test_contradictions(extra: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        onnxpad.rewrite(_built(_plain, fixed=False), **({"mode": "edge", "halo": 4} | extra))
