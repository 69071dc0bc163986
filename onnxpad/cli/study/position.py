"""``onnxpad study position``: how well positions can be read from a layer's features."""

from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.running import Flags
from onnxpad.cli.study.showing import Models, Save, check_reports, show


def position(
    models: Models,
    data: flag.Data = None,
    preprocess: flag.PreprocessSpec = None,
    size: flag.Size = None,
    samples: flag.Samples = None,
    seed: flag.Seed = None,
    margin: Annotated[
        int,
        typer.Option(
            min=0, metavar="PX", help="Leave out positions so near to a border, in input pixels."
        ),
    ] = 0,
    layers: Annotated[
        int,
        typer.Option(min=2, metavar="N", help="Read at most so many layers, evenly chosen."),
    ] = 20,
    provider: flag.Provider = None,
    threads: flag.Threads = None,
    config: flag.ConfigFile = None,
    report: flag.Reports = None,
    save: Save = None,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:
    """Read (y, x) from the features of each layer, on noise that is alike everywhere.

    With --data on your images, where the sky is up: that says less about padding.

    [b]Examples[/b]

      onnxpad study position model.onnx

      onnxpad study position model.onnx model.reflect.onnx --report html:position.html

      onnxpad study position model.onnx --margin 32 --samples 96
    """
    from onnxpad.report.progress import progress
    from onnxpad.studies.position import position as study

    check_reports(report)
    flags = Flags.read(
        config, None, 0, data=data, preprocess=preprocess, size=size, samples=samples, seed=seed,
        provider=provider, threads=threads,
    )  # fmt: skip
    requests = [flags.request(model) for model in models]
    with progress() as tell:
        found = study(models, requests, margin=margin, layers=layers, progress=tell)
    return show(found, report, save, verbose=verbose, quiet=quiet)
