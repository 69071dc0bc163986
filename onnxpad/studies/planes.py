"""Maps of layers as they are drawn: planes, the layers worth a picture, the names of sides."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from onnxpad.measure.pair import Array

_T = TypeVar("_T")
# Of the last axis, the one before it, and the first of three.
_SIDES = (("left", "right"), ("top", "bottom"), ("front", "back"))
_WORDS = ("column", "row", "plane")


def plane(values: Array) -> Array:
    """(height, width) of a map: of a volume the middle one, of a signal one row."""
    while values.ndim > 2:
        values = values[len(values) // 2]
    return np.atleast_2d(values)


def spread(many: Sequence[_T], most: int) -> tuple[_T, ...]:
    """At most so many, evenly chosen; the first and the last stay."""
    if len(many) <= most:
        return tuple(many)
    return tuple(many[i] for i in np.linspace(0, len(many) - 1, most).round().astype(int))


def sides(axis: int, axes: int) -> tuple[str, str]:
    """What begin and end of a spatial axis are called; in signals begin and end."""
    return ("begin", "end") if axes == 1 else _SIDES[axes - 1 - axis]


def across_word(axis: int, axes: int) -> str:
    """What stands across a spatial axis: a row across axis 0 of two."""
    return "position" if axes == 1 else _WORDS[axes - 1 - axis]


def corner_names(axes: int) -> tuple[str, ...]:
    """The corners of a map, the last axis changing fastest."""
    names = [""]
    for axis in range(axes):
        names = [f"{name} {side}".strip() for name in names for side in sides(axis, axes)]
    return tuple(names)
