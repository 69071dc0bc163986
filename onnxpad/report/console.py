"""Print something rendered to the terminal."""

from rich.console import Console, RenderableType


def show(rendered: RenderableType) -> None:
    """Print to stdout; plain text of 80 columns where that is no terminal."""
    Console(highlight=False).print(rendered)
