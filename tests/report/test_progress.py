from io import StringIO

import pytest
from rich.console import Console

from onnxpad.report.progress import progress


@pytest.fixture(autouse=True)
def able_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def drawn(*, terminal: bool, delay: float) -> str:
    console = Console(file=StringIO(), force_terminal=terminal, width=80)
    with progress(console, delay=delay) as tell:
        tell("samples", 0, 3)
        tell("samples", 2, 3)
        tell("latency", 1, None)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_bar_on_a_terminal() -> None:
    shown = drawn(terminal=True, delay=0.0)
    assert "samples" in shown
    assert "latency" in shown


def test_nothing_for_short_work() -> None:
    assert drawn(terminal=True, delay=60.0) == ""


def test_nothing_without_a_terminal() -> None:
    assert drawn(terminal=False, delay=0.0).strip() == ""


def test_an_error_ends_the_bar() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=80)
    try:
        with progress(console, delay=0.0) as tell:
            tell("samples", 0, 3)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert isinstance(console.file, StringIO)
    assert "\x1b[?25h" in console.file.getvalue()  # the cursor is shown again
