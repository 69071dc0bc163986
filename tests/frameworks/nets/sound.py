"""Speech and music: one axis, gates, dilations, odd and even kernels."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from tests.frameworks.nets.case import Case, conv_bn


class Positions(nn.Module):
    """wav2vec 2: unpadded encoder, then an even grouped kernel with a position too many."""

    def __init__(self, old: bool = False) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv1d(1, 8, 10, 5, bias=False), nn.GroupNorm(8, 8), nn.GELU(),
            nn.Conv1d(8, 8, 3, 2, bias=False), nn.GELU(),
        )  # fmt: skip
        conv = nn.Conv1d(8, 8, 16, padding=8, groups=4)
        norm = nn.utils.weight_norm if old else parametrizations.weight_norm
        self.place, self.norm = norm(conv, name="weight", dim=2), nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, L) to (N, L / 10, 8)."""
        x = self.encode(x).transpose(1, 2)
        y = self.place(x.transpose(1, 2))[:, :, :-1]
        return self.norm(x + functional.gelu(y).transpose(1, 2))


class Separator(nn.Module):
    """Conv-TasNet: masks from dilated separable blocks under global norms."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = nn.Conv1d(1, 8, 8, 4, 4), nn.ConvTranspose1d(8, 1, 8, 4, 4)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(8, 12, 1), nn.PReLU(), nn.GroupNorm(1, 12),
                nn.Conv1d(12, 12, 3, padding=2**i, dilation=2**i, groups=12), nn.PReLU(),
                nn.GroupNorm(1, 12), nn.Conv1d(12, 8, 1),
            )
            for i in range(3)
        )  # fmt: skip
        self.mask = nn.Conv1d(8, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Two sources of one."""
        x = torch.relu(self.encode(x))
        y = x
        for block in self.blocks:
            y = y + 0.5 * block(y)
        n, c, length = x.shape
        masks = torch.sigmoid(self.mask(y)).view(n, 2, c, length)
        return self.decode((x[:, None] * masks).view(n * 2, c, length)).view(n, 2, -1)


class Waves(nn.Module):
    """Demucs: strided down, an LSTM, GLUs, transposed up, skips."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv1d(1, 6, 8, 4, 2), nn.ReLU(), nn.Conv1d(6, 12, 1))
        self.lstm = nn.LSTM(6, 3, bidirectional=True)
        self.up = nn.Sequential(nn.Conv1d(6, 12, 3, padding=1), nn.GLU(1))
        self.last = nn.ConvTranspose1d(6, 2, 8, 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Two sources of one."""
        x = functional.glu(self.down(x), 1)
        y = self.lstm(x.permute(2, 0, 1))[0].permute(1, 2, 0)
        return self.last(torch.relu(self.up(x + y)))


class Vocoder(nn.Module):
    """HiFi-GAN: transposed up, residuals of several kernels and dilations averaged."""

    def __init__(self) -> None:
        super().__init__()
        norm = parametrizations.weight_norm
        self.first, self.up = norm(nn.Conv1d(8, 8, 7, 1, 3)), nn.ConvTranspose1d(8, 6, 8, 4, 2)
        self.parts = nn.ModuleList(
            norm(nn.Conv1d(6, 6, k, 1, (k - 1) * d // 2, d)) for k in (3, 7) for d in (1, 3)
        )
        self.last = norm(nn.Conv1d(6, 1, 7, 1, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 8, L) to (N, 1, 4 L)."""
        x = self.up(functional.leaky_relu(self.first(x), 0.1))
        total = sum(x + part(functional.leaky_relu(x, 0.1)) for part in self.parts)
        return torch.tanh(self.last(functional.leaky_relu(total / 4)) / 4)


class Codec(nn.Module):
    """EnCodec: a mirror of what the stride and the length ask for, before every convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv1d(1, 6, 7), nn.Conv1d(6, 8, 4, 2), nn.Conv1d(8, 8, 3)])
        self.last = nn.Conv1d(8, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Half as long."""
        for conv in self.convs:
            total = conv.kernel_size[0] - conv.stride[0]
            x = functional.pad(x, (total - total // 2, total // 2), mode="reflect")
            x = functional.elu(conv(x))
        return self.last(x)


class Separable(nn.Module):
    """QuartzNet: very long depthwise kernels, the residual through a norm, dilated at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv1d(8, 8, 11, 2, 5, bias=False)
        self.body = nn.Sequential(
            nn.Conv1d(8, 8, 33, padding=16, groups=8), nn.Conv1d(8, 8, 1), nn.BatchNorm1d(8),
            nn.ReLU(), nn.Conv1d(8, 8, 9, padding=8, dilation=2, groups=8), nn.BatchNorm1d(8),
        )  # fmt: skip
        self.short = nn.Sequential(nn.Conv1d(8, 8, 1), nn.BatchNorm1d(8))

    def forward(self, x: Tensor) -> Tensor:
        """Log probabilities."""
        x = self.stem(x)
        return torch.log_softmax(torch.relu(self.body(x) + self.short(x)), 1)


class Speaker(nn.Module):
    """ECAPA-TDNN: a chain of dilated parts, a gate, attentive statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(10, 8, 5, padding=2), nn.ReLU(), nn.BatchNorm1d(8))
        self.parts = nn.ModuleList(
            nn.Conv1d(2, 2, 3, padding=2 + i, dilation=2 + i) for i in range(3)
        )
        self.gate = nn.Sequential(nn.Conv1d(8, 4, 1), nn.ReLU(), nn.Conv1d(4, 8, 1), nn.Sigmoid())
        self.attend = nn.Sequential(nn.Conv1d(24, 4, 1), nn.Tanh(), nn.Conv1d(4, 8, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 10, L) to (N, 16)."""
        x = self.first(x)
        chunks = x.chunk(4, 1)
        found = [chunks[0]]
        for part, chunk in zip(self.parts, chunks[1:], strict=True):
            found.append(torch.relu(part(chunk + found[-1])))
        y = torch.cat(found, 1)
        x = x + y * self.gate(y.mean(2, keepdim=True))
        mean = x.mean(2, keepdim=True).expand_as(x)
        spread = x.var(2, keepdim=True, unbiased=False).clamp(min=1e-4).sqrt().expand_as(x)
        weights = self.attend(torch.cat([x, mean, spread], 1)).softmax(2)
        mean = (weights * x).sum(2)
        spread = ((weights * x**2).sum(2) - mean**2).clamp(min=1e-4).sqrt()
        return torch.cat([mean, spread], 1)


class Conformer(nn.Module):
    """Subsampling in two axes, then a gated depthwise convolution along time, and attention."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, 2, 1))
        self.enter, self.norm = nn.Linear(16, 8), nn.LayerNorm(8)
        self.grow = nn.Conv1d(8, 16, 1)
        self.deep = nn.Sequential(
            nn.Conv1d(8, 8, 15, padding=7, groups=8), nn.BatchNorm1d(8), nn.SiLU()
        )
        self.shrink = nn.Conv1d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, L, 16) to (N, L / 4, 8)."""
        x = self.stem(x)
        n, c, length, bands = x.shape
        x = self.enter(x.transpose(1, 2).reshape(n, length, c * bands))
        y = functional.glu(self.grow(self.norm(x).transpose(1, 2)), 1)
        x = x + self.shrink(self.deep(y)).transpose(1, 2)
        return x + (x @ x.transpose(1, 2) / 8).softmax(-1) @ x


class Bands(nn.Module):
    """Sound events: a spectrogram normalised per band, convolved, its bands averaged away."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(16)
        self.body = nn.Sequential(conv_bn(1, 6), nn.AvgPool2d(2), conv_bn(6, 8, (3, 7)))
        self.last = nn.Conv1d(8, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, L, 16) to (N, 5, L / 2)."""
        x = self.body(self.norm(x.transpose(1, 3)).transpose(1, 3)).mean(3)
        x = functional.max_pool1d(x, 3, 1, 1) + functional.avg_pool1d(x, 3, 1, 1)
        return torch.sigmoid(self.last(x))


class TimeDelay(nn.Module):
    """x-vector and D-TDNN: unpadded and padded frames, dense joins, statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(8, 8, 5, 2, 2)
        self.dense = nn.ModuleList(
            nn.Sequential(nn.BatchNorm1d(8 + 4 * i), nn.ReLU(), nn.Conv1d(8 + 4 * i, 8, 1),
                          nn.ReLU(), nn.Conv1d(8, 4, 3, dilation=1 + i, padding=1 + i))
            for i in range(3)
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, 8, L) to (N, 40)."""
        x = self.first(x)
        for layer in self.dense:
            x = torch.cat([x, layer(x)], 1)
        return torch.cat([x.mean(2), x.std(2)], 1)


SIGNAL = ((1, 8, 40), (1, 8, 53), 13)

CASES = (
    Case("wav2vec2", Positions, (1, 1, 300), (1, 1, 370), exporters=("dynamo",)),
    Case("old_wav2vec2", lambda: Positions(True), (1, 1, 300), (1, 1, 370), 13),
    Case("conv_tasnet", Separator, (1, 1, 80), (1, 1, 100), 13),
    Case("demucs", Waves, (1, 1, 64), (1, 1, 96), 13),
    Case("hifigan", Vocoder, *SIGNAL),
    Case("encodec", Codec, (1, 1, 40), (1, 1, 54), 13),
    Case("quartznet", Separable, (1, 8, 50), (1, 8, 61), 13),
    Case("ecapa_tdnn", Speaker, (1, 10, 30), (1, 10, 41), 13),
    Case("conformer", Conformer, (1, 1, 64, 16), oldest=13),
    Case("sound_events", Bands, (1, 1, 18, 16), oldest=13),
    Case("time_delay", TimeDelay, *SIGNAL),
)
