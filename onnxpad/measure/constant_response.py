"""Constant response: where a layer's map of a constant image is not constant.

An image of one colour has no edges; what differs from the interior is made by padding. F(c, p) is
the map, I(c) its interior value: what VALID convolutions give on an image large enough.

    D(p) = √ mean over c of (F(c, p) − I(c))²

is reported against the scale √ mean over c of I(c)². Where I is zero in all channels there is no
scale, and where padding reaches every position there is no interior: both are said, and nothing
is divided by them.
"""

from dataclasses import dataclass, field
from itertools import product
from math import sqrt

import numpy as np

from onnxpad.measure.pair import Array
from onnxpad.measure.rings import ring_index
from onnxpad.probe.anatomy import Layer

# Rounding leaves a few units in the last place, times what deep sums add to it.
_ULPS = 32
_EPS = {"float16": 2.0**-10, "float64": 2.0**-52}
_FLOAT32 = 2.0**-23


@dataclass(frozen=True, slots=True)
class ConstantResponse:
    """One layer of one model. Deviations are D, in the map's own unit.

    Attributes:
        layer, op: as the probe names them; the name is untrusted. size: of the map.
        stride: input pixels from one position to the next, along each axis.
        scale: of the interior. tolerance: deviations up to here count as rounding.
        largest: the largest deviation. share: of the positions that deviate.
        rings: RMS deviation of each ring, from the border inwards.
        corners: the deviation in the corners, the last axis changing fastest.
        widths: (begin, end) along each axis, in positions: how far in the deviation reaches
            half-way between the other borders; None where there is no interior.
        apart: operators up to this layer whose own border effects are counted in.
        unsure: why the interior itself is in doubt, "" where it is not.
        deviation: D itself, float32 (*space), where maps were asked for; else None.
    """

    layer: str
    op: str
    size: tuple[int, ...]
    stride: tuple[float, ...]
    scale: float
    tolerance: float
    largest: float
    share: float
    rings: tuple[float, ...]
    corners: tuple[float, ...]
    widths: tuple[tuple[int, int], ...] | None
    apart: tuple[str, ...]
    unsure: str
    deviation: Array | None = field(default=None, repr=False, compare=False)

    @property
    def relative(self) -> float | None:
        """Largest deviation / scale; None where the interior is zero."""
        return self.largest / self.scale if self.scale > 0 else None

    @property
    def rms(self) -> float:
        """√ of the mean over all positions of D², in the map's own unit."""
        counts = np.bincount(ring_index(self.size).ravel())
        total = sum(n * r * r for n, r in zip(counts, self.rings, strict=True))
        return sqrt(total / max(int(counts.sum()), 1))

    @property
    def clean(self) -> bool:
        """Whether nothing deviates by more than rounding."""
        return self.share == 0

    @property
    def widths_px(self) -> tuple[tuple[float, float], ...] | None:
        """The widths in input pixels."""
        if self.widths is None:
            return None
        return tuple((b * s, e * s) for (b, e), s in zip(self.widths, self.stride, strict=True))


def interior_value(inside: Array, layer: Layer) -> tuple[Array, str]:
    """(I(c), "") from a map whose padding only copies, or the middle value and why it is doubtful.

    The middle half of the map must be constant.
    """
    flat = _channels_first(inside, layer.map.axes)
    middle = tuple(n // 2 for n in flat.shape[1:])
    value = flat[(slice(None), *middle)]
    half = tuple(slice(n // 4, max(n - n // 4, n // 4 + 1)) for n in flat.shape[1:])
    part = flat[(slice(None), *half)]
    spread = float(np.abs(part - _as_map(value, part.ndim)).max(initial=0.0))
    scale = float(np.abs(value).max(initial=0.0))
    if not np.isfinite(spread) or spread > max(_tolerance(inside.dtype, scale), 0.0):
        return value, "the map of a constant image is not constant even without padding"
    return value, ""


def constant_response(
    padded: Array, interior: Array, layer: Layer, unsure: str = "", *, maps: bool = False
) -> ConstantResponse:
    """Compare a layer's map of a constant image, (1, C, *space) or channels last, with I(c).

    Args:
        maps: whether the deviations are kept as a map.

    Raises ValueError for another number of channels.
    """
    values = _channels_first(padded, layer.map.axes)
    if len(values) != len(interior):
        raise ValueError(f"{len(values)} channels, and {len(interior)} interior values")
    deviation = np.sqrt(np.square(values - _as_map(interior, values.ndim)).mean(axis=0))
    scale = sqrt(float(np.square(interior).mean())) if len(interior) else 0.0
    tolerance = _tolerance(padded.dtype, scale)
    over = deviation > tolerance
    index = ring_index(deviation.shape)
    counts = np.bincount(index.ravel())
    squares = np.bincount(index.ravel(), np.square(deviation).ravel())
    ends = [(0, n - 1) for n in deviation.shape]
    return ConstantResponse(
        layer.name,
        layer.op,
        deviation.shape,
        tuple(float(s) for s in layer.map.stride),
        scale,
        tolerance,
        float(deviation.max(initial=0.0)),
        float(over.mean()) if over.size else 0.0,
        tuple(float(v) for v in np.sqrt(squares / np.maximum(counts, 1))),
        tuple(float(deviation[at]) for at in product(*ends)),
        _widths(over),
        layer.apart,
        unsure,
        deviation.astype(np.float32) if maps else None,
    )


def _widths(over: Array) -> tuple[tuple[int, int], ...] | None:
    """How far in the deviation reaches on each side; None where it covers the middle."""
    middle = tuple(n // 2 for n in over.shape)
    if over.all() or over[middle]:
        return None
    found = []
    for axis, at in enumerate(middle):
        line = over[tuple(slice(None) if i == axis else m for i, m in enumerate(middle))]
        before, after = np.flatnonzero(line[:at]), np.flatnonzero(line[::-1][: len(line) - at - 1])
        found.append(tuple(int(w.max()) + 1 if len(w) else 0 for w in (before, after)))
    return tuple((begin, end) for begin, end in found)


def _channels_first(values: Array, axes: tuple[int, ...]) -> Array:
    """(C, *space) in float64 of the first entry of the batch."""
    others = [a for a in range(values.ndim) if a not in axes]
    moved = values.transpose([*others, *axes]).astype(np.float64)
    space = moved.shape[len(others) :]
    if others and others[0] == 0:
        moved = moved[0]
    return moved.reshape(-1, *space)


def _as_map(channels: Array, rank: int) -> Array:
    return channels.reshape(-1, *(1,) * (rank - 1))


def _tolerance(dtype: np.dtype[np.generic], scale: float) -> float:
    """What rounding may leave; whole steps of integer types are no rounding."""
    if dtype.kind in "iu":
        return 0.5
    return _ULPS * _EPS.get(dtype.name, _FLOAT32) * scale
