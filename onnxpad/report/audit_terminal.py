"""An audit for the terminal: by model, the worst first, a finding a line; clean models counted.

Names come from models and files and are untrusted: they are made printable and enter rich as
Text, which knows no markup.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from onnxpad.findings import Audit, Finding, ModelAudit, RuleInfo, Severity
from onnxpad.report.audit_text import (
    about,
    advice,
    clean,
    detail,
    error,
    measured,
    message,
    name,
    others,
    paragraphs,
    place,
    rules_found,
    summary,
    worst_first,
)
from onnxpad.report.figures import count
from onnxpad.report.sites import abridged

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
# Width of the columns of severity and code, with the blanks around them.
_INDENT = 19
_LEAST_NAME = 24


@dataclass(frozen=True, slots=True)
class _Hanging:
    """A text whose later lines are set in; no blanks behind any line, so that pipes get none.

    Attributes:
        head: what stands in front of the first line, within the indent.
        body: the text for so many columns.
    """

    head: Text
    indent: int
    body: Callable[[int], Text]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(options.max_width - self.indent, 8)
        for number, line in enumerate(self.body(room).wrap(console, room)):
            line.rstrip()
            head = Text() if number else self.head.copy()
            head.pad_right(self.indent - head.cell_len)
            yield head.append_text(line)


def text(audit: Audit, width: int = 80, *, full: bool = False) -> str:
    """The report as plain text without colours, lines at most `width` wide."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False)
    console.print(render(audit, full=full))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def render(audit: Audit, *, full: bool = False) -> RenderableType:
    """The report for a rich console; `full` adds every place, the why, and what to do."""
    return Group(*_parts(audit, full=full))


def _parts(audit: Audit, *, full: bool) -> Iterator[RenderableType]:
    for model in worst_first(audit):
        yield from _model(model, full=full)
        yield Text()
    rules = rules_found(audit)
    for rule in rules if full else ():
        yield from _rule(rule)
        yield Text()
    untouched = clean(audit)
    if untouched and rules:
        yield Text(count(len(untouched), "model") + " without findings", "dim")
    bad = audit.failed or any(model.error for model in audit.models)
    yield _hang("", 0, Text(summary(audit), "bold red" if bad else "bold"))
    if rules:
        found = [f for m in audit.models for f in m.findings]
        code = max(found, key=lambda f: f.severity).code
        if not full:
            yield _hang("", 0, Text("--full: every place, the why, and what to do", "dim"))
        yield _hang("", 0, Text(f"onnxpad explain {code}: all about a rule", "dim"))


def _model(model: ModelAudit, *, full: bool) -> Iterator[RenderableType]:
    if model.error:
        yield _hang("", 0, Text(name(model), "bold"))
        told = Text("could not be audited: ", "bold red").append(error(model), "not bold default")
        yield _hang("", 2, told)
        return
    title = Text(name(model), "bold").append(f"  {about(model)}", "not bold dim")
    yield _hang("", 0, title)
    yield from (_hang("", 2, Text(line, "dim")) for line in measured(model))
    for finding in model.findings:
        yield from _finding(finding, full=full)


def _finding(finding: Finding, *, full: bool) -> Iterator[RenderableType]:
    word = str(finding.severity)
    head = Text("  ").append(f"{word:9}", _STYLES[finding.severity]).append(finding.code, "bold")

    def fitting(room: int) -> Text:
        told = message(finding)
        behind = f"{finding.name}, confidence {finding.confidence}" if full else _at(finding, room)
        together = cell_len(told) + 2 + cell_len(behind) <= room
        return Text(told).append(("  " if together else "\n") + behind, "dim")

    yield _Hanging(head, _INDENT, fitting)
    if full:
        for location in finding.locations:
            told = ": ".join(filter(None, (place(location), detail(location))))
            if told:
                yield _hang(" " * (_INDENT - 2) + "-", _INDENT, Text(told))
        if finding.advice:
            yield _hang("", _INDENT, Text(f"What to do: {advice(finding)}"))


def _at(finding: Finding, room: int) -> str:
    """The rule's name and the first place: without its operator, then abridged, to fit."""
    more = others(finding)
    whole = place(finding.primary)
    if not whole:
        return f"{finding.name} {more}".strip()
    left = max(room - len(f"{finding.name} at  {more}"), _LEAST_NAME)
    where = whole if cell_len(whole) <= left else abridged(finding.primary.identity, left)
    return f"{finding.name} at {where} {more}".strip()


def _hang(head: str, indent: int, body: Text) -> _Hanging:
    return _Hanging(Text(head, "dim"), indent, lambda _: body)


def _rule(rule: RuleInfo) -> Iterator[RenderableType]:
    title = Text(f"{rule.code} {rule.name}", "bold").append(f": {rule.title}", "not bold default")
    yield _hang("", 0, title)
    for word, section in (("why", rule.why), ("do", rule.advice)):
        for number, paragraph in enumerate(paragraphs(section)):
            yield _hang("" if number else f"  {word}", 7, Text(paragraph))
