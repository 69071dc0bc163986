"""The numbers behind a page's charts, as plain data; report.js draws them.

No name of a model is in here: a plotting library may read markup in what it is given.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxpad.comparison import BorderOutput, Layers, OutputComparison
from onnxpad.measure.context import ContextError
from onnxpad.report.layering import LayerRow, rows_of, width

Chart = dict[str, Any]

MOST_MAPS = 16
# Positions of a map drawn along each axis; those nearest to its borders are all drawn.
_MOST_POSITIONS = 120
_BORDER_POSITIONS = 24
_DIGITS = 4


def ring_chart(one: BorderOutput) -> Chart | None:
    """Context error by distance in input pixels; None without a scale."""
    if not one.original.error and not one.candidate.error:
        return None
    rings = _worth_drawing(max(e.depth() for e in (one.original, one.candidate)))
    return {
        "kind": "lines",
        "x": "distance to the border, input pixels",
        "y": "context error, share of variance",
        "series": [
            _ring_series("original", one.original, rings),
            _ring_series("candidate", one.candidate, rings),
        ],
    }


def _worth_drawing(depth: int) -> int:
    """Rings to draw where nothing is to be seen from `depth` on."""
    return max(8, depth + depth // 4)


def _ring_series(name: str, error: ContextError, rings: int) -> Chart:
    stride = float(max(error.stride, default=1))
    shown = error.error[:rings]
    return {
        "name": name,
        "x": [d * stride for d in range(len(shown))],
        "y": [rounded(v) for v in shown],
    }


def output_chart(output: OutputComparison) -> Chart | None:
    """How far an output moved, by distance; None where it has no rings or did not move."""
    rings = output.rings
    if rings is None or not rings.depth:
        return None
    shown = (rings.relative or rings.rms)[: _worth_drawing(rings.depth)]
    return {
        "kind": "lines",
        "x": "distance to the border, positions of the output",
        "y": "RMS Δ / RMS y" if rings.relative else "RMS Δ",
        "series": [
            {
                "name": "candidate",
                "x": list(range(len(shown))),
                "y": [rounded(v) for v in shown],
            }
        ],
    }


def depth_chart(found: Layers) -> Chart | None:
    """How far the constant response reaches in, layer after layer; None where none was measured."""
    rows = [row for row in rows_of(found) if row.responses[0] is not None]
    if len(rows) < 2:
        return None
    series = []
    for place, name in enumerate(("original", "candidate")):
        responses = [row.responses[place] for row in rows]
        series.append(
            {
                "name": name,
                "x": list(range(1, len(rows) + 1)),
                "y": [None if r is None else width(r) for r in responses],
            }
        )
    return {
        "kind": "lines", "x": "layer", "y": "pixels from the border",
        "series": series,
    }  # fmt: skip


def mapped_layers(found: Layers) -> list[LayerRow]:
    """The layers whose mean maps are drawn: the worst ones, in the order of the nodes."""
    rows = [row for row in rows_of(found) if None not in row.means]
    worst = sorted(rows, key=lambda row: row.badness, reverse=True)[:MOST_MAPS]
    return [row for row in rows if row in worst]


def map_chart(row: LayerRow) -> Chart:
    """The mean maps of one layer before and after, on one colour scale."""
    ours, theirs = row.means
    assert ours is not None
    assert theirs is not None
    planes = [_plane(ours.values), _plane(theirs.values)]
    ys, xs = (_positions(size) for size in planes[0].shape)
    finite = np.concatenate([p[np.isfinite(p)] for p in planes])
    return {
        "kind": "maps",
        "size": list(planes[0].shape),
        "x": xs,
        "y": ys,
        "low": rounded(float(finite.min())) if finite.size else None,
        "high": rounded(float(finite.max())) if finite.size else None,
        "original": _values(planes[0], ys, xs),
        "candidate": _values(planes[1], ys, xs) if planes[0].shape == planes[1].shape else None,
    }


def _plane(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two axes of any number: a line becomes a row, of a volume the middle is shown."""
    plane = values
    while plane.ndim > 2:
        plane = plane[len(plane) // 2]
    return plane if plane.ndim == 2 else plane.reshape(1, -1)


def _positions(size: int) -> list[int]:
    """All positions of small maps; of large ones the borders, and some of the inside."""
    if size <= _MOST_POSITIONS:
        return list(range(size))
    inside = np.linspace(
        _BORDER_POSITIONS, size - 1 - _BORDER_POSITIONS, _MOST_POSITIONS - 2 * _BORDER_POSITIONS
    )
    near = range(_BORDER_POSITIONS)
    return sorted({*near, *(size - 1 - d for d in near), *(round(v) for v in inside)})


def _values(
    plane: NDArray[np.float64], ys: Sequence[int], xs: Sequence[int]
) -> list[list[float | None]]:
    return [[rounded(float(v)) for v in row] for row in plane[np.ix_(ys, xs)]]


def rounded(value: float) -> float | None:
    """Digits enough to draw; None where it is no finite number."""
    return float(f"{value:.{_DIGITS}g}") if isfinite(value) else None
