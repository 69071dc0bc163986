"""Write docs/rules.md from the rules: python -m tests.rules.make_docs."""

from pathlib import Path

from onnxpad.rules import RULES
from onnxpad.rules.rule import SECTIONS, Rule

TARGET = Path(__file__).resolve().parents[2] / "docs" / "rules.md"

HEAD = """\
# The rules of `onnxpad audit`

Written from the rules' own docstrings by `python -m tests.rules.make_docs`; edit them in
`onnxpad/rules/`. `onnxpad explain CODE` prints the same.

Severity is how bad a finding is unless it says otherwise: an error where the model fails or
computes something else than its graph says, a warning where padding does harm, a note where it is
worth knowing. Confidence is how sure it is: high follows from the graph alone. "asked for" rules
run when they are selected, those on a target with its `--target`; "measured" ones need
`--measure`, which runs the model.

| code | name | severity | confidence | runs | finds |
|---|---|---|---|---|---|
"""


def _runs(rule: Rule) -> str:
    if rule.check is None:
        return "measured"
    if rule.name.startswith("target-"):
        return "with --target"
    return "always" if rule.default else "asked for"


def _row(rule: Rule) -> str:
    anchor = f"{rule.code}-{rule.name}".lower()
    title = rule.title.replace("|", "\\|")
    cells = (
        f"[{rule.code}](#{anchor})",
        rule.name,
        rule.severity,
        rule.confidence,
        _runs(rule),
        title,
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _chapter(rule: Rule) -> str:
    parts = [f"\n## {rule.code} {rule.name}\n\n{rule.title}\n"]
    parts += [f"\n### {title}\n\n{rule.section(title)}\n" for title in SECTIONS]
    return "".join(parts)


def text() -> str:
    """The whole file."""
    return HEAD + "".join(map(_row, RULES)) + "".join(map(_chapter, RULES))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
