"""Quantised convolutions: numpy.pad on the integers, then the same op without padding, bit for bit.

Copying modes go between Q and DQ, so that a runtime still fuses DQ, Conv, Q to QLinearConv: the
graph that ONNX Runtime really runs gains Pads (or what stands for them) and nothing else.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

import onnxpad
from onnxpad.runtime import choose_provider, open_session
from tests.truth.oracle import Array, ir_version, numpy_pad, run

COPYING = ("edge", "reflect", "symmetric", "wrap")
PADS = [(1, 2), (2, 1)]
FLAT = [1, 2, 2, 1]
# What padding may be made of where Pad cannot do it: wrap below 19, symmetric, integers at 10.
STRIPS = {"Pad", "Gather", "Concat", "Slice"}
SIZES = {"Shape", "Add", "Sub", "Mul", "Div", "Abs", "ReduceMin", "Cast", "Greater", "If"}


@dataclass(frozen=True)
class Quantised:
    """One tensor's parameters."""

    kind: type
    scale: float
    zero: int

    def of(self, x: Array) -> Array:
        limits = np.iinfo(self.kind)
        q = np.rint(x / np.float32(self.scale)) + self.zero
        return np.asarray(np.clip(q, limits.min, limits.max).astype(self.kind))

    def tensors(self, name: str) -> list[TensorProto]:
        return [
            numpy_helper.from_array(np.array(self.scale, np.float32), f"{name}_scale"),
            numpy_helper.from_array(np.array(self.zero, self.kind), f"{name}_zero"),
        ]


ACTIVATIONS = {
    "uint8": Quantised(np.uint8, 0.02, 93),
    "int8": Quantised(np.int8, 0.02, -17),
    "uint8_zero_0": Quantised(np.uint8, 0.03, 0),
}


def image(seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(0.3, 1, (1, 3, 6, 7)).astype(np.float32)


def kernel(channels: int = 4) -> Array:
    return np.random.default_rng(7).integers(-90, 90, (channels, 3, 3, 3)).astype(np.int8)


def made(
    nodes: list[NodeProto], x: Array, weights: list[TensorProto], opset: int, out: type,
    *, dynamic: bool = False, domains: tuple[str, ...] = (),
) -> ModelProto:  # fmt: skip
    kinds = {np.dtype(t): k for t, k in KINDS.items()}
    shape = [1, 3, "h", "w"] if dynamic else x.shape
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", kinds[x.dtype], shape)],
        [helper.make_tensor_value_info("y", kinds[np.dtype(out)], [None] * 4)],
        weights,
    )  # fmt: skip
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    model = helper.make_model(graph, opset_imports=imports)
    model.ir_version = ir_version(opset)
    return model


KINDS: dict[type, int] = {
    np.float32: TensorProto.FLOAT,
    np.uint8: TensorProto.UINT8,
    np.int8: TensorProto.INT8,
    np.uint16: TensorProto.UINT16,
    np.int32: TensorProto.INT32,
}


def conv(x: str, y: str, padded: bool, **more: Any) -> NodeProto:
    attributes: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [1, 2]} | more
    if padded and "auto_pad" not in more:
        attributes["pads"] = FLAT
    return helper.make_node("Conv", [x, "kd"], [y], name="conv", **attributes)


def dq(x: str, parameters: str, y: str, **attributes: Any) -> NodeProto:
    names = [x, f"{parameters}_scale", f"{parameters}_zero"]
    return helper.make_node("DequantizeLinear", names, [y], name=f"dq_{y}", **attributes)


def q(x: str, parameters: str, y: str) -> NodeProto:
    names = [x, f"{parameters}_scale", f"{parameters}_zero"]
    return helper.make_node("QuantizeLinear", names, [y], name=f"q_{y}")


def weights(kind: Quantised, *, per_channel: bool) -> list[TensorProto]:
    scale = np.array([0.01, 0.02, 0.005, 0.03] if per_channel else 0.01, np.float32)
    zero = np.zeros(scale.shape, np.int8)
    return [
        numpy_helper.from_array(kernel(), "k"),
        numpy_helper.from_array(scale, "k_scale"),
        numpy_helper.from_array(zero, "k_zero"),
        *kind.tensors("x"),
        *kind.tensors("y"),
    ]


def qdq(
    kind: Quantised, x: Array, opset: int, *, padded: bool, per_channel: bool, dynamic: bool = False
) -> ModelProto:
    """[Q,] DQ, Conv, Q; x comes as float, or as integers where the truth pads them."""
    nodes = [
        dq("q", "x", "d"),
        dq("k", "k", "kd", **({"axis": 0} if per_channel else {})),
        conv("d", "c", padded),
        q("c", "y", "y"),
    ]
    if x.dtype == np.float32:
        nodes.insert(0, q("x", "x", "q"))
    else:
        nodes[0].input[0] = "x"
    tensors = weights(kind, per_channel=per_channel)
    return made(nodes, x, tensors, opset, kind.kind, dynamic=dynamic)


def optimised(model: ModelProto, x: Array) -> Array:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"x": x})[0])


def really_run(model: ModelProto | Path, folder: Path) -> Counter[str]:
    """Operators of the graph that ONNX Runtime runs after all its optimisations."""
    path = model if isinstance(model, Path) else folder / "model.onnx"
    if isinstance(model, ModelProto):
        onnx.save(model, path)
    open_session(path, provider=choose_provider("cpu"), threads=1, optimised_to=folder / "o.onnx")
    return Counter(node.op_type for node in onnx.load(folder / "o.onnx").graph.node)


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("opset", [10, 13, 19, 21])
@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_qdq(mode: str, opset: int, kind: str, dynamic: bool, tmp_path: Path) -> None:
    """Per channel from opset 13, which is the first to have it."""
    a, x, per_channel = ACTIVATIONS[kind], image(), opset >= 13
    model = qdq(a, x, opset, padded=True, per_channel=per_channel, dynamic=dynamic)
    padded = numpy_pad(a.of(x), PADS, mode)
    plain = qdq(a, padded, opset, padded=False, per_channel=per_channel)
    result = onnxpad.rewrite(model, mode)
    free = dynamic and mode == "reflect" and opset >= 11
    how = "before DQ, slices where the map is too small" if free else "before DQ"
    assert [c.how for c in result.changed] == [how]
    checker.check_model(result.model)
    np.testing.assert_array_equal(run(result.model, x=x), run(plain, x=padded))
    np.testing.assert_array_equal(optimised(result.model, x), optimised(plain, padded))
    before, after = really_run(model, tmp_path), really_run(result.model, tmp_path)
    assert not before - after
    assert set(after - before) <= (STRIPS | SIZES if dynamic else STRIPS)
    assert after - before
    if (opset >= 19 and mode in ("edge", "wrap")) or (mode == "edge" and opset > 10):
        assert after - before == {"Pad": 1}


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_qdq_auto_pad(mode: str, auto_pad: str, dynamic: bool) -> None:
    """Stride (1, 2) on 6 × 7: SAME pads (1, 1) and (1, 1)."""
    a, x = ACTIVATIONS["int8"], image()
    model = qdq(a, x, 13, padded=True, per_channel=True, dynamic=dynamic)
    node = next(n for n in model.graph.node if n.op_type == "Conv")
    node.CopyFrom(conv("d", "c", True, auto_pad=auto_pad))
    padded = numpy_pad(a.of(x), [(1, 1), (1, 1)], mode)
    plain = qdq(a, padded, 13, padded=False, per_channel=True)
    result = onnxpad.rewrite(model, mode)
    np.testing.assert_array_equal(run(result.model, x=x), run(plain, x=padded))


def shared_dq(a: Quantised, x: Array, *, padded: bool) -> ModelProto:
    """One DequantizeLinear read by the Conv and by something else."""
    nodes = [
        dq("x", "x", "d"),
        dq("k", "k", "kd", axis=0),
        conv("d", "c", padded),
        helper.make_node("ReduceMean", ["d"], ["m"], name="mean", axes=[1, 2, 3], keepdims=1),
        helper.make_node("Add", ["c", "m"], ["y"], name="add"),
    ]
    return made(nodes, x, weights(a, per_channel=True), 13, np.float32)


@pytest.mark.parametrize("mode", COPYING)
def test_shared_dq(mode: str) -> None:
    """The other reader goes on seeing what it saw."""
    a = ACTIVATIONS["uint8"]
    x = a.of(image())
    model = shared_dq(a, x, padded=True)
    result = onnxpad.rewrite(model, mode)
    assert [c.how for c in result.changed] == ["before DQ"]
    padded = numpy_pad(x, PADS, mode)
    alone = made(
        [dq("x", "x", "d"), dq("k", "k", "kd", axis=0), conv("d", "y", False)],
        padded, weights(a, per_channel=True), 13, np.float32,
    )  # fmt: skip
    mean = made(
        [dq("x", "x", "d"), helper.make_node("ReduceMean", ["d"], ["y"], axes=[1, 2, 3])],
        x, weights(a, per_channel=True), 13, np.float32,
    )  # fmt: skip
    np.testing.assert_array_equal(run(result.model, x=x), run(alone, x=padded) + run(mean, x=x))


def own_dq(mode: str, opset: int, scale: Array, **attributes: Any) -> tuple[Array, Array, str]:
    """(found, expected, how) for a DequantizeLinear whose scale is an array."""
    kind = np.uint8
    x = np.random.default_rng(3).integers(0, 200, (1, 3, 6, 7)).astype(kind)
    zero = np.full(scale.shape, 11, kind)
    tensors = [
        numpy_helper.from_array(kernel().astype(np.float32), "kd"),
        numpy_helper.from_array(scale.astype(np.float32), "x_scale"),
        numpy_helper.from_array(zero, "x_zero"),
    ]
    only = made([dq("x", "x", "y", **attributes)], x, tensors, opset, np.float32)
    model = made([dq("x", "x", "d", **attributes), conv("d", "y", True)], x, tensors, opset,
                 np.float32)  # fmt: skip
    result = onnxpad.rewrite(model, mode)
    padded = numpy_pad(run(only, x=x), PADS, mode)
    plain = made([conv("x", "y", False)], padded, tensors[:1], opset, np.float32)
    return run(result.model, x=x), run(plain, x=padded), result.changed[0].how


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize(("axis", "sizes"), [(1, 3), (-3, 3), (2, 6), (-1, 7)])
def test_scale_for_each_element_of_an_axis(mode: str, axis: int, sizes: int) -> None:
    """Along channels integers can be padded; along a padded axis the floats have to be."""
    found, expected, how = own_dq(mode, 13, np.linspace(0.01, 0.05, sizes), axis=axis)
    np.testing.assert_array_equal(found, expected)
    assert how == ("before DQ" if axis in (1, -3) else "in front of the op")


@pytest.mark.parametrize("mode", COPYING)
def test_blocks_of_scales(mode: str) -> None:
    """Blocked quantisation along the height: copies would get their neighbours' scale."""
    scale = np.linspace(0.01, 0.05, 3 * 3 * 7).reshape(1, 3, 3, 7)
    found, expected, how = own_dq(mode, 21, scale, axis=2, block_size=2)
    np.testing.assert_array_equal(found, expected)
    assert how == "in front of the op"


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize(("domain", "opset"), [("com.microsoft", 13), ("", 21)])
def test_sixteen_bits(mode: str, domain: str, opset: int) -> None:
    """Below opset 21 16-bit integers exist as com.microsoft's own ops alone; Pad never has them."""
    x = np.random.default_rng(3).integers(0, 60000, (1, 3, 6, 7)).astype(np.uint16)
    a = Quantised(np.uint16, 0.001, 32000)
    tensors = [numpy_helper.from_array(kernel().astype(np.float32), "kd"), *a.tensors("x")]
    domains = (domain,) if domain else ()
    model = made(
        [dq("x", "x", "d", domain=domain), conv("d", "y", True)], x, tensors, opset, np.float32,
        domains=domains,
    )  # fmt: skip
    padded = numpy_pad(x, PADS, mode)
    plain = made(
        [dq("x", "x", "d", domain=domain), conv("d", "y", False)], padded, tensors, opset,
        np.float32, domains=domains,
    )  # fmt: skip
    result = onnxpad.rewrite(model, mode)
    checker.check_model(result.model)
    np.testing.assert_array_equal(run(result.model, x=x), run(plain, x=padded))


def qlinear(kind: Quantised, x: Array, opset: int, *, padded: bool, dynamic: bool) -> ModelProto:
    names = ["x", "x_scale", "x_zero", "k", "k_scale", "k_zero", "y_scale", "y_zero"]
    pads = {"pads": FLAT} if padded else {}
    node = helper.make_node(
        "QLinearConv", names, ["y"], name="conv", kernel_shape=[3, 3], dilations=[2, 1], **pads
    )
    tensors = weights(kind, per_channel=opset > 10)
    return made([node], x, tensors, opset, kind.kind, dynamic=dynamic)


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("opset", [10, 13, 19, 21])
@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_qlinear_conv(mode: str, opset: int, kind: str, dynamic: bool) -> None:
    a = ACTIVATIONS[kind]
    x = a.of(image(1))
    model = qlinear(a, x, opset, padded=True, dynamic=dynamic)
    padded = numpy_pad(x, PADS, mode)
    plain = qlinear(a, padded, opset, padded=False, dynamic=False)
    result = onnxpad.rewrite(model, mode)
    checker.check_model(result.model)
    np.testing.assert_array_equal(run(result.model, x=x), run(plain, x=padded))
    assert result.undo(result.model).SerializeToString() == model.SerializeToString()
    again = onnxpad.rewrite(result.model, mode)
    assert not again.changed


def integer(kind: type, x: Array, opset: int, zero: int, *, padded: bool) -> ModelProto:
    names = ["x", "k", *(["x_zero"] if zero else [])]
    pads = {"pads": FLAT} if padded else {}
    node = helper.make_node("ConvInteger", names, ["y"], name="conv", kernel_shape=[3, 3], **pads)
    tensors = [numpy_helper.from_array((kernel() + 100).astype(np.uint8), "k")]
    if zero:
        tensors.append(numpy_helper.from_array(np.array(zero, kind), "x_zero"))
    return made([node], x, tensors, opset, np.int32)


@pytest.mark.parametrize("mode", [*COPYING, "zero"])
@pytest.mark.parametrize("opset", [10, 13, 19, 21])
@pytest.mark.parametrize("zero", [0, 93])
def test_conv_integer(mode: str, opset: int, zero: int) -> None:
    """Its own padding is the zero point: numbers that count as 0."""
    x = ACTIVATIONS["uint8"].of(image(2))
    model = integer(np.uint8, x, opset, zero, padded=True)
    padded = numpy_pad(x, PADS, mode, zero)
    plain = integer(np.uint8, padded, opset, zero, padded=False)
    result = onnxpad.rewrite(model, mode)
    assert bool(result.changed) == (mode != "zero")
    np.testing.assert_array_equal(run(result.model, x=x), run(plain, x=padded))


@pytest.mark.parametrize("mode", ["linear", "constant:0.5", "partial"])
def test_what_integers_cannot_do(mode: str) -> None:
    x = ACTIVATIONS["uint8"].of(image())
    for model in (
        integer(np.uint8, x, 13, 7, padded=True),
        qlinear(ACTIVATIONS["uint8"], x, 13, padded=True, dynamic=False),
    ):
        result = onnxpad.rewrite(model, mode)
        assert not result.changed
        assert len(result.refused) == 1
        assert result.model.SerializeToString() == model.SerializeToString()


@pytest.mark.parametrize("mode", ["linear", "constant:0.5"])
def test_between_dq_and_conv_everything_is_float(mode: str) -> None:
    """Numbers the integers do not have are padded behind DQ: exact, if not fused any more."""
    a, x = ACTIVATIONS["uint8"], image()
    result = onnxpad.rewrite(qdq(a, x, 13, padded=True, per_channel=True), mode)
    assert [c.how for c in result.changed] == ["in front of the op"]
    only = made([dq("x", "x", "y")], a.of(x), a.tensors("x"), 13, np.float32)
    name, _, value = mode.partition(":")
    padded = numpy_pad(run(only, x=a.of(x)), PADS, name, float(value or 0))
    nodes = [dq("k", "k", "kd", axis=0), conv("x", "c", False), q("c", "y", "y")]
    plain = made(nodes, padded, weights(a, per_channel=True), 13, np.uint8)
    found, expected = run(result.model, x=x), run(plain, x=padded)
    # linear adds its terms in another order than numpy, which may cross a rounding border
    assert np.abs(found.astype(int) - expected).max() <= (mode == "linear")


@pytest.mark.parametrize("pad_mode", COPYING)
@pytest.mark.parametrize("counted", [0, 1])
def test_qlinear_average_pool(pad_mode: str, counted: int) -> None:
    a = ACTIVATIONS["uint8"]
    x = a.of(image())
    model, plain = (
        average(a, array, counted, pads) for array, pads in (
            (x, {"pads": [1, 1, 1, 1]}), (numpy_pad(x, [(1, 1), (1, 1)], pad_mode), {}),
        )
    )  # fmt: skip
    result = onnxpad.rewrite(model, pad_mode, pools=True)
    assert len(result.changed) == 1
    padded = numpy_pad(x, [(1, 1), (1, 1)], pad_mode)
    np.testing.assert_array_equal(run(result.model, x=x), run(plain, x=padded))


def average(a: Quantised, x: Array, counted: int, pads: dict[str, Any]) -> ModelProto:
    node = helper.make_node(
        "QLinearAveragePool", ["x", "x_scale", "x_zero", "y_scale", "y_zero"], ["y"], name="pool",
        domain="com.microsoft", kernel_shape=[3, 3], count_include_pad=counted, **pads,
    )  # fmt: skip
    tensors = [*a.tensors("x"), *a.tensors("y")]
    return made([node], x, tensors, 13, a.kind, domains=("com.microsoft",))


def test_zero_of_an_integer_pool_is_its_zero_point() -> None:
    """From "nothing counted" (count_include_pad 0) to zeros that are counted."""
    a = ACTIVATIONS["uint8"]
    x = a.of(image())
    result = onnxpad.rewrite(average(a, x, 0, {"pads": [1, 1, 1, 1]}), "zero", pools=True)
    assert len(result.changed) == 1
    padded = numpy_pad(x, [(1, 1), (1, 1)], "constant", a.zero)
    plain = average(a, padded, 0, {})
    np.testing.assert_array_equal(run(result.model, x=x), run(plain, x=padded))


@pytest.mark.zoo
@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize(
    ("name", "convs"),
    [("efficientnet_lite0_ortquant_qdq", 49), ("tflite_mobilenet_v2_1.0_224_quant", 53)],
)
def test_real_models_stay_fused(
    name: str, convs: int, mode: str, zoo: Path, tmp_path: Path
) -> None:
    source = zoo / "models" / f"{name}.onnx"
    result = onnxpad.rewrite(source, mode)
    before = really_run(source, tmp_path)
    after = really_run(result.save(tmp_path / "rewritten.onnx"), tmp_path)
    assert before["QLinearConv"] == after["QLinearConv"] == convs
    assert not before - after
    gained = after - before
    # below opset 19 wrap is made of strips, which ONNX Runtime lays out channels first
    assert set(gained) <= STRIPS | {"Transpose"}
    if mode in ("edge", "reflect"):
        assert gained == {"Pad": len(result.changed)}
