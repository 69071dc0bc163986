"""What every benchmark ends with: rows of one form, a table of them, and the same as JSON.

Imports nothing heavy: see process.py.
"""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tests.benchmarks.process import FOLDER


@dataclass(frozen=True)
class Row:
    """One thing measured, and the limit it is held against (None: it has none).

    Attributes:
        least: whether the limit is the least that is allowed, else the most.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether the limit is kept."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.least else self.value <= self.limit


def table(rows: Iterable[Row]) -> str:
    """A line for each."""
    rows = list(rows)
    wide = max((len(row.name) for row in rows), default=0)
    lines = []
    for row in rows:
        limit = ""
        if row.limit is not None:
            sign, word = "≥" if row.least else "≤", "met" if row.met else "MISSED"
            limit = f"{sign} {row.limit:g}  {word}"
        lines.append(f"{row.name:{wide}}{row.value:10.2f} {row.unit:8}{limit}".rstrip())
    return "\n".join(lines)


def save(name: str, rows: Iterable[Row], /, **more: object) -> None:
    """Write build/bench/NAME.json: the rows as ``summary``, and `more` beside them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = {"cores": os.cpu_count(), "machine": platform.machine(), **more,
            "summary": [asdict(row) for row in rows]}  # fmt: skip
    (FOLDER / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def load(name: str) -> list[Row]:
    """The rows that a benchmark saved last; none where its file has another form."""
    kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [Row(**row) for row in kept.get("summary", ())]
