"""Options and output that all studies share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onnxpad.cli.options import parse_reports
from onnxpad.errors import UsageError
from onnxpad.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

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

# For studies that run nothing: one line of options serves all studies.
UnreadData = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="As in the other studies; not read here, where nothing is run.",
    ),
]


def show(
    study: "Study", report: list[str] | None, save: Path | None, *, verbose: bool, quiet: bool
) -> int:
    """Print, write and save a study; returns the exit code."""
    from onnxpad.report.study_formats import FORMATS
    from onnxpad.report.study_terminal import render

    reports = parse_reports(report, FORMATS)
    for one in reports:
        one.write(FORMATS[one.form](study))
    if not quiet and not any(one.to_stdout for one in reports):
        _print(render(study, every=verbose))
    _save([study], save, quiet=quiet)
    return _highest([study])


def show_all(
    studies: "Sequence[Study]",
    report: list[str] | None,
    save: Path | None,
    *,
    verbose: bool,
    quiet: bool,
) -> int:
    """The same for several studies as one result."""
    from onnxpad.report.study_formats import OF_SEVERAL
    from onnxpad.report.study_terminal import render_all

    reports = parse_reports(report, OF_SEVERAL)
    for one in reports:
        one.write(OF_SEVERAL[one.form](studies))
    if not quiet and not any(one.to_stdout for one in reports):
        _print(render_all(studies, every=verbose))
    _save(studies, save, quiet=quiet)
    return _highest(studies)


def _highest(studies: "Sequence[Study]") -> int:
    """The exit code: the highest of all models."""
    return max((one.exit_code for study in studies for one in study.models), default=0)


def _print(shown: "RenderableType") -> None:
    from onnxpad.report.console import show as print_it

    print_it(shown)


def _save(studies: "Sequence[Study]", folder: Path | None, *, quiet: bool) -> None:
    if folder is None:
        return
    from onnxpad.report.study_files import save, told

    files = [path for study in studies for path in save(study, folder)]
    if not quiet:
        typer.echo(told(files, folder), err=True)


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
