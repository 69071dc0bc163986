"""The mean kernel of a layer and how asymmetric it is.

Alsallakh et al. (2021, arXiv 2010.02178) average the k x k kernels of a layer over its input and
output channels: W = mean over all kernels. Around layers that read padding unevenly W leans to one
side. Along an axis, with the middle tap of an odd kernel left out,

    a = | sum of W before the middle - sum of W behind it | / sum |W|

is 0 for mirror symmetry and at most 1. Whether it is more than chance: under the hypothesis that a
kernel and its mirror image are equally likely, flipping each kernel at random gives the
distribution of the numerator; p = (1 + flips at least as large) / (1 + flips), two-sided. Kernels
that share an input are taken as independent, so that p is a guide and no proof.

A layer of few kernels has a larger a by chance. z = | sum of l | / sqrt(sum of l^2), with l how far
each kernel leans (its taps before the middle less those behind), does not depend on their number:
under random flips its square is 1 on average. The sum of so many independent signs is normal to
good approximation where there are more than a thousand kernels: then p = erfc(z / sqrt 2), which
no number of flips bounds from below.
"""

from dataclasses import dataclass, field
from math import erfc, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLIPS = 999
_AT_ONCE = 2**22  # signs drawn at a time: 32 MiB
_MANY = 1000  # kernels above which the sum of their flips is taken for normal


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """Along one axis of a kernel.

    Attributes:
        begin, end: sums of the mean kernel before and behind the middle.
        score: a, 0 to 1; 0 where the mean kernel is zero everywhere.
        p: of the flips; 1 where nothing can be flipped or no flips are asked for.
        z: the same lean, relative to what random flips give; 0 where nothing leans.
    """

    begin: float
    end: float
    score: float
    p: float
    z: float = 0.0


@dataclass(frozen=True, slots=True)
class MeanKernel:
    """A layer's mean kernel.

    Attributes:
        mean: (spatial ...), float64. kernels: how many it is the mean of.
        axes: one asymmetry for each spatial axis, in order.
    """

    mean: NDArray[np.float64] = field(repr=False, compare=False)
    kernels: int
    axes: tuple[Asymmetry, ...]


def mean_kernel(weights: NDArray[Any], *, flips: int = FLIPS, seed: int = 0) -> MeanKernel:
    """The mean kernel of a layer.

    Args:
        weights: (out channels, in channels / groups, spatial ...), real numbers.
        flips: random flips for each axis of few kernels; 0 leaves p at 1.
        seed: of the flips; equal input gives equal output.

    Raises:
        ValueError: fewer than 3 axes, no kernel, or a weight that is not finite.
    """
    if weights.ndim < 3 or not weights.size:
        raise ValueError(f"expected (out, in, spatial ...) weights, found {weights.shape}")
    kernels = weights.reshape(-1, *weights.shape[2:])
    mean = kernels.mean(axis=0, dtype=np.float64)
    if not np.isfinite(mean).all():
        raise ValueError("weights that are not finite")
    total = float(np.abs(mean).sum())
    rng = np.random.default_rng(seed)
    axes = tuple(_along(kernels, mean, total, i, flips, rng) for i in range(mean.ndim))
    return MeanKernel(mean, len(kernels), axes)


def _along(
    kernels: NDArray[Any],
    mean: NDArray[np.float64],
    total: float,
    axis: int,
    flips: int,
    rng: np.random.Generator,
) -> Asymmetry:
    size = mean.shape[axis]
    half = size // 2
    if half == 0:
        return Asymmetry(0.0, 0.0, 0.0, 1.0)
    begin, end = (
        float(_half(mean[None], axis, s)[0]) for s in (slice(half), slice(size - half, size))
    )
    leaning = _half(kernels, axis, slice(half)) - _half(kernels, axis, slice(size - half, size))
    score = abs(begin - end) / total if total > 0 else 0.0
    spread = sqrt(float(leaning @ leaning))
    z = abs(float(leaning.sum())) / spread if spread > 0 else 0.0
    normal = flips > 0 and len(leaning) > _MANY
    p = erfc(z / sqrt(2)) if normal else _chance(leaning, flips, rng)
    return Asymmetry(begin, end, score, p, z)


def _half(kernels: NDArray[Any], axis: int, where: slice) -> NDArray[np.float64]:
    """The sum of each kernel over some taps of an axis and all of the others: (kernels,)."""
    part = kernels[(slice(None),) * (axis + 1) + (where,)]
    summed: NDArray[np.float64] = part.reshape(len(kernels), -1).sum(axis=1, dtype=np.float64)
    return summed


def _chance(leaning: NDArray[np.float64], flips: int, rng: np.random.Generator) -> float:
    """How often random signs give a sum at least as large as all of one sign.

    Args:
        leaning: (kernels,), how far each leans to one side.
    """
    found = abs(float(leaning.sum()))
    # sums in another order differ in their last digits: what is equal must count as equal
    least = found - 1e-12 * float(np.abs(leaning).sum())
    count, done = 0, 0
    step = max(_AT_ONCE // len(leaning), 1)
    while done < flips:
        now = min(step, flips - done)
        signs = rng.integers(0, 2, (now, len(leaning)), dtype=np.int8)
        sums = 2 * (signs.astype(np.float64) @ leaning) - leaning.sum()
        count += int((np.abs(sums) >= least).sum())
        done += now
    return (1 + count) / (1 + flips)
