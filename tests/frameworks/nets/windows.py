"""Windows, patches and unfoldings between convolutions: space that moves to the batch and back."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.frameworks.nets.case import Case, conv_bn


class Windows(nn.Module):
    """Swin: zeros up to whole windows, a shift, attention in windows, a crop; maps last."""

    def __init__(self, channels: int, window: int = 4, shift: int = 2) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.patch = nn.Conv2d(3, channels, 3, 2, 1)
        self.norm, self.attend = nn.LayerNorm(channels), nn.Linear(channels, 3 * channels)
        self.place = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        """Overlapping patches, one block, a depthwise convolution between permutes."""
        x = self.patch(x).permute(0, 2, 3, 1)
        n, h, w, c = x.shape
        k = self.window
        y = functional.pad(self.norm(x), (0, 0, 0, (k - w % k) % k, 0, (k - h % k) % k))
        high, wide = y.shape[1:3]
        y = torch.roll(y, (-self.shift, -self.shift), (1, 2))
        y = y.view(n, high // k, k, wide // k, k, c).permute(0, 1, 3, 2, 4, 5)
        query, key, value = self.attend(y.reshape(-1, k * k, c)).chunk(3, -1)
        y = (query @ key.transpose(1, 2) / c).softmax(-1) @ value
        y = y.reshape(n, high // k, wide // k, k, k, c).permute(0, 1, 3, 2, 4, 5)
        y = torch.roll(y.reshape(n, high, wide, c), (self.shift, self.shift), (1, 2))
        x = x + y[:, :h, :w]
        return x + self.place(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class Halo(nn.Module):
    """HaloNet: every block attends to its neighbourhood, unfolded with padding."""

    def __init__(self, channels: int, block: int = 4, halo: int = 1) -> None:
        super().__init__()
        self.block, self.halo = block, halo
        self.stem = conv_bn(3, channels)
        self.query, self.value = nn.Conv2d(channels, 4, 1), nn.Conv2d(channels, 6, 1)
        self.key = nn.Conv2d(channels, 4, 3, padding=1)

    def _around(self, x: Tensor) -> Tensor:
        n, c = x.shape[:2]
        size = self.block + 2 * self.halo
        found = functional.unfold(x, size, stride=self.block, padding=self.halo)
        return found.view(n, c, size * size, -1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, positions of a block, blocks)."""
        x = self.stem(x)
        n = x.shape[0]
        query = functional.unfold(self.query(x), self.block, stride=self.block)
        query = query.view(n, 4, self.block**2, -1)
        logits = torch.einsum("ncql,nckl->nqkl", query, self._around(self.key(x))) / 8
        return torch.einsum("nqkl,nckl->ncql", logits.softmax(2), self._around(self.value(x)))


class Involution(nn.Module):
    """A kernel for every position, made from it, on a padded unfolding."""

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.kernel = kernel
        self.make = nn.Conv2d(channels, kernel**2, 1)
        self.unfold = nn.Unfold(kernel, padding=kernel // 2)
        self.last = nn.Conv2d(channels, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Then a plain convolution."""
        n, c, h, w = x.shape
        around = self.unfold(x).view(n, c, self.kernel**2, h, w)
        return self.last(torch.tanh((around * self.make(x)[:, None]).sum(2) / 3))


class Enhanced(nn.Module):
    """CSWin's and Twins' local encoding: a depthwise convolution inside every window."""

    def __init__(self, channels: int, split: int) -> None:
        super().__init__()
        self.split = split
        self.stem = nn.Conv2d(3, channels, 7, 4, 2)
        self.encode = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        """Stripes go to the batch, so every stripe pads."""
        x = self.stem(x)
        n, c, h, w = x.shape
        stripes = x.view(n, c, h, w // self.split, self.split).permute(0, 3, 1, 2, 4)
        stripes = stripes.reshape(-1, c, h, self.split)
        y = torch.relu(self.encode(stripes)).view(n, w // self.split, c, h, self.split)
        return x + y.permute(0, 2, 3, 1, 4).reshape(n, c, h, w)


class Unfolded(nn.Module):
    """MobileViT 2: patches taken apart, mixed, put together again between convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = conv_bn(channels, channels, groups=channels)
        self.mix, self.leave = nn.Conv2d(channels, channels, 1), conv_bn(channels, channels, 1)
        self.next = conv_bn(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Patches of 2 by 2."""
        y = self.local(x)
        n, c, h, w = y.shape
        y = y.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
        y = y.reshape(n, c, 4, -1)
        y = y * torch.sigmoid(self.mix(y)).softmax(3)
        y = y.reshape(n, c, 2, 2, h // 2, w // 2).permute(0, 1, 4, 2, 5, 3)
        return self.next(self.leave(y.reshape(n, c, h, w)))


class Patches(nn.Module):
    """MobileViT 1: patches in the batch; the fusing convolution sees the whole map again."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Linear(channels, channels)
        self.leave, self.fuse = nn.Conv2d(channels, channels, 1), conv_bn(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Patches of 2 by 2."""
        n, c, h, w = x.shape
        high, wide = h // 2, w // 2
        y = x.reshape(n * c * high, 2, wide, 2).transpose(1, 2)
        y = y.reshape(n, c, high * wide, 4).transpose(1, 3).reshape(n * 4, high * wide, c)
        y = y + torch.tanh(self.mix(y - y.mean(1, keepdim=True)))
        y = y.view(n, 4, high * wide, c).transpose(1, 3).reshape(n * c * high, wide, 2, 2)
        return self.fuse(self.leave(y.transpose(1, 2).reshape(n, c, h, w)))


class Cascade(nn.Module):
    """EfficientViT: depthwise convolutions on the queries of every window."""

    def __init__(self, channels: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.stem, self.enter = conv_bn(3, channels, stride=2), conv_bn(channels, 3 * channels, 1)
        self.deep = nn.Conv2d(channels, channels, 5, 1, 2, groups=channels)
        self.whole, self.leave = nn.Conv2d(channels, channels, 3, 1, 1), conv_bn(channels, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Windows to the batch and back, a convolution right before and right behind each."""
        x = self.stem(x)
        n, c, h, w = x.shape
        k = self.window
        y = x.permute(0, 2, 3, 1).view(n, h // k, k, w // k, k, c).transpose(2, 3)
        y = y.reshape(-1, k, k, c).permute(0, 3, 1, 2)
        y = torch.tanh(self.whole(y))
        query, key, value = self.enter(y).chunk(3, 1)
        query = self.deep(query)
        mixed = (query.flatten(2).transpose(1, 2) @ key.flatten(2) / c).softmax(-1)
        y = (value.flatten(2) @ mixed.transpose(1, 2)).view(-1, c, k, k).permute(0, 2, 3, 1)
        y = y.view(n, h // k, w // k, k, k, c).transpose(2, 3).reshape(n, h, w, c)
        return self.leave(y.permute(0, 3, 1, 2))


EVEN = ((1, 3, 16, 24), (1, 3, 32, 20), 13)

CASES = (
    Case("swin", lambda: Windows(8), (1, 3, 22, 26), (1, 3, 30, 20), 13),
    Case("halonet", lambda: Halo(8), (1, 3, 16, 12), (1, 3, 20, 24), 13),
    Case(
        "involution",
        lambda: nn.Sequential(conv_bn(3, 8), Involution(8)),
        (1, 3, 14, 12),
        (1, 3, 10, 17),
        13,
    ),
    Case("cswin", lambda: Enhanced(8, 3), (1, 3, 24, 26), (1, 3, 36, 50), 13),
    Case("mobilevit_patches", lambda: nn.Sequential(conv_bn(3, 6), Patches(6), conv_bn(6, 4)),
         *EVEN),
    Case("mobilevit_v2", lambda: nn.Sequential(conv_bn(3, 6), Unfolded(6), conv_bn(6, 4)), *EVEN),
    Case("efficientvit_windows", lambda: Cascade(6, 4), (1, 3, 16, 24), (1, 3, 32, 40), 13),
)  # fmt: skip
