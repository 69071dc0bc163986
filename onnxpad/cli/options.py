"""Options that several commands share, with one meaning everywhere."""

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from onnxpad.errors import UsageError, WriteError
from onnxpad.text import printable

_RUN, _DATA, _RESULT = "Comparison", "Data", "Result"

ModelPath = Annotated[Path, typer.Argument(metavar="MODEL", help="An .onnx file.")]

Data = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="A folder of images, a .npy or .npz file, or module:function; without it, scenes.",
        rich_help_panel=_DATA,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="SPEC",
        help="folders, csv=FILE, coco=FILE, yolo=DIR, masks=DIR, references=DIR, array=FILE.",
        rich_help_panel=_DATA,
    ),
]
PreprocessSpec = Annotated[
    str | None,
    typer.Option(
        "--preprocess",
        metavar="SPEC",
        help="What the model wants done to pictures: imagenet, tf, caffe, unit, raw, yolox, ..., "
        "or colour=, resize=, mean= and so on, with commas between.",
        rich_help_panel=_DATA,
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="HxW", help="Of pictures, where the model leaves it free.", rich_help_panel=_DATA
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="How many samples.", rich_help_panel=_DATA),
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="For scenes and order.", rich_help_panel=_DATA),
]
Task = Annotated[
    str | None,
    typer.Option(
        metavar="TASK",
        help="classification, detection, segmentation, image or tensor; else guessed.",
        rich_help_panel=_RUN,
    ),
]
ClassOffset = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Added to a label to get its place among the scores.",
        rich_help_panel=_RUN,
    ),
]
Decoder = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Of detections: a known one, or module:function.", rich_help_panel=_RUN
    ),
]
Tile = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="T", help="Also cut large images in tiles of T pixels.", rich_help_panel=_RUN
    ),
]
Overlap = Annotated[
    int,
    typer.Option(
        min=0, metavar="K", help="Pixels two tiles share.", show_default=False, rich_help_panel=_RUN
    ),
]
TileHalo = Annotated[
    int | None,
    typer.Option(
        "--halo",
        min=1,
        metavar="N",
        help="Pixels of the halo around every tile of the original that is held beside both; by "
        "default as many as its border error reaches.",
        rich_help_panel=_RUN,
    ),
]
Provider = Annotated[
    str | None,
    typer.Option(metavar="auto|cpu|cuda", help="Where to run.", rich_help_panel=_RUN),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Threads of one run, and of decoding.", rich_help_panel=_RUN
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings; by default the nearest onnxpad.toml or pyproject.toml upwards from here.",
        rich_help_panel=_RUN,
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="EXPR",
        help="Limits that the result must keep: agreement>=0.98,latency<=1.1",
        rich_help_panel=_RESULT,
    ),
]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT:PATH",
        help="Also write the result as [b]json[/b], [b]md[/b] or [b]html[/b] to a path; - is "
        "stdout. Repeatable.",
        rich_help_panel=_RESULT,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Leave no sample out; exit 1 if a site is refused or a limit inconclusive.",
        rich_help_panel=_RESULT,
    ),
]
ExitZero = Annotated[
    bool, typer.Option("--exit-zero", help="Exit 0 even then.", rich_help_panel=_RESULT)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print everything, and where a fault arose.")
]


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


def parse_reports(
    texts: list[str] | None, formats: Collection[str] | None = None
) -> tuple[Report, ...]:
    """Read ``FORMAT:PATH``.

    Args:
        formats: what the command can write; those of a comparison unless given.

    Raises:
        UsageError: unknown format, or no path.
    """
    from onnxpad.report.formats import AUDIT_FORMATS, FORMATS

    known = FORMATS if formats is None else formats
    reports = []
    for text in texts or ():
        form, colon, path = text.partition(":")
        if form not in known or not colon or not path:
            elsewhere = form in AUDIT_FORMATS and form not in known
            why = f"{form} is for audits; " if elsewhere else ""
            raise UsageError(
                f"--report {printable(text)!r}: {why}expected FORMAT:PATH with a format of "
                f"{', '.join(known)}, for example json:result.json or json:-"
            )
        reports.append(Report(form, path))
    return tuple(reports)
