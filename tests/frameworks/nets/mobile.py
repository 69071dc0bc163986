"""Classifiers for small devices."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, Head, conv_bn
from tests.frameworks.nets.classic import Gate


def depthwise(channels: int, kernel: int = 3, act: bool = True, **options: object) -> nn.Sequential:
    """A depthwise convolution with batch norm."""
    return conv_bn(channels, channels, kernel, act, groups=channels, **options)


class Inverted(nn.Module):
    """MobileNet's inverted residual; with a gate and hard swish the third version's."""

    def __init__(self, channels: int, kernel: int = 3, new: bool = False) -> None:
        super().__init__()
        wide = 3 * channels
        act = nn.Hardswish if new else nn.ReLU6
        self.body = nn.Sequential(
            conv_bn(channels, wide, 1, act=False), act(),
            depthwise(wide, kernel, act=False), Gate(wide) if new else nn.Identity(), act(),
            conv_bn(wide, channels, 1, act=False),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Expand, convolve each channel, project, add."""
        return x + self.body(x)


class Shuffle(nn.Module):
    """ShuffleNetV2's unit: half the channels pass, then the halves are interleaved."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.body = nn.Sequential(
            conv_bn(half, half, 1), depthwise(half, act=False), conv_bn(half, half, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Split, convolve, shuffle."""
        passed, worked = x.chunk(2, 1)
        x = torch.cat([passed, self.body(worked)], 1)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class Ghost(nn.Module):
    """Half of the channels by a cheap depthwise convolution of the other half."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = conv_bn(inputs, outputs // 2, 1)
        self.cheap = depthwise(outputs // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Both halves."""
        x = self.first(x)
        return torch.cat([x, self.cheap(x)], 1)


class SamePad(nn.Module):
    """TensorFlow's SAME, as ports of TensorFlow weights compute it from the input's size."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1,
        groups: int = 1, style: str = "int",
    ) -> None:  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, dilation=dilation, groups=groups)
        self.reach, self.stride, self.style = (kernel - 1) * dilation + 1, stride, style

    def _total(self, size: int) -> int:
        steps = (size + self.stride - 1) // self.stride - 1
        return max(steps * self.stride + self.reach - size, 0)

    def _total_ceil(self, size: int | Tensor) -> int | Tensor:
        if isinstance(size, Tensor):
            steps = torch.ceil(size / self.stride) - 1
            return torch.clamp(steps * self.stride + self.reach - size, min=0).to(torch.int64)
        return self._total(size)

    def forward(self, x: Tensor) -> Tensor:
        """Pad by what the size asks for, more at the end, then convolve without padding."""
        total = self._total_ceil if self.style == "ceil" else self._total
        high, wide = total(x.shape[2]), total(x.shape[3])
        if self.style != "if" or high > 0 or wide > 0:
            x = functional.pad(x, [wide // 2, wide - wide // 2, high // 2, high - high // 2])
        return self.conv(x)


def same_net(style: str) -> nn.Module:
    """EfficientNet's stem and blocks in the TensorFlow port."""
    return nn.Sequential(
        SamePad(3, 8, 3, 2, style=style), nn.SiLU(), SamePad(8, 8, 5, 1, groups=8, style=style),
        nn.BatchNorm2d(8), nn.SiLU(), Gate(8), SamePad(8, 12, 5, 2, style=style), nn.SiLU(),
        SamePad(12, 12, 3, 1, 2, style=style), nn.SiLU(), Head(12),
    )  # fmt: skip


class Mixed(nn.Module):
    """MixNet: groups of channels with kernels of different sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList(depthwise(4, k) for k in (3, 5, 7))

    def forward(self, x: Tensor) -> Tensor:
        """Split, convolve, join."""
        chunks = torch.split(x, [4, 4, 4], 1)
        return torch.cat([part(c) for part, c in zip(self.parts, chunks, strict=True)], 1)


CASES = (
    Case(
        "mobilenet_v1",
        lambda: nn.Sequential(
            conv_bn(3, 8, stride=2),
            depthwise(8),
            conv_bn(8, 12, 1),
            depthwise(12, stride=2),
            conv_bn(12, 16, 1),
            Head(16),
        ),
        (1, 3, 24, 27),
        (1, 3, 31, 20),
    ),
    Case(
        "mobilenet_v2",
        lambda: nn.Sequential(conv_bn(3, 8, stride=2), Inverted(8), Inverted(8), Head(8)),
        (1, 3, 24, 24),
        (1, 3, 29, 26),
    ),
    Case(
        "mobilenet_v3",
        lambda: nn.Sequential(conv_bn(3, 8, stride=2), Inverted(8, 5, True), Head(8)),
        (1, 3, 24, 24),
        (1, 3, 29, 26),
    ),
    Case(
        "shufflenet",
        lambda: nn.Sequential(conv_bn(3, 8, stride=2), Shuffle(8), Shuffle(8), Head(8)),
        (1, 3, 24, 22),
        (1, 3, 18, 26),
    ),
    Case(
        "ghostnet",
        lambda: nn.Sequential(conv_bn(3, 8, stride=2), Ghost(8, 16), Ghost(16, 12), Head(12)),
        (1, 3, 20, 22),
        (1, 3, 26, 18),
    ),
    Case("tf_same_int", lambda: same_net("int"), (1, 3, 32, 29), (1, 3, 37, 30), oldest=11),
    Case("tf_same_ceil", lambda: same_net("ceil"), (1, 3, 32, 29), (1, 3, 37, 30), oldest=11),
    Case("tf_same_if", lambda: same_net("if"), (1, 3, 32, 30), oldest=9),
    Case(
        "mixnet",
        lambda: nn.Sequential(conv_bn(3, 12), Mixed(), conv_bn(12, 12, 1), Mixed(), Head(12)),
        (1, 3, 20, 18),
        (1, 3, 15, 23),
    ),
)
