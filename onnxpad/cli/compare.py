"""``onnxpad compare``: run two models on the same samples and say what got better and worse."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.options import Report, parse_reports
from onnxpad.cli.running import Flags, missed
from onnxpad.errors import OnnxpadError, UsageError
from onnxpad.text import one_line, printable

if TYPE_CHECKING:
    from onnxpad.comparison import Comparison

_MODEL = "An .onnx file, or a folder of them."
Original = Annotated[Path, typer.Argument(metavar="ORIGINAL", help=_MODEL)]
Candidate = Annotated[Path, typer.Argument(metavar="CANDIDATE", help=_MODEL)]


def compare(
    original: Original,
    candidate: Candidate,
    data: flag.Data = None,
    labels: flag.Labels = None,
    preprocess: flag.PreprocessSpec = None,
    size: flag.Size = None,
    samples: flag.Samples = None,
    seed: flag.Seed = None,
    task: flag.Task = None,
    class_offset: flag.ClassOffset = None,
    decoder: flag.Decoder = None,
    tile: flag.Tile = None,
    overlap: flag.Overlap = 0,
    halo: flag.TileHalo = None,
    provider: flag.Provider = None,
    threads: flag.Threads = None,
    config: flag.ConfigFile = None,
    budget: flag.Budget = None,
    report: flag.Reports = None,
    strict: flag.Strict = False,
    exit_zero: flag.ExitZero = False,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:
    """Run two models on the same samples: borders, layers, accuracy, speed, and a verdict.

    Two folders are paired by the paths of the models below them.

    [b]Examples[/b]

      onnxpad compare model.onnx model.reflect.onnx

      onnxpad compare a.onnx b.onnx --data val/ --labels folders --preprocess imagenet

      onnxpad compare a.onnx b.onnx --data val/ --budget 'agreement>=0.98,latency<=1.1'

      onnxpad compare upscaler.onnx padded.onnx --tile 256 --overlap 16

      onnxpad compare models/ rewritten/ --report json:result.json
    """
    reports = parse_reports(report)
    flags = Flags.read(
        config, tile, overlap, halo=halo, data=data, labels=labels, preprocess=preprocess,
        size=size, samples=samples, seed=seed, task=task, class_offset=class_offset,
        decoder=decoder, provider=provider, threads=threads, budget=budget, strict=strict,
    )  # fmt: skip
    silent = quiet or any(one.to_stdout for one in reports)
    if original.is_dir() != candidate.is_dir():
        raise UsageError(
            f"{printable(str(original))} and {printable(str(candidate))}: one is a folder; give "
            "two models, or two folders"
        )
    if original.is_dir():
        code = _folders(original, candidate, flags, reports, silent=silent, verbose=verbose)
    else:
        code = _models(original, candidate, flags, reports, silent=silent, verbose=verbose)
    return 0 if exit_zero and code == 1 else code


def _models(
    original: Path, candidate: Path, flags: Flags, reports: tuple[Report, ...],
    *, silent: bool, verbose: bool,
) -> int:  # fmt: skip
    from onnxpad.report import terminal
    from onnxpad.report.console import show
    from onnxpad.report.formats import FORMATS

    found, code = _run(original, candidate, flags)
    for one in reports:
        one.write(FORMATS[one.form](found))
    if not silent:
        show(terminal.render(found, every=verbose))
    return code


def _run(original: Path, candidate: Path, flags: Flags) -> "tuple[Comparison, int]":
    """The comparison, and 1 if its budget is missed. Raises OnnxpadError."""
    from onnxpad.comparing import compare_as
    from onnxpad.report.progress import progress

    request = flags.request(original)
    with progress() as tell:
        found = compare_as(original, candidate, request, tell)
    return found, int(missed(found, request))


def _folders(
    original: Path, candidate: Path, flags: Flags, reports: tuple[Report, ...],
    *, silent: bool, verbose: bool,
) -> int:  # fmt: skip
    """One pair after the other: a broken one does not stop the others; the highest code wins."""
    from onnxpad.pairing import pair_folders, summary
    from onnxpad.report import batch
    from onnxpad.report.console import show
    from onnxpad.report.formats import FORMATS

    pairing = pair_folders(original, candidate)
    found: list[Comparison] = []
    failed: list[tuple[str, str]] = []
    codes = [0]
    for pair in pairing.pairs:
        try:
            comparison, code = _run(pair.original, pair.candidate, flags)
        except OnnxpadError as error:
            failed.append((pair.name, str(error)))
            code, line = error.exit_code, f"{printable(pair.name)}: {one_line(str(error))}"
        else:
            found.append(comparison)
            line = summary(pair.name, comparison)
        codes.append(code)
        if not silent:
            typer.echo(line)
    whole = batch.Batch(
        str(original), str(candidate), tuple(found), tuple(failed), pairing.unpaired
    )
    for one in reports:
        one.write(FORMATS[one.form](whole))
    if not silent:
        if verbose:
            show(batch.render(whole, every=True))
        for name in pairing.unpaired:
            typer.echo(f"{printable(name)}: in one of the folders only")
    return max(codes)
