"""A gate as workflow commands of GitHub Actions: an annotation for each limit that is not held."""

from collections.abc import Iterator

from onnxpad.budget import HELD
from onnxpad.gating import Gate
from onnxpad.report import gate_text
from onnxpad.report.github import annotation
from onnxpad.report.overview import worst_first
from onnxpad.text import one_line, printable


def dumps(gate: Gate) -> str:
    """The commands and a last line with the counts; ends in a newline."""
    return "\n".join((*_commands(gate), f"onnxpad gate: {gate_text.summary(gate).text}")) + "\n"


def _commands(gate: Gate) -> Iterator[str]:
    for file in gate.files:
        if file.error:
            yield annotation("error", file.path, "cannot be judged", one_line(file.error, 1000))
    for result in gate_text.ranked(gate):
        for one in worst_first(result.judged):
            if one.weight != HELD:
                command = "error" if gate.fails(one) else "warning"
                title = printable(result.result.title, 400)
                told = f"{title}: {gate_text.sentence(result, one)}"
                yield annotation(command, result.result.model, "budget", told)
