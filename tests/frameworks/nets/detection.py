"""Pyramids, shared heads and context modules of detection and segmentation."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, Head, conv_bn


class SharedHead(nn.Module):
    """RetinaNet: one tower over three levels, answers flattened and joined."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList([conv_bn(3, 6, stride=2), conv_bn(6, 6, stride=2)])
        self.extra = nn.Conv2d(6, 6, 3, 2, 1)
        self.tower = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.GroupNorm(2, 6), nn.ReLU())
        self.boxes = nn.Conv2d(6, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, anchors, 4)."""
        maps = []
        for level in (*self.levels, self.extra):
            x = level(x)
            maps.append(x)
        found = [self.boxes(self.tower(m)).permute(0, 2, 3, 1).flatten(1) for m in maps]
        return torch.cat(found, 1).reshape(x.shape[0], -1, 4)


class TwoWays(nn.Module):
    """BiFPN: weighed sums, separable convolutions, down by a padded max-pool."""

    def __init__(self, channels: int = 6) -> None:
        super().__init__()
        self.stem, self.down = conv_bn(3, channels, stride=2), conv_bn(channels, channels, stride=2)
        self.weights = nn.Parameter(torch.empty(2, 2))
        self.mix = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
                conv_bn(channels, channels, 1),
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Two levels."""
        high = self.stem(x)
        low = self.down(high)
        w = torch.relu(self.weights)
        w = w / (w.sum(1, keepdim=True) + 1e-4)
        up = functional.interpolate(low, size=high.shape[2:], mode="nearest")
        high = self.mix[0](functional.silu(w[0, 0] * high + w[0, 1] * up))
        small = functional.max_pool2d(high, 3, 2, 1)
        return high, self.mix[1](functional.silu(w[1, 0] * low + w[1, 1] * small))


class C2f(nn.Module):
    """YOLOv8: halves, each bottleneck's answer kept, all joined; then SPPF and a DFL head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.enter = conv_bn(3, 8, 6, stride=2, padding=2), conv_bn(8, 8, 1)
        self.parts = nn.ModuleList(nn.Sequential(conv_bn(4, 4), conv_bn(4, 4)) for _ in range(2))
        self.leave, self.shrink = conv_bn(16, 8, 1), conv_bn(8, 4, 1)
        self.pool, self.after = nn.MaxPool2d(5, 1, 2), conv_bn(16, 8, 1)
        self.boxes = nn.Sequential(conv_bn(8, 8), nn.Conv2d(8, 4 * 8, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Distances (N, 4, positions)."""
        y = list(self.enter(self.stem(x)).chunk(2, 1))
        for part in self.parts:
            y.append(y[-1] + part(y[-1]))
        x = self.shrink(self.leave(torch.cat(y, 1)))
        pooled = [x]
        for _ in range(3):
            pooled.append(self.pool(pooled[-1]))
        boxes = self.boxes(self.after(torch.cat(pooled, 1))).flatten(2)
        bins = boxes.view(boxes.shape[0], 4, 8, -1).softmax(2)
        return (bins * torch.arange(8.0).view(1, 1, 8, 1)).sum(2)


class Focus(nn.Module):
    """YOLOX and YOLOv5: pixels to channels by slices, then a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.next = conv_bn(12, 8), conv_bn(8, 5, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """A quarter of the size."""
        parts = [x[..., i::2, j::2] for j in (0, 1) for i in (0, 1)]
        return self.next(self.conv(torch.cat(parts, 1)))


class Receptive(nn.Module):
    """RFB: strips, then dilations that fit them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            [
                nn.Sequential(conv_bn(channels, 4, 1), conv_bn(4, 4, padding=1)),
                nn.Sequential(
                    conv_bn(channels, 4, 1), conv_bn(4, 4, (1, 3)), conv_bn(4, 4, dilation=3)
                ),
                nn.Sequential(
                    conv_bn(channels, 4, 1), conv_bn(4, 4, (3, 1)), conv_bn(4, 4, dilation=5)
                ),
            ]
        )
        self.join = conv_bn(12, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Residual."""
        return torch.relu(x + 0.5 * self.join(torch.cat([part(x) for part in self.parts], 1)))


class Atrous(nn.Module):
    """ASPP with rates beyond the map: most of a kernel sees padding alone."""

    def __init__(self, rates: tuple[int, ...] = (3, 7, 12)) -> None:
        super().__init__()
        self.stem = conv_bn(3, 6, stride=2)
        self.parts = nn.ModuleList(conv_bn(6, 4, dilation=rate) for rate in rates)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_bn(6, 4, 1))
        self.join = conv_bn(4 * len(rates) + 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Half the size."""
        x = self.stem(x)
        pooled = functional.interpolate(self.pool(x), size=x.shape[2:], mode="bilinear")
        return self.join(torch.cat([*(part(x) for part in self.parts), pooled], 1))


class Pools(nn.Module):
    """PSPNet: means over grids, convolved, enlarged, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 6, stride=2)
        self.parts = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(grid), conv_bn(6, 3, kernel))
            for grid, kernel in ((1, 1), (2, 1), (4, 3))
        )
        self.join = nn.Conv2d(15, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Half the size."""
        x = self.stem(x)
        size = x.shape[2:]
        maps = [functional.interpolate(p(x), size=size, mode="bilinear") for p in self.parts]
        return self.join(torch.cat([x, *maps], 1))


class Objects(nn.Module):
    """OCRNet: regions gathered by soft scores, and each position described by them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.aux = conv_bn(3, 8), nn.Sequential(conv_bn(8, 8), nn.Conv2d(8, 4, 1))
        self.last = nn.Conv2d(16, 4, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores, and the auxiliary ones."""
        x = self.stem(x)
        n, c, h, w = x.shape
        aux = self.aux(x)
        regions = aux.flatten(2).softmax(2) @ x.flatten(2).transpose(1, 2)
        pairs = (x.flatten(2).transpose(1, 2) @ regions.transpose(1, 2) / c).softmax(-1)
        context = (pairs @ regions).transpose(1, 2).reshape(n, c, h, w)
        return self.last(torch.cat([x, context], 1)), aux


class Scales(nn.Module):
    """Res2Net: parts of the channels in a chain; a padded average pool ends the strided one."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.convs = nn.ModuleList(conv_bn(4, 4, stride=stride) for _ in range(3))
        self.pool = nn.AvgPool2d(3, stride, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Four parts of four channels."""
        parts, found = torch.split(x, 4, 1), []
        for part, conv in zip(parts[:3], self.convs, strict=True):
            carried = part + found[-1] if found and self.stride == 1 else part
            found.append(conv(carried))
        last = parts[3] if self.stride == 1 else self.pool(parts[3])
        return torch.cat([*found, last], 1)


class Layers(nn.Module):
    """DLA: trees whose roots join all their leaves; a max-pool at the shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.one, self.two = conv_bn(3, 6, 7), conv_bn(6, 8, stride=2), conv_bn(8, 8)
        self.root, self.short = conv_bn(22, 8, 1), nn.Sequential(nn.MaxPool2d(2))
        self.head = Head(8)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores."""
        x = self.stem(x)
        one = self.one(x)
        return self.head(self.root(torch.cat([self.two(one), one, self.short(x)], 1)))


SIZES = ((1, 3, 14, 12), (1, 3, 10, 17), 13)
EVEN = ((1, 3, 16, 24), (1, 3, 32, 20), 13)

CASES = (
    Case("retinanet", SharedHead, (1, 3, 24, 28), (1, 3, 32, 25), 13),
    Case("bifpn", TwoWays, EVEN[0], (1, 3, 23, 32), 13),
    Case("yolov8", C2f, *EVEN),
    Case("focus", Focus, *EVEN),
    Case("rfb", lambda: nn.Sequential(conv_bn(3, 6), Receptive(6)), *SIZES),
    # PyTorch mirrors less than a size, and wraps a whole one at most.
    Case("aspp_beyond", Atrous, (2, 3, 16, 18), (2, 3, 26, 21), 13, modes=("edge",)),
    Case("aspp_whole", lambda: Atrous((2, 5, 8)), (2, 3, 16, 18), (2, 3, 22, 15), 13,
         modes=("edge", "wrap")),
    Case("aspp_dilated", lambda: Atrous((2, 5, 7)), (2, 3, 18, 20), (2, 3, 26, 25), 13),
    Case("pspnet", Pools, (2, 3, 16, 24), oldest=13),
    Case("ocrnet", Objects, *SIZES),
    Case("res2net", lambda: nn.Sequential(conv_bn(3, 16), Scales(), Scales(2)), *SIZES),
    Case("dla", Layers, *EVEN),
)  # fmt: skip
