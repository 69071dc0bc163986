"""Options that several commands share, with one meaning everywhere."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from onnxpad.errors import UsageError, WriteError
from onnxpad.text import printable

ModelPath = Annotated[Path, typer.Argument(metavar="MODEL", help="An .onnx file.")]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT:PATH",
        help="Also write the result as [b]json[/b] to a path; - is stdout. Repeatable.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print every site, and where a fault arose.")
]
FORMATS = ("json",)


@dataclass(frozen=True, slots=True)
class RunFlags:
    """What a comparison runs on, as it was asked for."""

    data: Path | None
    samples: int | None
    seed: int
    provider: str
    threads: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """Where one report goes: a format, and a path or "-" for stdout."""

    form: str
    path: str

    @property
    def to_stdout(self) -> bool:
        """Whether it takes the place of the terminal's text."""
        return self.path == "-"

    def write(self, text: str) -> None:
        """Write the finished text.

        Raises:
            WriteError: the path cannot be written.
        """
        if self.to_stdout:
            sys.stdout.write(text)
            return
        from onnxpad.files import give_name, temporary_beside, write_bytes

        target = Path(self.path)
        if not target.parent.is_dir():
            raise WriteError(f"{printable(self.path)}: cannot be written: no such folder")
        with temporary_beside(target) as temporary:
            write_bytes(temporary, text.encode(), target)
            give_name(temporary, target)


def parse_reports(texts: list[str] | None) -> tuple[Report, ...]:
    """Read ``json:PATH``.

    Raises:
        UsageError: unknown format, or no path.
    """
    reports = []
    for text in texts or ():
        form, colon, path = text.partition(":")
        if form not in FORMATS or not colon or not path:
            raise UsageError(
                f"--report {printable(text)!r}: expected FORMAT:PATH with a format of "
                f"{', '.join(FORMATS)}, for example json:result.json or json:-"
            )
        reports.append(Report(form, path))
    return tuple(reports)
