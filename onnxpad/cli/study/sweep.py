"""``onnxpad study sweep``: where a stimulus is seen, and where it is missed."""

from pathlib import Path
from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.study.showing import Models, Save, check_reports, show

_SWEEP = "Sweep"


def sweep(
    models: Models,
    stimulus: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="A picture of what is to be seen, small; its transparent parts stay so.",
            rich_help_panel=_SWEEP,
        ),
    ],
    background: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|COLOUR",
            help="What it is pasted on; else the first samples of --data, else one colour: the "
            "mean that preprocessing subtracts, or grey.",
            rich_help_panel=_SWEEP,
        ),
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Pixels between places; else 1,500 places at most.",
            rich_help_panel=_SWEEP,
        ),
    ] = None,
    stimulus_size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW", help="Resize the stimulus; else it keeps its own pixels.",
            rich_help_panel=_SWEEP,
        ),
    ] = None,
    wanted: Annotated[
        int | None,
        typer.Option(
            "--class", min=0, metavar="N", help="Score this class; else the highest.",
            rich_help_panel=_SWEEP,
        ),
    ] = None,
    blind: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="A place is blind below this share of the median score.",
            rich_help_panel=_SWEEP,
        ),
    ] = 0.5,
    data: flag.Data = None,
    preprocess: flag.PreprocessSpec = None,
    size: flag.Size = None,
    samples: flag.Samples = None,
    seed: flag.Seed = None,
    task: flag.Task = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The output to judge.", rich_help_panel="Comparison"),
    ] = None,
    decoder: flag.Decoder = None,
    provider: flag.Provider = None,
    threads: flag.Threads = None,
    config: flag.ConfigFile = None,
    report: flag.Reports = None,
    save: Save = None,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:  # fmt: skip
    """Paste a stimulus at every place and map its score: blind strips, border drop, 1-px changes.

    [b]Examples[/b]

      onnxpad study sweep detector.onnx --stimulus traffic_light.png --background road.png

      onnxpad study sweep zero.onnx reflect.onnx --stimulus light.png --preprocess unit --stride 1

      onnxpad study sweep classifier.onnx --stimulus dog.png --class 207 --preprocess imagenet
    """
    from onnxpad.cli.running import Flags
    from onnxpad.config.values import parse_size
    from onnxpad.report.progress import progress
    from onnxpad.studies.sweep import Asked
    from onnxpad.studies.sweep import sweep as study

    check_reports(report)
    flags = Flags.read(
        config, None, 0, data=data, preprocess=preprocess, size=size, samples=samples, seed=seed,
        task=task, output=output, decoder=decoder, provider=provider, threads=threads,
    )  # fmt: skip
    asked = Asked(
        stimulus, None if stimulus_size is None else parse_size(stimulus_size), background, stride,
        wanted, blind,
    )  # fmt: skip
    with progress() as tell:
        found = study(models, asked, [flags.request(model) for model in models], tell)
    return show(found, report, save, verbose=verbose, quiet=quiet)
