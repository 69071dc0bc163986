"""``onnxpad study all``: one page of every study that applies."""

from pathlib import Path
from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.running import Flags
from onnxpad.cli.study.showing import Models, Save, check_reports, show_all
from onnxpad.cli.study.sizes import Near, parse_near


def everything(
    models: Models,
    near: Near = None,
    stimulus: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Sweep with this picture, too; else there is no sweep."),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(metavar="FILE|COLOUR", help="What the stimulus is pasted on."),
    ] = None,
    size: flag.Size = None,
    data: flag.Data = None,
    labels: flag.Labels = None,
    preprocess: flag.PreprocessSpec = None,
    task: flag.Task = None,
    class_offset: flag.ClassOffset = None,
    decoder: flag.Decoder = None,
    samples: flag.Samples = None,
    seed: flag.Seed = None,
    provider: flag.Provider = None,
    threads: flag.Threads = None,
    config: flag.ConfigFile = None,
    report: flag.Reports = None,
    save: Save = None,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:
    """Make every study of the models; what does not apply says why.

    Without --samples each study stops by itself; together they take a minute or two a model.

    [b]Examples[/b]

      onnxpad study all model.onnx --report html:study.html

      onnxpad study all zero.onnx reflect.onnx --data val/ --preprocess imagenet --save figures/

      onnxpad study all detector.onnx --stimulus traffic_light.png --report html:study.html
    """
    from onnxpad.report.progress import progress
    from onnxpad.studies.everything import everything as study
    from onnxpad.studies.sweep import Asked

    check_reports(report)
    flags = Flags.read(
        config, None, 0, data=data, labels=labels, preprocess=preprocess, size=size, task=task,
        class_offset=class_offset, decoder=decoder, samples=samples, seed=seed, provider=provider,
        threads=threads,
    )  # fmt: skip
    asked = None if stimulus is None else Asked(stimulus, background=background)
    with progress() as tell:
        found = study(
            models, [flags.request(model) for model in models], near=parse_near(near),
            stimulus=asked, progress=tell,
        )  # fmt: skip
    return show_all(found, report, save, verbose=verbose, quiet=quiet)
