"""A gate for the terminal: the counts, then result by result, bad news first."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from onnxpad.gating import Gate
from onnxpad.report import gate_text
from onnxpad.report.terminal import STYLES, apart, bullet, grid


def render(gate: Gate, called: str = "gate") -> RenderableType:
    """The gate for a rich console, under a name."""
    return Group(*_parts(gate, called))


def _parts(gate: Gate, called: str) -> Iterator[RenderableType]:
    head = gate_text.summary(gate)
    yield Text(f"{called}: ", "bold").append(head.text, STYLES[head.tone])
    yield from (bullet(told, "bad") for told in gate_text.broken(gate))
    for result in gate_text.ranked(gate):
        title = gate_text.title(result)
        yield apart(Text(title.text, STYLES[title.tone]))
        if gate_text.reason(result):
            yield Text(gate_text.reason(result), "dim")
        yield from (Text(told, "dim") for told in gate_text.unmeasured(result))
        if result.judged:
            yield grid(gate_text.grid(result))
