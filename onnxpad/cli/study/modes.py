"""``onnxpad study modes``: every padding in place of the model's own, in one table."""

from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.study.showing import Models, Save, check_reports, chosen, show


def modes(
    models: Models,
    mode: Annotated[
        list[str] | None,
        typer.Option(metavar="MODE", help="Only these modes, or halo. Repeatable."),
    ] = None,
    halo: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Pixels per side of the halo, rounded up."),
    ] = 8,
    data: flag.Data = None,
    labels: flag.Labels = None,
    preprocess: flag.PreprocessSpec = None,
    size: flag.Size = None,
    samples: flag.Samples = None,
    seed: flag.Seed = None,
    task: flag.Task = None,
    class_offset: flag.ClassOffset = None,
    decoder: flag.Decoder = None,
    provider: flag.Provider = None,
    threads: flag.Threads = None,
    config: flag.ConfigFile = None,
    report: flag.Reports = None,
    save: Save = None,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:
    """Build the model with every padding and measure each: paths, borders, task and latency.

    Nothing is written but what --report and --save ask for. Without --samples it takes about a
    minute.

    [b]Examples[/b]

      onnxpad study modes model.onnx

      onnxpad study modes model.onnx --data images/ --preprocess imagenet --labels folders

      onnxpad study modes upscaler.onnx --mode edge --mode halo --halo 4
    """
    from onnxpad.cli.running import Flags
    from onnxpad.report.progress import progress
    from onnxpad.studies.modes import CHOICES
    from onnxpad.studies.modes import modes as study

    check_reports(report)
    chosen(mode, CHOICES, "--mode")
    flags = Flags.read(
        config, None, 0, data=data, labels=labels, preprocess=preprocess, size=size,
        samples=samples, seed=seed, task=task, class_offset=class_offset, decoder=decoder,
        provider=provider, threads=threads,
    )  # fmt: skip
    with progress() as tell:
        requests = [flags.request(model) for model in models]
        found = study(models, mode or CHOICES, halo, requests, tell)
    return show(found, report, save, verbose=verbose, quiet=quiet)
