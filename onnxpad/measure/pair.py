"""Two outputs side by side, as the measures of difference read them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The outputs of two models for the same samples, of one shape.

    Attributes:
        original: y in float64, 0 where either side is NaN or infinite.
        delta: Δ = candidate − original in float64, 0 at the same places.
        finite: False at those places; None when there are none.
        nonfinite_original, nonfinite_candidate: NaN or infinite elements.
        unlike: elements that are not finite on one side and not the same on the other.
    """

    original: Array
    delta: Array
    finite: Array | None = None
    nonfinite_original: int = 0
    nonfinite_candidate: int = 0
    unlike: int = 0


def pair(original: Array, candidate: Array) -> Pair:
    """Put two outputs of any numeric types side by side. Raises ValueError for two shapes."""
    if original.shape != candidate.shape:
        raise ValueError(f"shapes differ: {original.shape} and {candidate.shape}")
    y, other = original.astype(np.float64), candidate.astype(np.float64)
    ours, theirs = np.isfinite(y), np.isfinite(other)
    finite = ours & theirs
    if finite.all():
        other -= y
        return Pair(y, other)
    same = (y == other) | (np.isnan(y) & np.isnan(other))
    unlike = int((~finite & ~same).sum())
    y[~finite] = 0.0
    other[~finite] = 0.0
    return Pair(y, other - y, finite, int((~ours).sum()), int((~theirs).sum()), unlike)
