"""Paths of random small graphs equal the gradient that PyTorch's autograd computes.

The gradient of the sum of all outputs, where every weight is 1, every bias 0, every nonlinearity
the identity and every pool a sum, is what foveation counts. The exported twin has the same layers
with real nonlinearities and pools, which the counts must see through.
"""

from random import Random

import numpy as np
import pytest

from tests.frameworks.harness import framework

torch = framework("torch")
pytestmark = pytest.mark.torch

from onnxpad.model import load_model  # noqa: E402 (torch has to be there first)
from onnxpad.paths.walk import count_paths  # noqa: E402
from onnxpad.subject import subject  # noqa: E402
from tests.frameworks.torch_export import export  # noqa: E402
from tests.frameworks.torch_truth import MODES, switched  # noqa: E402

PADDINGS = ("zeros", "reflect", "replicate", "circular")
SIZE = (17, 14)
LAYERS = 7


class Graph(torch.nn.Module):
    """A random graph: every step reads one or two of the maps made so far."""

    def __init__(self, seed: int, padding: str) -> None:
        super().__init__()
        self.random, self.padding = Random(seed), padding
        self.linear = False
        self.layers = torch.nn.ModuleList()
        self.steps: list[tuple[str, object, tuple[int, ...]]] = []
        self.shapes = [(3, *SIZE)]
        while len(self.steps) < LAYERS:
            self._step()
        with torch.no_grad():
            for weight in self.parameters():
                weight.fill_(1.0 if weight.ndim > 1 else 0.0)

    def _step(self) -> None:
        source = self.random.choice(range(max(0, len(self.shapes) - 3), len(self.shapes)))
        kind = self.random.choice(["conv"] * 4 + ["transposed", "max", "mean", "join", "bend"])
        channels, height, width = self.shapes[source]
        if kind == "join":
            alike = [i for i, s in enumerate(self.shapes) if s[1:] == (height, width)]
            other = self.random.choice(alike)
            if self.shapes[other] == self.shapes[source] and self.random.random() < 0.5:
                self._keep("add", None, (source, other))
            else:
                self._keep("concat", None, (source, other))
        elif kind == "bend":
            self._keep("bend", self.random.choice(["relu", "sigmoid", "hardswish"]), (source,))
        elif kind in ("max", "mean"):
            self._keep(kind, self._pool(kind), (source,))
        else:
            layer = self._conv(channels) if kind == "conv" else self._transposed(channels)
            self.layers.append(layer)
            self._keep("layer", len(self.layers) - 1, (source,))

    def _keep(self, kind: str, what: object, sources: tuple[int, ...]) -> None:
        """Keep a step whose map is neither too small for any padding nor too large to be fast."""
        maps = [torch.zeros(1, *self.shapes[i]) for i in sources]
        try:
            shape = tuple(self._made(kind, what, maps).shape[1:])
        except RuntimeError:  # padding larger than the map, or a window that does not fit
            return
        if 2 <= min(shape[1:]) <= max(shape[1:]) <= 32 and shape[0] <= 24:
            self.steps.append((kind, what, sources))
            self.shapes.append(shape)

    def _conv(self, channels: int) -> torch.nn.Module:
        pick = self.random.choice
        groups = pick([1, 1, channels])
        return torch.nn.Conv2d(
            channels, channels if groups > 1 else pick([2, 3, 4]), (pick([1, 2, 3]), pick([1, 3])),
            stride=(pick([1, 1, 2]), pick([1, 2])), padding=(pick([0, 1, 2]), pick([0, 1])),
            dilation=pick([1, 1, 2]), groups=groups, padding_mode=self.padding,
        )  # fmt: skip

    def _transposed(self, channels: int) -> torch.nn.Module:
        kernel, stride = self.random.choice([(2, 2), (3, 2), (4, 2), (3, 1)])
        extra = self.random.choice(range(stride))
        return torch.nn.ConvTranspose2d(
            channels, 2, kernel, stride, padding=self.random.choice([0, 1]), output_padding=extra
        )

    def _pool(self, kind: str) -> tuple[int, int, int, bool]:
        kernel, stride = self.random.choice([(2, 2), (3, 2), (3, 1)])
        return kernel, stride, self.random.choice([0, 1]), kind == "max"

    def _made(self, kind: str, what, maps: list[torch.Tensor]) -> torch.Tensor:
        functional = torch.nn.functional
        if kind == "layer":
            return self.layers[what](maps[0])
        if kind in ("add", "concat"):
            return maps[0] + maps[1] if kind == "add" else torch.cat(maps, 1)
        if kind == "bend":
            return maps[0] if self.linear else getattr(functional, what)(maps[0])
        kernel, stride, pad, highest = what
        if self.linear:
            return functional.avg_pool2d(maps[0], kernel, stride, pad, divisor_override=1)
        pool = functional.max_pool2d if highest else functional.avg_pool2d
        return pool(maps[0], kernel, stride, pad)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The map of the last step, and those that nothing reads."""
        maps = [x]
        for kind, what, sources in self.steps:
            maps.append(self._made(kind, what, [maps[i] for i in sources]))
        read = {i for *_, sources in self.steps for i in sources}
        return tuple(m for i, m in enumerate(maps) if i not in read)


def gradient(net: Graph) -> np.ndarray:
    """(channels, height, width): d Σ outputs / d input, in doubles."""
    net.linear = True
    x = torch.zeros(1, 3, *SIZE, dtype=torch.float64, requires_grad=True)
    sum(out.sum() for out in net.double()(x)).backward()
    return x.grad[0].numpy()


def counted(model, mode: str | None = None) -> np.ndarray:
    known = subject(load_model(model))
    found, notes = count_paths(known.main, known.values, known.survey.sites, "x", mode)
    assert notes == {}
    return np.ldexp(np.repeat(found.values, found.runs, axis=0), found.exponent)


def exported(net: Graph, exporter: str, opset: int):
    net.linear = False
    return export(net.float().eval(), torch.zeros(1, 3, *SIZE), exporter=exporter, opset=opset)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("seed", range(12))
def test_paths_equal_the_gradient(seed: int, padding: str) -> None:
    net = Graph(seed, padding)
    model = exported(net, "torchscript", 17)
    np.testing.assert_allclose(counted(model), gradient(net), rtol=1e-10)


@pytest.mark.parametrize("padding", PADDINGS)
def test_of_the_newer_exporter_too(padding: str) -> None:
    net = Graph(100, padding)
    model = exported(net, "dynamo", 20)
    np.testing.assert_allclose(counted(model), gradient(net), rtol=1e-10)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(6))
def test_another_mode_equals_the_switched_module(seed: int, mode: str) -> None:
    # made with the mode, so that no padding is larger than its map allows
    net = Graph(seed, MODES[mode])
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.padding_mode = "zeros"
    found = counted(exported(net, "torchscript", 17), mode)
    np.testing.assert_allclose(found, gradient(switched(net, mode)), rtol=1e-10)
