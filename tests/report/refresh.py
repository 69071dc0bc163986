"""Golden reports and the documentation of the JSON layout.

`python -m tests.report.refresh` writes them again; the tests compare. What belongs to a machine
(versions of libraries, compressed pictures) is scrubbed.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from onnxpad.report import batch, rewriting, terminal
from onnxpad.report.formats import FORMATS
from tests.report import refresh_audits, whole
from tests.report.summaries import summary

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("golden")
SCHEMA = ROOT / "onnxpad" / "report" / "comparison.schema.json"
DOCUMENT = ROOT / "docs" / "comparison-json.md"

HEAD = """\
# The JSON of a comparison

`--report json:PATH` writes what `onnxpad compare` found; `onnxpad rewrite` writes the same under
`comparison`, and a comparison of two folders has a list of them under `comparisons`.
The layout is `onnxpad.comparison/2`, and
[`comparison.schema.json`](../onnxpad/report/comparison.schema.json) is its JSON Schema. The number
goes up when a key changes its meaning or disappears, not when one is added.

- Every key is always there. What was not measured is `null`, with the reason in `no_…`.
- Numbers that JSON does not have (NaN, infinity) are `null`.
- Everything that differs between two runs of the same models on the same samples and engine stands
  in `run`. The rest is the same, byte for byte.
- Names and paths come from models and files. They are untrusted text: escape them where you show
  them. The file itself is ASCII.
- Mean maps and pictures are only in the HTML page; the JSON holds what was concluded from them.

This page is made from the schema by `python -m tests.report.refresh`.
"""


def golden() -> Iterator[tuple[str, str]]:
    """(file name, text) of every golden report."""
    small = replace(whole.full(), layers=whole.layers(2))
    for make in (whole.full, whole.bare, whole.mixed):
        yield f"{make.__name__}.txt", terminal.text(make())
    yield "rewrite.txt", plain(rewriting.render(summary()))
    for form, dumps in FORMATS.items():
        yield f"full.{form}", scrubbed(dumps(small))
        yield f"bare.{form}", scrubbed(dumps(whole.bare()))
        yield f"rewrite.{form}", scrubbed(dumps(summary()))
    folders = batch.Batch(
        "before",
        "after",
        (whole.bare(), whole.mixed()),
        (("broken.onnx", "it does not load"),),
        ("lone.onnx",),
    )
    yield "batch.md", FORMATS["md"](folders)
    yield "batch.txt", plain(batch.render(folders))
    yield from refresh_audits.golden()


def plain(rendered: RenderableType) -> str:
    """Something for the terminal as text of 80 columns."""
    console = Console(file=StringIO(), width=80, color_system=None, force_terminal=False)
    console.print(rendered)
    assert isinstance(console.file, StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def scrubbed(text: str) -> str:
    """Without the plotting library, its hash, and compressed pictures."""
    text = re.sub(r"sha256-[\w+/=]+", "sha256-…", text)
    text = re.sub(r"image/png;base64,[\w+/=]+", "image/png;base64,…", text)
    return re.sub(r"<script>.*?</script>", "<script>…</script>", text, flags=re.DOTALL)


def document(path: Path = SCHEMA, head: str = HEAD) -> str:
    """The documentation of a schema, one table for each object."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    parts = [head, _section("The document", schema)]
    parts += [_section(f"`{name}`", found) for name, found in schema["$defs"].items()]
    return "\n".join(parts)


def _section(title: str, found: dict[str, Any]) -> str:
    rows = [
        f"| `{key}` | {_type(value)} | {_cell(value['description'])} |"
        for key, value in found["properties"].items()
    ]
    head = f"## {title}\n\n{found['description']}\n\n| key | type | meaning |\n|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name})"
    if "anyOf" in value:
        return " or ".join(map(_type, value["anyOf"]))
    if "const" in value:
        return f'"{value["const"]}"'
    if "enum" in value:
        return "string or null" if None in value["enum"] else "string"
    types = value["type"] if isinstance(value["type"], list) else [value["type"]]
    inner = f" of {_type(value['items'])}" if "items" in value else ""
    return " or ".join(t + inner if t == "array" else t for t in types)


def files() -> dict[Path, Callable[[], str]]:
    """Every file this module keeps, and how it is made."""
    return {GOLDEN / name: lambda t=text: t for name, text in golden()} | {
        DOCUMENT: document,
        refresh_audits.DOCUMENT: lambda: document(refresh_audits.SCHEMA, refresh_audits.HEAD),
    }


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for path, make in files().items():
        path.write_text(make(), encoding="utf-8")
