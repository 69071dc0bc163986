"""Partial convolution, recognised by the map its output is multiplied with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from onnxpad.cutout import STRIP_OPS, TRIAL_SIZES, ancestors, run_cut
from onnxpad.geometry import Window, valid_cells
from onnxpad.scopes import Scope
from onnxpad.values import Values

# What a map of window cells / real cells is computed with, besides.
_SCALE_OPS = STRIP_OPS | {"Conv", "Tile"}


# Taps counted along one axis at most; nothing larger is built by refusals.py either.
_LARGEST = 2**26


@dataclass(frozen=True, slots=True)
class ScaledAxis:
    """A padded axis of a convolution that may be rescaled; ``pads`` gives them for any size."""

    axis: int
    size: int | None
    window: Window
    pads: Callable[[int], tuple[int, int]]


def rescaling(
    scope: Scope,
    values: Values,
    conv: NodeProto,
    source: str,
    rank: int,
    axes: tuple[ScaledAxis, ...],
) -> frozenset[int] | None:
    """Whether a convolution's output is rescaled as partial convolution does.

    Args:
        source: the tensor that is padded, whose shape the map may be computed from; rank: its axes.
        axes: every padded axis.

    Returns:
        The indices of the nodes that compute the map, None if it is no partial convolution.
    """
    readers = scope.readers(conv.output[0])
    if len(readers) != 1 or len(conv.input) > 2 or not axes:
        return None
    if any((a.size or 0) * a.window.kernel > _LARGEST for a in axes):
        return None
    node = scope.nodes[readers[0]]
    if node.op_type != "Mul" or len(node.input) != 2:
        return None
    scale = next((name for name in node.input if name != conv.output[0]), "")
    cut = ancestors(scope, values, [scale], source, _SCALE_OPS) if scale else None
    if cut is None:
        return None
    for trial in TRIAL_SIZES:
        sizes = {a.axis: a.size or trial for a in axes}
        shape = [1 if i < 2 else sizes.get(i, trial) for i in range(rank)]
        nodes = [scope.nodes[i] for i in cut[0]]
        made = run_cut(scope, nodes, source, np.zeros(shape, np.float32), [scale])
        if made is None or not _is_scale(made[scale], rank, sizes, axes):
            return None
    return frozenset(cut[0])


def _is_scale(
    found: NDArray[Any],
    rank: int,
    sizes: dict[int, int],
    axes: tuple[ScaledAxis, ...],
) -> bool:
    expected, met = np.ones([1] * rank), np.ones([1] * rank, dtype=bool)
    for one in axes:
        size = sizes[one.axis]
        along = [-1 if i == one.axis else 1 for i in range(rank)]
        cells = np.reshape(valid_cells(size, one.window, *one.pads(size)), along)
        expected = expected * one.window.kernel / np.maximum(cells, 1)
        met = met & (cells > 0)  # where a window meets no real cell, any number will do
    try:
        broadcast = np.broadcast_arrays(np.where(met, found, 1), np.where(met, expected, 1))
    except ValueError:
        return False
    # 1e-3: the map can be stored as float16
    return bool(found.ndim == rank and np.allclose(broadcast[0], broadcast[1], rtol=1e-3, atol=0))
