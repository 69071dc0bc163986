"""Numbers of paths over a map, beyond the range of floats, channels apart where they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import frexp, prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Elements of a map with every channel of its own: above that channels are averaged.
MOST_ELEMENTS = 2**26


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Paths from each element of a map: value · 2^exponent.

    Attributes:
        runs: neighbouring channels that share one plane, how many each.
        values: (runs, *space), the largest between 1/2 and 1 unless all are 0.
        exponent: of two, for all values.
    """

    runs: tuple[int, ...]
    values: Array
    exponent: int = 0

    @property
    def channels(self) -> int:
        """How many channels the runs hold together."""
        return sum(self.runs)

    @property
    def space(self) -> tuple[int, ...]:
        """Spatial sizes."""
        return self.values.shape[1:]


def scaled(runs: Sequence[int], values: Array, exponent: int = 0) -> Counts:
    """Counts whose largest value is brought near 1, neighbouring equal planes made one run."""
    top = float(values.max(initial=0.0))
    if top > 0:
        shift = frexp(top)[1]
        values, exponent = np.ldexp(values, -shift), exponent + shift
    kept, counts = [0], [runs[0]]
    for place in range(1, len(runs)):
        if np.array_equal(values[place], values[kept[-1]]):
            counts[-1] += runs[place]
        else:
            kept.append(place)
            counts.append(runs[place])
    return Counts(tuple(counts), values[kept], exponent)


def ones(channels: int, space: tuple[int, ...]) -> Counts:
    """One path from every element."""
    return scaled((channels,), np.ones((1, *space)))


def uniform(counts: Counts, channels: int, space: tuple[int, ...], factor: float = 1.0) -> Counts:
    """The mean of counts everywhere on another map: what is left where positions are lost."""
    weights = np.array(counts.runs, np.float64) / max(counts.channels, 1)
    mean = float(weights @ counts.values.reshape(len(counts.runs), -1).mean(axis=1))
    return scaled((channels,), np.full((1, *space), mean * factor), counts.exponent)


def over_channels(counts: Counts, channels: int, groups: int = 1) -> Counts:
    """Back through a layer with weights of 1: each input channel of a group gets its outputs' sum.

    Args:
        channels: of the layer's input.
    """
    if len(counts.runs) == 1:
        return scaled((channels,), counts.values * (counts.channels / groups), counts.exponent)
    size = counts.channels // groups
    planes = [_sum(counts, group * size, (group + 1) * size) for group in range(groups)]
    return scaled([channels // groups] * groups, np.stack(planes), counts.exponent)


def _sum(counts: Counts, begin: int, end: int) -> Array:
    total = np.zeros(counts.space)
    at = 0
    for run, plane in zip(counts.runs, counts.values, strict=True):
        shared = min(at + run, end) - max(at, begin)
        if shared > 0:
            total += shared * plane
        at += run
    return total


def part(counts: Counts, begin: int, end: int) -> Counts:
    """Channels begin to end - 1."""
    runs, planes, at = [], [], 0
    for run, plane in zip(counts.runs, counts.values, strict=True):
        shared = min(at + run, end) - max(at, begin)
        if shared > 0:
            runs.append(shared)
            planes.append(plane)
        at += run
    if not runs:
        return scaled((max(end - begin, 0),), np.zeros((1, *counts.space)))
    return scaled(runs, np.stack(planes), counts.exponent)


def stacked(many: Sequence[Counts]) -> Counts:
    """Channels one after the other."""
    top = max(one.exponent for one in many)
    planes = np.concatenate([np.ldexp(one.values, one.exponent - top) for one in many])
    return scaled([run for one in many for run in one.runs], planes, top)


def placed(counts: Counts, channels: int, begin: int) -> Counts:
    """Counts as channels begin, begin + 1, … of `channels`, nothing from the others."""
    blank = np.zeros((1, *counts.space))
    after = channels - begin - counts.channels
    pieces = (
        [Counts((begin,), blank)] * (begin > 0) + [counts] + [Counts((after,), blank)] * (after > 0)
    )
    return stacked([Counts(p.runs, p.values, counts.exponent) for p in pieces])


def added(one: Counts, other: Counts) -> Counts:
    """The sum of two counts of the same map."""
    top = max(one.exponent, other.exponent)
    ours, theirs = (np.ldexp(c.values, c.exponent - top) for c in (one, other))
    if one.runs == other.runs:
        return scaled(one.runs, ours + theirs, top)
    cuts = sorted({*np.cumsum(one.runs).tolist(), *np.cumsum(other.runs).tolist()})
    places = [np.searchsorted(np.cumsum(c.runs), cuts) for c in (one, other)]
    return scaled(np.diff([0, *cuts]).tolist(), ours[places[0]] + theirs[places[1]], top)


def each(counts: Counts) -> Array | None:
    """(channels, *space), None where that is too large to be written out."""
    if counts.channels * prod(counts.space) > MOST_ELEMENTS:
        return None
    whole: Array = np.repeat(counts.values, counts.runs, axis=0)
    return whole


def from_each(whole: Array, exponent: int) -> Counts:
    """Counts of planes that may all differ."""
    return scaled([1] * len(whole), whole, exponent)


def along(counts: Counts, axis: int, matrix: Array) -> Counts:
    """Back through a linear operator along one spatial axis.

    Args:
        matrix: (out, in) of the operator; counts have `out` elements along the axis.
    """
    moved = np.moveaxis(counts.values, axis + 1, -1) @ matrix
    return scaled(counts.runs, np.moveaxis(moved, -1, axis + 1), counts.exponent)
