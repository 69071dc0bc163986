"""Foveation: in how many ways each input pixel contributes to what a network computes.

With all weights 1, all biases 0 and every nonlinearity the identity, the derivative of the sum of
the outputs by a pixel is the number of paths from it (Alsallakh et al., arXiv 2010.02178, section
4). Every spatial operator then acts along each axis alone, as a matrix of counts; going back
through a layer multiplies with its transpose. Padding is such a matrix, too: the identity, padded.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from onnxpad.geometry import Window, valid_cells

Array = NDArray[np.float64]

_NUMPY = {
    "zero": {"mode": "constant"},
    "constant": {"mode": "constant"},
    "mean": {"mode": "constant"},
    "partial": {"mode": "constant"},
    "edge": {"mode": "edge"},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
    "wrap": {"mode": "wrap"},
    "linear": {"mode": "reflect", "reflect_type": "odd"},
}


def pad_matrix(size: int, begin: int, end: int, mode: str) -> Array:
    """(begin + size + end, size): which elements the padded ones are made of.

    What is invented of nothing (zeros, a constant, a mean) is a row of zeros.
    """
    padded: Array = np.pad(np.eye(size), ((begin, end), (0, 0)), **_NUMPY[mode])  # type: ignore[call-overload]  # by the table
    return padded


def window_matrix(size: int, window: Window, out: int) -> Array:
    """(out, size): 1 where a window position reads an element; what is beyond `size` is nothing."""
    found = np.zeros((out, size))
    starts = np.arange(out) * window.stride
    for tap in range(window.kernel):
        at = starts + tap * window.dilation
        inside = at < size
        found[np.flatnonzero(inside), at[inside]] += 1.0
    return found


def layer_matrix(
    size: int, window: Window, begin: int, end: int, out: int, mode: str = "zero"
) -> Array:
    """(out, size): a padded window op along one axis.

    For partial convolution each window is weighted with its cells / its valid cells.
    """
    found = window_matrix(begin + size + end, window, out) @ pad_matrix(size, begin, end, mode)
    if mode == "partial":
        found *= valid_share(size, window, begin, end, out)[:, None]
    return found


def valid_share(size: int, window: Window, begin: int, end: int, out: int) -> Array:
    """(out,): window cells / real cells of each position, 0 where it sees none."""
    valid = np.array(valid_cells(size, window, begin, end)[:out], np.float64)
    return np.divide(window.kernel, valid, out=np.zeros_like(valid), where=valid > 0)


@dataclass(frozen=True, slots=True)
class Foveation:
    """How unevenly the pixels of an input contribute; everything relative to the centre.

    Attributes:
        corner, edge: the mean of the four corners, and of the middles of the four sides.
        highest, lowest: over all pixels.
        left_right, top_bottom: sum over the left half / over the right half, and so on; a middle
            column or row counts for neither.
        uniform: share of pixels within 1 % of the centre.
    """

    corner: float
    edge: float
    highest: float
    lowest: float
    left_right: float
    top_bottom: float
    uniform: float


def foveation(paths: Array) -> Foveation:
    """The ratios of a map of paths (height, width). Raises ValueError for another shape.

    The centre is the mean of the middle 1, 2 or 4 pixels; NaN ratios where no path comes from it.
    """
    if paths.ndim != 2 or not paths.size:
        raise ValueError(f"paths: expected (height, width), found {paths.shape}")
    height, width = paths.shape
    middle = paths[(height - 1) // 2 : height // 2 + 1, (width - 1) // 2 : width // 2 + 1]
    centre = float(middle.mean())
    if centre == 0:
        return Foveation(nan, nan, nan, nan, nan, nan, nan)
    share = paths / centre
    rows, columns = (height - 1) // 2, (width - 1) // 2
    sides = [share[0, columns], share[-1, columns], share[rows, 0], share[rows, -1]]
    across, down = share.sum(axis=0), share.sum(axis=1)
    return Foveation(
        float(share[np.ix_([0, -1], [0, -1])].mean()),
        float(np.mean(sides)),
        float(share.max()),
        float(share.min()),
        _halves(across),
        _halves(down),
        float((np.abs(share - 1) <= 0.01).mean()),
    )


def _halves(profile: Array) -> float:
    half = len(profile) // 2
    if not half:
        return 1.0
    after = float(profile[-half:].sum())
    return float(profile[:half].sum()) / after if after else nan
