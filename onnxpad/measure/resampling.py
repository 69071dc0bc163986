"""Resize along one axis as a matrix: which input elements each output element is made of."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NEAREST: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _source(
    coordinates: str, scale: float, size: int, out: int
) -> tuple[float, float, float, float] | None:
    """(a, b, c, d): the output's position x is (x + a) · b / c + d of the input.

    The order of the operations matters: halves decide which element is the nearest.
    """
    half = (0.5, 1.0, scale, -0.5)
    alone = (0.0, 0.0, 1.0, 0.0)
    return {
        "half_pixel": half,
        "half_pixel_symmetric": (*half[:3], size / 2 * (1 - out / (size * scale)) - 0.5),
        "pytorch_half_pixel": half if out > 1 else alone,
        "asymmetric": (0.0, 1.0, scale, 0.0),
        "align_corners": (0.0, size - 1, out - 1, 0.0) if out > 1 else alone,
        "tf_half_pixel_for_nn": (0.5, 1.0, scale, 0.0),
    }.get(coordinates)


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
    source = _source(coordinates, scale, size, out) if scale > 0 else None
    if source is None or nearest not in _NEAREST:
        return None
    a, b, c, d = source
    at = (np.arange(out, dtype=np.float64) + a) * b / c + d
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
