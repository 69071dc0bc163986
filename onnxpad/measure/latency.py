"""How much slower or faster the candidate is: a ratio, beside the ratio of the original to itself.

Rounds of four blocks A B A′ B′ take turns (every other round B first), so that a machine that
slows down slows both. A round's ratio is (B + B′) / (A + A′); the median over rounds is reported
with its 95 % interval from order statistics, which assumes nothing about how times scatter.
A′ / A compares the original with itself under the same conditions: the interval of its median is
the noise floor, and a ratio whose interval meets it is no difference that this run can show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from time import perf_counter

import numpy as np

_BLOCK_SECONDS = 0.005
_MAX_RUNS = 100
_MAX_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of the four blocks, in the order original, candidate, original, candidate."""

    original: float
    candidate: float
    original_again: float
    candidate_again: float


@dataclass(frozen=True, slots=True)
class Latency:
    """The result.

    Attributes:
        rounds: how many were measured. runs: runs of the model in each block.
        original_ms, candidate_ms: median time of one run.
        ratio: median of candidate / original. ratio_low, ratio_high: its 95 % interval.
        floor_low, floor_high: the same interval for original / original; 1 lies inside.
    """

    rounds: int
    runs: int
    original_ms: float
    candidate_ms: float
    ratio: float
    ratio_low: float
    ratio_high: float
    floor_low: float
    floor_high: float

    @property
    def within_noise(self) -> bool:
        """Whether the ratio is one that the original may show against itself."""
        return self.ratio_low <= self.floor_high and self.floor_low <= self.ratio_high


def summarise(rounds: Sequence[Round], runs: int = 1) -> Latency:
    """The record of some rounds. Raises ValueError when there are none."""
    if not rounds:
        raise ValueError("no rounds were measured")
    a = np.array([[r.original, r.original_again] for r in rounds])
    b = np.array([[r.candidate, r.candidate_again] for r in rounds])
    ratios = b.sum(axis=1) / a.sum(axis=1)
    own = a[:, 1] / a[:, 0]
    low, high = _median_interval(own)
    return Latency(
        len(rounds),
        runs,
        float(np.median(a)) * 1e3 / runs,
        float(np.median(b)) * 1e3 / runs,
        float(np.median(ratios)),
        *_median_interval(ratios),
        # Which of two equal blocks came first is chance: the floor holds in both directions.
        min(low, 1 / high),
        max(high, 1 / low),
    )


def _median_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the median: the ranks n/2 ± 0.98·√n; all values where n is small."""
    ordered, count = np.sort(values), len(values)
    rank = max(floor(count / 2 - 0.98 * sqrt(count)), 0)
    return float(ordered[rank]), float(ordered[count - 1 - rank])


def latency(
    original: Callable[[], object],
    candidate: Callable[[], object],
    *,
    seconds: float,
    progress: Callable[[int, int], None] | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Latency:
    """Time two runs against each other for about `seconds`, at least one round.

    Both must have run before: the first run of a session prepares memory. `progress` is told the
    rounds done and the most there will be. `clock` gives the seconds that blocks are timed with:
    process_time leaves out what other processes took, where runs have one thread.
    """
    start = perf_counter()
    first = _block(original, 1, clock), _block(candidate, 1, clock)
    runs = min(max(ceil(_BLOCK_SECONDS / max(first)), 1), _MAX_RUNS)
    rounds: list[Round] = []
    if runs == 1:  # slow models: what was just timed is half of a round
        rounds.append(Round(*first, _block(original, 1, clock), _block(candidate, 1, clock)))
    longest = perf_counter() - start
    while len(rounds) < _MAX_ROUNDS and not (rounds and perf_counter() - start + longest > seconds):
        begin = perf_counter()
        rounds.append(_round(original, candidate, runs, clock, swapped=len(rounds) % 2 == 1))
        longest = max(longest, perf_counter() - begin)
        if progress is not None:
            progress(len(rounds), _MAX_ROUNDS)
    return summarise(rounds, runs)


def _round(
    original: Callable[[], object],
    candidate: Callable[[], object],
    runs: int,
    clock: Callable[[], float],
    *,
    swapped: bool,
) -> Round:
    first, second = (candidate, original) if swapped else (original, candidate)
    times = [_block(model, runs, clock) for model in (first, second, first, second)]
    if swapped:
        times = [times[1], times[0], times[3], times[2]]
    return Round(*times)


def _block(model: Callable[[], object], runs: int, clock: Callable[[], float]) -> float:
    begin = clock()
    for _ in range(runs):
        model()
    return max(clock() - begin, 1e-9)
