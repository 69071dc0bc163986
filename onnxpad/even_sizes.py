"""The even-size solver: sizes near one at which no strided window op is uneven, and that run."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from onnx import ModelProto

from onnxpad.picture import Picture
from onnxpad.scopes import Scope
from onnxpad.shapes import without_weights
from onnxpad.size_values import Along
from onnxpad.size_walk import follow_sizes
from onnxpad.sized import confirmed
from onnxpad.sizes import AxisSizes, axis_sizes
from onnxpad.text import printable
from onnxpad.windows import WindowUse

# Sizes looked at on either side: ten of the usual total stride of 32.
REACH = 160
_NEAREST = 4  # sizes of each axis that are combined with those of the others


@dataclass(frozen=True, slots=True)
class EvenAxis:
    """One spatial axis of the input.

    Attributes:
        axis: its index. near: the size that was looked around.
        searched: the smallest and the largest size looked at.
        strided: strided window ops on it, 1x1 ones left out.
        sizes: the even sizes that run, nearest first; empty if nothing on it is strided.
        unknown: a node behind which sizes are not known, in words; "" if there is none.
        stuck: why it runs at no other size that was looked at, "" if it does at some.
    """

    axis: int
    near: int
    searched: tuple[int, int]
    strided: int
    sizes: tuple[int, ...]
    unknown: str
    stuck: str

    @property
    def period(self) -> tuple[int, int] | None:
        """(remainder, modulus) of all sizes found, if they are the sizes that have it."""
        ascending = sorted(self.sizes)
        steps = set(np.diff(ascending).tolist())
        if len(ascending) < 3 or len(steps) != 1:
            return None
        step = int(steps.pop())
        low, high = self.searched
        whole = ascending[0] - step < low and ascending[-1] + step > high
        return (ascending[0] % step, step) if whole else None


@dataclass(frozen=True, slots=True)
class EvenSizes:
    """What the solver found.

    Attributes:
        axes: every spatial axis.
        shapes: whole input sizes, nearest first, that the graph is known to run at.
    """

    axes: tuple[EvenAxis, ...]
    shapes: tuple[tuple[int, ...], ...]


def even_sizes(
    proto: ModelProto,
    scope: Scope,
    uses: Sequence[WindowUse],
    picture: Picture,
    near: tuple[int, ...] | None = None,
    most: int = 3,
) -> EvenSizes:
    """The even sizes of a model near a size, its own unless given.

    Args:
        proto: the model. scope: its main graph. uses: its window ops.
        near: a size for each spatial axis.
        most: whole sizes that are offered; each is confirmed by onnx's strict shape inference.
    """
    target = picture.likely if near is None else near
    each = [axis_of(scope, uses, picture, i, size) for i, size in enumerate(target)]
    found = tuple(
        _along(sizes, axis, size, own)
        for sizes, axis, size, own in zip(each, picture.axes, target, picture.size, strict=True)
    )
    shapes = _shapes(found, target)
    if None in picture.size or any(sizes.obstacles for sizes in each):
        # what fails at some size of one axis may fail at others, once the other axes differ, too
        shapes = _running(scope, picture, shapes)
    offered = []
    bare = without_weights(proto)
    for shape in shapes:
        if confirmed(bare, picture.name, picture.axes, picture.size, shape):
            offered.append(shape)
        if len(offered) == most:
            break
    return EvenSizes(found, tuple(offered))


def axis_of(
    scope: Scope, uses: Sequence[WindowUse], picture: Picture, place: int, near: int
) -> AxisSizes:
    """All sizes of one spatial axis within reach of one, the model's own among them."""
    candidates = set(range(max(1, near - REACH), near + REACH + 1))
    own = picture.size[place]
    candidates |= set() if own is None else {own}
    axis = picture.axes[place]
    return axis_sizes(scope, uses, picture.name, picture.dims, axis, sorted(candidates))


def _along(sizes: AxisSizes, axis: int, near: int, own: int | None) -> EvenAxis:
    even = sizes.even(near)
    others = [i for i, size in enumerate(sizes.sizes) if size != own]
    stuck = "" if sizes.runs[others].any() else sizes.why_not(sizes.sizes[others[-1]])
    unknown = ""
    if sizes.untold:
        behind = f"the size of {printable(sizes.untold[0], 60)!r} is not known"
        unknown = sizes.unknown[0].sentence if sizes.unknown else behind
    searched = (max(1, near - REACH), near + REACH)
    within = tuple(s for s in even if searched[0] <= s <= searched[1])
    return EvenAxis(axis, near, searched, sizes.strided, within, unknown, stuck)


def _shapes(axes: Sequence[EvenAxis], near: Sequence[int]) -> list[tuple[int, ...]]:
    """Sizes of the axes put together, nearest first; square ones alone where one was asked for."""
    if any(a.unknown for a in axes) or not any(a.strided for a in axes):
        return []
    alone = [a.sizes if a.strided else (a.near,) for a in axes]
    common = [s for s in alone[0] if all(s in sizes for sizes in alone)]
    if len(set(near)) == 1 and common:
        return [(size,) * len(axes) for size in common]
    found = product(*(sizes[:_NEAREST] for sizes in alone))
    return sorted(found, key=lambda s: sum(abs(a - b) for a, b in zip(s, near, strict=True)))


def _running(
    scope: Scope, picture: Picture, shapes: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Those at which no node is known to fail."""
    if not shapes:
        return []
    # one candidate more, so that there are always two different ones
    rows = np.array([*shapes, tuple(n + 1 for n in shapes[0])], dtype=np.int64)
    columns = dict(zip(picture.axes, rows.T, strict=True))
    dims = tuple(
        Along(columns[axis]) if axis in columns else size for axis, size in enumerate(picture.dims)
    )
    state = follow_sizes(scope, {picture.name: dims}, len(rows))
    runs = np.ones(len(rows), dtype=np.bool_)
    for one in state.obstacles:
        runs &= True if one.at is None else ~one.at
    return [shape for shape, fits in zip(shapes, runs[:-1], strict=True) if fits]
