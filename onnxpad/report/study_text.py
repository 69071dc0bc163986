"""A study as printable texts, before any format lays it out."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from onnxpad.report.figures import NONE
from onnxpad.report.sections import Cell, Grid
from onnxpad.study import Cell as Value
from onnxpad.study import ModelStudy, Study, Table
from onnxpad.text import printable

MOST_ROWS = 40
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as every format shows it: title, grid, notes."""

    title: str
    grid: Grid
    notes: tuple[str, ...]


def cell(value: Value) -> str:
    """One value: texts made printable, numbers with four digits that count."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return printable(value, _LONGEST)
    if isinstance(value, int):
        return str(value)
    if not isfinite(value):
        return "NaN" if value != value else f"{value:+}".replace("inf", "∞")
    text = f"{value:.4g}"
    return text.replace("-", "−") if text.startswith("-") else text


def shown(table: Table, most: int | None = None) -> Shown:
    """A table with at most so many rows; the leading columns of texts are set to the left."""
    words = 0
    while words < len(table.heads) and any(isinstance(row[words], str) for row in table.rows):
        words += 1
    kept = table.rows[:most]
    tones = table.tones or ("",) * len(table.rows)
    rows = tuple(
        tuple(Cell(cell(value), tone) for value in row)
        for row, tone in zip(kept, tones, strict=False)
    )
    grid = Grid(
        tuple(map(printable, table.heads)), rows, max(words, 1), len(table.rows) - len(rows)
    )
    return Shown(printable(table.title, _LONGEST), grid, sentences(table.notes))


def sentences(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences that may hold names of a model, made printable."""
    return tuple(printable(text, 1000) for text in texts)


def short_models(study: Study) -> list[str]:
    """The models' paths without what all of them begin with, printable."""
    paths = [one.model.replace("\\", "/") for one in study.models]
    names = [path.rpartition("/")[2] for path in paths]
    return [printable(n if names.count(n) == 1 else p) for n, p in zip(names, paths, strict=True)]


def parts(study: Study) -> Iterator[tuple[str, ModelStudy]]:
    """Each model's name as it is shown, and its study."""
    yield from zip(short_models(study), study.models, strict=True)
