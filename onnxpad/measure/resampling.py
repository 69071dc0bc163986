"""Resize along one axis as a matrix: which input elements each output element is made of."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# By coordinate_transformation_mode: (output positions, scale, input size, output size) → input's.
_COORDINATES: dict[str, Callable[[Array, float, int, int], Array]] = {
    "half_pixel": lambda x, scale, n, m: (x + 0.5) / scale - 0.5,
    "half_pixel_symmetric": lambda x, scale, n, m: (
        n / 2 * (1 - m / (n * scale)) + (x + 0.5) / scale - 0.5
    ),
    "pytorch_half_pixel": lambda x, scale, n, m: (x + 0.5) / scale - 0.5 if m > 1 else 0 * x,
    "asymmetric": lambda x, scale, n, m: x / scale,
    "align_corners": lambda x, scale, n, m: x * (n - 1) / (m - 1) if m > 1 else 0 * x,
    "tf_half_pixel_for_nn": lambda x, scale, n, m: (x + 0.5) / scale,
}
_NEAREST: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def resize_matrix(
    size: int,
    out: int,
    scale: float,
    mode: str = "nearest",
    coordinates: str = "half_pixel",
    nearest: str = "round_prefer_floor",
    cubic: float = -0.75,
) -> Array | None:
    """(out, size) of ONNX's Resize without antialiasing; None for settings it does not know.

    Elements beyond the border are those of the border.
    """
    if coordinates not in _COORDINATES or nearest not in _NEAREST or scale <= 0:
        return None
    at = _COORDINATES[coordinates](np.arange(out, dtype=np.float64), scale, size, out)
    if mode == "nearest":
        taps = [(_NEAREST[nearest](at), np.ones(out))]
    elif mode == "linear":
        low = np.floor(at)
        taps = [(low, 1 - (at - low)), (low + 1, at - low)]
    elif mode == "cubic":
        low = np.floor(at)
        taps = [(low + step, _cubic(np.abs(at - low - step), cubic)) for step in (-1, 0, 1, 2)]
    else:
        return None
    found = np.zeros((out, size))
    for place, weight in taps:
        np.add.at(found, (np.arange(out), np.clip(place, 0, size - 1).astype(int)), weight)
    return found


def _cubic(distance: Array, a: float) -> Array:
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((distance - 5) * distance + 8) * distance * a - 4 * a
    weights: Array = np.where(distance <= 1, near, far)
    return weights
