"""Drift: how far each layer's map moved from the original to the candidate, by distance to border.

With Δ the difference of a layer's maps for the same image,

    drift(d) = √(mean over ring d of Δ² / mean over the map of F²),

F the original's map, means over images, channels and positions. Layers are paired by name.
"""

from dataclasses import dataclass
from itertools import zip_longest
from math import sqrt

import numpy as np

from onnxpad.measure.pair import Array
from onnxpad.measure.rings import ring_index
from onnxpad.probe.anatomy import Layer


@dataclass(frozen=True, slots=True)
class Drift:
    """One layer.

    Attributes:
        layer, op: as the probe names them; the name is untrusted.
        rings: the drift of each ring; () where the original's map is zero everywhere.
        whole: of the whole map; None in the same case.
        scale: RMS of the original's map. stride: input pixels per position, along each axis.
        images: seen. nonfinite: images left out for NaN or infinite values.
    """

    layer: str
    op: str
    rings: tuple[float, ...]
    whole: float | None
    scale: float
    stride: tuple[float, ...]
    images: int
    nonfinite: int

    def depth(self, share: float = 1e-3) -> int:
        """Rings from the border to the innermost that moved by more than this share."""
        return max((d + 1 for d, value in enumerate(self.rings) if value > share), default=0)


@dataclass(frozen=True, slots=True)
class DriftSums:
    """What is kept of the images seen so far; a + b is what both saw."""

    counts: tuple[int, ...] = ()
    squares: tuple[float, ...] = ()
    original: float = 0.0
    images: int = 0
    nonfinite: int = 0

    def __add__(self, other: "DriftSums") -> "DriftSums":
        return DriftSums(
            tuple(a + b for a, b in zip_longest(self.counts, other.counts, fillvalue=0)),
            tuple(a + b for a, b in zip_longest(self.squares, other.squares, fillvalue=0.0)),
            self.original + other.original,
            self.images + other.images,
            self.nonfinite + other.nonfinite,
        )

    def result(self, layer: Layer) -> Drift:
        """The record."""
        elements = max(sum(self.counts), 1)
        power = self.original / elements
        rings: tuple[float, ...] = ()
        if power > 0:
            each = zip(self.squares, self.counts, strict=True)
            rings = tuple(sqrt(s / max(n, 1) / power) for s, n in each)
        whole = sqrt(sum(self.squares) / elements / power) if power > 0 else None
        stride = tuple(float(s) for s in layer.map.stride)
        return Drift(
            layer.name, layer.op, rings, whole, sqrt(power), stride, self.images, self.nonfinite
        )


def drift(original: Array, candidate: Array, layer: Layer, count: int | None = None) -> DriftSums:
    """Sum up a layer's maps of one feed, of which the first `count` are samples.

    Raises ValueError for maps of two shapes.
    """
    if original.shape != candidate.shape:
        raise ValueError(f"maps of {original.shape} and {candidate.shape}")
    axes = layer.map.axes
    if 0 not in axes:
        original, candidate = original[:count], candidate[:count]
    wide = original.dtype if original.dtype.kind == "f" else np.dtype(np.float32)
    # Differences of rounded numbers are exact enough in their own type; sums need float64.
    delta = np.subtract(candidate, original, dtype=max(wide, np.dtype(np.float32)))
    squares, power = _square_sums(delta, axes), _square_sums(original, axes)
    whole = np.isfinite(squares).all(axis=1) & np.isfinite(power).all(axis=1)
    index = ring_index(tuple(original.shape[a] for a in axes)).ravel()
    kept = int(whole.sum())
    per = original.size // max(squares.size, 1)
    return DriftSums(
        tuple(int(n) * per * kept for n in np.bincount(index)),
        tuple(float(v) for v in np.bincount(index, squares[whole].sum(axis=0))),
        float(power[whole].sum()),
        kept,
        len(squares) - kept,
    )


def _square_sums(values: Array, axes: tuple[int, ...]) -> Array:
    """Σ over channels of squares, float64 (N, positions)."""
    kept = list(axes) if 0 in axes else [0, *axes]
    sums = np.einsum(
        values, list(range(values.ndim)), values, list(range(values.ndim)), kept, dtype=np.float64
    )
    return np.asarray(sums).reshape(1 if 0 in axes else len(values), -1)
