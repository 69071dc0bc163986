"""Print something rendered to the terminal."""

import sys

from rich.console import Console, RenderableType

# A file or a pipe has no width of its own; this keeps a table's rows on one line each.
_FILE_WIDTH = 120


def show(rendered: RenderableType) -> None:
    """Print to stdout, as wide as the terminal is."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    console.print(rendered)
