"""Print something rendered to the terminal."""

import sys

from rich.console import Console, RenderableType

# A file or a pipe has no width of its own; this keeps a table's rows on one line each.
_FILE_WIDTH = 120


def show(rendered: RenderableType) -> None:
    """Print to stdout, as wide as the terminal is; a file or a pipe gets no blanks at line ends."""
    if sys.stdout.isatty():
        Console(highlight=False).print(rendered)
        return
    console = Console(highlight=False, width=_FILE_WIDTH)
    with console.capture() as captured:
        console.print(rendered)
    sys.stdout.write("\n".join(line.rstrip(" ") for line in captured.get().split("\n")))
