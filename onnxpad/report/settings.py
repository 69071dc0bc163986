"""What is in force and where it comes from: a table, and JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxpad.text import printable

SCHEMA = "onnxpad.config/1"
DEFAULT = "default"

Value = str | int | float | bool | None | list[str] | dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One setting.

    Attributes:
        table: it stands in, "" for the top of the file, or "audit".
        value: as it would be written in the file; untrusted.
        origin: where it comes from.
    """

    table: str
    key: str
    value: Value
    origin: str


@dataclass(frozen=True, slots=True)
class InForce:
    """All settings.

    Attributes:
        model: they hold for, "" for what holds for all.
        file: the configuration file, "" where there is none.
    """

    model: str
    file: str
    rows: tuple[Row, ...]


def render(found: InForce) -> RenderableType:
    """A table; what nobody set is dim."""
    return Group(*_parts(found))


def _parts(found: InForce) -> Iterator[RenderableType]:
    file = printable(found.file, 1000) if found.file else "no onnxpad.toml or [tool.onnxpad] found"
    yield Text(f"{printable(found.model)}: {file}" if found.model else file, "bold")
    yield _table(found.rows)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("setting", no_wrap=True)
    for heading in ("value", "from"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        key = f"{row.table}.{row.key}" if row.table else row.key
        cells = (Text(key), Text(_written(row.value)), Text(printable(row.origin)))
        table.add_row(*cells, style="dim" if row.origin == DEFAULT else None)
    return table


def _written(value: Value) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text, 400)


def as_json(found: InForce) -> str:
    """The same for machines."""
    document = {
        "schema": SCHEMA,
        "file": found.file or None,
        "model": found.model or None,
        "settings": [
            {"table": row.table, "key": row.key, "value": row.value, "origin": row.origin}
            for row in found.rows
        ],
    }
    return json.dumps(document, indent=1) + "\n"
