"""One and three spatial axes, and sequences."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, conv_bn


class Chomp(nn.Module):
    """A causal convolution that pads both ends and cuts the surplus off, as TCNs do."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.surplus = 2 * dilation
        self.conv = nn.Conv1d(channels, channels, 3, padding=self.surplus, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Residual."""
        return torch.relu(x + self.conv(x)[:, :, : -self.surplus])


class Causal(nn.Module):
    """WaveNet's layer: padded at the begin alone, gated."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.reach = dilation
        self.filter = nn.Conv1d(channels, channels, 2, dilation=dilation)
        self.gate = nn.Conv1d(channels, channels, 2, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """One Pad feeds two convolutions."""
        past = functional.pad(x, (self.reach, 0))
        return x + torch.tanh(self.filter(past)) * torch.sigmoid(self.gate(past))


class Recurrent(nn.Module):
    """CRNN for text: convolutions to one row, then a recurrent layer over the columns."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            conv_bn(1, 8), nn.MaxPool2d(2), conv_bn(8, 12), nn.MaxPool2d((2, 1), (2, 1)),
            nn.Conv2d(12, 12, (4, 3), padding=(0, 1)), nn.ReLU(),
        )  # fmt: skip
        self.rows = nn.GRU(12, 6, bidirectional=True, batch_first=True)
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 16, W) to (N, W / 2, 5)."""
        columns = self.maps(x).squeeze(2).transpose(1, 2)
        return self.head(self.rows(columns)[0])


class Spectral(nn.Module):
    """Speech: a strided encoder, separable blocks, a decoder by a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv1d(1, 8, 16, 8, 4)
        self.blocks = nn.Sequential(
            nn.Conv1d(8, 8, 9, padding=4, groups=8), nn.Conv1d(8, 8, 1), nn.BatchNorm1d(8),
            nn.ReLU(), nn.Conv1d(8, 8, 3, padding=4, dilation=4, groups=8), nn.PReLU(),
        )  # fmt: skip
        self.decode = nn.ConvTranspose1d(8, 1, 16, 8, 4)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, T) to (N, 1, T)."""
        kept = self.encode(x)
        return self.decode(kept * torch.sigmoid(self.blocks(kept)))


class Flat(nn.Module):
    """A signal convolved as a picture of height one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, (1, 5), padding=(0, 2))
        self.second = nn.Conv1d(6, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, T) to (N, 4, T)."""
        return self.second(torch.relu(self.first(x.unsqueeze(2))).squeeze(2))


def volumes() -> nn.Module:
    """3-D with groups, stride and an uneven kernel."""
    return nn.Sequential(
        nn.Conv3d(2, 6, 3, padding=1), nn.BatchNorm3d(6), nn.ReLU(), nn.MaxPool3d(2),
        nn.Conv3d(6, 6, (3, 1, 5), padding=(1, 0, 2), groups=2), nn.ReLU(),
        nn.Conv3d(6, 8, 3, 2, 1), nn.ReLU(), nn.Conv3d(8, 4, 1),
    )  # fmt: skip


def factored() -> nn.Module:
    """R(2+1)D: space, then time."""
    return nn.Sequential(
        nn.Conv3d(3, 6, (1, 3, 3), (1, 2, 2), (0, 1, 1)), nn.BatchNorm3d(6), nn.ReLU(),
        nn.Conv3d(6, 6, (3, 1, 1), padding=(1, 0, 0)), nn.ReLU(),
        nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(6, 5),
    )  # fmt: skip


CASES = (
    Case(
        "signal",
        lambda: nn.Sequential(
            nn.Conv1d(2, 8, 7, 2, 3),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.MaxPool1d(3, 2, 1),
            nn.Conv1d(8, 8, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
        ),
        (1, 2, 61),
        (1, 2, 80),
    ),
    Case(
        "tcn",
        lambda: nn.Sequential(nn.Conv1d(2, 6, 1), Chomp(6, 1), Chomp(6, 2), Chomp(6, 4)),
        (1, 2, 40),
        (1, 2, 53),
        noncausal=True,
    ),
    Case(
        "wavenet",
        lambda: nn.Sequential(nn.Conv1d(2, 6, 1), *(Causal(6, d) for d in (1, 2, 4, 8))),
        (1, 2, 40),
        (1, 2, 53),
        noncausal=True,
    ),
    Case("crnn", Recurrent, (1, 1, 16, 36), exporters=("torchscript", "dynamo")),
    Case("speech", Spectral, (1, 1, 256), (1, 1, 320)),
    Case("flat_signal", Flat, (1, 3, 31), (1, 3, 40)),
    Case("volumes", volumes, (1, 2, 10, 12, 14), (1, 2, 12, 10, 15)),
    Case("factored", factored, (1, 3, 7, 12, 11), (1, 3, 9, 10, 14)),
)
