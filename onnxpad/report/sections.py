"""What every format shows, before it is laid out: titled sections of sentences, grids, profiles.

Cells and sentences are printable text without markup; each format escapes them in its own way.
"""

from dataclasses import dataclass

# How a cell or a sentence is meant: the format chooses the colour.
PLAIN, GOOD, BAD, DIM, STRONG = "", "good", "bad", "dim", "strong"


@dataclass(frozen=True, slots=True)
class Cell:
    """One printable text and its tone."""

    text: str
    tone: str = PLAIN


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        heads: of the columns. rows: of cells, as many as heads.
        words: how many leading columns hold words; the others hold numbers, set to the right.
        more: rows that were left out.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1
    more: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a profile: its name, the value of each bin, and the same as text."""

    name: str
    values: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """Values by distance to the border, several series on one scale; labels are the distances."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One measure. ``key`` names it in pages; what was not measured is in ``absent``."""

    key: str
    title: str
    lines: tuple[Cell, ...] = ()
    profiles: tuple[Profile, ...] = ()
    grids: tuple[Grid, ...] = ()
    absent: str = ""


def cells(*texts: str, tone: str = PLAIN) -> tuple[Cell, ...]:
    """A row in one tone."""
    return tuple(Cell(text, tone) for text in texts)
