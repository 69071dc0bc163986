"""``onnxpad study shift``: how much the answer depends on where the crop begins."""

from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.running import Flags
from onnxpad.cli.study.showing import Models, Save, check_reports, show


def shift(
    models: Models,
    data: flag.Data = None,
    labels: flag.Labels = None,
    preprocess: flag.PreprocessSpec = None,
    size: flag.Size = None,
    samples: flag.Samples = None,
    seed: flag.Seed = None,
    task: flag.Task = None,
    class_offset: flag.ClassOffset = None,
    decoder: flag.Decoder = None,
    pixels: Annotated[
        list[int] | None,
        typer.Option(min=1, metavar="PX", help="Shift by so many pixels only. Repeatable."),
    ] = None,
    provider: flag.Provider = None,
    threads: flag.Threads = None,
    config: flag.ConfigFile = None,
    report: flag.Reports = None,
    save: Save = None,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:
    """Compare a model's answers for crops of the same picture that begin at other pixels.

    Several models are held against the first one, on the same crops.

    [b]Examples[/b]

      onnxpad study shift model.onnx --data val/ --preprocess imagenet

      onnxpad study shift model.onnx model.reflect.onnx --data val/ --labels folders

      onnxpad study shift segmenter.onnx --pixels 1 --pixels 8 --report html:shift.html
    """
    from onnxpad.report.progress import progress
    from onnxpad.studies.shift import shift as study

    check_reports(report)
    flags = Flags.read(
        config, None, 0, data=data, labels=labels, preprocess=preprocess, size=size,
        samples=samples, seed=seed, task=task, class_offset=class_offset, decoder=decoder,
        provider=provider, threads=threads,
    )  # fmt: skip
    requests = [flags.request(model) for model in models]
    with progress() as tell:
        found = study(models, requests, pixels=pixels or (), progress=tell)
    return show(found, report, save, verbose=verbose, quiet=quiet)
