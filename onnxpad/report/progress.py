"""A progress bar on stderr: only on a terminal, and only for work that takes a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

DELAY_SECONDS = 1.0

Tell = Callable[[str, int, int | None], None]


@contextmanager
def progress(console: Console | None = None, delay: float = DELAY_SECONDS) -> Iterator[Tell]:
    """Something to hand to compare() as its `progress`; the bar is gone when the block ends.

    Nothing is drawn before `delay` seconds, nor when the console (stderr by default) is no
    terminal.
    """
    target = Console(stderr=True) if console is None else console
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=target,
        transient=True,
        disable=not target.is_terminal,
    )
    started = monotonic()
    tasks: dict[str, TaskID] = {}

    def tell(stage: str, done: int, total: int | None) -> None:
        if monotonic() - started < delay:
            return
        bar.start()
        if stage not in tasks:
            for other in tasks.values():
                bar.update(other, visible=False)
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done, total=total)

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()
