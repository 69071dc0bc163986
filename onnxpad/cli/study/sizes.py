"""``onnxpad study sizes``: uneven padding at the model's size, and the even sizes near one."""

from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.running import Flags
from onnxpad.cli.study.showing import Models, Save, check_reports, show

Near = Annotated[
    str | None,
    typer.Option(
        metavar="N|HxW",
        help="Look for even sizes around this one; around the model's own unless given.",
    ),
]


def parse_near(text: str | None) -> tuple[int, ...] | None:
    """One number for all axes, or HxW. Raises UsageError."""
    from onnxpad.config.values import parse_size

    if text is None:
        return None
    one = text.strip()
    return parse_size(f"{one}x{one}")[:1] if one.isdecimal() else parse_size(one)


def sizes(
    models: Models,
    near: Near = None,
    size: flag.Size = None,
    data: flag.Data = None,
    labels: flag.Labels = None,
    preprocess: flag.PreprocessSpec = None,
    class_offset: flag.ClassOffset = None,
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
    """Find input sizes without uneven padding, run the model there, and say what they cost.

    With labelled images also a classifier's accuracy at the model's size and at the even ones.

    [b]Examples[/b]

      onnxpad study sizes resnet50.onnx --near 224

      onnxpad study sizes detector.onnx --near 480x640 --report html:sizes.html

      onnxpad study sizes model.onnx --data val/ --labels folders --preprocess imagenet
    """
    from onnxpad.report.progress import progress
    from onnxpad.studies.sizes import sizes as study

    check_reports(report)
    flags = Flags.read(
        config, None, 0, data=data, labels=labels, preprocess=preprocess, size=size,
        class_offset=class_offset, samples=samples, seed=seed, provider=provider, threads=threads,
    )  # fmt: skip
    with progress() as tell:
        found = study(
            models, [flags.request(m) for m in models], near=parse_near(near), progress=tell
        )
    return show(found, report, save, verbose=verbose, quiet=quiet)
