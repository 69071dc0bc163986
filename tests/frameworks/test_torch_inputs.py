"""Number formats, several inputs, named outputs, free batches, and control flow of PyTorch."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import onnxpad
from tests.frameworks.harness import EFFECT, ROUNDING, distance, framework, rewritten, run

torch = framework("torch")
pytestmark = pytest.mark.torch

from torch import Tensor, nn  # noqa: E402 (torch has to be there first)
from torch.nn import functional  # noqa: E402

from tests.frameworks.torch_export import quiet  # noqa: E402
from tests.frameworks.torch_truth import MODES, settle, switched  # noqa: E402

torch.set_num_threads(1)


class Siamese(nn.Module):
    """One convolution for both pictures, and the distance between what it finds."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 4, 3, 1, 1))
        self.join = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Named answers."""
        left, right = self.shared(x), self.shared(y)
        both = self.join(torch.cat([left, left - right], 1))
        return {"near": (left - right).square().mean(1), "both": both, "left": left}


class Conditioned(nn.Module):
    """Diffusion: noise, a moment in time and a text's tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)
        self.time, self.norm = nn.Linear(8, 8), nn.GroupNorm(2, 8)
        self.down, self.up = nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, padding=1)
        self.text = nn.Linear(6, 16)

    def forward(self, x: Tensor, t: Tensor, tokens: Tensor) -> Tensor:
        """The noise in x."""
        turns = t[:, None] * torch.exp(-torch.arange(4.0))
        time = self.time(torch.cat([turns.sin(), turns.cos()], 1))
        y = self.norm(self.first(x)) + time[:, :, None, None]
        low = self.down(functional.silu(y))
        n, c, h, w = low.shape
        key, value = self.text(tokens).chunk(2, -1)
        query = low.flatten(2).transpose(1, 2)
        mixed = (query @ key.transpose(1, 2) / c).softmax(-1) @ value
        low = low + mixed.transpose(1, 2).reshape(n, c, h, w)
        return self.last(y + self.up(functional.interpolate(low, scale_factor=2.0)))


def _both(seed: int = 0, batch: int = 1) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(batch, 3, 14, 13, generator=generator) + 1.5 for _ in range(2))


def _noise(seed: int = 0, batch: int = 1) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((batch, 4, 12, 16), (batch,), (batch, 5, 6))
    return tuple(torch.randn(*shape, generator=generator) + 1 for shape in shapes)


def _flat(found: Any) -> list[Any]:
    values = found.values() if isinstance(found, dict) else found
    return [v.numpy() for v in (values if not isinstance(values, Tensor) else [values])]


def _settled(net: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module:
    """`settle` for several inputs."""

    class First(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, _: Tensor) -> Any:
            return self.net(*inputs)

    settle(First(), inputs[0])
    return net


def _export(
    net: nn.Module, inputs: tuple[Tensor, ...], exporter: str, *, batches: bool = False
) -> onnx.ModelProto:
    names = [f"in{i}" for i in range(len(inputs))]
    with quiet():
        if exporter == "dynamo":
            free = tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs) if batches else None
            program = torch.onnx.export(
                net, inputs, dynamo=True, opset_version=18, input_names=names, verbose=False,
                dynamic_shapes=free,
            )  # fmt: skip
            assert program is not None
            return onnx.ModelProto.FromString(program.model_proto.SerializeToString())
        file = io.BytesIO()
        axes = {name: {0: "batch"} for name in names} if batches else None
        torch.onnx.export(
            net, inputs, file, dynamo=False, opset_version=17, input_names=names,
            dynamic_axes=axes,
        )  # fmt: skip
        return onnx.ModelProto.FromString(file.getvalue())


def _check(
    model: onnx.ModelProto,
    net: nn.Module,
    inputs: tuple[Tensor, ...],
    *,
    tolerance: float = ROUNDING,
    count: int | None = None,
    runner: Callable[..., list[Any]] = run,
) -> None:
    feeds = {f"in{i}": x.numpy() for i, x in enumerate(inputs)}
    with torch.no_grad():
        own = _flat(net(*inputs))
    base = distance(runner(model, feeds), own)
    assert base <= max(1e-4, tolerance)
    for mode in MODES:
        candidate, result = rewritten(model, mode)
        assert not result.refused
        assert count is None or len(result.changed) == count
        with torch.no_grad():
            wanted = _flat(switched(net, mode)(*inputs))
        assert distance(wanted, own) >= EFFECT
        assert distance(runner(candidate, feeds), wanted) <= max(tolerance, 3 * base)


@pytest.mark.parametrize("batches", [False, True])
@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
@pytest.mark.parametrize(("make", "feed"), [(Siamese, _both), (Conditioned, _noise)])
def test_several_inputs_named_outputs_free_batches(
    make: type[nn.Module],
    feed: Callable[..., tuple[Tensor, ...]],
    exporter: str,
    batches: bool,
) -> None:
    inputs = feed(batch=2)
    net = _settled(make(), inputs)
    model = _export(net, inputs, exporter, batches=batches)
    _check(model, net, inputs)
    if batches:
        _check(model, net, feed(3, batch=5))


def _plain() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Hardswish(),
        nn.Conv2d(6, 6, 5, 2, 2, groups=3), nn.Sigmoid(), nn.Conv2d(6, 4, 4, padding="same"),
    )  # fmt: skip


@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 4e-3), ("float64", 1e-12)])
def test_number_formats(dtype: str, tolerance: float, exporter: str) -> None:
    inputs = _both()[:1]
    net = _settled(_plain(), inputs).to(getattr(torch, dtype))
    inputs = (inputs[0].to(getattr(torch, dtype)),)
    # ONNX Runtime does not convolve float64 on a CPU; ONNX's own reference does.
    runner = _reference if dtype == "float64" else run
    _check(_export(net, inputs, exporter), net, inputs, tolerance=tolerance, count=3, runner=runner)


def _reference(model: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any]:
    return list(ReferenceEvaluator(model).run(None, feeds))


class Branches(nn.Module):
    """A choice that only the input can make; convolutions in both branches."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.near, self.far = (
            nn.Conv2d(6, 4, 3, padding=1),
            nn.Conv2d(6, 4, 3, padding=2, dilation=2),
        )

    def forward(self, x: Tensor) -> Tensor:
        """One or the other."""
        x = torch.relu(self.stem(x))
        y = self.near(x) if bool(x.mean() > 0.6) else self.far(x)
        return torch.tanh(y)


class Chosen(Branches):
    """The same for the exporter that traces."""

    def forward(self, x: Tensor) -> Tensor:
        """One or the other."""
        x = torch.relu(self.stem(x))
        return torch.tanh(torch.cond(x.mean() > 0.6, self.near, self.far, (x,)))


class Repeated(nn.Module):
    """A convolution as often as the input's height says."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        """A loop of the graph."""
        x = torch.relu(self.stem(x))
        for _ in range(x.shape[2] // 4):
            x = x + 0.3 * torch.tanh(self.body(x))
        return x


def _means() -> list[tuple[Tensor, ...]]:
    """Inputs that go one way and the other."""
    x = _both()[0]
    return [(x,), (x * 0.05,)]


def test_scripted_branches() -> None:
    feeds = _means()
    net = _settled(Branches(), feeds[0])
    model = _export(torch.jit.script(net), feeds[0], "torchscript")
    assert "If" in {node.op_type for node in model.graph.node}
    _check_each(model, net, feeds, 3)


def test_torch_cond() -> None:
    feeds = _means()
    net = _settled(Chosen(), feeds[0])
    model = _export(net, feeds[0], "dynamo")
    assert "If" in {node.op_type for node in model.graph.node}
    _check_each(model, net, feeds, 3)


def test_scripted_loop() -> None:
    feeds = [_both()[:1]]
    net = _settled(Repeated(), feeds[0])
    model = _export(torch.jit.script(net), feeds[0], "torchscript")
    _check_each(model, net, feeds, None)


def _check_each(
    model: onnx.ModelProto, net: nn.Module, feeds: list[tuple[Tensor, ...]], count: int | None
) -> None:
    for inputs in feeds:
        _check(model, net, inputs, count=count)


def test_sites_of_one_module_called_often_are_all_found() -> None:
    inputs = _both()
    model = _export(_settled(Siamese(), inputs), inputs, "dynamo")
    sites = onnxpad.find_sites(model)
    assert len(sites) == 5
    assert len({site.identity for site in sites}) == 5
    assert np.all([site.mode.name == "zero" for site in sites])
