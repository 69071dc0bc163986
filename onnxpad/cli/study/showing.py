"""Options and output that all studies share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onnxpad.cli.options import parse_reports
from onnxpad.errors import UsageError
from onnxpad.text import printable

if TYPE_CHECKING:
    from onnxpad.study import Study

Models = Annotated[
    list[Path],
    typer.Argument(metavar="MODEL...", help="One .onnx file, or several beside each other."),
]
Save = Annotated[
    Path | None,
    typer.Option(
        "--save",
        metavar="DIR",
        help="Also write arrays as .npz and pictures as .png below a folder.",
        rich_help_panel="Result",
    ),
]


def show(
    study: "Study", report: list[str] | None, save: Path | None, *, verbose: bool, quiet: bool
) -> int:
    """Print, write and save a study; returns the exit code."""
    from onnxpad.report import study_formats, study_terminal
    from onnxpad.report.console import show as print_it
    from onnxpad.report.study_files import save as write
    from onnxpad.report.study_files import told

    reports = parse_reports(report, study_formats.FORMATS)
    for one in reports:
        one.write(study_formats.FORMATS[one.form](study))
    if not quiet and not any(one.to_stdout for one in reports):
        print_it(study_terminal.render(study, every=verbose))
    if save is not None:
        files = write(study, save)
        if not quiet:
            typer.echo(told(files, save), err=True)
    return 0


def check_reports(report: list[str] | None) -> None:
    """Raise UsageError before hours are spent on what cannot be written."""
    from onnxpad.report.study_formats import FORMATS

    if report:
        parse_reports(report, FORMATS)


def chosen(given: list[str] | None, known: Sequence[str], flag: str) -> None:
    """Raise UsageError for a word that is not among those known."""
    for word in given or ():
        if word not in known:
            raise UsageError(f"{flag} {printable(word, 40)!r}: expected {', '.join(known)}")
