"""Kernels that are computed: standardised, normalised, mixed or modulated in the graph."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from tests.frameworks.nets.case import Case, Head, conv_bn


class Standardised(nn.Conv2d):
    """NF-ResNet's convolution: each filter to mean 0 and variance 1 whenever it is used."""

    def forward(self, x: Tensor) -> Tensor:
        """Through batch norm, as model collections write it."""
        weight = functional.batch_norm(
            self.weight.reshape(1, self.out_channels, -1), None, None, training=True, eps=1e-6
        ).reshape_as(self.weight)
        return functional.conv2d(
            x, 0.3 * weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class StandardisedSame(Standardised):
    """The same behind a Pad as TensorFlow pads."""

    def forward(self, x: Tensor) -> Tensor:
        """Pads from the sizes of now."""
        pads = []
        for size, k, s in zip(x.shape[:1:-1], self.kernel_size, self.stride, strict=True):
            total = max(((size + s - 1) // s - 1) * s + k - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(x, pads))


class PlainlyStandardised(nn.Conv2d):
    """BiT's: mean and variance spelled out."""

    def forward(self, x: Tensor) -> Tensor:
        """The weight's statistics stay in the graph."""
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        spread = self.weight.var((1, 2, 3), keepdim=True, unbiased=False)
        weight = (self.weight - mean) / torch.sqrt(spread + 1e-5) * 0.3
        return self._conv_forward(x, weight, self.bias)


class Conditional(nn.Module):
    """CondConv: every picture mixes its own kernel; the batch becomes groups."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 6, stride=2)
        self.route = nn.Linear(6, 4)
        self.experts = nn.Parameter(torch.empty(4, 5 * 6 * 3 * 3))
        self.last = nn.Conv2d(5, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 4, H/2, W/2)."""
        x = self.stem(x)
        n, c, h, w = x.shape
        weight = torch.sigmoid(self.route(x.mean((2, 3)))) @ self.experts
        x = functional.conv2d(
            x.reshape(1, n * c, h, w), weight.reshape(n * 5, c, 3, 3), padding=1, groups=n
        )
        return self.last(torch.relu(x).reshape(n, 5, h, w))


class Modulated(nn.Module):
    """StyleGAN 2: a style scales the kernel, demodulation brings it back, then a blur."""

    def __init__(self) -> None:
        super().__init__()
        self.style = nn.Linear(3, 6)
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.weight = nn.Parameter(torch.empty(5, 6, 3, 3))
        self.register_buffer("kernel", torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8)

    def forward(self, x: Tensor) -> Tensor:
        """One picture to twice its size, less what the blur takes."""
        style = self.style(x.mean((2, 3))) + 1
        x = torch.relu(self.first(x))
        weight = self.weight[None] * style[:, None, :, None, None]
        weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = functional.leaky_relu(functional.conv2d(x, weight[0], padding=1), 0.2)
        return self._up(x)

    def _up(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        x = functional.pad(x.reshape(n, c, h, 1, w, 1), (0, 1, 0, 0, 0, 1))
        x = functional.pad(x.reshape(n, c, h * 2, w * 2), (2, 1, 2, 1))
        kernel = (self.kernel[:, None] * self.kernel)[None, None].repeat(c, 1, 1, 1) * 4
        return functional.conv2d(x, kernel, groups=c)


class Many(nn.Module):
    """MobileOne while training: branches of one convolution, a 1x1 and a norm, summed."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.same = stride == 1
        options = {"stride": stride, "groups": channels, "act": False}
        self.branches = nn.ModuleList(conv_bn(channels, channels, 3, **options) for _ in range(3))
        self.scale = conv_bn(channels, channels, 1, **options)
        self.skip = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """A sum whose terms see padding or not."""
        y = self.scale(x) + sum(branch(x) for branch in self.branches)
        return torch.relu(y + self.skip(x) if self.same else y)


class Partial(nn.Module):
    """FasterNet: only the first channels are convolved."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv = nn.Conv2d(3, 8, 4, 4), nn.Conv2d(2, 2, 3, 1, 1, bias=False)
        self.mix = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Split, convolve, join."""
        some, rest = torch.split(self.stem(x), [2, 6], 1)
        return self.mix(torch.cat([self.conv(some), rest], 1))


class Differences(nn.Module):
    """Central differences: the kernel's sum is taken off as a 1x1 convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Two uses of one weight."""
        centre = functional.conv2d(x, self.conv.weight.sum((2, 3), keepdim=True))
        return self.last(torch.relu(self.conv(x) - 0.7 * centre))


class Replaced(nn.Module):
    """RepLKNet: a very large and a small depthwise kernel side by side."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.stem = conv_bn(3, 6, stride=2)
        self.large = conv_bn(6, 6, kernel, act=False, groups=6)
        self.small = conv_bn(6, 6, 5, act=False, groups=6)
        self.wide = conv_bn(6, 6, (kernel, 5), act=False, groups=6)
        self.head = Head(6)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores."""
        x = self.stem(x)
        return self.head(torch.relu(self.large(x) + self.small(x) + self.wide(x)))


def _standardised(first: type[nn.Conv2d], **options: object) -> nn.Module:
    return nn.Sequential(
        first(3, 8, 3, stride=2, **options), nn.SiLU(), first(8, 8, 3, groups=2, **options),
        nn.SiLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 5, 3, padding=1),
    )  # fmt: skip


def _normed(wrap: object) -> nn.Module:
    conv = nn.Conv2d(3, 8, 3, padding=1)
    return nn.Sequential(wrap(conv), nn.ReLU(), wrap(nn.Conv2d(8, 5, 4, 2, 1)))


CASES = (
    Case("standardised", lambda: _standardised(Standardised, padding=1), (1, 3, 20, 23),
         (1, 3, 25, 18), oldest=13),
    Case("standardised_same", lambda: _standardised(StandardisedSame), (1, 3, 20, 23),
         (1, 3, 25, 18), oldest=13),
    Case("big_transfer", lambda: _standardised(PlainlyStandardised, padding=1), (1, 3, 20, 23),
         (1, 3, 25, 18), oldest=13),
    Case("weight_norm", lambda: _normed(parametrizations.weight_norm), (1, 3, 14, 12),
         (1, 3, 9, 16), oldest=13),
    Case("spectral_norm", lambda: _normed(parametrizations.spectral_norm), (1, 3, 14, 12),
         (1, 3, 9, 16), exporters=("dynamo",)),
    Case("old_spectral_norm", lambda: _normed(nn.utils.spectral_norm), (1, 3, 14, 12),
         (1, 3, 9, 16), oldest=13),
    Case("old_weight_norm", lambda: _normed(nn.utils.weight_norm), (1, 3, 14, 12),
         (1, 3, 9, 16), oldest=13),
    Case("conditional", Conditional, (2, 3, 18, 16), (2, 3, 20, 26), exporters=("dynamo",)),
    Case("modulated", Modulated, (1, 3, 10, 12), oldest=13),
    Case("modulated_free", Modulated, (1, 3, 10, 12), (1, 3, 14, 9), exporters=("dynamo",)),
    Case("mobileone", lambda: nn.Sequential(conv_bn(3, 6), Many(6), Many(6, 2), Head(6)),
         (1, 3, 14, 17), (1, 3, 19, 12), oldest=13),
    Case("fasternet", Partial, (1, 3, 24, 28), (1, 3, 36, 20), oldest=13),
    Case("central_difference", Differences, (1, 3, 14, 12), (1, 3, 9, 16), oldest=13),
    Case("replknet_branches", lambda: Replaced(31), (1, 3, 40, 38), (1, 3, 44, 50), oldest=13),
)  # fmt: skip
