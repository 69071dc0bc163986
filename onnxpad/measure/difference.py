"""How far two outputs differ: Δ = candidate − original, over all elements and samples.

max |Δ|, mean |Δ| = Σ|Δ| / n, RMS = √(Σ Δ² / n), and max |Δ| / max |y| with y the original's
output, which is the field's usual measure of "equal up to rounding". Sums are float64.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from onnxpad.measure.pair import Pair


@dataclass(frozen=True, slots=True)
class Difference:
    """The result. Elements that are NaN or infinite on either side enter the counts alone.

    Attributes:
        count: elements compared (finite on both sides).
        max_abs, mean_abs, rms: of Δ, in the output's own unit; 0 where nothing was compared.
        max_original, rms_original: of the original's output.
        nonfinite_original, nonfinite_candidate: NaN or infinite elements.
        unlike: elements that are not finite on one side and not the same on the other.
    """

    count: int
    max_abs: float
    mean_abs: float
    rms: float
    max_original: float
    rms_original: float
    nonfinite_original: int
    nonfinite_candidate: int
    unlike: int

    @property
    def relative_max(self) -> float | None:
        """Largest |Δ| / largest |y|; None where the original is zero everywhere."""
        return self.max_abs / self.max_original if self.max_original > 0 else None

    @property
    def relative_rms(self) -> float | None:
        """RMS Δ / RMS y; None where the original is zero everywhere."""
        return self.rms / self.rms_original if self.rms_original > 0 else None

    @property
    def identical(self) -> bool:
        """Whether every element equals its counterpart, NaN beside NaN included."""
        return self.max_abs == 0 and self.unlike == 0


@dataclass(frozen=True, slots=True)
class DifferenceSums:
    """What is kept of the samples seen so far; a + b is what both saw."""

    count: int = 0
    max_abs: float = 0.0
    sum_abs: float = 0.0
    sum_square: float = 0.0
    max_original: float = 0.0
    square_original: float = 0.0
    nonfinite_original: int = 0
    nonfinite_candidate: int = 0
    unlike: int = 0

    def __add__(self, other: "DifferenceSums") -> "DifferenceSums":
        return DifferenceSums(
            self.count + other.count,
            max(self.max_abs, other.max_abs),
            self.sum_abs + other.sum_abs,
            self.sum_square + other.sum_square,
            max(self.max_original, other.max_original),
            self.square_original + other.square_original,
            self.nonfinite_original + other.nonfinite_original,
            self.nonfinite_candidate + other.nonfinite_candidate,
            self.unlike + other.unlike,
        )

    def result(self) -> Difference:
        """The record."""
        n = max(self.count, 1)
        return Difference(
            self.count,
            self.max_abs,
            self.sum_abs / n,
            sqrt(self.sum_square / n),
            self.max_original,
            sqrt(self.square_original / n),
            self.nonfinite_original,
            self.nonfinite_candidate,
            self.unlike,
        )


def difference(outputs: Pair) -> DifferenceSums:
    """Sum up one pair of outputs."""
    size = np.abs(outputs.delta)
    return DifferenceSums(
        count=size.size if outputs.finite is None else int(outputs.finite.sum()),
        max_abs=float(size.max(initial=0.0)),
        sum_abs=float(size.sum()),
        sum_square=float(np.square(outputs.delta).sum()),
        max_original=float(np.abs(outputs.original).max(initial=0.0)),
        square_original=float(np.square(outputs.original).sum()),
        nonfinite_original=outputs.nonfinite_original,
        nonfinite_candidate=outputs.nonfinite_candidate,
        unlike=outputs.unlike,
    )
