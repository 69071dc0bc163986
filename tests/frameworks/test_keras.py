"""Live Keras and TensorFlow exports, rewritten, equal numpy.pad and the same layers with VALID."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import onnxpad
from tests.frameworks.harness import check_truth, distance, framework, rewritten, run
from tests.frameworks.numpy_truth import MODES, input_array, pad, same

keras = framework("keras")
tf = framework("tensorflow")
tf2onnx = framework("tf2onnx")
pytestmark = pytest.mark.keras

layers = keras.layers
tf.config.threading.set_intra_op_parallelism_threads(1)

Array = NDArray[np.float32]
Pads = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Step:
    """A layer, made with padding "same", "causal" or "valid".

    `pads` is None where that padding is all there is; else zero padding layers come in front.
    """

    make: Callable[..., Any]
    kernel: tuple[int, ...]
    strides: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    padding: str = "same"
    pads: Pads | None = None

    def amounts(self, sizes: tuple[int, ...]) -> Pads:
        """Begin and end padding of each spatial axis."""
        if self.pads is not None:
            return self.pads
        strides = self.strides or (1,) * len(sizes)
        dilation = self.dilation or (1,) * len(sizes)
        if self.padding == "causal":
            return (((self.kernel[0] - 1) * dilation[0], 0),)
        every = zip(sizes, self.kernel, strides, dilation, strict=True)
        return tuple(same(*values) for values in every)

    def layer(self, padding: str) -> Any:
        """The layer with another padding."""
        options: dict[str, Any] = {"padding": padding, "bias_initializer": "random_uniform"}
        if self.strides:
            options["strides"] = self.strides
        if self.dilation:
            options["dilation_rate"] = self.dilation
        return self.make(kernel_size=self.kernel, **options)


def conv(rank: int, filters: int, **options: Any) -> Callable[..., Any]:
    """A plain convolution."""
    kind = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}[rank]
    return lambda **more: kind(filters, **options, **more)


NETS: dict[str, tuple[tuple[int, ...], tuple[Step, ...]]] = {
    "plain": (
        (13, 12, 3),
        (
            Step(conv(2, 6, activation="relu"), (3, 3)),
            Step(conv(2, 6), (3, 3), (2, 2)),
            Step(conv(2, 4), (4, 2)),
        ),
    ),
    "strided_even": (
        (16, 16, 3),
        (Step(conv(2, 6, activation="relu"), (3, 3), (2, 2)), Step(conv(2, 4), (5, 5), (2, 2))),
    ),
    "depthwise": (
        (12, 15, 3),
        (
            Step(conv(2, 6, activation="relu6"), (3, 3), (2, 2)),
            Step(layers.DepthwiseConv2D, (3, 3)),
            Step(lambda **more: layers.DepthwiseConv2D(depth_multiplier=2, **more), (5, 5)),
        ),
    ),
    "zero_padding": (
        (13, 12, 3),
        (
            Step(conv(2, 6, activation="relu"), (3, 3), (2, 2), pads=((0, 1), (0, 1))),
            Step(conv(2, 4), (3, 3), pads=((1, 1), (1, 1))),
        ),
    ),
    "sequence": (
        (31, 2),
        (Step(conv(1, 6, activation="elu"), (5,)), Step(conv(1, 4), (3,), (2,))),
    ),
    "causal": (
        (31, 2),
        (
            Step(conv(1, 6, activation="elu"), (3,), padding="causal"),
            Step(conv(1, 4), (2,), padding="causal"),
        ),
    ),
    "volume": ((7, 8, 6, 2), (Step(conv(3, 4), (3, 3, 3)), Step(conv(3, 3), (2, 3, 1), (2, 2, 2)))),
}
DILATED: tuple[tuple[int, ...], tuple[Step, ...]] = (
    (16, 18, 3),
    (Step(conv(2, 6), (3, 3), (), (2, 2)), Step(conv(2, 4), (3, 3), (), (3, 3))),
)
ZERO_PADDING = {1: layers.ZeroPadding1D, 2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}


def build(shape: tuple[int, ...], steps: tuple[Step, ...], *, free: bool) -> tuple[Any, list[Any]]:
    """The network as users write it, and its layers with VALID padding and the same weights."""
    keras.utils.set_random_seed(0)
    image = keras.Input((*[None if free else n for n in shape[:-1]], shape[-1]), name="x")
    x, twins = image, []
    for step in steps:
        if step.pads is not None:
            x = ZERO_PADDING[len(step.pads)](step.pads)(x)
        made = step.layer("valid" if step.pads is not None else step.padding)
        x = made(x)
        twin = step.layer("valid")
        twin.build((None, *[None] * (len(shape) - 1), made.input.shape[-1]))
        twin.set_weights(made.get_weights())
        twins.append(twin)
    return keras.Model(image, x), twins


def truth(steps: tuple[Step, ...], twins: list[Any], x: Array, mode: str) -> list[Array]:
    """numpy.pad, then VALID, layer by layer."""
    for step, twin in zip(steps, twins, strict=True):
        x = np.asarray(twin(pad(x, step.amounts(x.shape[1:-1]), 1, mode)))
    return [x]


def from_keras(model: Any, opset: int, folder: Path) -> onnx.ModelProto:
    """By tf2onnx's function."""
    del folder
    return tf2onnx.convert.from_keras(model, opset=opset)[0]


def by_keras(model: Any, opset: int, folder: Path) -> onnx.ModelProto:
    """By Keras' own export."""
    path = folder / "model.onnx"
    model(np.zeros([n or 16 for n in model.input.shape], np.float32))  # it asks for one call
    model.export(path, format="onnx", opset_version=opset, verbose=False)
    return onnx.load(path)


def check(
    model: onnx.ModelProto, steps: tuple[Step, ...], twins: list[Any], inputs: list[Array]
) -> None:
    """Every mode against its truth."""
    name = model.graph.input[0].name
    owns = [truth(steps, twins, x, "zero") for x in inputs]
    bases = [distance(run(model, {name: x}), own) for x, own in zip(inputs, owns, strict=True)]
    assert max(bases) <= 1e-5, "the export itself is not what Keras computes"
    for mode in MODES:
        candidate, result = rewritten(model, mode, allow_noncausal=True)
        assert not result.refused
        for x, own, base in zip(inputs, owns, bases, strict=True):
            wanted = truth(steps, twins, x, mode)
            check_truth(candidate, {name: x}, own, wanted, base=base)


# Below opset 11 a Pad takes no computed pads, which SAME with strides needs at free sizes.
CONFIGURATIONS = (
    (from_keras, 9, False),
    (from_keras, 13, False),
    (from_keras, 13, True),
    (by_keras, 18, False),
    (by_keras, 18, True),
)


@pytest.mark.parametrize(("exporter", "opset", "free"), CONFIGURATIONS)
@pytest.mark.parametrize("name", NETS)
def test_keras_export_equals_numpy_pad_and_valid(
    name: str, exporter: Callable[..., onnx.ModelProto], opset: int, free: bool, tmp_path: Path
) -> None:
    shape, steps = NETS[name]
    model, twins = build(shape, steps, free=free)
    inputs = [input_array((1, *shape))]
    if free:
        inputs.append(input_array((1, *[n + 3 for n in shape[:-1]], shape[-1])))
    check(exporter(model, opset, tmp_path), steps, twins, inputs)


def test_dilation_at_fixed_size(tmp_path: Path) -> None:
    shape, steps = DILATED
    model, twins = build(shape, steps, free=False)
    check(from_keras(model, 13, tmp_path), steps, twins, [input_array((1, *shape))])


def test_dilation_at_free_size_folds_space_into_batch_and_stays_with_a_reason(
    tmp_path: Path,
) -> None:
    shape, steps = DILATED
    model, twins = build(shape, steps, free=True)
    proto = from_keras(model, 13, tmp_path)
    candidate, result = rewritten(proto, "edge")
    assert not result.changed
    assert [*result.refused, *result.others]
    x = input_array((1, *shape))
    own = truth(steps, twins, x, "zero")
    assert distance(run(candidate, {proto.graph.input[0].name: x}), own) <= 1e-5


KERNEL = np.random.default_rng(0).normal(0, 0.3, (3, 3, 3, 4)).astype(np.float32)
EXPLICIT = ((0, 2), (1, 0))


def _explicit(x: Any) -> Any:
    paddings = [(0, 0), *EXPLICIT, (0, 0)]
    return tf.nn.conv2d(x, KERNEL, 1, paddings)


def _padded(x: Any) -> Any:
    return tf.nn.conv2d(tf.pad(x, [(0, 0), *EXPLICIT, (0, 0)]), KERNEL, 1, "VALID")


def _copied(mode: str) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        return tf.nn.conv2d(tf.pad(x, [(0, 0), *EXPLICIT, (0, 0)], mode), KERNEL, 1, "VALID")

    return function


def convert(function: Callable[[Any], Any], opset: int, *, free: bool) -> onnx.ModelProto:
    """A plain TensorFlow function of one picture."""
    size = (None, None) if free else (12, 11)
    signature = [tf.TensorSpec((1, *size, 3), tf.float32, name="x")]
    made = tf.function(function)
    return tf2onnx.convert.from_function(made, input_signature=signature, opset=opset)[0]


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("opset", [9, 13, 18])
@pytest.mark.parametrize("function", [_explicit, _padded])
def test_tensorflow_function(function: Callable[[Any], Any], opset: int, free: bool) -> None:
    model = convert(function, opset, free=free)
    x = input_array((1, 12, 11, 3))

    def wanted(mode: str) -> list[Array]:
        return [tf.nn.conv2d(pad(x, EXPLICIT, 1, mode), KERNEL, 1, "VALID").numpy()]

    own = wanted("zero")
    base = distance(run(model, {"x": x}), own)
    for mode in MODES:
        candidate, result = rewritten(model, mode)
        assert not result.refused
        check_truth(candidate, {"x": x}, own, wanted(mode), base=base)


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("opset", [9, 13, 18])
def test_reflect_is_found_and_left(opset: int, free: bool) -> None:
    model = convert(_copied("REFLECT"), opset, free=free)
    assert [site.mode.name for site in onnxpad.find_sites(model)] == ["reflect"]
    assert not onnxpad.rewrite(model, "edge").changed
