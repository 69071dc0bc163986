"""A gate as Markdown for a pull request: the counts, and a table for each result."""

from collections.abc import Iterator

from onnxpad.budget import HELD, MISSED, WARNING
from onnxpad.gating import Gate
from onnxpad.report import gate_text
from onnxpad.report.markdown import bullets, escape, grid

_MARKS = {MISSED: "❌", WARNING: "⚠️", HELD: "✅"}


def dumps(gate: Gate) -> str:
    """The text; ends in a newline."""
    return "\n\n".join(_parts(gate)) + "\n"


def _parts(gate: Gate) -> Iterator[str]:
    mark = "❌" if gate.exit_code else "✅"
    yield f"## {mark} {escape('onnxpad gate: ' + gate_text.summary(gate).text)}"
    if gate_text.broken(gate):
        yield bullets(gate_text.broken(gate))
    for result in gate_text.ranked(gate):
        yield f"### {_MARKS[result.weight]} {escape(gate_text.title(result).text)}"
        told = [gate_text.reason(result), *gate_text.unmeasured(result)]
        if any(told):
            yield bullets([sentence for sentence in told if sentence])
        if result.judged:
            yield grid(gate_text.grid(result))
