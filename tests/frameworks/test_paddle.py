"""Live PaddlePaddle exports, rewritten, equal numpy.pad and Paddle's own unpadded convolution."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

import onnxpad
from tests.frameworks.harness import check_truth, distance, framework, rewritten, run
from tests.frameworks.numpy_truth import MODES, input_array, pad, same

paddle = framework("paddle")
paddle2onnx = framework("paddle2onnx")
pytestmark = pytest.mark.paddle

nn = paddle.nn
Array = NDArray[np.float32]
Pads = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Step:
    """One convolution: Paddle's own word for its padding, and what that means per axis.

    `apart` puts the padding in a layer of its own. `amounts` None: TensorFlow's SAME.
    """

    kernel: int | tuple[int, ...]
    outputs: int
    padding: Any
    amounts: Pads | None
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    apart: bool = False

    def pads(self, sizes: tuple[int, ...]) -> Pads:
        """Begin and end padding of each spatial axis."""
        if self.amounts is not None:
            return self.amounts
        assert isinstance(self.kernel, int)
        return tuple(same(n, self.kernel, self.stride, self.dilation) for n in sizes)


NETS: dict[str, tuple[tuple[int, ...], tuple[Step, ...]]] = {
    "plain": (
        (1, 3, 13, 12),
        (
            Step(3, 6, 1, ((1, 1), (1, 1)), stride=2),
            Step((5, 3), 6, (2, 1), ((2, 2), (1, 1)), groups=3),
            Step(3, 4, 2, ((2, 2), (2, 2)), dilation=2),
        ),
    ),
    "same": ((1, 3, 13, 12), (Step(3, 6, "SAME", None, stride=2), Step(4, 6, "SAME", None))),
    "uneven": ((1, 3, 13, 12), (Step(3, 6, [1, 0, 0, 2], ((1, 0), (0, 2))), Step(3, 4, 0, ()))),
    "apart": (
        (1, 3, 13, 12),
        (Step(3, 6, [1, 0, 2, 1], ((2, 1), (1, 0)), apart=True), Step(3, 4, 1, ((1, 1), (1, 1)))),
    ),
    "depthwise": ((1, 6, 13, 12), (Step(3, 6, 1, ((1, 1), (1, 1)), groups=6), Step(1, 4, 0, ()))),
    "sequence": ((1, 2, 31), (Step(5, 6, 2, ((2, 2),)), Step(3, 4, 1, ((1, 1),), stride=2))),
    "volume": ((1, 2, 6, 7, 8), (Step(3, 4, 1, ((1, 1),) * 3), Step(3, 3, (0, 1, 1), (
        (0, 0), (1, 1), (1, 1)))),
    ),
}  # fmt: skip


def _conv(rank: int, inputs: int, step: Step, padding: Any) -> Any:
    kind = {1: nn.Conv1D, 2: nn.Conv2D, 3: nn.Conv3D}[rank]
    return kind(inputs, step.outputs, step.kernel, step.stride, padding, step.dilation, step.groups)


class Net(nn.Layer):  # type: ignore[misc, name-defined]  # Paddle's classes are untyped
    """What users write, with the same layers without padding beside it."""

    def __init__(self, inputs: int, steps: tuple[Step, ...], rank: int) -> None:
        super().__init__()
        self.steps = steps
        layers, self.twins = [], []
        for step in steps:
            layers.append(nn.ZeroPad2D(step.padding) if step.apart else nn.Identity())
            conv = _conv(rank, inputs, step, 0 if step.apart else step.padding)
            twin = _conv(rank, inputs, step, 0)
            conv.bias.set_value(paddle.full_like(conv.bias, 0.3))
            twin.set_state_dict(conv.state_dict())
            layers += [conv, nn.Tanh()]
            self.twins.append(twin)
            inputs = step.outputs
        self.body = nn.Sequential(*layers)

    def forward(self, x: Any) -> Any:
        """Pad, convolve, activate."""
        return self.body(x)

    def truth(self, x: Array, mode: str) -> list[Array]:
        """numpy.pad, then no padding, layer by layer."""
        for step, twin in zip(self.steps, self.twins, strict=True):
            padded = pad(x, step.pads(x.shape[2:]), 2, mode)
            x = paddle.tanh(twin(paddle.to_tensor(padded))).numpy()
        return [x]


def export(net: Any, shape: tuple[int | None, ...], opset: int, folder: Path) -> onnx.ModelProto:
    """By way of Paddle's own file format."""
    spec = [paddle.static.InputSpec(list(shape), "float32", "x")]
    net.eval()
    paddle.jit.save(net, str(folder / "net"), input_spec=spec)
    paddle2onnx.export(
        str(folder / "net.json"),
        str(folder / "net.pdiparams"),
        str(folder / "net.onnx"),
        opset_version=opset,
    )
    return _settled(onnx.load(folder / "net.onnx"))


def _settled(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give every Pad the zero that paddle2onnx 2.0 and 2.1 leave as uninitialised memory."""
    scalars = {n.input[2] for n in model.graph.node if n.op_type == "Pad" and len(n.input) > 2}
    zero = np.zeros((), np.float32)
    for tensor in model.graph.initializer:
        if tensor.name in scalars:
            tensor.CopyFrom(numpy_helper.from_array(zero, tensor.name))
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] in scalars:
            node.attribute[0].t.CopyFrom(numpy_helper.from_array(zero, node.attribute[0].t.name))
    return model


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("opset", [11, 16])
@pytest.mark.parametrize("name", NETS)
def test_paddle_export_equals_numpy_pad_and_no_padding(
    name: str, opset: int, free: bool, tmp_path: Path
) -> None:
    shape, steps = NETS[name]
    paddle.seed(0)
    net = Net(shape[1], steps, len(shape) - 2)
    free_shape = (1, shape[1], *[None] * (len(shape) - 2))
    model = export(net, free_shape if free else shape, opset, tmp_path)
    inputs = [input_array(shape)]
    if free:
        inputs.append(input_array((*shape[:2], *[n + 3 for n in shape[2:]])))
    owns = [net.truth(x, "zero") for x in inputs]
    bases = [distance(run(model, {"x": x}), own) for x, own in zip(inputs, owns, strict=True)]
    assert max(bases) <= 1e-5, "the export itself is not what Paddle computes"
    for mode in MODES:
        candidate, result = rewritten(model, mode)
        assert not result.refused
        for x, own, base in zip(inputs, owns, bases, strict=True):
            check_truth(candidate, {"x": x}, own, net.truth(x, mode), base=base)


# Paddle's words
LAYERS = {"edge": "replicate", "reflect": "reflect", "wrap": "circular"}


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("mode", LAYERS)
def test_padding_mode_of_a_layer_is_found(mode: str, free: bool, tmp_path: Path) -> None:
    def conv(word: str) -> Any:
        paddle.seed(0)
        return nn.Conv2D(3, 4, 3, padding=1, padding_mode=word)

    layer = conv(LAYERS[mode])
    model = export(layer, (1, 3, None, None) if free else (1, 3, 9, 8), 16, tmp_path)
    assert [site.mode.name for site in onnxpad.find_sites(model)] == [mode]
    assert not onnxpad.rewrite(model, "edge" if mode != "edge" else "reflect").changed
    x = input_array((1, 3, 9, 8))
    for target, word in LAYERS.items():
        if target != mode:
            candidate, result = rewritten(model, target, from_mode=mode)
            assert not result.refused
            truth = [conv(word)(paddle.to_tensor(x)).numpy()]
            assert distance(run(candidate, {"x": x}), truth) <= 1e-5
