"""Pictures to pictures: super-resolution, denoising, translation."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, conv_bn


class ChannelAttention(nn.Module):
    """RCAN's residual block with a gate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1),
        )  # fmt: skip
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 4, 1, padding=0), nn.ReLU(),
            nn.Conv2d(4, channels, 1, padding=0), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """A tenth of the residual."""
        y = self.body(x)
        return x + 0.3 * y * self.gate(y)


class Rcan(nn.Module):
    """Means taken off by a 1x1, residual groups, pixel shuffles by 3 and 2."""

    def __init__(self) -> None:
        super().__init__()
        self.shift, self.head = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 6, 3, padding=1)
        self.body = nn.Sequential(
            ChannelAttention(6), ChannelAttention(6), nn.Conv2d(6, 6, 3, padding=1)
        )
        self.tail = nn.Sequential(
            nn.Conv2d(6, 54, 3, padding=1), nn.PixelShuffle(3), nn.Conv2d(6, 3, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Three times the size."""
        x = self.head(self.shift(x))
        return self.tail(x + self.body(x))


class DenseResidual(nn.Module):
    """ESRGAN: dense blocks, nearest upsampling before convolutions; input unshuffled first."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(12, 6, 3, padding=1)
        self.dense = nn.ModuleList(nn.Conv2d(6 + 4 * i, 4, 3, padding=1) for i in range(3))
        self.fuse = nn.Conv2d(18, 6, 3, padding=1)
        self.up, self.last = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The same size."""
        x = self.first(functional.pixel_unshuffle(x, 2))
        maps = [x]
        for conv in self.dense:
            maps.append(functional.leaky_relu(conv(torch.cat(maps, 1)), 0.2))
        x = x + 0.2 * self.fuse(torch.cat(maps, 1))
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        return self.last(functional.leaky_relu(self.up(x), 0.2))


class WindowedRestoration(nn.Module):
    """SwinIR: the input mirrored up to whole windows, convolutions around attention, a crop."""

    def __init__(self, window: int = 4) -> None:
        super().__init__()
        self.window = window
        self.first, self.last = nn.Conv2d(3, 8, 3, 1, 1), nn.Conv2d(8, 12, 3, 1, 1)
        self.mix, self.norm = nn.Linear(8, 24), nn.LayerNorm(8)
        self.after = nn.Conv2d(8, 8, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Twice the size."""
        h, w = x.shape[2:]
        k = self.window
        x = functional.pad(x, (0, (k - w % k) % k, 0, (k - h % k) % k), "reflect")
        x = self.first(x)
        n, c, high, wide = x.shape
        y = x.view(n, c, high // k, k, wide // k, k).permute(0, 2, 4, 3, 5, 1)
        query, key, value = self.mix(self.norm(y.reshape(-1, k * k, c))).chunk(3, -1)
        y = (query @ key.transpose(1, 2) / c).softmax(-1) @ value
        y = y.reshape(n, high // k, wide // k, k, k, c).permute(0, 5, 1, 3, 2, 4)
        x = x + self.after(y.reshape(n, c, high, wide))
        return functional.pixel_shuffle(self.last(x), 2)[:, :, : h * 2, : w * 2]


class Gated(nn.Module):
    """NAFNet: channels multiplied in halves, layer norm over channels by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain, self.shift = (
            nn.Parameter(torch.empty(channels)),
            nn.Parameter(torch.empty(channels)),
        )
        self.grow = nn.Conv2d(channels, 2 * channels, 1)
        self.deep = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.attend, self.shrink = (
            nn.Conv2d(channels, channels, 1),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Residual."""
        mean = x.mean(1, keepdim=True)
        y = (x - mean) / ((x - mean).pow(2).mean(1, keepdim=True) + 1e-6).sqrt()
        y = self.deep(self.grow(y * self.gain.view(1, -1, 1, 1) + self.shift.view(1, -1, 1, 1)))
        left, right = y.chunk(2, 1)
        y = left * right
        return x + 0.5 * self.shrink(y * self.attend(functional.adaptive_avg_pool2d(y, 1)))


class Translation(nn.Module):
    """CycleGAN: mirrored in the residual blocks already, zeros where it shrinks."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(3, 6, 7), nn.InstanceNorm2d(6), nn.ReLU(),
            nn.Conv2d(6, 8, 3, 2, 1), nn.InstanceNorm2d(8), nn.ReLU(),
        )  # fmt: skip
        self.residual = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8), nn.ReLU(),
            nn.ReplicationPad2d(1), nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8),
        )  # fmt: skip
        self.up = nn.Sequential(
            nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.ReLU(), nn.ReflectionPad2d(3),
            nn.Conv2d(6, 3, 7), nn.Tanh(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The same size."""
        x = self.body(x)
        return self.up(x + self.residual(x))


class Blur(nn.Module):
    """BlurPool: mirrored, then a fixed kernel on every channel with stride 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", (row[:, None] * row).expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        """Half the size."""
        x = functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(x, self.kernel, stride=2, groups=x.shape[1])


class ZeroBlur(Blur):
    """The same with zeros."""

    def forward(self, x: Tensor) -> Tensor:
        """Half the size."""
        return functional.conv2d(x, self.kernel, stride=2, padding=1, groups=x.shape[1])


class Attentive(nn.Module):
    """Attention U-Net: the skip is weighed by a gate from below."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.join = conv_bn(3, 6), conv_bn(6, 8), conv_bn(12, 6)
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), conv_bn(8, 6))
        self.near, self.below = conv_bn(6, 4, 1, act=False), conv_bn(6, 4, 1, act=False)
        self.gate, self.last = nn.Conv2d(4, 1, 1), nn.Conv2d(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores for every position."""
        one = self.one(x)
        up = self.up(self.two(functional.max_pool2d(one, 2)))
        gate = torch.sigmoid(self.gate(torch.relu(self.near(one) + self.below(up))))
        return self.last(self.join(torch.cat([up, one * gate], 1)))


class Nested(nn.Module):
    """UNet++: every skip is convolved with what comes from below; deep supervision."""

    def __init__(self) -> None:
        super().__init__()
        self.a0, self.b0, self.c0 = conv_bn(3, 4), conv_bn(4, 6), conv_bn(6, 8)
        self.a1, self.b1, self.a2 = conv_bn(10, 4), conv_bn(14, 6), conv_bn(14, 4)
        self.heads = nn.ModuleList(nn.Conv2d(4, 2, 1) for _ in range(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Two score maps."""
        down = nn.functional.max_pool2d
        a0 = self.a0(x)
        b0 = self.b0(down(a0, 2))
        c0 = self.c0(down(b0, 2))
        a1 = self.a1(torch.cat([a0, self._up(b0)], 1))
        b1 = self.b1(torch.cat([b0, self._up(c0)], 1))
        a2 = self.a2(torch.cat([a0, a1, self._up(b1)], 1))
        return self.heads[0](a1), self.heads[1](a2)

    def _up(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


class Aligned(nn.Module):
    """U-Net whose upsampled maps are padded to the skip's size: zeros around, but no convolution's.

    The Pad feeds a concatenation, so it stays what it is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.join = conv_bn(3, 6), conv_bn(6, 8), conv_bn(12, 6)
        self.up = nn.ConvTranspose2d(8, 6, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """The input's size, whatever it is."""
        one = self.one(x)
        up = self.up(self.two(functional.max_pool2d(one, 2)))
        high, wide = one.shape[2] - up.shape[2], one.shape[3] - up.shape[3]
        up = functional.pad(up, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return self.join(torch.cat([one, up], 1))


class Denoiser(nn.Module):
    """FFDNet and DnCNN: noise level as a map, convolutions in a row, the input taken off."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(),
            *(conv_bn(8, 8) for _ in range(4)), nn.Conv2d(8, 3, 3, padding=1, bias=False),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The rest."""
        level = torch.full_like(x[:, :1], 0.1)
        return x - self.body(torch.cat([x, level], 1))


SIZES = ((1, 3, 14, 12), (1, 3, 10, 17), 13)
EVEN = ((1, 3, 16, 12), (1, 3, 20, 24), 13)

CASES = (
    Case("rcan", Rcan, *SIZES),
    Case("esrgan", DenseResidual, *EVEN),
    Case("swinir", WindowedRestoration, (1, 3, 14, 13), (1, 3, 10, 19), 13),
    Case("nafnet", lambda: nn.Sequential(nn.Conv2d(3, 6, 3, 1, 1), Gated(6), Gated(6),
         nn.Conv2d(6, 3, 3, 1, 1)), *SIZES),
    Case("cyclegan", Translation, *EVEN),
    Case("blurpool", lambda: nn.Sequential(conv_bn(3, 6), nn.MaxPool2d(2, 1), Blur(6),
         conv_bn(6, 4), Blur(4)), *SIZES),
    Case("zero_blurpool", lambda: nn.Sequential(conv_bn(3, 6), ZeroBlur(6), conv_bn(6, 4)),
         *SIZES),
    Case("attention_unet", Attentive, *EVEN),
    Case("nested_unet", Nested, *EVEN),
    Case("aligned_unet", Aligned, (1, 3, 15, 13), (1, 3, 19, 22), 13, pads=False),
    Case("denoiser", Denoiser, *SIZES),
)  # fmt: skip
