"""Two models on the same samples: how sure a difference is.

Interval: the paired bootstrap. Samples are drawn with replacement, the same ones for both models,
the statistic is taken on every draw, and the 2.5th and 97.5th percentiles of its values bound the
95 % interval (B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics
7, 1979). A draw is a row of weights: how often each sample is in it. Equal models give equal
values on every draw, hence the interval [0, 0].

Test: exact McNemar. Of the b + c samples that only one of the two models gets right, b would be
binomial(b + c, 1/2) if neither were better: p = min(1, 2 Σ_{i ≤ min(b, c)} C(b+c, i) / 2^(b+c))
(Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
percentages", Psychometrika 12, 1947).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from onnxpad.measure.pair import Array

DRAWS = 2000
# Weights held at once: 8 MB of float64.
_HELD = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Flips:
    """Samples by which of the two models was right.

    Attributes:
        both, neither: right on both sides, on none.
        gained: wrong in the original, right in the candidate. lost: the other way round.
    """

    both: int = 0
    gained: int = 0
    lost: int = 0
    neither: int = 0

    def __add__(self, other: "Flips") -> "Flips":
        return Flips(
            self.both + other.both,
            self.gained + other.gained,
            self.lost + other.lost,
            self.neither + other.neither,
        )

    @property
    def total(self) -> int:
        """All samples."""
        return self.both + self.gained + self.lost + self.neither

    @property
    def p(self) -> float:
        """McNemar's exact two-sided p of "neither model is better"."""
        return mcnemar(self.gained, self.lost)


def flips(original: Array, candidate: Array) -> Flips:
    """Count two boolean arrays of shape (n,): right or wrong, sample by sample."""
    ours, theirs = np.asarray(original, bool), np.asarray(candidate, bool)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise ValueError(f"not paired: {ours.shape} and {theirs.shape}")
    both, gained, lost = (ours & theirs), (~ours & theirs), (ours & ~theirs)
    return Flips(int(both.sum()), int(gained.sum()), int(lost.sum()), int((~ours & ~theirs).sum()))


def mcnemar(gained: int, lost: int) -> float:
    """McNemar's exact p, two-sided; 1 without a single flip."""
    n, fewer = gained + lost, min(gained, lost)
    term = tail = 1
    for i in range(1, fewer + 1):  # C(n, i) from C(n, i − 1), in whole numbers
        term = term * (n - i + 1) // i
        tail += term
    return min(1.0, 2 * tail / (1 << n))


def weights(count: int, seed: int, draws: int = DRAWS) -> Iterator[Array]:
    """Bootstrap draws of `count` samples, as blocks of rows of shape (rows, count), float64.

    Entry (r, i) is how often sample i is in draw r; every row sums to `count`. A seed and a count
    give the same rows every time, so that two statistics are taken on the same draws.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, count))))
    rows = max(1, min(draws, _HELD // max(count, 1)))
    for start in range(0, draws, rows):
        size = min(rows, draws - start)
        chosen = rng.integers(0, count, (size, count))
        chosen += count * np.arange(size)[:, None]
        counted = np.bincount(chosen.ravel(), minlength=size * count)
        yield counted.reshape(size, count).astype(np.float64)


def bootstrap(
    statistic: Callable[[Array], Array], count: int, seed: int, draws: int = DRAWS
) -> Interval | None:
    """The interval of a statistic over `count` samples; None for fewer than two.

    Args:
        statistic: from weights of shape (rows, count) to values of shape (rows,). NaN marks draws
            on which it does not exist (no sample of any class); they are left out.
    """
    if count < 2:
        return None
    values = np.concatenate([statistic(block) for block in weights(count, seed, draws)])
    values = values[~np.isnan(values)]
    if not values.size:
        return None
    low, high = np.percentile(values, (2.5, 97.5))
    return Interval(float(low), float(high))


def mean_interval(values: Array, seed: int, draws: int = DRAWS) -> Interval | None:
    """The interval of the mean of `values`, one for each sample; deltas for a paired interval."""
    values = np.asarray(values, np.float64)
    return bootstrap(lambda w: w @ values / len(values), len(values), seed, draws)


def share_interval(parts: Array, wholes: Array, seed: int, draws: int = DRAWS) -> Interval | None:
    """The interval of Σ parts / Σ wholes, where sample i contributes parts[i] of wholes[i]."""
    over, under = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    if over.shape != under.shape:
        raise ValueError(f"not paired: {over.shape} and {under.shape}")

    def share(w: Array) -> Array:
        total = w @ under
        found = np.full(len(w), np.nan)
        np.divide(w @ over, total, out=found, where=total > 0)
        return found

    return bootstrap(share, len(over), seed, draws)
