"""The ways to write padding that are not a convolution's own symmetric pads."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, conv_bn


class Functional(nn.Module):
    """Convolutions as functions of weights that are parameters of their own."""

    def __init__(self, padding: int | str | tuple[int, int], kernel: int = 3) -> None:
        super().__init__()
        self.padding = padding
        self.first = nn.Parameter(torch.empty(6, 3, kernel, kernel))
        self.second = nn.Parameter(torch.empty(5, 6, kernel, kernel))
        self.shift = nn.Parameter(torch.empty(6))

    def forward(self, x: Tensor) -> Tensor:
        """Two of them."""
        x = torch.relu(functional.conv2d(x, self.first, self.shift, padding=self.padding))
        return functional.conv2d(x, self.second, padding=self.padding)


class PadThen(nn.Module):
    """A zero Pad, something pointwise, then one convolution or more without padding."""

    def __init__(self, pads: tuple[int, ...], between: nn.Module, *convs: nn.Module) -> None:
        super().__init__()
        self.pads, self.between, self.convs = pads, between, nn.ModuleList(convs)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of what the convolutions give."""
        x = self.between(functional.pad(x, self.pads))
        return torch.stack([conv(x) for conv in self.convs]).sum(0)


class BothPads(nn.Module):
    """A Pad in front of a convolution that pads as well."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 5, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Exporters may fold the one into the other."""
        return self.conv(functional.pad(x, (1, 1, 1, 1)))


class Shared(nn.Module):
    """One convolution at three scales, as in detection heads."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Three maps."""
        return [torch.sigmoid(self.conv(functional.avg_pool2d(x, k))) for k in (1, 2, 4)]


class Cropped(nn.Module):
    """A negative pad takes positions away; the convolution behind it pads."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """One Pad that is a crop."""
        return self.conv(functional.pad(x, (-1, -2, -2, -1)))


class TwoInputs(nn.Module):
    """Two pictures, one convolution each, compared."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = conv_bn(3, 6), conv_bn(3, 6, 5)
        self.join = nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of one input, seen twice."""
        left, right = self.left(x), self.right(x.flip(1))
        return self.join(left - right), left * right


class Matrices(nn.Module):
    """Depthwise blurring by a constant kernel made in forward."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Blur both ways, then convolve."""
        kernel = self.kernel
        high = kernel.view(1, 1, 5, 1).expand(3, 1, 5, 1)
        wide = kernel.view(1, 1, 1, 5).expand(3, 1, 1, 5)
        x = functional.conv2d(x, high, padding=(2, 0), groups=3)
        return self.conv(functional.conv2d(x, wide, padding=(0, 2), groups=3))


CASES = (
    Case(
        "same",
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, padding="same"),
            nn.ReLU(),
            nn.Conv2d(6, 6, 4, padding="same"),
            nn.ReLU(),
            nn.Conv2d(6, 4, (2, 5), padding="same"),
        ),
        (1, 3, 13, 16),
        (1, 3, 18, 11),
    ),
    Case(
        "same_dilated",
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, padding="same", dilation=2),
            nn.ReLU(),
            nn.Conv2d(6, 4, 4, padding="same", dilation=(3, 1)),
        ),
        (1, 3, 17, 16),
        (1, 3, 18, 21),
        unrunnable=("torchscript",),
    ),
    Case("functional", lambda: Functional(1), (1, 3, 12, 15), (1, 3, 17, 9)),
    Case("functional_uneven", lambda: Functional((2, 0), 5), (1, 3, 14, 15), (1, 3, 17, 19)),
    Case("functional_same", lambda: Functional("same", 4), (1, 3, 12, 15), (1, 3, 17, 9)),
    Case(
        "pad_uneven",
        lambda: PadThen((1, 2, 0, 1), nn.Identity(), nn.Conv2d(3, 5, 4, 2)),
        (1, 3, 13, 12),
        (1, 3, 15, 18),
    ),
    Case(
        "pad_pointwise",
        lambda: PadThen((1, 1, 2, 2), nn.ReLU(), nn.Conv2d(3, 5, (5, 3))),
        (1, 3, 13, 12),
        (1, 3, 15, 18),
    ),
    Case(
        "pad_shared",
        lambda: PadThen(
            (2, 2, 2, 2), nn.LeakyReLU(), nn.Conv2d(3, 5, 5), nn.Conv2d(3, 5, 3, dilation=2)
        ),
        (1, 3, 13, 12),
        (1, 3, 15, 18),
    ),
    Case("both_pads", BothPads, (1, 3, 13, 12), (1, 3, 15, 18), modes=("edge",)),
    Case("shared", Shared, (1, 3, 16, 20), (1, 3, 24, 12)),
    Case("cropped", Cropped, (1, 3, 13, 12), (1, 3, 15, 18)),
    Case("two_readers", TwoInputs, (1, 3, 13, 12), (1, 3, 15, 18), oldest=11),
    Case("constant_kernels", Matrices, (1, 3, 13, 12), (1, 3, 15, 18)),
)
