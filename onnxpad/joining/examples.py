"""A few outputs kept as small pictures, for the reports that can show them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onnxpad.comparison import Picture
from onnxpad.measure.pair import Array
from onnxpad.tally import OutputTally

MOST = 4
_LARGEST = 512  # pixels per side
Bytes = NDArray[np.uint8]


@dataclass(slots=True)
class Examples:
    """The first samples' first spatial output, of both models, and where they differ."""

    pictures: list[Picture] = field(default_factory=list)

    def add(self, name: str, tally: OutputTally, ours: Array, theirs: Array) -> None:
        """Keep the first row of one feed's outputs, while there is room."""
        axes = tally.axes
        if len(self.pictures) >= MOST or axes is None or len(axes) != 2:
            return
        if ours.shape != theirs.shape or not ours.ndim:
            return
        first, second = (_plane(np.asarray(y, np.float64), axes) for y in (ours, theirs))
        with np.errstate(invalid="ignore", over="ignore"):
            change = np.abs(second - first).max(axis=2)
        if not (np.isfinite(first).any() and np.isfinite(change).any()):
            return
        low, high = float(np.nanmin(first)), float(np.nanmax(first))
        self.pictures.append(
            Picture(
                name,
                _as_bytes(first, low, high),
                _as_bytes(second, low, high),
                _as_bytes(change[..., None], 0.0, float(np.nanmax(change))),
            )
        )


def _plane(output: Array, axes: tuple[int, ...]) -> Array:
    """(H, W, channels) of an output's first sample, thinned; colours, or else one channel.

    Class scores become the class that wins, other channels their mean.
    """
    others = [axis for axis in range(output.ndim) if axis not in axes]
    moved = np.transpose(output, [*others, *axes])
    planes = moved.reshape(-1, *moved.shape[-2:])
    channels = int(output.shape[others[-1]]) if others else 1
    plane: Array = np.moveaxis(planes[:channels], 0, 2)
    step = max(1, -(-max(plane.shape[:2]) // _LARGEST))
    plane = plane[::step, ::step]
    if channels in (1, 3):
        return plane
    if channels > 4:
        winner: Array = plane.argmax(axis=2, keepdims=True).astype(np.float64)
        return winner
    mean: Array = plane.mean(axis=2, keepdims=True)
    return mean


def _as_bytes(plane: Array, low: float, high: float) -> Bytes:
    """Grey or colours, ``low`` black and ``high`` white; both models on one scale."""
    span = high - low if np.isfinite(high - low) and high > low else 1.0
    shown = np.nan_to_num((plane - low) / span * 255.0, nan=0.0, posinf=255.0, neginf=0.0)
    picture: Bytes = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
    return picture[..., 0] if picture.shape[2] == 1 else picture
