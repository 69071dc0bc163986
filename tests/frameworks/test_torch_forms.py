"""Every way PyTorch exports padding that copies is found as what it is."""

import numpy as np
import onnx
import pytest

import onnxpad
from tests.frameworks.harness import ROUNDING, distance, framework, rewritten, run

torch = framework("torch")
pytestmark = pytest.mark.torch

from torch import Tensor, nn  # noqa: E402 (torch has to be there first)
from torch.nn import functional  # noqa: E402

from tests.frameworks.torch_export import export  # noqa: E402
from tests.frameworks.torch_truth import MODES, outputs, settle  # noqa: E402

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
SHAPES = {1: (2, 3, 17), 2: (2, 3, 12, 13), 3: (1, 3, 6, 7, 8)}
# exporter, opset, whether spatial sizes are free
CONFIGURATIONS = (
    ("torchscript", 9, False),
    ("torchscript", 11, True),
    ("torchscript", 17, False),
    ("torchscript", 20, True),
    ("dynamo", 18, False),
    ("dynamo", 20, True),
)
# For each rank: kernel, stride, padding, dilation
GEOMETRIES = {
    1: ((3, 1, 1, 1), (5, 2, 4, 2), (4, 1, "same", 1)),
    2: ((3, 1, 1, 1), ((5, 3), 2, (2, 1), 1), ((1, 3), 1, (0, 1), 1), (4, 1, "same", 1)),
    3: ((3, 1, 1, 1), ((1, 3, 3), 1, (0, 2, 1), (1, 2, 1))),
}


def _input(rank: int) -> Tensor:
    return torch.randn(SHAPES[rank], generator=torch.Generator().manual_seed(rank)) + 1


def _layer(rank: int, geometry: tuple[object, ...], word: str) -> nn.Module:
    """Something before the convolution, so that its padding is not the model's input's."""
    conv = CONVS[rank](3, 4, *geometry, padding_mode=word)
    return settle(nn.Sequential(nn.Tanh(), conv), _input(rank))


@pytest.mark.parametrize(("exporter", "opset", "free"), CONFIGURATIONS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rank", GEOMETRIES)
def test_padding_mode_of_a_layer(
    rank: int, mode: str, exporter: str, opset: int, free: bool
) -> None:
    x = _input(rank)
    for geometry in GEOMETRIES[rank]:
        net = _layer(rank, geometry, MODES[mode])
        model = export(net, x, exporter=exporter, opset=opset, free=free)
        _check_found_and_left(model, mode)
        for target, word in {**MODES, "zero": "zeros"}.items():
            if target == mode:
                continue
            candidate, result = rewritten(model, target, from_mode=mode)
            assert not result.refused
            wanted = outputs(_layer(rank, geometry, word), x)
            assert distance(run(candidate, {"x": x.numpy()}), wanted) <= ROUNDING


class _Padded(nn.Module):
    """A pad of its own in front of a convolution."""

    def __init__(self, pad: nn.Module) -> None:
        super().__init__()
        self.pad, self.conv = pad, nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Any size."""
        return self.conv(self.pad(x))


class _Pad(nn.Module):
    def __init__(self, pads: tuple[int, ...], mode: str) -> None:
        super().__init__()
        self.pads, self.mode = pads, mode

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x, self.pads, mode=self.mode)


@pytest.mark.parametrize(("exporter", "opset", "free"), CONFIGURATIONS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pads", [(1, 2, 0, 1), (2, 0, 0, 0), (0, 1, 1, 0), (3, 3, 2, 2)])
def test_pad_before_a_convolution(
    pads: tuple[int, ...], mode: str, exporter: str, opset: int, free: bool
) -> None:
    x = _input(2)
    net = settle(_Padded(_Pad(pads, MODES[mode])), x)
    model = export(net, x, exporter=exporter, opset=opset, free=free)
    _check_found_and_left(model, mode)
    for target in MODES:
        if target != mode:
            candidate, result = rewritten(model, target, from_mode=mode)
            assert not result.refused
            net.pad.mode = MODES[target]
            assert distance(run(candidate, {"x": x.numpy()}), outputs(net, x)) <= ROUNDING


class _Appended(nn.Module):
    """Circular as PyTorch wrote it up to 1.9: append the head, then put the tail in front."""

    def forward(self, x: Tensor) -> Tensor:
        for axis in (2, 3):
            x = torch.cat([x, x.narrow(axis, 0, 1)], axis)
            x = torch.cat([x.narrow(axis, x.shape[axis] - 2, 1), x], axis)
        return x


class _Panorama(nn.Module):
    """Width by hand, height by zeros: what 360° code does."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(torch.cat([x[..., -1:], x, x[..., :1]], -1), (0, 0, 1, 1))


@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
def test_circular_as_older_releases_wrote_it(exporter: str) -> None:
    x = _input(2)
    model = export(settle(_Padded(_Appended()), x), x, exporter=exporter, opset=18)
    _check_found_and_left(model, "wrap")


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
def test_panorama_keeps_its_width_and_changes_its_height(exporter: str, free: bool) -> None:
    x = _input(2)
    net = settle(_Padded(_Panorama()), x)
    model = export(net, x, exporter=exporter, opset=18, free=free)
    candidate, result = rewritten(model, "edge")
    assert len(result.changed) == 1
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (0, 0), (1, 1)), mode="wrap")
    padded = np.pad(padded, ((0, 0), (0, 0), (1, 1), (0, 0)), mode="edge")
    truth = outputs(net.conv, torch.from_numpy(padded))
    assert distance(run(candidate, {"x": x.numpy()}), truth) <= ROUNDING


class _Rolled(nn.Module):
    """A roll is two slices and a concatenation too, and pads nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.roll(x, 1, -1)


class _Neighbours(nn.Module):
    """Slices of another tensor around this one are no padding."""

    def forward(self, x: Tensor) -> Tensor:
        other = torch.sigmoid(x)
        return torch.cat([other[..., -1:], x, other[..., :1]], -1)


@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
@pytest.mark.parametrize("trap", [_Rolled, _Neighbours])
def test_what_only_looks_circular_is_no_site(trap: type[nn.Module], exporter: str) -> None:
    x = _input(2)
    model = export(settle(_Padded(trap()), x), x, exporter=exporter, opset=18)
    assert not onnxpad.find_sites(model)


def _check_found_and_left(model: onnx.ModelProto, mode: str) -> None:
    sites = onnxpad.find_sites(model)
    assert [site.mode.name for site in sites] == [mode], sites
    result = onnxpad.rewrite(model, "edge" if mode != "edge" else "reflect")
    assert not result.changed
    assert result.model.SerializeToString() == model.SerializeToString()
