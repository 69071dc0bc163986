"""Gates and tokens: what stands beside convolutions and must not be taken for padding."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, conv_bn


class Efficient(nn.Module):
    """ECA: a convolution along the channels, which pads the channels' ends."""

    def __init__(self, kernel: int = 5) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels."""
        means = self.conv(x.mean((2, 3))[:, None])
        return x * torch.sigmoid(means).transpose(1, 2)[..., None]


class Circular(nn.Module):
    """ECA in its circular form: it pads by itself and copies already."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels."""
        means = functional.pad(x.mean((2, 3))[:, None], (1, 1), mode="circular")
        return x * torch.sigmoid(self.conv(means)).transpose(1, 2)[..., None]


class BlockAttention(nn.Module):
    """CBAM: a gate of channels, then of positions, which convolves two maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(channels, 4, 1), nn.ReLU(), nn.Conv2d(4, channels, 1, bias=False)
        )
        self.place = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        """Twice weighed."""
        means, peaks = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        x = x * torch.sigmoid(self.mix(means) + self.mix(peaks))
        maps = torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True).values], 1)
        return x * torch.sigmoid(self.place(maps))


class Coordinate(nn.Module):
    """Coordinate attention: rows and columns in one tall map, split again; strip convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shared = conv_bn(channels, 4, 1)
        self.rows = nn.Conv2d(4, channels, (3, 1), padding=(1, 0))
        self.columns = nn.Conv2d(4, channels, (1, 3), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the positions."""
        h, w = x.shape[2:]
        rows, columns = x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)
        rows, columns = torch.split(self.shared(torch.cat([rows, columns], 2)), [h, w], 2)
        return (
            x
            * torch.sigmoid(self.rows(rows))
            * torch.sigmoid(self.columns(columns.transpose(2, 3)))
        )


class Selective(nn.Module):
    """SKNet: branches of two dilations, weighed against each other by a softmax."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = conv_bn(channels, channels, groups=2)
        self.far = conv_bn(channels, channels, dilation=2, groups=2)
        self.squeeze, self.choose = nn.Linear(channels, 4), nn.Linear(4, 2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """A weighted sum."""
        both = torch.stack([self.near(x), self.far(x)], 1)
        weights = self.choose(torch.relu(self.squeeze(both.sum(1).mean((2, 3)))))
        weights = weights.view(-1, 2, both.shape[2], 1, 1).softmax(1)
        return (both * weights).sum(1)


class Split(nn.Module):
    """ResNeSt: one grouped convolution whose halves are summed by attention."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = conv_bn(channels, 2 * channels, groups=4)
        self.gate = nn.Sequential(
            nn.Conv2d(channels, 4, 1), nn.ReLU(), nn.Conv2d(4, 2 * channels, 1)
        )
        self.pool = nn.AvgPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Half the size, by an average pool that counts its zeros."""
        x = self.conv(x)
        n, c, h, w = x.shape
        halves = x.reshape(n, 2, c // 2, h, w)
        gate = self.gate(halves.sum(1).mean((2, 3), keepdim=True)).reshape(n, 2, -1).softmax(1)
        return self.pool((halves * gate.reshape(n, 2, c // 2, 1, 1)).sum(1))


class Reduced(nn.Module):
    """PVT: tokens from overlapping patches, keys from a strided convolution, a convolving MLP."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.patch, self.norm = nn.Conv2d(3, channels, 7, 4, 3), nn.LayerNorm(channels)
        self.reduce = nn.Conv2d(channels, channels, 2, 2)
        self.query, self.pair = nn.Linear(channels, channels), nn.Linear(channels, 2 * channels)
        self.grow, self.shrink = nn.Linear(channels, 16), nn.Linear(16, channels)
        self.between = nn.Conv2d(16, 16, 3, padding=1, groups=16)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens."""
        x = self.patch(x)
        n, c, h, w = x.shape
        x = self.norm(x.flatten(2).transpose(1, 2))
        small = self.reduce(x.transpose(1, 2).reshape(n, c, h, w)).flatten(2).transpose(1, 2)
        key, value = self.pair(small).chunk(2, -1)
        x = x + (self.query(x) @ key.transpose(1, 2) / c).softmax(-1) @ value
        y = self.grow(x)
        y = self.between(y.transpose(1, 2).reshape(n, 16, h, w)).flatten(2).transpose(1, 2)
        return x + self.shrink(functional.gelu(y))


class Relative(nn.Module):
    """CoAtNet: relative logits become absolute by padding, flattening and cutting."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = conv_bn(3, channels, stride=2)
        self.heights = nn.Parameter(torch.empty(channels, 2 * 6 - 1))
        self.last = nn.Conv2d(channels, 5, 3, padding=1)

    def _absolute(self, x: Tensor) -> Tensor:
        n, length = x.shape[:2]
        flat = functional.pad(x, (0, 1)).flatten(1)
        flat = functional.pad(flat, (0, length - 1))
        return flat.reshape(n, length + 1, 2 * length - 1)[:, :length, length - 1 :]

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 12, 12) to (N, 5, 6, 6)."""
        x = self.stem(x)
        n, c, h, w = x.shape
        rows = x.permute(0, 3, 2, 1).reshape(n * w, h, c)
        weights = self._absolute(rows @ self.heights / c).softmax(-1)
        return self.last((weights @ rows).reshape(n, w, h, c).permute(0, 3, 2, 1))


class Focal(nn.Module):
    """FocalNet: growing depthwise contexts, each weighed by a gate, multiplied to the query."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(channels, 2 * channels + 3), nn.Conv2d(channels, 8, 1)
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, k, padding=k // 2, groups=channels, bias=False),
                nn.GELU(),
            )
            for k in (3, 5)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W)."""
        c = x.shape[1]
        query, context, gates = torch.split(
            self.enter(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), (c, c, 3), 1
        )
        total = torch.zeros_like(context)
        for i, level in enumerate(self.levels):
            context = level(context)
            total = total + context * gates[:, i : i + 1]
        total = total + functional.gelu(context.mean((2, 3), keepdim=True)) * gates[:, 2:]
        return query * self.leave(total)


class Responses(nn.Module):
    """ConvNeXt V2: global response normalisation between the linear layers, maps last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deep = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm, self.grow = nn.LayerNorm(channels), nn.Linear(channels, 16)
        self.gain, self.shift = nn.Parameter(torch.empty(16)), nn.Parameter(torch.empty(16))
        self.shrink = nn.Linear(16, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Residual."""
        y = functional.gelu(self.grow(self.norm(self.deep(x).permute(0, 2, 3, 1))))
        norm = torch.linalg.vector_norm(y, dim=(1, 2), keepdim=True)
        y = self.gain * y * (norm / (norm.mean(-1, keepdim=True) + 1e-6)) + self.shift + y
        return x + self.shrink(y).permute(0, 3, 1, 2)


class Multiscale(nn.Module):
    """MIT's EfficientViT: queries of two scales, attention by ReLU and a padded row of ones."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem, self.enter = conv_bn(3, channels, stride=2), nn.Conv2d(channels, 12, 1)
        self.scale = nn.Sequential(
            nn.Conv2d(12, 12, 5, padding=2, groups=12), nn.Conv2d(12, 12, 1, groups=3)
        )
        self.leave = nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The row of ones comes from a Pad with value 1."""
        x = self.enter(self.stem(x))
        n, _, h, w = x.shape
        both = torch.cat([x, self.scale(x)], 1).reshape(n, 2, 12, h * w)
        query, key, value = torch.relu(both).chunk(3, 2)
        value = functional.pad(value, (0, 0, 0, 1), value=1.0)
        y = value @ key.transpose(2, 3) @ query
        y = y[:, :, :-1] / (y[:, :, -1:] + 1e-3)
        return self.leave(y.reshape(n, 8, h, w))


def _behind(block: nn.Module, channels: int = 8) -> nn.Module:
    return nn.Sequential(conv_bn(3, channels), block, nn.Conv2d(channels, 5, 3, padding=1))


def _case(name: str, block: type[nn.Module], **options: object) -> Case:
    return Case(name, lambda: _behind(block(8)), (1, 3, 14, 12), (1, 3, 10, 17), 13, **options)


CASES = (
    Case("eca", lambda: _behind(Efficient()), (2, 3, 14, 12), (2, 3, 10, 17), 13),
    Case("eca_circular", lambda: _behind(Circular()), (2, 3, 14, 12), (2, 3, 10, 17), 13),
    _case("cbam", BlockAttention),
    _case("coordinate_attention", Coordinate),
    _case("sknet", Selective),
    _case("resnest", Split),
    Case("pvt", lambda: Reduced(8), (1, 3, 32, 40), (1, 3, 48, 24), 13),
    Case("relative", lambda: Relative(8), (2, 3, 12, 12), oldest=13, pads=False),
    _case("focalnet", Focal),
    _case("convnext_v2", Responses),
    Case("efficientvit_linear", lambda: Multiscale(6), (1, 3, 16, 24), (1, 3, 32, 20), 13),
)
