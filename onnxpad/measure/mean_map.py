"""Mean map: a layer's map averaged over images and channels, and the lines that stand out in it.

Over many images of anything, no row of an average map should differ from its neighbours; where a
border row or column does, padding drew it. For each axis the map is averaged along the others,
borders left out; a border position is judged by

    z = (its mean − mean of the interior positions) / their standard deviation.

|z| > 3 is a line artifact, if the line also stands out from the interior position nearest to it
by more than three times what interior positions that far apart differ (RMS): averages of a few
pictures swing slowly from border to border, and such a swing is no line.
"""

from dataclasses import dataclass
from math import inf

import numpy as np

from onnxpad.measure.pair import Array
from onnxpad.probe.anatomy import Layer

LINE = 3.0
# The outermost positions are judged, an eighth of the map and four at most; the rest is interior.
_MOST_BORDER = 4
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A border row (axis 0), column (axis 1) or plane of a map.

    Attributes:
        axis: the spatial axis it stands across. side: "begin" or "end".
        distance: positions from that border. z: how far it stands out.
        step: its difference from the nearest interior position / RMS of such differences inside.
    """

    axis: int
    side: str
    distance: int
    z: float
    step: float

    @property
    def artifact(self) -> bool:
        """Whether it is a line artifact."""
        return abs(self.z) > LINE and abs(self.step) > LINE


@dataclass(frozen=True, slots=True, eq=False)
class MeanMap:
    """One layer of one model.

    Attributes:
        layer, op: as the probe names them; the name is untrusted.
        images: averaged. values: the mean map, float64 (*space).
        stride: input pixels from one position to the next, along each axis.
        lines: every border position that was judged, artifact or not.
        unjudged: why no line was judged, "" if some were.
        nonfinite: images left out because their map held NaN or infinite values.
    """

    layer: str
    op: str
    images: int
    values: Array
    stride: tuple[float, ...]
    lines: tuple[Line, ...]
    unjudged: str
    nonfinite: int

    @property
    def artifacts(self) -> tuple[Line, ...]:
        """The lines that stand out."""
        return tuple(line for line in self.lines if line.artifact)


@dataclass(frozen=True, slots=True, eq=False)
class MeanMapSums:
    """What is kept of the images seen so far; a + b is what both saw."""

    total: Array | None = None
    images: int = 0
    nonfinite: int = 0

    def __add__(self, other: "MeanMapSums") -> "MeanMapSums":
        """Raises ValueError for maps of two sizes."""
        if self.total is None or other.total is None:
            total = other.total if self.total is None else self.total
        elif self.total.shape != other.total.shape:
            raise ValueError(f"maps of {self.total.shape} and {other.total.shape} positions")
        else:
            total = self.total + other.total
        return MeanMapSums(total, self.images + other.images, self.nonfinite + other.nonfinite)

    def result(self, layer: Layer) -> MeanMap:
        """The record."""
        space = layer.map.space
        values = np.zeros(space) if self.total is None else self.total / max(self.images, 1)
        lines, unjudged = border_lines(values) if self.images else ((), "no image was averaged")
        stride = tuple(float(s) for s in layer.map.stride)
        return MeanMap(
            layer.name, layer.op, self.images, values, stride, lines, unjudged, self.nonfinite
        )


def mean_map(means: Array, layer: Layer, count: int | None = None) -> MeanMapSums:
    """Sum up maps that were averaged over channels inside the graph.

    Args:
        means: (N, *space), or (*space) where the model has no batch axis.
        count: how many of the N are samples; None for all.
    """
    space = means.shape[means.ndim - len(layer.map.axes) :]
    each = means.reshape(-1, *space)[:count].astype(np.float64)
    whole = np.isfinite(each).all(axis=tuple(range(1, each.ndim)))
    return MeanMapSums(each[whole].sum(axis=0), int(whole.sum()), int((~whole).sum()))


def border_width(values: Array) -> int:
    """Positions from each border that are judged; 0 where the map is too small to judge any."""
    return min(_MOST_BORDER, min(values.shape, default=0) // _FEWEST)


def profile(values: Array, axis: int) -> Array:
    """(n,) the map averaged along its other axes, their borders left out."""
    width = border_width(values)
    inner = tuple(
        slice(None) if i == axis else slice(width, n - width) for i, n in enumerate(values.shape)
    )
    along: Array = values[inner].mean(axis=tuple(i for i in range(values.ndim) if i != axis))
    return along


def border_lines(values: Array) -> tuple[tuple[Line, ...], str]:
    """Judge the border positions of a mean map along each of its axes; why not, where not.

    A border of an interior without any spread stands out infinitely, or not at all.
    """
    width = border_width(values)
    if width < 1:
        return (), f"fewer than {_FEWEST} positions along an axis: no interior to judge by"
    lines = []
    for axis in range(values.ndim):
        along = profile(values, axis)
        for side, ordered in (("begin", along), ("end", along[::-1])):
            lines += _judge(axis, side, ordered, width)
    return tuple(lines), ""


def _judge(axis: int, side: str, along: Array, width: int) -> list[Line]:
    """The border positions at the beginning of a profile whose other end is a border too."""
    interior = along[width : len(along) - width]
    middle = float(interior.mean())
    # Sums of float32 means scatter by rounding: that is no spread to judge by.
    least = 1e-6 * float(np.abs(interior).max())
    found = []
    for distance in range(width):
        apart = interior[width - distance :] - interior[: distance - width]
        usual = float(np.sqrt(np.square(apart).mean()))
        off, step = float(along[distance]) - middle, float(along[distance] - interior[0])
        found.append(
            Line(
                axis,
                side,
                distance,
                _over(off, float(interior.std()), least),
                _over(step, usual, least),
            )
        )
    return found


def _over(off: float, spread: float, least: float) -> float:
    if spread > least:
        return off / spread
    return inf * (1 if off > 0 else -1) if abs(off) > least else 0.0
