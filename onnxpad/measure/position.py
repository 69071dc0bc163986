"""Positions read from the maps of one layer: fitted on some images, judged on others.

A position's coordinates are −1 at the first border and 1 at the last, its features the channels
there. R² = 1 − Σ(read − true)² / Σ(true − mean)², over positions and images that were not fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, prod

import numpy as np

from onnxpad.measure.pair import Array
from onnxpad.measure.readout import Readout, Sums, Units, chosen
from onnxpad.measure.rings import ring_index
from onnxpad.measure.significance import spearman
from onnxpad.probe.anatomy import Layer, Map

# Positions of one map that are fitted, chosen at random where it has more.
_POSITIONS = 1024
_FEWEST_POSITIONS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The positions of a map that are read.

    Attributes:
        kept: (positions,) indices into the flattened map.
        targets: (axes, positions): each coordinate, −1 at the first border and 1 at the last.
        rings: (positions,) distance to the nearest border, in positions of the map.
    """

    kept: Array
    targets: Array
    rings: Array

    @classmethod
    def of(cls, space: Sequence[int], stride: Sequence[Fraction], margin: int) -> "Places | None":
        """Those at least `margin` input pixels from every border; None for fewer than 3 along one.

        Position i of a map with stride s stands i·s pixels behind the first.
        """
        edges = [ceil(margin / step) for step in stride]
        if any(n - 2 * edge < _FEWEST_POSITIONS for n, edge in zip(space, edges, strict=True)):
            return None
        inside = np.zeros(tuple(space), bool)
        inside[tuple(slice(e, n - e) for n, e in zip(space, edges, strict=True))] = True
        kept = np.flatnonzero(inside)
        grid = np.meshgrid(*((2 * np.arange(n) + 1) / n - 1 for n in space), indexing="ij")
        targets = np.stack([axis.reshape(-1)[kept] for axis in grid])
        return cls(kept, targets, ring_index(tuple(space)).reshape(-1)[kept])


@dataclass(frozen=True, slots=True, eq=False)
class LayerPosition:
    """What one layer tells of positions.

    Attributes:
        layer: its name, untrusted. channels: features. stride: in input pixels.
        r2: 1 − squared error / variance along each axis, on images that were not fitted.
        spearman: mean over these images of the rank correlation along each axis; None where the
            read-out does not vary.
        shuffled: the mean R² along the axes after shuffling the positions of each fitted image.
        ridge: λ that was chosen.
        read: (axes, *space) mean of what was read at each position, NaN where none was.
        error: RMS over the axes by distance to the border, in units of half the map's size;
            `guess`: that of always saying the middle.
    """

    layer: str
    op: str
    channels: int
    space: tuple[int, ...]
    stride: tuple[Fraction, ...]
    r2: tuple[float, ...]
    spearman: tuple[float | None, ...]
    shuffled: float
    ridge: float
    read: Array = field(repr=False)
    error: Array = field(repr=False)
    guess: Array = field(repr=False)

    @property
    def whole(self) -> float:
        """R² over all axes."""
        return sum(self.r2) / len(self.r2)

    @property
    def depths(self) -> tuple[float, ...]:
        """The distance of each ring to the border in input pixels, the mean of the axes."""
        step = sum(map(float, self.stride)) / len(self.stride)
        return tuple(ring * step for ring in range(len(self.error)))


@dataclass(slots=True)
class Reading:
    """One layer while it is read; `broken` where its features were not finite."""

    layer: Layer
    places: Places
    units: Units | None = None
    fitted: Sums | None = None
    judge: Sums | None = None
    broken: bool = False

    def add(self, features: Array, rng: np.random.Generator, *, judge: bool) -> None:
        """Take in the map of one image, (channels, positions), to fit or to choose the penalty."""
        if self.broken or not np.isfinite(features).all():
            self.broken = True
            return
        some = _some(len(self.places.kept), rng)
        used = features[:, self.places.kept[some]]
        targets = self.places.targets[:, some]
        both = np.concatenate([targets, rng.permutation(targets, axis=1)])
        if self.units is None:
            self.units = Units.of(used)
            self.fitted, self.judge = (Sums(len(used), len(both)) for _ in range(2))
        assert self.fitted is not None
        assert self.judge is not None
        sums = self.judge if judge else self.fitted
        sums.add(self.units.apply(used), both)

    def readouts(self) -> tuple[Readout, Readout] | None:
        """Of the positions, and of the shuffled ones."""
        if self.broken or self.fitted is None or self.judge is None:
            return None
        axes = len(self.places.targets)
        parts = (slice(axes), slice(axes, None))
        first, second = chosen(self.fitted, self.judge, parts)
        self.fitted = self.judge = None  # the largest thing here
        return first, second


@dataclass(slots=True)
class Judged:
    """One layer's read-outs while they are judged."""

    reading: Reading
    readouts: tuple[Readout, Readout]
    images: int = 0
    squared: Array | float = 0.0
    squared_shuffled: float = 0.0
    by_ring: Array | float = 0.0
    read: Array | float = 0.0
    correlations: list[list[float]] = field(default_factory=list)

    def add(self, features: Array, rng: np.random.Generator) -> None:
        """Take in the map of one image that was not fitted, (channels, positions)."""
        places, units = self.reading.places, self.reading.units
        assert units is not None
        if not np.isfinite(features).all():
            self.reading.broken = True
            return
        used = units.apply(features[:, places.kept])
        found = self.readouts[0].predict(used)
        error = np.square(found - places.targets)
        self.squared = self.squared + error.sum(axis=1)
        other = self.readouts[1].predict(used) - places.targets
        self.squared_shuffled += float(np.square(other).sum())
        self.by_ring = self.by_ring + _by_ring(error, places.rings)
        self.read = self.read + found
        few = _some(len(places.kept), rng)
        pairs = zip(found[:, few], places.targets[:, few], strict=True)
        if not self.correlations:
            self.correlations = [[] for _ in places.targets]
        for kept, (a, b) in zip(self.correlations, pairs, strict=True):
            value = spearman(a, b)
            if value is not None:
                kept.append(value)
        self.images += 1

    def result(self) -> LayerPosition | None:
        """The record; None where nothing could be judged."""
        if self.reading.broken or not self.images:
            return None
        places, one = self.reading.places, self.reading.layer.map
        centred = places.targets - places.targets.mean(axis=1, keepdims=True)
        variance = np.square(centred).sum(axis=1) * self.images
        read = np.full((len(places.targets), prod(one.space)), np.nan)
        read[:, places.kept] = np.asarray(self.read) / self.images
        with np.errstate(invalid="ignore", divide="ignore"):
            counts = np.bincount(places.rings) * self.images * len(places.targets)
            error = np.sqrt(np.asarray(self.by_ring) / counts)
            guess = np.sqrt(_by_ring(np.square(centred), places.rings) * self.images / counts)
        return LayerPosition(
            self.reading.layer.name, self.reading.layer.op, channels(one), one.space, one.stride,
            tuple(float(v) for v in 1 - np.asarray(self.squared) / variance),
            tuple(float(np.mean(c)) if c else None for c in self.correlations),
            1 - self.squared_shuffled / float(variance.sum()), self.readouts[0].ridge,
            read.reshape(-1, *one.space), error, guess,
        )  # fmt: skip


def channels(one: Map) -> int:
    """Features at each position of a map: all axes but the batch's and the spatial ones."""
    return prod(one.shape[axis] for axis in range(len(one.shape)) if _is_channel(one, axis))


def _is_channel(one: Map, axis: int) -> bool:
    return axis not in one.axes and (axis > 0 or 0 in one.axes)


def _some(count: int, rng: np.random.Generator) -> Array:
    """Indices of positions, at random where there are too many."""
    if count <= _POSITIONS:
        return np.arange(count)
    return np.sort(rng.choice(count, _POSITIONS, replace=False))


def _by_ring(squared: Array, rings: Array) -> Array:
    return np.bincount(rings, squared.sum(axis=0))
