"""A study for the terminal: what comes out, and the tables; pictures are for pages and files."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from onnxpad.report.study_text import MOST_ROWS, parts, sentences, shown
from onnxpad.report.terminal import apart, bullet, grid
from onnxpad.study import ModelStudy, Study
from onnxpad.text import printable


def render(study: Study, *, every: bool = False) -> RenderableType:
    """The study for a rich console; `every` lists all rows of long tables."""
    return Group(*_parts(study, every=every))


def render_all(studies: Sequence[Study], *, every: bool = False) -> RenderableType:
    """The same for several studies, one after the other."""
    first, *others = (render(study, every=every) for study in studies)
    return Group(first, *map(apart, others))


def _parts(study: Study, *, every: bool) -> Iterator[RenderableType]:
    yield Text(printable(study.title), "bold")
    pictures = charts = 0
    for name, one in parts(study):
        yield apart(Text(name, "bold cyan"))
        yield from _model(one, every=every)
        pictures += len(one.pictures)
        charts += len(one.charts)
    if pictures + charts:
        seen = f"{pictures + charts} picture{'s' if pictures + charts > 1 else ''} not shown here"
        yield apart(Text(f"{seen}: --report html:PATH for a page, --save DIR for files", "dim"))


def _model(one: ModelStudy, *, every: bool) -> Iterator[RenderableType]:
    if one.absent:
        yield Text(printable(one.why, 1000), "red" if one.exit_code else "yellow")
        return
    yield from (Text(line, "dim") for line in sentences(one.on))
    yield from (bullet(line) for line in sentences(one.said))
    for table in one.tables:
        found = shown(table, None if every else MOST_ROWS)
        yield apart(Group(Text(found.title, "bold"), grid(found.grid)))
        yield from (Text(note, "dim") for note in found.notes)
