"""Maps as colours: one range for all pictures of a scale, neutral where nothing is special."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from onnxpad.study import Picture

Range = tuple[float, float]
_RISING, _CENTRED = "viridis", "RdBu_r"


def limits(picture: Picture, ranges: Mapping[str, Range]) -> Range:
    """The lowest and highest colour of a picture; symmetric about its centre if it has one."""
    low, high = ranges.get(picture.scale or picture.key, (0.0, 1.0))
    if picture.centre is not None:
        reach = max(high - picture.centre, picture.centre - low)
        low, high = picture.centre - reach, picture.centre + reach
    return (low, high) if high > low else (low, low + 1.0)


def colours(picture: Picture) -> str:
    """The name of its colour map."""
    return _RISING if picture.centre is None else _CENTRED


def painted(picture: Picture, ranges: Mapping[str, Range]) -> NDArray[np.uint8]:
    """A picture as (height, width, 3); grey where it has no number."""
    if picture.values.ndim == 3:
        return picture.values
    from matplotlib import colormaps

    low, high = limits(picture, ranges)
    values = picture.values.astype(np.float64)
    finite = np.isfinite(values)
    shares = np.clip((np.where(finite, values, low) - low) / (high - low), 0.0, 1.0)
    rgb: NDArray[np.uint8] = colormaps[colours(picture)](shares, bytes=True)[..., :3]
    rgb[~finite] = 128
    return rgb


def ramp(picture: Picture) -> NDArray[np.uint8]:
    """The colours of a picture's range from low to high, as a strip of one row."""
    strip = Picture("ramp", "", np.linspace(0.0, 1.0, 64)[None], centre=None)
    if picture.centre is not None:
        strip = Picture("ramp", "", np.linspace(-1.0, 1.0, 64)[None], centre=0.0)
    return painted(strip, {"ramp": (float(strip.values.min()), 1.0)})
