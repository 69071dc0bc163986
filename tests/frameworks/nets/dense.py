"""Image to image, segmentation, detection: nets whose outputs have positions."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, conv_bn
from tests.frameworks.nets.classic import Basic


class UNet(nn.Module):
    """Two scales down, two up by transposed convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(conv_bn(3, 8), conv_bn(8, 8))
        self.second = nn.Sequential(nn.MaxPool2d(2), conv_bn(8, 12))
        self.third = nn.Sequential(nn.MaxPool2d(2), conv_bn(12, 16))
        self.up_second = nn.ConvTranspose2d(16, 12, 2, 2)
        self.up_first = nn.ConvTranspose2d(12, 8, 4, 2, 1)
        self.merge_second, self.merge_first = conv_bn(24, 12), conv_bn(16, 8)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 2, H, W); H and W multiples of 4."""
        first = self.first(x)
        second = self.second(first)
        second = self.merge_second(torch.cat([second, self.up_second(self.third(second))], 1))
        return self.head(self.merge_first(torch.cat([first, self.up_first(second)], 1)))


class CropUNet(nn.Module):
    """A U-Net for odd sizes: what comes up is padded with zeros to the size of its partner.

    That Pad feeds a concatenation, it is no padding of a convolution and has to stay.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = conv_bn(3, 8), nn.Sequential(nn.MaxPool2d(2), conv_bn(8, 12))
        self.merge = conv_bn(20, 6)

    def forward(self, x: Tensor) -> Tensor:
        """Any size."""
        first = self.first(x)
        up = functional.interpolate(self.second(first), scale_factor=2.0, mode="nearest")
        high, wide = first.shape[2] - up.shape[2], first.shape[3] - up.shape[3]
        return self.merge(torch.cat([first, functional.pad(up, (0, wide, 0, high))], 1))


class Pyramid(nn.Module):
    """A feature pyramid: upsampled and added from the top."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList([conv_bn(3, 8, stride=2), Basic(8, 12, 2), Basic(12, 16, 2)])
        self.laterals = nn.ModuleList(nn.Conv2d(c, 8, 1) for c in (8, 12, 16))
        self.outputs = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(3))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Three maps of the same depth."""
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        top: Tensor | None = None
        merged = []
        for lateral, found in zip(reversed(self.laterals), reversed(maps), strict=True):
            here = lateral(found)
            if top is not None:
                here = here + functional.interpolate(top, size=here.shape[2:], mode="nearest")
            top = here
            merged.append(here)
        return [out(m) for out, m in zip(self.outputs, merged, strict=True)]


class HighResolution(nn.Module):
    """HRNet: two resolutions side by side, fused both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 8, stride=2)
        self.fine, self.coarse = Basic(8, 8), Basic(8, 12, 2)
        self.down = conv_bn(8, 12, stride=2, act=False)
        self.up = conv_bn(12, 8, 1, act=False)
        self.last = conv_bn(8, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """A fine and a coarse map."""
        x = self.stem(x)
        fine, coarse = self.fine(x), self.coarse(x)
        raised = functional.interpolate(self.up(coarse), scale_factor=2.0, mode="bilinear")
        return self.last(torch.relu(fine + raised)), torch.relu(coarse + self.down(fine))


class DeepLab(nn.Module):
    """Atrous spatial pyramid pooling: dilated branches and an image-wide one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 8, stride=2)
        self.branches = nn.ModuleList(
            [conv_bn(8, 6, 1), *(conv_bn(8, 6, dilation=d) for d in (2, 4, 6))]
        )
        self.image = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 6, 1), nn.ReLU())
        self.head = nn.Sequential(conv_bn(30, 8), nn.Conv2d(8, 3, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to class scores of the same size."""
        size = x.shape[2:]
        x = self.stem(x)
        image = self.image(x).expand(-1, -1, x.shape[2], x.shape[3])
        x = self.head(torch.cat([*(branch(x) for branch in self.branches), image], 1))
        return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


class Csp(nn.Module):
    """YOLO's cross-stage block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.left, self.right = conv_bn(channels, half, 1), conv_bn(channels, half, 1)
        self.work = nn.Sequential(conv_bn(half, half, 1), conv_bn(half, half))
        self.join = conv_bn(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Half of the channels get a residual."""
        left = self.left(x)
        return self.join(torch.cat([left + self.work(left), self.right(x)], 1))


class PoolPyramid(nn.Module):
    """YOLO's SPPF: the same padded max pool three times, all results side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.join = conv_bn(4 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The pools' padding is minus infinity and stays."""
        first = self.pool(x)
        second = self.pool(first)
        return self.join(torch.cat([x, first, second, self.pool(second)], 1))


class Yolo(nn.Module):
    """Focus stem by slicing, CSP, SPPF, two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(12, 8)
        self.body = nn.Sequential(conv_bn(8, 12, stride=2), Csp(12), PoolPyramid(12))
        self.near, self.far = nn.Conv2d(20, 6, 3, padding=1), nn.Conv2d(12, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Predictions of both scales in one list (N, positions, 6)."""
        parts = [x[..., i::2, j::2] for j in (0, 1) for i in (0, 1)]
        fine = self.stem(torch.cat(parts, 1))
        coarse = self.body(fine)
        near = self.near(
            torch.cat([fine, functional.interpolate(coarse, scale_factor=2.0, mode="nearest")], 1)
        )
        maps = [near, self.far(coarse)]
        return torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1)


class SuperResolution(nn.Module):
    """EDSR: residual convolutions, a global shortcut, a pixel shuffle."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 5, padding=2)
        self.body = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1), nn.PReLU(8), nn.Conv2d(8, 8, 3, padding=1)
        )
        self.last = nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) to (N, 1, 2H, 2W)."""
        first = torch.tanh(self.first(x))
        return functional.pixel_shuffle(self.last(first + self.body(first)), 2)


class Generator(nn.Module):
    """Image translation: stride 2 down, a residual, transposed convolutions up."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 7, padding=3), nn.InstanceNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 12, 3, 2, 1), nn.InstanceNorm2d(12, affine=True), nn.ReLU(),
            Basic(12, 12), nn.ConvTranspose2d(12, 8, 3, 2, 1, output_padding=1), nn.ReLU(),
            nn.Conv2d(8, 3, 7, padding=3), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to the same size."""
        return self.body(x)


class Hourglass(nn.Module):
    """Down and up once around a shortcut, with stacked heads."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.low = conv_bn(3, 8), nn.Sequential(nn.MaxPool2d(2), Basic(8, 8))
        self.skip, self.head = Basic(8, 8), nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Heat maps."""
        x = self.stem(x)
        return self.head(self.skip(x) + functional.interpolate(self.low(x), scale_factor=2.0))


CASES = (
    Case("unet", UNet, (1, 3, 24, 28), (1, 3, 32, 20)),
    Case("unet_odd_sizes", CropUNet, (1, 3, 19, 22), (1, 3, 23, 21), oldest=11, pads=False),
    Case("feature_pyramid", Pyramid, (1, 3, 32, 40), (1, 3, 48, 32), oldest=11),
    Case("hrnet", HighResolution, (1, 3, 24, 32), (1, 3, 32, 20), oldest=11),
    Case("deeplab", DeepLab, (1, 3, 33, 29), (1, 3, 41, 30), oldest=11),
    Case("yolo", Yolo, (1, 3, 32, 40), (1, 3, 40, 24), oldest=11),
    Case("super_resolution", SuperResolution, (1, 1, 14, 17), (1, 1, 20, 11), oldest=11),
    Case("translation", Generator, (1, 3, 24, 20), (1, 3, 28, 32)),
    Case("hourglass", Hourglass, (1, 3, 20, 24), (1, 3, 28, 18), oldest=11),
)
