"""An audit for the terminal: by model, the worst first, a finding a line; clean models counted.

Names come from models and files and are untrusted: they are made printable and enter rich as
Text, which knows no markup.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
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
from onnxpad.report.terminal import apart

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_NAME = 60


def text(audit: Audit, width: int = 80, *, full: bool = False) -> str:
    """The report as plain text without colours, lines at most `width` wide."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False)
    console.print(render(audit, full=full))
    assert isinstance(console.file, StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def render(audit: Audit, *, full: bool = False) -> RenderableType:
    """The report for a rich console; `full` adds every place, the why, and what to do."""
    return Group(*_parts(audit, full=full))


def _parts(audit: Audit, *, full: bool) -> Iterator[RenderableType]:
    for number, model in enumerate(worst_first(audit)):
        shown = Group(*_model(model, full=full))
        yield apart(shown) if number else shown
    rules = rules_found(audit)
    if full:
        yield from (apart(Group(*_rule(rule))) for rule in rules)
    untouched = clean(audit)
    ending = list(_ending(audit, rules, full=full))
    if untouched and len(untouched) < len(audit.models):
        ending.insert(0, Text(count(len(untouched), "model") + " without findings", "dim"))
    shown = Group(*ending)
    yield apart(shown) if worst_first(audit) else shown


def _model(model: ModelAudit, *, full: bool) -> Iterator[RenderableType]:
    if model.error:
        yield Text(name(model), "bold")
        told = Text("could not be audited: ", "bold red").append(error(model), "not bold default")
        yield Padding(told, (0, 0, 0, 2), expand=False)
        return
    yield Text(name(model), "bold").append(f"  {about(model)}", "not bold dim")
    for line in measured(model):
        yield Padding(Text(line, "dim"), (0, 0, 0, 2), expand=False)
    for finding in model.findings:
        yield from _finding(finding, full=full)


def _finding(finding: Finding, *, full: bool) -> Iterator[RenderableType]:
    word = Text(str(finding.severity), _STYLES[finding.severity])
    if not full:
        where = abridged(finding.primary.identity, _NAME)
        at = " ".join(filter(None, (where, others(finding))))
        behind = finding.name + (f" at {at}" if at else "")
        yield _row(word, finding.code, _Told(message(finding), behind))
        return
    behind = f"{finding.name}, confidence {finding.confidence}"
    yield _row(word, finding.code, _Told(message(finding), behind))
    for location in finding.locations:
        shown = Text(place(location))
        if location.detail:
            shown.append(": " if shown else "").append(detail(location), "dim")
        if shown:
            yield Padding(shown, (0, 0, 0, 19), expand=False)
    if finding.advice:
        yield Padding(Text(f"do: {advice(finding)}"), (0, 0, 0, 19), expand=False)


@dataclass(frozen=True, slots=True)
class _Told:
    """A sentence and what stands dim behind it, or below it where one line does not hold both."""

    sentence: str
    behind: str

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        long = cell_len(self.sentence) + 2 + cell_len(self.behind) > options.max_width
        yield Text(self.sentence).append(("\n" if long else "  ") + self.behind, "dim")


def _row(word: Text, code: str, told: RenderableType) -> RenderableType:
    """Severity, code and sentence, the later lines of the sentence below its first."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=7, no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(word, Text(code, "bold"), told)
    return Padding(grid, (0, 0, 0, 2))


def _rule(rule: RuleInfo) -> Iterator[RenderableType]:
    yield Text(f"{rule.code} {rule.name}", "bold").append(f": {rule.title}", "not bold default")
    for title, section in (("why", rule.why), ("do", rule.advice)):
        for number, paragraph in enumerate(paragraphs(section)):
            grid = Table.grid(padding=(0, 2, 0, 0))
            grid.add_column(width=3)
            grid.add_column(ratio=1)
            grid.add_row(Text("" if number else title, "dim"), Text(paragraph))
            yield Padding(grid, (0, 0, 0, 2))


def _ending(audit: Audit, rules: tuple[RuleInfo, ...], *, full: bool) -> Iterator[RenderableType]:
    """The counts, and what to do next."""
    bad = audit.failed or any(model.error for model in audit.models)
    yield Text(summary(audit), "bold red" if bad else "bold")
    if rules:
        found = [f for m in audit.models for f in m.findings]
        code = max(found, key=lambda f: f.severity).code
        if not full:
            yield Text("--full: every place, the why, and what to do", "dim")
        yield Text(f"onnxpad explain {code}: all about a rule", "dim")
