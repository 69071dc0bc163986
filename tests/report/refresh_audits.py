"""Golden reports of audits, and what the documentation of their JSON says first."""

import re
from collections.abc import Iterator
from pathlib import Path

from onnxpad.report import audit_terminal
from onnxpad.report.formats import AUDIT_FORMATS
from tests.report import audits

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "onnxpad" / "report" / "audit.schema.json"
DOCUMENT = ROOT / "docs" / "audit-json.md"

HEAD = """\
# The JSON of an audit

`onnxpad audit --report json:PATH` writes what was found. The layout is `onnxpad.audit/1`, and
[`audit.schema.json`](../onnxpad/report/audit.schema.json) is its JSON Schema. The number goes up
when a key changes its meaning or disappears, not when one is added.

- Every key is always there. What there is not is `null`.
- Numbers that JSON does not have (NaN, infinity) are `null`.
- The same models and the same rules give the same bytes, unless the models were run.
- It holds all that is needed to judge the audit again without a model.
- Names, paths and messages come from models and files. They are untrusted text: escape them where
  you show them. The file itself is ASCII; a file name that is no valid text has backslash escapes.

This page is made from the schema by `python -m tests.report.refresh`.
"""


def golden() -> Iterator[tuple[str, str]]:
    """(file name, text) of every golden report of an audit."""
    yield "audit.txt", audit_terminal.text(audits.whole())
    yield "audit-wide.txt", audit_terminal.text(audits.whole(), 120)
    yield "audit-full.txt", audit_terminal.text(audits.whole(), full=True)
    yield "audit-clean.txt", audit_terminal.text(audits.clean())
    for form, dumps in AUDIT_FORMATS.items():
        yield f"audit.{form}", scrubbed(dumps(audits.whole()))
    yield "audit-clean.md", AUDIT_FORMATS["md"](audits.clean())


def scrubbed(text: str) -> str:
    """Without onnxpad's version and without the style of the page, which other pages share."""
    text = re.sub(r'("name": "onnxpad",\s+"version": )"[^"]+"', r'\1"…"', text)
    return re.sub(r"<style>.*?</style>", "<style>…</style>", text, flags=re.DOTALL)
