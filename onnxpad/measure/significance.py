"""Tests that assume no distribution: ranks of two groups, and several tests at once.

Ranks of equal values are their mean rank. The rank test is Wilcoxon's (1945, Biometrics Bulletin
1), as Mann and Whitney count it (1947, Annals of Mathematical Statistics 18): U of n·m pairs have
the larger value in the first group, ties half. Its p comes from dealing the values to the groups
at random: p = (1 + deals at least as far from n·m / 2) / (1 + deals), two-sided. Spearman's
correlation is Pearson's of the ranks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEALS = 9999
_AT_ONCE = 2**22  # values dealt at a time: 32 MiB


@dataclass(frozen=True, slots=True)
class RankTest:
    """Two groups of values.

    Attributes:
        sizes: of the first and the second group.
        larger: U / (n·m), the chance that a value of the first is above one of the second; 0.5 for
            groups alike.
        p: of "the groups are alike", two-sided; 1 where a group is empty.
    """

    sizes: tuple[int, int]
    larger: float
    p: float


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks of (n,) values from 1; equal ones share their mean rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: NDArray[np.float64] = (last - (counts - 1) / 2)[places.reshape(-1)]
    return mean


def spearman(first: NDArray[Any], second: NDArray[Any]) -> float | None:
    """Of (n,) and (n,) values; None where one does not vary. Raises ValueError for others."""
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"not paired: {first.shape} and {second.shape}")
    a, b = (one - one.mean() for one in (ranks(first), ranks(second)))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else None


def rank_test(
    first: Sequence[float], second: Sequence[float], *, deals: int = DEALS, seed: int = 0
) -> RankTest:
    """Whether values of one group tend to be larger; equal input gives equal output."""
    n, m = len(first), len(second)
    if not n or not m:
        return RankTest((n, m), 0.5, 1.0)
    ranked = ranks(np.array([*first, *second], np.float64))
    middle = n * (n + m + 1) / 2
    found = float(ranked[:n].sum()) - middle
    rng = np.random.default_rng(seed)
    count, done = 0, 0
    step = max(_AT_ONCE // (n + m), 1)
    while done < deals:
        now = min(step, deals - done)
        dealt = rng.permuted(np.tile(ranked, (now, 1)), axis=1)[:, :n].sum(axis=1) - middle
        count += int((np.abs(dealt) >= abs(found) - 1e-9).sum())
        done += now
    return RankTest((n, m), 0.5 + found / (n * m), (1 + count) / (1 + deals))


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Each p as one of several tests (S. Holm, Scandinavian Journal of Statistics 6, 1979).

    The i-th smallest of n times n − i (i from 0), at most 1, and never below a smaller one's. Those
    at or below a level are wrong, all together, with at most that probability.
    """
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    found = [1.0] * len(ps)
    highest = 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, ps[i] * (len(ps) - place)))
        found[i] = highest
    return tuple(found)
