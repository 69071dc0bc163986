"""What every window op reads at many input sizes, and which sizes would be even."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.even_sizes import EvenSizes, axis_of, even_sizes
from onnxpad.model import Model
from onnxpad.picture import Picture
from onnxpad.size_state import Obstacle
from onnxpad.sizes import AxisSizes, LayerReading
from onnxpad.studies.each import DoesNotApplyError
from onnxpad.study import Cell
from onnxpad.subject import Subject, subject

# Sizes that are tried until enough of them run.
MOST_TRIED = 6
Space = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One model at many sizes.

    Attributes:
        own: the size it is held against: its declared one, else the one asked for or a likely one.
        near: the size that was looked around.
        axes: every spatial axis with all its candidate sizes.
        even: what the solver found.
    """

    known: Subject
    picture: Picture
    own: Space
    near: Space
    axes: tuple[AxisSizes, ...]
    even: EvenSizes

    @property
    def fixed(self) -> bool:
        """Whether the model declares any of its spatial sizes."""
        return any(size is not None for size in self.picture.size)

    @property
    def strided(self) -> int:
        """Strided window ops, 1x1 ones left out, on the axis that has most of them."""
        return max(axis.strided for axis in self.axes)

    def apart(self) -> int:
        """Strided window ops of the model, where none of them is on an axis of the input."""
        return 0 if self.strided else sum(use.strided for use in self.known.windows)

    def uneven(self, space: Space) -> int | None:
        """How many strided window ops are uneven on some axis; None where not all are known."""
        if any(axis.untold for axis in self.axes) or self.apart():
            return None
        found = set()
        for axis, size in zip(self.axes, space, strict=True):
            if size not in axis.sizes:
                return None
            found |= {one.identity for one in axis.at(size) if one.uneven}
        return len(found)

    def wanted(self) -> Space | None:
        """The nearest size that would be even if every node took it; None where there is none."""
        each = [_wanted(axis, near) for axis, near in zip(self.axes, self.near, strict=True)]
        known = [size for size in each if size is not None]
        return tuple(known) if len(known) == len(each) else None

    def obstacles(self, space: Space) -> tuple[Obstacle, ...]:
        """The nodes that keep it from running at a size, each once."""
        found: dict[str, Obstacle] = {}
        for axis, size in zip(self.axes, space, strict=True):
            place = axis.sizes.index(size)
            for one in axis.obstacles:
                if one.at is not None and one.at[place]:
                    found.setdefault(one.sentence, one)
        return tuple(found.values())

    def unknown(self) -> str:
        """A node behind which sizes are not known, in words; "" if there is none."""
        return next((axis.unknown for axis in self.even.axes if axis.unknown), "")


def look(model: Model, near: Sequence[int] | None, size: Sequence[int] | None) -> Look:
    """Follow all sizes within reach through the graph.

    Args:
        near: one number for all spatial axes, or one for each; None for the model's own.
        size: what a model of free size is held against; a likely one unless given.

    Raises DoesNotApplyError without a picture or signal, UsageError where the numbers do not fit.
    """
    known = subject(model)
    picture = known.picture
    if picture is None:
        raise DoesNotApplyError("none of its inputs is a picture, a volume or a signal")
    asked = _spread(picture, size) if size is not None else picture.likely
    pairs = zip(picture.size, asked, strict=True)
    own = tuple(wanted if declared is None else declared for declared, wanted in pairs)
    around = own if near is None else _spread(picture, near)
    axes = tuple(
        axis_of(known.main, known.windows, picture, place, n) for place, n in enumerate(around)
    )
    found = even_sizes(model.proto, known.main, known.windows, picture, around, MOST_TRIED)
    return Look(known, picture, own, around, axes, found)


def _spread(picture: Picture, given: Sequence[int]) -> Space:
    whole = tuple(given) * (len(picture.axes) if len(given) == 1 else 1)
    picture.sizes(whole)  # whether the numbers fit
    return whole


def _wanted(axis: AxisSizes, near: int) -> int | None:
    """The nearest size at which every strided op is even, whether it runs or not."""
    if axis.untold or not axis.strided:
        return near if not axis.untold and near in axis.sizes else None
    order = sorted(axis.sizes, key=lambda size: (abs(size - near), -size))
    return next((s for s in order if not any(one.uneven for one in axis.at(s))), None)


def reading_rows(seen: Look, spaces: Sequence[Space], *, shortcuts: bool) -> Iterator[list[Cell]]:
    """Rows of layer, op, window, axis, then what is read at each size.

    Args:
        shortcuts: 1x1 windows that step, else all other strided ones.
    """
    names = axis_names(len(seen.axes))
    kept: dict[tuple[str, int], list[tuple[str, list[Cell]]]] = {}
    for place, axis in enumerate(seen.axes):
        at = [axis.at(s[place]) if s[place] in axis.sizes else () for s in spaces]
        first = next((layers for layers in at if layers), ())
        for number, one in enumerate(first):
            if not (one.shortcut if shortcuts else one.strided):
                continue
            cells: list[Cell] = [read(layers[number]) if layers else None for layers in at]
            kept.setdefault((one.identity, number), []).append(
                (names[place], [one.op, _window(one), *cells])
            )
    for (identity, _), rows in kept.items():
        alike = {tuple(cells) for _, cells in rows}
        if len(alike) == 1 and len(rows) > 1:
            rows = [(", ".join(name for name, _ in rows), rows[0][1])]  # noqa: PLW2901  # as one
        for name, (op, window, *cells) in rows:
            yield [identity, op, window, name, *cells]


def axis_names(count: int) -> tuple[str, ...]:
    """Names of spatial axes, the last is x."""
    return ("z", "y", "x")[-count:] if count <= 3 else tuple(map(str, range(count)))


def read(one: LayerReading) -> str:
    """Padding read at the begin + at the end, and real elements that no window reads."""
    if one.reading is None:
        return "no window fits"
    lost = f", {one.reading.lost} lost" if one.reading.lost else ""
    return f"{one.reading.begin}+{one.reading.end}{lost}"


def _window(one: LayerReading) -> str:
    dilated = f" dilated {one.window.dilation}" if one.window.dilation > 1 else ""
    return f"{one.window.kernel}/{one.window.stride}{dilated}"


def counts(seen: Look) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each axis, (sizes, uneven strided ops at each), both (sizes,) of int64."""
    for axis in seen.axes:
        each = [sum(one.uneven for one in axis.at(size)) for size in axis.sizes]
        yield np.array(axis.sizes, np.int64), np.array(each, np.int64)
