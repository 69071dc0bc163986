"""Write docs/refusals.md from the table: python -m tests.rewriting.make_refusals."""

from pathlib import Path

from onnxpad.refusals import TABLE

TARGET = Path(__file__).resolve().parents[2] / "docs" / "refusals.md"

HEAD = """\
# What onnxpad refuses

Written from `onnxpad/refusals.py` by `python -m tests.rewriting.make_refusals`; edit the table
there.

A rewrite refuses a padding site when the asked mode cannot be had exactly there. It says which row
applies, changes nothing at that site, and goes on with the others (`--strict` turns refusals into
exit code 1, `--fallback MODE` names a mode to take in their place). Rows are tried from the top;
where none applies the rewrite is done.

| code | refused | because |
|---|---|---|
"""

TAIL = """
Not refused but left alone, because nothing would change: max-pools, which pad with −∞. A window
that reaches the border without gaps holds the element that edge copies whenever p < k, and those
that reflect and symmetric copy whenever 2p ≤ k − 1 (without ceil_mode).
"""


def text() -> str:
    """The whole file."""
    rows = (f"| `{row.code}` | {row.what} | {row.reason} |\n" for row in TABLE)
    return HEAD + "".join(rows) + TAIL


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text(), encoding="utf-8")
