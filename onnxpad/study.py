"""What a study shows of models: tables, pictures, curves and arrays, with no word of judgement.

Every study gives the same record, so that each format is written once. Names of models and nodes
in it are not to be trusted: renderers make them safe.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Cell = str | int | float | None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A map to look at.

    Attributes:
        key: what its array and its file are called, unique in the model's study.
        title: what is seen, in a line.
        values: (height, width) of numbers, NaN where there are none; or (height, width, 3) of
            uint8, a picture as it is.
        scale: pictures of equal scale share one range of colours, across the models too.
        unit: of the values, for the colour bar.
        centre: the value with the neutral colour; None where colours just rise.
    """

    key: str
    title: str
    values: Array
    scale: str = ""
    unit: str = ""
    centre: float | None = None

    def __post_init__(self) -> None:
        """Check the shape, so that no renderer has to."""
        rgb = self.values.ndim == 3 and self.values.shape[2] == 3 and self.values.dtype == np.uint8
        if self.values.ndim != 2 and not rgb:
            raise ValueError(f"picture {self.key!r}: shape {self.values.shape} is no map")


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: as many ys as xs, None for a gap."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one axis.

    Attributes:
        key: unique in the model's study. x, y: what the axes tell, units included.
    """

    key: str
    title: str
    x: str
    y: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts and numbers.

    Attributes:
        key: unique in the model's study.
        heads: titles of the columns; units in them.
        rows: None shows as a dash.
        notes: sentences below it.
        tones: for each row "bad", "good" or ""; () for none.
    """

    key: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    tones: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the widths, so that no renderer has to."""
        if any(len(row) != len(self.heads) for row in self.rows):
            raise ValueError(f"table {self.key!r}: a row is not as long as the head")


@dataclass(frozen=True, slots=True, eq=False)
class ModelStudy:
    """What one study shows of one model.

    Attributes:
        model: its path as it is shown.
        on: what was measured, on what: size, samples, provider; () where nothing was run.
        said: what comes out, in sentences, the most important one first, bad news before good.
        arrays: everything a reader may want to compute with, by the names of their files in an
            archive; pictures' values need not be repeated.
        absent: why there is nothing to show, "" if there is; then the rest is empty.
        exit_code: of the error if the model could not be read or run; 0 where the study just does
            not apply.
    """

    model: str
    on: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    charts: tuple[Chart, ...] = ()
    arrays: Mapping[str, Array] = field(default_factory=dict)
    absent: str = ""
    exit_code: int = 0

    @property
    def why(self) -> str:
        """Why there is nothing to show, as it is told; "" if there is something."""
        if not self.absent:
            return ""
        return f"{'failed' if self.exit_code else 'does not apply'}: {self.absent}"


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One study of one or several models.

    Attributes:
        name: of the command, such as "foveation".
        title: what is looked at.
        about: how to read it, with the source, in two or three sentences.
        models: in the order they were given.
    """

    name: str
    title: str
    about: str
    models: tuple[ModelStudy, ...]

    def ranges(self) -> dict[str, tuple[float, float]]:
        """For each scale, the lowest and highest finite value over all models."""
        found: dict[str, tuple[float, float]] = {}
        for picture in (p for m in self.models for p in m.pictures if p.values.ndim == 2):
            finite = picture.values[np.isfinite(picture.values)]
            if finite.size:
                low, high = float(finite.min()), float(finite.max())
                one = found.get(picture.scale or picture.key, (low, high))
                found[picture.scale or picture.key] = min(low, one[0]), max(high, one[1])
        return found


def across(study: Study) -> tuple[Chart, ...]:
    """The charts of all models, those with the same key as one: each line named by its model."""
    keys: dict[str, list[tuple[str, Chart]]] = {}
    for model in study.models:
        for chart in model.charts:
            keys.setdefault(chart.key, []).append((model.model, chart))
    return tuple(_joined(many) for many in keys.values())


def _joined(many: list[tuple[str, Chart]]) -> Chart:
    first = many[0][1]
    if len(many) == 1:
        return first
    series = tuple(
        Series(f"{model}: {s.name}" if s.name else model, s.xs, s.ys)
        for model, chart in many
        for s in chart.series
    )
    return Chart(first.key, first.title, first.x, first.y, series)
