"""What is known of a rule, a mode or a measure, for the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxpad.explaining import Topic


def render(topic: Topic) -> RenderableType:
    """One topic, whole."""
    head = Text(" ".join(filter(None, (topic.word, topic.name))), "bold")
    return Group(
        head.append(f"  {' · '.join(topic.facts)}", "not bold dim"), *_paragraphs(topic.text)
    )


def render_all(topics: Sequence[Topic]) -> RenderableType:
    """All of them, a line each."""
    return Group(*_lists(topics))


def _lists(topics: Sequence[Topic]) -> Iterator[RenderableType]:
    for kind in dict.fromkeys(topic.kind for topic in topics):
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column()
        for topic in topics:
            if topic.kind == kind:
                table.add_row(Text(topic.word), _line(topic))
        yield Text(kind, "bold")
        yield table
        yield Text("")
    yield Text("onnxpad explain WORD tells more of one", "dim")


def _line(topic: Topic) -> Text:
    line = Text(f"{topic.name}: " if topic.name else "")
    line.append(topic.summary)
    told = topic.facts if topic.kind == "rules" else ()
    return line.append(f" ({', '.join(told)})" if told else "", "dim")


def _paragraphs(text: str) -> Iterator[RenderableType]:
    """Paragraphs run on; what is indented or a list keeps its lines."""
    for block in text.split("\n\n"):
        title, _, rest = block.partition("\n")
        line, _, below = rest.partition("\n")
        headed = bool(line) and set(line) == {"-"}
        yield Text("")
        if headed:
            yield Text(title, "bold")
        body = below if headed else block
        kept = body if any(line[:1] in " -*|" for line in body.splitlines()) else _run_on(body)
        if kept:
            yield Text(kept)


def _run_on(block: str) -> str:
    return " ".join(block.split())
