"""Large kernels, normalisation by layer, and attention beside convolutions."""

import torch
from torch import Tensor, nn

from tests.frameworks.nets.case import Case, Head, conv_bn


class ConvNextBlock(nn.Module):
    """A 7x7 depthwise convolution, then layers on channels last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.grow, self.shrink = nn.Linear(channels, 32), nn.Linear(32, channels)
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Residual."""
        inner = self.norm(self.spatial(x).permute(0, 2, 3, 1))
        inner = self.gamma * self.shrink(torch.nn.functional.gelu(self.grow(inner)))
        return x + inner.permute(0, 3, 1, 2)


class LargeKernel(nn.Module):
    """RepLKNet: 31x31 and 5x5 depthwise convolutions side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.large = conv_bn(channels, channels, 31, act=False, groups=channels)
        self.small = conv_bn(channels, channels, 5, act=False, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        """Their sum."""
        return torch.relu(self.large(x) + self.small(x)) + x


class LargeAttention(nn.Module):
    """VAN: a 5x5, a dilated 7x7 and a 1x1 convolution make weights for every position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weights = nn.Sequential(
            nn.Conv2d(channels, channels, 5, padding=2, groups=channels),
            nn.Conv2d(channels, channels, 7, padding=9, dilation=3, groups=channels),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Weigh."""
        return x * self.weights(x)


class MobileVit(nn.Module):
    """Attention over patches between two convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = conv_bn(channels, channels)
        self.norm = nn.LayerNorm(channels)
        self.attend = nn.MultiheadAttention(channels, 2, batch_first=True)
        self.fuse = conv_bn(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, attend over all positions, fuse."""
        n, c, h, w = x.shape
        tokens = self.norm(self.local(x).flatten(2).transpose(1, 2))
        tokens = tokens + self.attend(tokens, tokens, tokens, need_weights=False)[0]
        return self.fuse(torch.cat([x, tokens.transpose(1, 2).reshape(n, c, h, w)], 1))


class PositionEncoding(nn.Module):
    """CPVT: tokens become a map, get what a depthwise convolution adds, and become tokens again."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, channels, 4, 4)
        self.encode = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.mix = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to tokens (N, H*W/16, C)."""
        x = self.patch(x)
        n, c, h, w = x.shape
        tokens = torch.relu(self.mix(x.flatten(2).transpose(1, 2)))
        plane = tokens.transpose(1, 2).reshape(n, c, h, w)
        return tokens + self.encode(plane).flatten(2).transpose(1, 2)


class Pooling(nn.Module):
    """PoolFormer: a padded average pool, which is no convolution, instead of attention."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Residual."""
        inner = self.norm(x)
        return x + self.mix(self.pool(inner) - inner)


CASES = (
    Case(
        "convnext",
        lambda: nn.Sequential(nn.Conv2d(3, 8, 4, 4), ConvNextBlock(8), ConvNextBlock(8), Head(8)),
        (1, 3, 32, 36),
        (1, 3, 40, 32),
    ),
    Case(
        "replknet",
        lambda: nn.Sequential(conv_bn(3, 6), LargeKernel(6), conv_bn(6, 6)),
        (1, 3, 34, 37),
        (1, 3, 40, 33),
    ),
    Case(
        "large_attention",
        lambda: nn.Sequential(conv_bn(3, 8), LargeAttention(8), conv_bn(8, 5)),
        (1, 3, 24, 21),
        (1, 3, 19, 26),
    ),
    Case(
        "mobilevit",
        lambda: nn.Sequential(conv_bn(3, 8, stride=2), MobileVit(8), Head(8)),
        (1, 3, 16, 20),
        oldest=14,
    ),
    Case("position_encoding", lambda: PositionEncoding(8), (1, 3, 24, 28), (1, 3, 32, 20)),
    Case(
        "poolformer",
        lambda: nn.Sequential(nn.Conv2d(3, 8, 7, 4, 2), Pooling(8), Pooling(8), Head(8)),
        (1, 3, 33, 36),
        (1, 3, 28, 40),
    ),
)
