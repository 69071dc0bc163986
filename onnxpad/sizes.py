"""Uneven padding at any input size, and the sizes without it, found on the model's own graph.

Whether a strided window op reads as much padding at the begin as at the end depends on the size of
its map (arXiv 2010.02178, section 3). Here one input axis takes a whole range of sizes at once; the
sizes of all maps follow, and with them what every window op reads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onnxpad.geometry import Reading, Window, read_axis
from onnxpad.scopes import Scope
from onnxpad.size_state import Obstacle, SizeState
from onnxpad.size_values import Along, Dims, Element, lift, spread
from onnxpad.size_walk import follow_sizes
from onnxpad.windows import WindowUse


@dataclass(frozen=True, slots=True)
class LayerReading:
    """What one window op reads along one axis at one size.

    Attributes:
        identity, op: the node. conv: a convolution, else a pool.
        axis: index in the op's data.
        window: along this axis.
        size: real elements, before any padding.
        begin, end: invented elements, those of explicit Pads in front included.
        reading: None where not one window fits.
    """

    identity: str
    op: str
    conv: bool
    axis: int
    window: Window
    size: int
    begin: int
    end: int
    reading: Reading | None

    @property
    def strided(self) -> bool:
        """Whether the window steps by more than 1 and is larger than 1."""
        return self.window.stride > 1 and self.window.extent > 1

    @property
    def shortcut(self) -> bool:
        """A 1x1 window that steps: it drops the last row at even sizes by nature."""
        return self.window.stride > 1 and self.window.extent == 1

    @property
    def uneven(self) -> bool:
        """Whether it is strided and reads one side otherwise than the other."""
        return self.strided and (self.reading is None or not self.reading.even)


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A window op along the axis; sizes and pads for each candidate."""

    use: WindowUse
    axis: int
    window: Window
    ceil: bool
    size: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    def at(self, place: int) -> LayerReading:
        size, begin, end = (int(a[place]) for a in (self.size, self.begin, self.end))
        reading = read_axis(size, self.window, begin, end, ceil=self.ceil)
        return LayerReading(
            self.use.identity, self.use.op, self.use.conv, self.axis, self.window, size, begin,
            end, reading,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class AxisSizes:
    """What many sizes of one input axis do to a model.

    Attributes:
        sizes: the candidates, ascending.
        runs: at which of them no node is known to fail.
        obstacles: nodes that fail at some of them, in the order of the nodes.
        unknown: nodes behind which sizes are not known; then nothing is claimed of what follows.
        untold: identities of strided window ops whose sizes are not known.
    """

    sizes: tuple[int, ...]
    runs: NDArray[np.bool_]
    obstacles: tuple[Obstacle, ...]
    unknown: tuple[Obstacle, ...]
    untold: tuple[str, ...]
    _layers: tuple[_Layer, ...] = field(repr=False)

    def at(self, size: int) -> tuple[LayerReading, ...]:
        """What each window op on this axis reads at one of the candidates."""
        place = self.sizes.index(size)
        return tuple(layer.at(place) for layer in self._layers)

    @property
    def strided(self) -> int:
        """Strided window ops on this axis, 1x1 ones left out."""
        return sum(_counts(layer.window) for layer in self._layers)

    def why_not(self, size: int) -> str:
        """The first node that fails at a candidate, in words; "" if none is known to."""
        place = self.sizes.index(size)
        for one in self.obstacles:
            if one.at is not None and one.at[place]:
                return one.sentence
        return ""

    def even(self, near: int) -> tuple[int, ...]:
        """The candidates at which all strided window ops are even and the graph runs.

        Nearest first, the larger of two at the same distance first. Empty where the size of any
        strided op is not known: nothing is guessed.
        """
        if self.untold or not self.strided:
            return ()
        good = self.runs.copy()
        for layer in self._layers:
            if _counts(layer.window):
                good &= _evenness(layer)
        found = [s for s, fits in zip(self.sizes, good, strict=True) if fits]
        return tuple(sorted(found, key=lambda s: (abs(s - near), -s)))


def _counts(window: Window) -> bool:
    return window.stride > 1 and window.extent > 1


def _evenness(layer: _Layer) -> NDArray[np.bool_]:
    """For each candidate, whether the layer is even; equal maps are looked at once."""
    rows = np.stack((layer.size, layer.begin, layer.end), axis=1)
    different, places = np.unique(rows, axis=0, return_inverse=True)
    readings = [
        read_axis(int(n), layer.window, int(b), int(e), ceil=layer.ceil) for n, b, e in different
    ]
    return np.array([r is not None and r.even for r in readings])[places.reshape(-1)]


def axis_sizes(
    scope: Scope,
    uses: Iterable[WindowUse],
    source: str,
    dims: Dims,
    axis: int,
    candidates: Sequence[int],
) -> AxisSizes:
    """Follow candidate sizes of one axis of an input through the main graph.

    Args:
        scope: the main graph. uses: its window ops; those of inner graphs count as untold.
        source: the input. dims: its sizes, None where free.
        candidates: ascending, at least two.
    """
    along = Along(np.array(candidates, dtype=np.int64))
    given = tuple(along if i == axis else d for i, d in enumerate(dims))
    state = follow_sizes(scope, {source: given}, len(candidates))
    runs = np.ones(len(candidates), dtype=np.bool_)
    for one in state.obstacles:
        if one.at is not None:
            runs &= ~one.at
    layers: list[_Layer] = []
    untold: list[str] = []
    for use in uses:
        if use.scope != scope.path:
            untold += [use.identity] if use.strided else []
            continue
        found = _layers_of(state, use)
        if found is None:
            untold += [use.identity] if use.strided else []
        else:
            layers += found
    return AxisSizes(
        tuple(candidates), runs, tuple(o for o in state.obstacles if o.at is not None),
        tuple(o for o in state.obstacles if o.at is None), tuple(untold), tuple(layers),
    )  # fmt: skip


def obstacle(scope: Scope, source: str, dims: Dims, size: dict[int, int]) -> str:
    """The first node that fails at one input size, in words; "" if none is known to.

    Args:
        dims: the input's own sizes, None where free.
        size: by axis.
    """
    # a second candidate beside it, so that all that depends on the size is seen to
    given = tuple(
        Along(np.array([size[i], _other(size[i], d)])) if i in size else d
        for i, d in enumerate(dims)
    )
    state = follow_sizes(scope, {source: given}, 2)
    for one in state.obstacles:
        if one.at is not None and one.at[0]:
            return one.sentence
    return ""


def _other(size: int, own: Element) -> int:
    return own if isinstance(own, int) and own != size else size + 1


def _layers_of(state: SizeState, use: WindowUse) -> list[_Layer] | None:
    """The axes of a window op that the candidates reach; None where that is not known."""
    data, own = state.maybe(use.source), state.pads.get(use.node)
    if data is None or own is None:
        return None if use.source in state.tainted or data is None else []
    found = []
    for one in use.axes:
        size = data[one.axis]
        if size is None and use.source in state.tainted:
            return None
        if not isinstance(size, Along):
            continue
        real, begin, end = _in_front(state, use, size)
        begin = lift(np.add, begin, own[one.axis][0])
        end = lift(np.add, end, own[one.axis][1])
        arrays = [spread(e, state.count) for e in (real, begin, end)]
        if one.window is None or arrays[0] is None or arrays[1] is None or arrays[2] is None:
            return None
        found.append(_Layer(use, one.axis, one.window, one.ceil, arrays[0], arrays[1], arrays[2]))
    return found


def _in_front(state: SizeState, use: WindowUse, size: Element) -> tuple[Element, Element, Element]:
    """(real elements, begin, end) with the explicit Pads in front of a window op taken apart.

    A Transpose may stand between: of a Pad's axes it is the one that the candidates reach.
    """
    explicit = [site for site in use.sites if site.node != use.node]
    if not explicit:
        return size, 0, 0
    begin: Element = 0
    end: Element = 0
    for site in explicit:
        reached = [i for i, d in enumerate(state.maybe(site.node) or ()) if isinstance(d, Along)]
        if len(reached) != 1:
            return None, None, None
        pads = state.pads.get(site.node)
        if pads is not None:
            first, last = pads[reached[0]]
        else:  # composed of other nodes
            amounts = [(a.begin, a.end) for a in site.axes if a.axis == reached[0]]
            first, last = amounts[0] if amounts else (0, 0)
        begin, end = lift(np.add, begin, first), lift(np.add, end, last)
    return lift(lambda n, b, e: n - b - e, size, begin, end), begin, end
