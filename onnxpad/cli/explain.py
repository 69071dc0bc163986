"""``onnxpad explain``: what a rule, a mode or a measure is."""

from typing import Annotated

import typer


def _words(incomplete: str) -> list[tuple[str, str]]:
    """For the shell's completion: what there is to explain."""
    from onnxpad.explaining import topics

    return [(t.word, t.summary) for t in topics() if t.word.lower().startswith(incomplete.lower())]


Word = Annotated[
    str,
    typer.Argument(
        metavar="[CODE|MODE|MEASURE]",
        help="A rule's code or name, a padding mode, or a measured quantity; without one, all "
        "are listed.",
        autocompletion=_words,
        show_default=False,
    ),
]


def explain(word: Word = "") -> None:
    """Say what a rule finds and what to do about it, what a mode invents, what a measure means.

    [b]Examples[/b]

      onnxpad explain

      onnxpad explain PAD102

      onnxpad explain reflect

      onnxpad explain context_error
    """
    from onnxpad import explaining
    from onnxpad.report import explaining as rendering
    from onnxpad.report.console import show

    if not word:
        show(rendering.render_all(explaining.topics()))
        return
    for topic in explaining.explain(word):
        show(rendering.render(topic))
