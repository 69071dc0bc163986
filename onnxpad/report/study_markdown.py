"""A study as Markdown: what comes out, and the tables."""

from collections.abc import Iterator, Sequence

from onnxpad.report.markdown import bullets, escape, grid
from onnxpad.report.study_text import MOST_ROWS, parts, sentences, shown
from onnxpad.study import ModelStudy, Study


def dumps(study: Study) -> str:
    """The text; ends in a newline."""
    return "\n\n".join(_parts(study)) + "\n"


def dumps_all(studies: Sequence[Study]) -> str:
    """The same for several studies, one after the other."""
    return "\n".join(map(dumps, studies))


def _parts(study: Study) -> Iterator[str]:
    yield f"## {escape(study.title)}"
    yield escape(study.about)
    for name, one in parts(study):
        yield f"### {escape(name)}"
        yield from _model(one)


def _model(one: ModelStudy) -> Iterator[str]:
    if one.absent:
        yield escape(one.why)
        return
    said = (*sentences(one.said), *sentences(one.on))
    if said:
        yield bullets(said)
    for each in one.tables:
        found = shown(each, MOST_ROWS)
        yield f"**{escape(found.title)}**"
        yield grid(found.grid)
        if found.notes:
            yield bullets(found.notes)
