"""Several comparisons, of two folders whose models were paired by path."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from onnxpad.comparison import Comparison
from onnxpad.report import json as comparison_json
from onnxpad.report import terminal
from onnxpad.report.overview import verdict
from onnxpad.report.sections import Cell
from onnxpad.report.terminal import STYLES
from onnxpad.text import printable

SCHEMA = "onnxpad.comparisons/1"


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of two folders; their names are untrusted.

    Attributes:
        failed: (relative path, one sentence) of pairs that could not be compared.
        unpaired: relative paths that only one of the folders holds.
    """

    original: str
    candidate: str
    comparisons: tuple[Comparison, ...]
    failed: tuple[tuple[str, str], ...] = ()
    unpaired: tuple[str, ...] = ()


def told(batch: Batch) -> tuple[str, ...]:
    """What was not compared, a sentence each, printable."""
    lost = tuple(f"{printable(name)}: {printable(why, 300)}" for name, why in batch.failed)
    alone = tuple(f"{printable(name)}: in one of the folders only" for name in batch.unpaired)
    return lost + alone


def title(batch: Batch) -> str:
    """Both folders and the counts."""
    names = f"{printable(batch.original)} → {printable(batch.candidate)}"
    lost = len(batch.failed) + len(batch.unpaired)
    return f"{names}: {len(batch.comparisons)} pairs compared" + (f", {lost} not" if lost else "")


def words(batch: Batch) -> tuple[tuple[str, Cell], ...]:
    """(candidate, verdict) of every pair, in their order; printable."""
    return tuple((printable(one.candidate), verdict(one)[0]) for one in batch.comparisons)


def render(batch: Batch, *, every: bool = False) -> RenderableType:
    """What was not compared first, then one report after the other."""
    return Group(*_parts(batch, every=every))


def _parts(batch: Batch, *, every: bool) -> Iterator[RenderableType]:
    yield Text(title(batch), "bold")
    yield from (Text(sentence, "yellow") for sentence in told(batch))
    if len(batch.comparisons) > 1:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, word in words(batch):
            table.add_row(Text(name), Text(word.text, STYLES[word.tone]))
        yield table
    for comparison in batch.comparisons:
        yield Rule(style="dim")
        yield terminal.render(comparison, every=every)


def as_json(batch: Batch) -> str:
    """The batch for other programs; ends in a newline."""
    document = {
        "schema": SCHEMA,
        "original": batch.original,
        "candidate": batch.candidate,
        "failed": [{"model": name, "reason": why} for name, why in batch.failed],
        "unpaired": list(batch.unpaired),
        "comparisons": [comparison_json.as_dict(one) for one in batch.comparisons],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
