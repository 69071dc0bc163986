"""Volumes, video and maps that change over time."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, conv_bn


def conv3(inputs: int, outputs: int, kernel: tuple[int, int, int], **options: object) -> nn.Module:
    """Convolution that keeps the size at stride 1, batch norm, ReLU."""
    pads = tuple(k // 2 for k in kernel)
    conv = nn.Conv3d(inputs, outputs, kernel, padding=pads, bias=False, **options)  # type: ignore[arg-type]
    return nn.Sequential(conv, nn.BatchNorm3d(outputs), nn.ReLU())


class TwoPaths(nn.Module):
    """SlowFast: few frames and many, joined by a convolution over time."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = conv3(3, 6, (1, 5, 5), stride=(1, 2, 2))
        self.fast = conv3(3, 4, (5, 5, 5), stride=(1, 2, 2))
        self.lateral = nn.Conv3d(4, 6, (5, 1, 1), stride=(4, 1, 1), padding=(2, 0, 0))
        self.pool, self.last = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)), conv3(12, 5, (3,) * 3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, T, H, W) with T a multiple of 4."""
        fast = self.fast(x)
        slow = torch.cat([self.slow(x[:, :, ::4]), self.lateral(fast)], 1)
        return self.last(self.pool(slow))


class Expanded(nn.Module):
    """X3D: depthwise over space and time, a stem split in two, a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 6, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False),
            nn.Conv3d(6, 6, (5, 1, 1), padding=(2, 0, 0), groups=6, bias=False),
            nn.BatchNorm3d(6), nn.ReLU(),
        )  # fmt: skip
        self.deep = conv3(6, 6, (3, 3, 3), groups=6)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Conv3d(6, 6, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Half the height and width."""
        x = self.stem(x)
        y = self.deep(x)
        return x + functional.silu(y * self.gate(y))


class VNet(nn.Module):
    """Volumes down by strided, up by transposed convolutions, PReLU, instance norm."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Sequential(
            nn.Conv3d(1, 4, 5, padding=2), nn.InstanceNorm3d(4, affine=True), nn.PReLU(4)
        )
        self.down = nn.Sequential(nn.Conv3d(4, 6, 2, 2), nn.InstanceNorm3d(6), nn.PReLU())
        self.two = nn.Sequential(
            nn.Conv3d(6, 6, 3, padding=1), nn.InstanceNorm3d(6), nn.LeakyReLU(0.01)
        )
        self.up = nn.ConvTranspose3d(6, 4, 2, 2)
        self.join = nn.Conv3d(8, 2, (1, 3, 3), padding=(0, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Scores for every voxel."""
        one = self.one(x)
        low = self.down(one)
        return self.join(torch.cat([one, self.up(low + self.two(low))], 1)).softmax(1)


class Frames(nn.Module):
    """TSN and TSM: frames in the batch, features moved to the next frame, zeros where none is."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.stem, self.body, self.last = conv_bn(3, 8, stride=2), conv_bn(8, 8), conv_bn(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        """(N * T, 3, H, W)."""
        x = self.stem(x)
        nt, c, h, w = x.shape
        y = x.view(nt // self.frames, self.frames, c, h, w)
        later = functional.pad(y[:, :-1, :3], (0, 0, 0, 0, 0, 0, 1, 0))
        sooner = functional.pad(y[:, 1:, 3:6], (0, 0, 0, 0, 0, 0, 0, 1))
        y = torch.cat([later, sooner, y[:, :, 6:]], 2).view(nt, c, h, w)
        return self.last(x + self.body(y))


class Shift(nn.Module):
    """ShiftNet: channels moved by one position, zeros come in; only pads that crop the far side."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.mix, self.last = conv_bn(3, 8), nn.Conv2d(8, 8, 1), conv_bn(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        """The same size."""
        x = self.stem(x)
        parts = torch.split(x, 2, 1)
        ways = ((1, -1, 0, 0), (-1, 1, 0, 0), (0, 0, 1, -1), (0, 0, -1, 1))
        moved = [functional.pad(p, way) for p, way in zip(parts, ways, strict=True)]
        return self.last(torch.relu(self.mix(torch.cat(moved, 1))))


class ConvLstm(nn.Module):
    """ConvLSTM over the frames of the input, unrolled."""

    def __init__(self, hidden: int = 4) -> None:
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(2 + hidden, 4 * hidden, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 6, H, W), three frames of two channels, to the last state."""
        n, _, height, width = x.shape
        state = cell = x.new_zeros(n, self.hidden, height, width)
        for frame in x.chunk(3, 1):
            i, f, o, g = self.gates(torch.cat([frame, state], 1)).chunk(4, 1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            state = torch.sigmoid(o) * torch.tanh(cell)
        return state


class Flow(nn.Module):
    """RAFT: all pairs compared, looked up by grid_sample, refined by a convolving GRU."""

    def __init__(self, hidden: int = 6) -> None:
        super().__init__()
        self.encode = conv_bn(1, 6, 7, stride=2)
        self.context = nn.Conv2d(1, hidden, 3, 2, 1)
        self.motion = nn.Conv2d(3, 4, 7, padding=3)
        self.rows = nn.ModuleList(nn.Conv2d(2 * hidden, hidden, (1, 5), padding=(0, 2))
                                  for _ in range(3))  # fmt: skip
        self.columns = nn.ModuleList(nn.Conv2d(2 * hidden, hidden, (5, 1), padding=(2, 0))
                                     for _ in range(3))  # fmt: skip
        self.join, self.flow = nn.Conv2d(4, hidden, 3, padding=1), nn.Conv2d(hidden, 2, 3, 1, 1)

    def _gru(self, convs: nn.ModuleList, h: Tensor, x: Tensor) -> Tensor:
        both = torch.cat([h, x], 1)
        z, r = torch.sigmoid(convs[0](both)), torch.sigmoid(convs[1](both))
        return (1 - z) * h + z * torch.tanh(convs[2](torch.cat([r * h, x], 1)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2, H, W), two grey pictures, to the flow between them at half the size."""
        first, second = x.chunk(2, 1)
        left, right = self.encode(first), self.encode(second)
        hidden = torch.tanh(self.context(first))
        h, w = left.shape[2:]
        ys = (torch.arange(h).float() * 2 + 1) / h - 1
        xs = (torch.arange(w).float() * 2 + 1) / w - 1
        grid = torch.stack([xs.expand(h, w), ys[:, None].expand(h, w)], -1)[None]
        flow = torch.zeros_like(hidden[:, :2])
        for _ in range(2):
            places = grid + 0.1 * torch.tanh(flow.permute(0, 2, 3, 1))
            warped = functional.grid_sample(right, places, align_corners=False)
            cost = (left * warped).sum(1, keepdim=True) / 4
            x = torch.relu(self.join(torch.relu(self.motion(torch.cat([cost, flow], 1)))))
            hidden = self._gru(self.columns, self._gru(self.rows, hidden, x), x)
            flow = flow + self.flow(hidden)
        return flow


class Places(nn.Module):
    """CoordConv: two maps of positions beside the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(6, 8, 3, padding=1), nn.Conv2d(8, 4, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        """Positions from -1 to 1, and the distance."""
        n, _, h, w = x.shape
        ys = (torch.arange(h).float() / (h - 1) * 2 - 1).view(1, 1, h, 1).expand(n, 1, h, w)
        xs = (torch.arange(w).float() / (w - 1) * 2 - 1).view(1, 1, 1, w).expand(n, 1, h, w)
        far = torch.sqrt(ys**2 + xs**2)
        return self.last(torch.relu(self.conv(torch.cat([x, ys, xs, far], 1))))


def _factored() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(3, 5, (1, 7, 7), (1, 2, 2), (0, 3, 3)), nn.ReLU(),
        nn.Conv3d(5, 6, (3, 1, 1), (1, 1, 1), (1, 0, 0)), nn.ReLU(),
        conv3(6, 7, (1, 3, 3), stride=(1, 2, 2)), conv3(7, 6, (3, 1, 1), stride=(2, 1, 1)),
        nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(6, 5),
    )  # fmt: skip


SIZES = ((1, 3, 14, 12), (1, 3, 10, 17), 13)

CASES = (
    Case("r2plus1d", _factored, (1, 3, 6, 18, 20), (1, 3, 8, 22, 17), 13),
    Case("slowfast", TwoPaths, (1, 3, 8, 16, 20), (1, 3, 12, 22, 17), 13),
    Case("x3d", Expanded, (1, 3, 5, 12, 14), (1, 3, 7, 10, 15), 13),
    Case("vnet", VNet, (1, 1, 8, 10, 12), (1, 1, 10, 8, 14), 13),
    Case("temporal_shift", lambda: Frames(3), (6, 3, 14, 12), (6, 3, 10, 18), 13, pads=False),
    Case("shiftnet", Shift, *SIZES),
    Case("convlstm", ConvLstm, (1, 6, 9, 10), (1, 6, 12, 7), 13),
    Case("raft", Flow, (1, 2, 16, 20), (1, 2, 22, 18), 17),
    Case("coordconv", Places, *SIZES),
)
