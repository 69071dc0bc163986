"""Ports, crops and the order of axes: how model collections write what they pad."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, Head, conv_bn
from tests.frameworks.nets.mobile import SamePad


class Crossed(nn.Module):
    """NASNet's reduction: a path shifted by a Pad and a crop, joined to the unshifted one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(channels, 4, 1), nn.Conv2d(channels, 4, 1)
        self.norm, self.last = nn.BatchNorm2d(8), conv_bn(8, 6)

    def forward(self, x: Tensor) -> Tensor:
        """Half the size."""
        one = functional.avg_pool2d(x, 1, 2, count_include_pad=False)
        moved = functional.pad(x, (-1, 1, -1, 1))
        two = functional.avg_pool2d(moved, 1, 2, count_include_pad=False)
        return self.last(self.norm(torch.cat([self.one(one), self.two(two)], 1)))


class PaddedThenCropped(nn.Module):
    """NASNet's mobile cells: zeros at one side in front of a strided convolution, then a crop."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.deep = nn.Conv2d(
            channels, channels, kernel, 2, kernel // 2, groups=channels, bias=False
        )
        self.point, self.norm = (
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.pool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Half the size; the pool's path is padded and cropped alike."""
        x = torch.relu(x)
        y = self.norm(self.point(self.deep(functional.pad(x, (1, 0, 1, 0)))[:, :, 1:, 1:]))
        return y + self.pool(functional.pad(x, (1, 0, 1, 0)))[:, :, 1:, 1:]


class SamePools(nn.Module):
    """TensorFlow's pools in the ports: -inf or zeros in front of a pool without padding."""

    def forward(self, x: Tensor) -> Tensor:
        """The mean of both."""
        pads = []
        for size in (x.shape[3], x.shape[2]):
            total = max(((size + 1) // 2 - 1) * 2 + 3 - size, 0)
            pads += [total // 2, total - total // 2]
        high = functional.max_pool2d(functional.pad(x, pads, value=float("-inf")), 3, 2)
        return (
            high + functional.avg_pool2d(x, 3, 2, 1)[:, :, : high.shape[2], : high.shape[3]]
        ) / 2


class Mixer(nn.Module):
    """ConvMixer: depthwise with padding="same", also of an even kernel."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 3), nn.GELU(), nn.BatchNorm2d(6))
        self.deep = nn.Sequential(
            nn.Conv2d(6, 6, kernel, groups=6, padding="same"), nn.GELU(), nn.BatchNorm2d(6)
        )
        self.point = nn.Sequential(nn.Conv2d(6, 6, 1), nn.GELU(), nn.BatchNorm2d(6), Head(6))

    def forward(self, x: Tensor) -> Tensor:
        """Class scores."""
        x = self.stem(x)
        return self.point(x + self.deep(x))


class Last(nn.Module):
    """Channels last outside, permuted for every convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, (3, 5), 1, (1, 2)), nn.Conv2d(6, 4, 3, (2, 1), (0, 1))
        self.mix = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, H', W', 4)."""
        x = torch.relu(self.one(x).permute(0, 2, 3, 1))
        x = self.mix(x).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return self.two(x).permute(0, 2, 3, 1)


class Rows(nn.Module):
    """A sequence beside its channels, as tokens: a convolution along them through transposes."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(3 * 8, 8)
        self.conv = nn.Conv1d(8, 8, 4, padding=2)
        self.wide = nn.Conv2d(1, 4, (3, 8), padding=(1, 0))

    def forward(self, x: Tensor) -> Tensor:
        """Text CNN: kernels as wide as an embedding."""
        n, c, h, w = x.shape
        x = torch.tanh(self.enter(x.transpose(1, 2).reshape(n, h, c * w)))
        y = self.conv(x.transpose(1, 2))[..., 1:].transpose(1, 2)
        maps = torch.relu(self.wide(y[:, None])).squeeze(3)
        return functional.max_pool1d(maps, 3, 2)


class Tied(nn.Module):
    """One convolution module in a loop, on maps that shrink; ALBERT's economy."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv = conv_bn(3, 6), nn.Conv2d(6, 6, 3, padding=1)
        self.down = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """Three times, each on half the size."""
        x = self.stem(x)
        for _ in range(3):
            x = self.down(torch.relu(x + 0.5 * self.conv(x)))
        return x


class Gated(nn.Module):
    """Gated convolution for filling in: a sigmoid of a convolution times another, dilated."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 2 * outputs, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outputs, H, W)."""
        return functional.glu(self.conv(x), 1)


class Masked(nn.Module):
    """Partial convolution: the mask is convolved too, with ones, padded as the picture is."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 5, padding=2, bias=False)
        self.register_buffer("ones", torch.ones(1, 1, 5, 5))

    def forward(self, x: Tensor) -> Tensor:
        """Renormalised by what the window sees."""
        mask = (x[:, :1] > 1).to(x.dtype)
        seen = functional.conv2d(mask, self.ones, padding=2)
        return self.conv(x * mask) * 25 / (seen + 1)


class Edges(nn.Module):
    """Sobel and Laplace by fixed kernels, zeros around; kornia's and losses' way."""

    def __init__(self) -> None:
        super().__init__()
        side = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        self.register_buffer("sobel", torch.stack([side, side.t()])[:, None].repeat(3, 1, 1, 1))
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Gradients' magnitude, convolved."""
        n, c, h, w = x.shape
        found = functional.conv2d(x, self.sobel, padding="same", groups=c).view(n, c, 2, h, w)
        flat = functional.conv2d(x.reshape(n * c, 1, h, w), self.sobel[:1], padding=1)
        return self.conv(torch.sqrt(found.square().sum(2) + 1e-3) + flat.view(n, c, h, w) / 8)


class Learned(nn.Module):
    """StyleGAN's begin: a learned constant is convolved, and only a style comes from the input."""

    def __init__(self) -> None:
        super().__init__()
        self.constant, self.style = nn.Parameter(torch.empty(1, 4, 4, 5)), nn.Linear(3, 6)
        self.one, self.two = nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 3, 8, 10)."""
        y = self.one(self.constant) * self.style(x.mean((2, 3)))[:, :, None, None]
        return self.two(functional.interpolate(functional.leaky_relu(y, 0.2), scale_factor=2.0))


class Unbatched(nn.Module):
    """Convolutions of a picture that is no batch."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 3, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        """The first of the batch."""
        return self.two(torch.relu(self.one(x[0])))


class PadThenNorm(nn.Module):
    """Zeros, a norm over the channels, an activation that is spelled out, a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.conv = nn.LayerNorm(3), nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Behind the norm the border is no longer zero, but it is the Pad's all the same."""
        x = self.norm(functional.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.conv(functional.gelu(x))


def _fused() -> nn.Module:
    return nn.Sequential(
        SamePad(3, 6, 3, 2), nn.BatchNorm2d(6), nn.SiLU(), SamePools(), SamePad(6, 5, 4, 3),
    )  # fmt: skip


SIZES = ((1, 3, 14, 12), (1, 3, 10, 17), 13)
EVEN = ((1, 3, 16, 24), (1, 3, 32, 20), 13)

CASES = (
    Case("nasnet_reduction", lambda: nn.Sequential(conv_bn(3, 6), Crossed(6)), *EVEN),
    Case("nasnet_cell", lambda: nn.Sequential(conv_bn(3, 6), PaddedThenCropped(6, 5),
         conv_bn(6, 4)), *EVEN, modes=("edge",)),
    Case("same_pools", _fused, (1, 3, 33, 46), (1, 3, 37, 30), 13),
    Case("convmixer_even", lambda: Mixer(8), (1, 3, 30, 36), (1, 3, 42, 33), 13),
    Case("convmixer_odd", lambda: Mixer(9), (1, 3, 30, 36), (1, 3, 42, 33), 13),
    Case("channels_last", Last, *SIZES),
    Case("text_rows", Rows, (1, 3, 14, 8), oldest=13),
    Case("tied", Tied, *EVEN),
    Case("gated", lambda: nn.Sequential(Gated(3, 6, 1), Gated(6, 6, 2), Gated(6, 3, 4)), *SIZES),
    Case("masked", Masked, *SIZES),
    Case("edges", Edges, *SIZES),
    Case("stride_beyond_kernel", lambda: nn.Sequential(nn.Conv2d(3, 6, 3, 5, 2), nn.Tanh(),
         nn.Conv2d(6, 4, 1, 2, 1)), (1, 3, 22, 28), (1, 3, 31, 19), 13),
    Case("more_pad_than_kernel", lambda: nn.Sequential(nn.Conv2d(3, 6, 3, 1, (4, 2)), nn.Tanh(),
         nn.Conv2d(6, 4, (1, 3), 1, (2, 3))), *SIZES),
    # The newer exporter computes the first convolution, of constants alone, while it exports.
    Case("learned_constant", Learned, *SIZES, exporters=("torchscript",)),
    Case("unbatched", Unbatched, *SIZES),
    # PyTorch does not mirror a single position.
    Case("one_position", lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 6, 3, 1, 1),
         nn.Tanh(), nn.Conv2d(6, 4, 3, 1, 1)), *SIZES, modes=("edge", "wrap")),
    # Below opset 17 the norm is spelled out as means, where no border is followed.
    Case("pad_then_norm", PadThenNorm, *SIZES[:2], 17),
)  # fmt: skip
