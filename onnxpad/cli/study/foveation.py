"""``onnxpad study foveation``: paths from each input pixel, from the graph alone."""

from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.study.showing import Models, Save, UnreadData, check_reports, chosen, show


def foveation(
    models: Models,
    data: UnreadData = None,
    size: flag.Size = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(metavar="MODE", help="Only these modes. Repeatable."),
    ] = None,
    report: flag.Reports = None,
    save: Save = None,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:
    """Count the paths from each input pixel, for every padding. Nothing is run.

    [b]Examples[/b]

      onnxpad study foveation model.onnx

      onnxpad study foveation resnet18.onnx resnet50.onnx --size 225x225 --report html:paths.html

      onnxpad study foveation model.onnx --mode reflect --mode partial --save figures/
    """
    from onnxpad.config.values import parse_size
    from onnxpad.studies.foveation import MODES
    from onnxpad.studies.foveation import foveation as study

    del data
    check_reports(report)
    chosen(mode, MODES, "--mode")
    found = study(models, None if size is None else parse_size(size), mode or MODES)
    return show(found, report, save, verbose=verbose, quiet=quiet)
