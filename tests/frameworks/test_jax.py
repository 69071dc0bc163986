"""Live JAX exports, rewritten, equal numpy.pad and JAX's own VALID convolution."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import onnxpad
from tests.frameworks.harness import check_truth, distance, framework, rewritten, run
from tests.frameworks.numpy_truth import MODES, input_array, pad, same

jax = framework("jax")
jax2onnx = framework("jax2onnx")
jnp = framework("jax.numpy")
pytestmark = pytest.mark.jax

lax = jax.lax
Array = NDArray[np.float32]
Pads = tuple[tuple[int, int], ...]
Size = int | str

# The order of axes of input, kernel and output, by number of spatial axes and place of channels.
ORDERS = {
    (1, "last"): ("NWC", "WIO", "NWC"),
    (2, "last"): ("NHWC", "HWIO", "NHWC"),
    (2, "first"): ("NCHW", "OIHW", "NCHW"),
}


@dataclass(frozen=True)
class Step:
    """One convolution; `pads` "SAME", amounts, or amounts by a jnp.pad of its own."""

    kernel: tuple[int, ...]
    outputs: int
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    pads: str | Pads = "SAME"
    apart: bool = False

    def amounts(self, sizes: tuple[int, ...]) -> Pads:
        """Begin and end padding of each spatial axis."""
        if not isinstance(self.pads, str):
            return self.pads
        every = zip(sizes, self.kernel, strict=True)
        return tuple(same(n, k, self.stride, self.dilation) for n, k in every)


@dataclass(frozen=True)
class Net:
    """A few convolutions with an activation between them."""

    shape: tuple[int, ...]
    steps: tuple[Step, ...]
    channels: str = "last"

    @property
    def first(self) -> int:
        """The first spatial axis."""
        return 1 if self.channels == "last" else 2

    def sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The spatial ones."""
        return shape[1:-1] if self.channels == "last" else shape[2:]

    def kernels(self) -> list[Array]:
        """Weights, the same at every call."""
        rng = np.random.default_rng(0)
        inputs = self.shape[-1] if self.channels == "last" else self.shape[1]
        found = []
        for step in self.steps:
            fan = inputs // step.groups * int(np.prod(step.kernel))
            shape = (*step.kernel, inputs // step.groups, step.outputs)
            kernel = rng.normal(0, fan**-0.5, shape).astype(np.float32)
            if self.channels == "first":
                kernel = kernel.transpose(3, 2, 0, 1)
            found.append(np.ascontiguousarray(kernel))
            inputs = step.outputs
        return found

    def conv(self, x: Any, step: Step, kernel: Array, pads: str | Pads) -> Any:
        """One convolution, a bias, an activation."""
        rank = len(step.kernel)
        x = lax.conv_general_dilated(
            x,
            kernel,
            (step.stride,) * rank,
            pads,
            rhs_dilation=(step.dilation,) * rank,
            feature_group_count=step.groups,
            dimension_numbers=ORDERS[rank, self.channels],
            precision=lax.Precision.HIGHEST,
        )
        return jnp.tanh(x + 0.25)

    def __call__(self, x: Any) -> Any:
        """What users write."""
        for step, kernel in zip(self.steps, self.kernels(), strict=True):
            if step.apart:
                every = [(0, 0)] * x.ndim
                every[self.first : self.first + len(step.kernel)] = step.pads
                x = self.conv(jnp.pad(x, every), step, kernel, "VALID")
            else:
                x = self.conv(x, step, kernel, step.pads)
        return x

    def truth(self, x: Array, mode: str) -> list[Array]:
        """numpy.pad, then VALID, layer by layer."""
        for step, kernel in zip(self.steps, self.kernels(), strict=True):
            padded = pad(x, step.amounts(self.sizes(x.shape)), self.first, mode)
            x = np.asarray(self.conv(padded, step, kernel, "VALID"))
        return [x]


NETS = {
    "plain": Net(
        (1, 13, 12, 3), (Step((3, 3), 6), Step((3, 3), 6, 2), Step((4, 2), 4), Step((1, 5), 3))
    ),
    "dilated": Net((1, 16, 15, 3), (Step((3, 3), 6, dilation=2), Step((4, 3), 4, dilation=3))),
    "depthwise": Net((1, 12, 15, 3), (Step((3, 3), 6, 2), Step((5, 5), 6, groups=6))),
    "channels_first": Net(
        (1, 3, 12, 15), (Step((3, 3), 6), Step((5, 3), 6, 2, groups=2)), channels="first"
    ),
    "uneven": Net((1, 12, 15, 3), (Step((3, 3), 6, pads=((0, 2), (1, 0))), Step((3, 3), 4))),
    "apart": Net(
        (1, 12, 15, 3),
        (
            Step((3, 3), 6, pads=((1, 1), (2, 0)), apart=True),
            Step((3, 3), 4, 2, pads=((0, 1), (0, 1)), apart=True),
        ),
    ),
    "sequence": Net((1, 31, 2), (Step((5,), 6), Step((3,), 4, 2))),
    "causal": Net((1, 31, 2), (Step((3,), 6, pads=((2, 0),)), Step((2,), 4, pads=((1, 0),)))),
}
# Free sizes need amounts that jax2onnx can write down: no SAME with a stride.
FREE = ("dilated", "uneven", "apart", "causal")


def _convert(function: Any, shape: tuple[Size, ...], opset: int) -> onnx.ModelProto:
    made = jax2onnx.to_onnx(function, [shape], opset=opset)
    return onnx.ModelProto.FromString(made.SerializeToString())


def _check(model: onnx.ModelProto, net: Net, inputs: list[Array]) -> None:
    name = model.graph.input[0].name
    owns = [net.truth(x, "zero") for x in inputs]
    bases = [distance(run(model, {name: x}), own) for x, own in zip(inputs, owns, strict=True)]
    assert max(bases) <= 1e-5, "the export itself is not what JAX computes"
    for mode in MODES:
        candidate, result = rewritten(model, mode, allow_noncausal=True)
        assert not result.refused
        for x, own, base in zip(inputs, owns, bases, strict=True):
            check_truth(candidate, {name: x}, own, net.truth(x, mode), base=base)


@pytest.mark.parametrize("opset", [13, 17, 21])
@pytest.mark.parametrize("name", NETS)
def test_fixed_size(name: str, opset: int) -> None:
    net = NETS[name]
    batch = ("B", *net.shape[1:])
    _check(_convert(net, batch, opset), net, [input_array(net.shape)])


@pytest.mark.parametrize("opset", [13, 21])
@pytest.mark.parametrize("name", FREE)
def test_free_size(name: str, opset: int) -> None:
    net = NETS[name]
    letters = [f"S{i}" for i in range(len(net.shape) - 2)]
    other = (1, *[n + 4 for n in net.shape[1:-1]], net.shape[-1])
    model = _convert(net, (1, *letters, net.shape[-1]), opset)
    _check(model, net, [input_array(net.shape), input_array(other)])


KERNEL = np.random.default_rng(0).normal(0, 0.3, (3, 3, 3, 4)).astype(np.float32)


@pytest.mark.parametrize("opset", [13, 21])
@pytest.mark.parametrize("own", ["wrap", "reflect"])
def test_padding_of_another_mode_is_found_as_what_it_is(own: str, opset: int) -> None:
    """jnp.pad is written as Slice and Concat on the middle axes; reflect end by end."""
    pads = ((1, 2), (1, 1))

    def valid(x: Any) -> Any:
        order = ORDERS[2, "last"]
        return lax.conv_general_dilated(x, KERNEL, (1, 1), "VALID", dimension_numbers=order)

    def padded(x: Any) -> Any:
        return valid(jnp.pad(x, ((0, 0), *pads, (0, 0)), mode=own))

    model = _convert(padded, (1, 12, 13, 3), opset)
    assert {site.mode.name for site in onnxpad.find_sites(model)} == {own}
    assert not onnxpad.rewrite(model, "edge").changed
    x = input_array((1, 12, 13, 3))
    name = model.graph.input[0].name
    for mode in MODES:
        candidate, result = rewritten(model, mode, from_mode=own)
        assert not result.refused
        truth = [np.asarray(valid(pad(x, pads, 1, mode)))]
        assert distance(run(candidate, {name: x}), truth) <= 1e-5


@pytest.mark.parametrize("padding", ["SAME", "CIRCULAR"])
def test_flax_layer(padding: str) -> None:
    """Flax's own convolution layer."""
    nnx = framework("flax.nnx")
    made = nnx.Conv(3, 4, (3, 5), padding=padding, rngs=nnx.Rngs(0))
    valid = nnx.Conv(3, 4, (3, 5), padding="VALID", rngs=nnx.Rngs(0))
    model = _convert(made, (1, 12, 13, 3), 17)
    x = input_array((1, 12, 13, 3))
    name = model.graph.input[0].name
    own, mode = ("zero", None) if padding == "SAME" else ("wrap", "wrap")

    def truth(word: str) -> list[Array]:
        return [np.asarray(valid(pad(x, ((1, 1), (2, 2)), 1, word)))]

    base = distance(run(model, {name: x}), truth(own))
    for target in MODES:
        if target == own:
            continue
        candidate, result = rewritten(model, target, from_mode=mode)
        assert not result.refused
        check_truth(candidate, {name: x}, truth(own), truth(target), base=base)
