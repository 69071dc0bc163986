"""A comparison for the terminal: what changed, where, and what the statement stands on.

Names come from models and files and are untrusted: they are made printable and enter rich as
Text, which knows no markup.
"""

from collections.abc import Iterator, Sequence
from io import StringIO
from math import isfinite

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from onnxpad.budget import missed
from onnxpad.comparison import Comparison
from onnxpad.report.outputs import cautions, facts, outputs
from onnxpad.report.overview import headline, sections, short_names, unmeasured, verdict
from onnxpad.report.ringline import bar
from onnxpad.report.sections import BAD, Cell, Grid, Profile, Section
from onnxpad.report.sites import abridged_all

_CELL = 6
_NAME = 32
STYLES = {"": "", "good": "green", "bad": "red", "dim": "dim", "strong": "bold"}


def text(comparison: Comparison, width: int = 80) -> str:
    """The report as plain text without colours, lines at most `width` wide."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False)
    console.print(render(comparison))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render(comparison: Comparison, *, every: bool = False) -> RenderableType:
    """The report for a rich console; `every` row of it, however many there are."""
    return Group(*lead(comparison), *details(comparison, every=every))


def lead(comparison: Comparison) -> Iterator[RenderableType]:
    """The verdict, its reasons, and what must be known before any number."""
    yield from _verdict(comparison)
    yield from (_warning(w) for w in cautions(comparison))


def details(comparison: Comparison, *, every: bool = False) -> Iterator[RenderableType]:
    """What was measured, what it stands on, and what was not measured."""
    for section in sections(comparison, every=every):
        if not section.absent and (section.lines or section.grids):
            yield apart(Group(*_section(section)))
    yield from _outputs(comparison, every=every)
    yield apart(_facts(comparison))
    yield from (Text(f"not measured: {what}", "dim") for what in unmeasured(comparison))


def _verdict(comparison: Comparison) -> Iterator[RenderableType]:
    word, reasons = verdict(comparison)
    title = Text(" → ".join(short_names(comparison)) + ": ", "bold")
    yield title.append(word.text, f"{STYLES[word.tone]}".strip() or None)
    yield from (bullet(reason) for reason in reasons)
    if missed(comparison.judged):
        yield bullet("the budget is missed", BAD)


def apart(part: RenderableType) -> RenderableType:
    """With an empty line above it."""
    return Padding(part, (1, 0, 0, 0), expand=False)


def bullet(sentence: str, tone: str = "") -> RenderableType:
    """A sentence of a list; its later lines are set in."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column()
    grid.add_row(Text("-"), Text(sentence, STYLES[tone]))
    return grid


def _section(section: Section) -> Iterator[RenderableType]:
    yield Text(section.title, "bold")
    yield from (Text(line.text, STYLES[line.tone]) for line in section.lines)
    yield from (_profile(profile) for profile in section.profiles)
    yield from (grid(one) for one in section.grids)


def grid(rows: Grid) -> RenderableType:
    """A table, and how many rows were left out of it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, head in enumerate(rows.heads):
        left = place < rows.words
        table.add_column(
            head, justify="left" if left else "right", no_wrap=True, overflow="ellipsis"
        )
    firsts = abridged_all([row[0].text for row in rows.rows], _NAME)
    for first, row in zip(firsts, rows.rows, strict=True):
        shown = (Cell(first, row[0].tone), *row[1:])
        table.add_row(*(Text(cell.text, STYLES[cell.tone]) for cell in shown))
    if not rows.more:
        return table
    return Group(table, Text(f"… and {rows.more} more (-v shows all)", "dim"))


def _profile(profile: Profile, style: str = "") -> RenderableType:
    """Bars and numbers of each series, the distances below."""
    top = max((v for one in profile.series for v in one.values if isfinite(v)), default=0.0)
    lines = [Text(profile.title, style)]
    for one in profile.series:
        lines.append(_bars([v / top if top else 0.0 for v in one.values], f" {one.name}"))
        lines.append(Text(_centred(one.texts)))
    lines.append(Text(_centred([_distance(label) for label in profile.labels]), "dim"))
    return Group(*lines)


def _bars(shares: Sequence[float], name: str = "") -> Text:
    line = Text("".join(bar(share, _CELL - 1) + " " for share in shares), "cyan")
    return line.append(name, "not cyan default")


def _centred(texts: Sequence[str]) -> str:
    return "".join(text.center(_CELL - 1) + " " for text in texts)


def _outputs(comparison: Comparison, *, every: bool) -> Iterator[RenderableType]:
    """How far the outputs differ, element by element and by ring; the headline says it alone."""
    section = outputs(comparison, every=every)
    if comparison.verdict is not None:
        yield apart(Text(f"Outputs: {headline(comparison).text}", "bold"))
    for number, one in enumerate(section.grids):
        under_title = comparison.verdict is not None and not number
        yield grid(one) if under_title else apart(grid(one))
    yield from (apart(_profile(profile, "bold")) for profile in section.profiles)


def _distance(label: str) -> str:
    return label if len(label) < _CELL else f"{label.partition('–')[0]}+"


def _facts(comparison: Comparison) -> Table:
    """Two columns: what is stated, and the statement."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for what, sentence in facts(comparison):
        table.add_row(Text(what), Text(sentence))
    return table


def _warning(sentence: str) -> Text:
    return Text("warning: ", "yellow").append(sentence, "not bold default")
