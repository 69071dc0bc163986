"""A ring profile as a line of bars: near the border ring by ring, further inside in wider bins."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from onnxpad.measure.rings import RingProfile

# First rings of the bins: four single rings, then two bins for every doubling.
_STARTS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Bin:
    """Rings `first` to `last` together: their RMS Δ / RMS y of the whole original."""

    first: int
    last: int
    value: float

    @property
    def label(self) -> str:
        """The distances, as a reader sees them."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def bins(profile: RingProfile, most: int) -> tuple[Bin, ...]:
    """At most `most` bins of the profile, the last one taking all that is left.

    Values are relative to the original's RMS, or absolute where that is zero.
    """
    scale = profile.scale or 1.0
    size = len(profile.counts)
    starts = [s for s in _STARTS if s < size][:most]
    ends = [*starts[1:], size]
    return tuple(
        Bin(a, b - 1, _pooled(profile, a, b) / scale) for a, b in zip(starts, ends, strict=True)
    )


def pooled_bins(
    counts: Sequence[int], values: Sequence[float], most: int
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """(labels, means weighed by elements) of the same bins over any value of each ring."""
    size = len(counts)
    starts = [s for s in _STARTS if s < size][:most]
    labels, means = [], []
    for a, b in zip(starts, [*starts[1:], size], strict=True):
        weight = max(sum(counts[a:b]), 1)
        labels.append(str(a) if b - a == 1 else f"{a}–{b - 1}")
        means.append(sum(n * v for n, v in zip(counts[a:b], values[a:b], strict=True)) / weight)
    return tuple(labels), tuple(means)


def bar(share: float, width: int) -> str:
    """`width` equal blocks as high as `share` of a full one; any share above 0 shows."""
    if not share > 0:  # NaN too
        return " " * width
    return _BLOCKS[max(1, min(8, round(min(share, 1.0) * 8)))] * width


def _pooled(profile: RingProfile, first: int, end: int) -> float:
    """RMS over several rings, each weighed by its elements."""
    counts = profile.counts[first:end]
    squares = sum(n * v * v for n, v in zip(counts, profile.rms[first:end], strict=True))
    return sqrt(squares / max(sum(counts), 1))
