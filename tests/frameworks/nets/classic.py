"""Classifiers of the years of plain convolutions."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, Head, conv_bn


class Basic(nn.Module):
    """ResNet's basic block."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv_bn(inputs, outputs, stride=stride)
        self.second = conv_bn(outputs, outputs, act=False)
        self.short = conv_bn(inputs, outputs, 1, act=False, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Two convolutions beside a projection."""
        return functional.relu(self.second(self.first(x)) + self.short(x))


class Bottleneck(nn.Module):
    """ResNet's bottleneck, with groups ResNeXt's, with a gate SE-ResNet's."""

    def __init__(self, inputs: int, outputs: int, groups: int = 1, gate: bool = False) -> None:
        super().__init__()
        width = 8
        self.body = nn.Sequential(
            conv_bn(inputs, width, 1),
            conv_bn(width, width, groups=groups, stride=2),
            conv_bn(width, outputs, 1, act=False),
        )
        self.gate = Gate(outputs) if gate else nn.Identity()
        self.short = conv_bn(inputs, outputs, 1, act=False, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Shrink, convolve, grow."""
        return functional.relu(self.gate(self.body(x)) + self.short(x))


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shrink, self.grow = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels by their means."""
        means = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.grow(functional.relu(self.shrink(means))))


class OptionA(nn.Module):
    """CIFAR ResNet whose shortcuts drop positions and pad channels with zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 6)
        self.body = nn.Sequential(conv_bn(6, 12, stride=2), conv_bn(12, 12, act=False))
        self.head = Head(12)

    def forward(self, x: Tensor) -> Tensor:
        """The Pad on channels has to stay as it is."""
        x = self.stem(x)
        short = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 3, 3))
        return self.head(functional.relu(self.body(x) + short))


class DenseNet(nn.Module):
    """Every layer reads all earlier ones, normalised before the convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 7, 2, 3)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 4, 3, padding=1))
            for c in (8, 12, 16)
        )
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.head = Head(20)

    def forward(self, x: Tensor) -> Tensor:
        """Concatenate as it goes."""
        x = self.pool(self.stem(x))
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return self.head(x)


class Inception(nn.Module):
    """Branches of many kernels, asymmetric ones and a padded average pool among them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 8, stride=2)
        self.branches = nn.ModuleList(
            [
                conv_bn(8, 4, 1),
                nn.Sequential(conv_bn(8, 4, 1), conv_bn(4, 4, (1, 7)), conv_bn(4, 4, (7, 1))),
                nn.Sequential(conv_bn(8, 4, 1), conv_bn(4, 6, 5)),
                nn.Sequential(nn.AvgPool2d(3, 1, 1), conv_bn(8, 4, 1)),
                nn.Sequential(conv_bn(8, 4, (1, 3)), conv_bn(4, 4, (3, 1))),
            ]
        )
        self.head = Head(22)

    def forward(self, x: Tensor) -> Tensor:
        """All branches side by side."""
        x = self.stem(x)
        return self.head(torch.cat([branch(x) for branch in self.branches], 1))


class Fire(nn.Module):
    """SqueezeNet's module."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, 4, 1)
        self.small, self.large = nn.Conv2d(4, 8, 1), nn.Conv2d(4, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Squeeze, then expand in two ways."""
        x = functional.relu(self.squeeze(x))
        return torch.cat([functional.relu(self.small(x)), functional.relu(self.large(x))], 1)


class RepVgg(nn.Module):
    """A 3x3, a 1x1 and an identity branch, added before the activation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.large = conv_bn(channels, channels, act=False)
        self.small = conv_bn(channels, channels, 1, act=False)
        self.same = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of the branches."""
        return functional.relu(self.large(x) + self.small(x) + self.same(x))


def vgg() -> nn.Module:
    """Plain 3x3 convolutions and max pools, and a head that knows positions."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True),
        nn.Flatten(), nn.Linear(12 * 5 * 5, 7),
    )  # fmt: skip


def alexnet() -> nn.Module:
    """Large strides, large kernels, local response normalisation, groups."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 11, 4, 2), nn.ReLU(), nn.LocalResponseNorm(3), nn.MaxPool2d(3, 2),
        nn.Conv2d(8, 12, 5, padding=2, groups=2), nn.ReLU(), nn.Conv2d(12, 8, 3, padding=1),
        nn.ReLU(), Head(8),
    )  # fmt: skip


CASES = (
    Case("vgg", vgg, (1, 3, 19, 19)),
    Case("alexnet", alexnet, (1, 3, 63, 67), (1, 3, 71, 64)),
    Case(
        "resnet",
        lambda: nn.Sequential(
            conv_bn(3, 8, 7, stride=2),
            nn.MaxPool2d(3, 2, 1),
            Basic(8, 8),
            Basic(8, 12, 2),
            Head(12),
        ),
        (2, 3, 33, 30),
        (2, 3, 40, 37),
    ),
    Case(
        "resnet_bottleneck",
        lambda: nn.Sequential(conv_bn(3, 8), Bottleneck(8, 16), Bottleneck(16, 16), Head(16)),
        (1, 3, 24, 20),
        (1, 3, 28, 32),
    ),
    Case(
        "resnext",
        lambda: nn.Sequential(conv_bn(3, 8), Bottleneck(8, 16, groups=4), Head(16)),
        (1, 3, 20, 20),
        (1, 3, 24, 18),
    ),
    Case(
        "se_resnet",
        lambda: nn.Sequential(conv_bn(3, 8), Bottleneck(8, 16, gate=True), Head(16)),
        (1, 3, 20, 20),
        (1, 3, 24, 18),
    ),
    Case("resnet_option_a", OptionA, (1, 3, 16, 16), (1, 3, 18, 20), oldest=11),
    Case("densenet", DenseNet, (1, 3, 33, 33), (1, 3, 41, 36)),
    Case("inception", Inception, (1, 3, 33, 31), (1, 3, 29, 40)),
    Case(
        "squeezenet",
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, 2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(8),
            Fire(16),
            nn.Conv2d(16, 7, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ),
        (1, 3, 35, 33),
    ),
    Case(
        "repvgg",
        lambda: nn.Sequential(conv_bn(3, 8, stride=2), RepVgg(8), RepVgg(8), Head(8)),
        (1, 3, 20, 22),
        (1, 3, 15, 24),
    ),
)
