"""A linear read-out of targets from features: ridge regression in closed form, from sums alone.

With features standardised to mean 0 and variance 1, R their correlation matrix and c their
covariance with a target, the weights are w = (R + λ I)^-1 c (A. E. Hoerl, R. W. Kennard, "Ridge
Regression", Technometrics 12, 1970). Sums of features, targets and their products are all that it
takes, so that memory does not grow with the number of samples, and the squared error on other
samples, which decides λ, follows from their sums as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.measure.pair import Array

# λ in units of a standardised feature's variance; the last all but forbids to read anything.
LAMBDAS = tuple(10.0**power for power in (-4, -3, -2, -1, 0, 1, 2, 4))
# Features whose spread is below this share of their size carry rounding only.
_CONSTANT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """A shift and a scale for each feature, which keep the sums of products exact enough.

    Attributes:
        centre, scale: (features,), of some samples; scale is never 0.
    """

    centre: Array
    scale: Array

    @classmethod
    def of(cls, features: Array) -> "Units":
        """From the first features (features, samples) that are seen."""
        values = np.asarray(features, np.float64)
        centre, spread = values.mean(axis=1), values.std(axis=1)
        # one that does not vary yet is taken to vary as the others do, or as large as it is
        usual = float(spread.max(initial=0.0)) or float(np.abs(centre).max(initial=0.0)) or 1.0
        return cls(centre, np.where(spread > _CONSTANT * usual, spread, usual))

    def apply(self, features: Array) -> Array:
        """The features (features, samples) in these units, float32."""
        moved = np.asarray(features, np.float32) - self.centre.astype(np.float32)[:, None]
        moved /= self.scale.astype(np.float32)[:, None]
        return moved


class Sums:
    """What is kept of all samples: A = Z Zᵀ and B = Z Tᵀ, Z the features and a row of ones."""

    def __init__(self, features: int, targets: int) -> None:
        """Nothing seen yet."""
        self.products = np.zeros((features + 1, features + 1))
        self.targets = np.zeros((features + 1, targets))
        self.squares = np.zeros(targets)

    def add(self, features: Array, targets: Array) -> None:
        """Take in samples.

        Args:
            features: (features, samples) in their units. targets: (targets, samples).

        Raises ValueError for other shapes.
        """
        if features.shape != (len(self.products) - 1, targets.shape[1]):
            raise ValueError(f"features {features.shape} do not fit targets {targets.shape}")
        ones = np.ones((1, targets.shape[1]), np.float32)
        both = np.concatenate([np.asarray(features, np.float32), ones])
        self.products += both @ both.T
        self.targets += both.astype(np.float64) @ targets.T
        self.squares += np.square(targets).sum(axis=1)

    def of(self, targets: slice) -> "Sums":
        """The same samples with some of the targets only; shares memory with these."""
        found = Sums(0, 0)
        found.products = self.products
        found.targets, found.squares = self.targets[:, targets], self.squares[targets]
        return found

    def __add__(self, other: "Sums") -> "Sums":
        found = Sums(0, 0)
        found.products = self.products + other.products
        found.targets = self.targets + other.targets
        found.squares = self.squares + other.squares
        return found

    @property
    def count(self) -> float:
        """Samples seen."""
        return float(self.products[-1, -1])


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """Weights for features in their units.

    Attributes:
        weights: (targets, features + 1), the last for the row of ones. ridge: λ.
    """

    weights: Array
    ridge: float

    def predict(self, features: Array) -> Array:
        """(targets, samples) from features (features, samples) in their units."""
        return np.asarray(self.weights[:, :-1] @ features + self.weights[:, -1:])

    def squared_error(self, sums: Sums) -> Array:
        """(targets,) over the samples of some sums."""
        crossed = (self.weights * sums.targets.T).sum(axis=1)
        own = ((self.weights @ sums.products) * self.weights).sum(axis=1)
        return np.asarray(sums.squares - 2 * crossed + own)


def fit(sums: Sums, ridge: float) -> Readout:
    """The read-out that fits some samples best under a penalty. Raises ValueError without any."""
    n = sums.count
    if not n:
        raise ValueError("a read-out of no samples")
    mean, targets = sums.products[-1, :-1] / n, sums.targets[-1] / n
    covariance = sums.products[:-1, :-1] / n - np.outer(mean, mean)
    variance = np.diagonal(covariance)
    sizes = np.diagonal(sums.products)[:-1] / n
    alive = variance > _CONSTANT * np.maximum(sizes, _CONSTANT)
    spread = np.sqrt(np.where(alive, variance, 1.0))
    correlation = covariance / np.outer(spread, spread)
    correlation[~alive], correlation[:, ~alive] = 0.0, 0.0
    toward = (sums.targets[:-1] / n - np.outer(mean, targets)) / spread[:, None]
    toward[~alive] = 0.0
    correlation[np.diag_indices(len(correlation))] += ridge
    weights = np.linalg.solve(correlation, toward).T / spread
    return Readout(np.concatenate([weights, (targets - weights @ mean)[:, None]], axis=1), ridge)


def chosen(
    fitted: Sums, judge: Sums, parts: Sequence[slice], ridges: Sequence[float] = LAMBDAS
) -> tuple[Readout, ...]:
    """The best read-out of each part of the targets that two halves of the samples give.

    λ is the one whose fit to the first half errs least on the second, the larger of equals; with it
    both halves are fitted together.
    """
    errors = [fit(fitted, ridge).squared_error(judge) for ridge in ridges]
    whole = fitted + judge
    found = []
    for part in parts:
        wrong = [float(error[part].sum()) for error in errors]
        _, best = min(zip(wrong, (-ridge for ridge in ridges), strict=True))
        found.append(fit(whole.of(part), -best))
    return tuple(found)
