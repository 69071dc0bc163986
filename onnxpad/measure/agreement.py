"""Top-1 agreement: how often two classifiers put the same class first.

Needs no labels, and says nothing about which of the two is right. The interval is Wilson's score
interval for a share at 95 % (E. B. Wilson, "Probable Inference, the Law of Succession, and
Statistical Inference", JASA 22, 1927), which stays honest for few samples and shares near 1.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from onnxpad.measure.pair import Array

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Agreement:
    """The result.

    Attributes:
        same: samples on which both put the same class first.
        total: samples compared.
        unusable: samples left out because a score was NaN.
        low, high: the 95 % interval of the share.
    """

    same: int
    total: int
    unusable: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """The share same / total; None where nothing was compared."""
        return self.same / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class AgreementSums:
    """What is kept of the samples seen so far; a + b is what both saw."""

    same: int = 0
    total: int = 0
    unusable: int = 0

    def __add__(self, other: "AgreementSums") -> "AgreementSums":
        return AgreementSums(
            self.same + other.same, self.total + other.total, self.unusable + other.unusable
        )

    def result(self) -> Agreement:
        """The record."""
        return Agreement(self.same, self.total, self.unusable, *_wilson(self.same, self.total))


def class_count(shape: tuple[int, ...]) -> int | None:
    """K for outputs that look like class scores: (N, K), also (N, K, 1, 1); else None."""
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape[1] if len(shape) == 2 and shape[1] > 1 else None


def agreement(original: Array, candidate: Array) -> AgreementSums:
    """Compare scores of shape (N, K) or (N, K, 1, 1). Raises ValueError for other shapes.

    Of equal scores (quantised models have them) the first class counts, on both sides.
    """
    count = class_count(original.shape)
    if count is None or original.shape != candidate.shape:
        raise ValueError(f"no class scores: {original.shape} and {candidate.shape}")
    ours = original.reshape(-1, count).astype(np.float64)
    theirs = candidate.reshape(-1, count).astype(np.float64)
    usable = ~(np.isnan(ours).any(axis=1) | np.isnan(theirs).any(axis=1))
    same = (ours.argmax(axis=1) == theirs.argmax(axis=1)) & usable
    total = int(usable.sum())
    return AgreementSums(int(same.sum()), total, len(ours) - total)


def _wilson(same: int, total: int) -> tuple[float, float]:
    if not total:
        return 0.0, 1.0
    share, z2 = same / total, _Z * _Z
    centre = share + z2 / (2 * total)
    spread = _Z * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    low, high = ((centre + sign * spread) / (1 + z2 / total) for sign in (-1, 1))
    return max(low, 0.0) if same else 0.0, min(high, 1.0) if same < total else 1.0
