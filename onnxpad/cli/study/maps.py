"""``onnxpad study maps``: what layers make of one colour, and of images on average."""

from onnxpad.cli import options as flag
from onnxpad.cli.study.showing import Models, Save, check_reports, show


def maps(
    models: Models,
    data: flag.Data = None,
    preprocess: flag.PreprocessSpec = None,
    size: flag.Size = None,
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
    """Constant response and mean maps, layer by layer: widths, corners, lines, a gallery.

    Without --samples it stops after about 20 seconds and says how many images that were.

    [b]Examples[/b]

      onnxpad study maps model.onnx --data images/ --preprocess imagenet

      onnxpad study maps model.onnx model.reflect.onnx --report html:maps.html

      onnxpad study maps model.onnx --data images/ --samples 250 --save figures/
    """
    from onnxpad.cli.running import Flags
    from onnxpad.report.progress import progress
    from onnxpad.studies.maps import maps as study

    check_reports(report)
    flags = Flags.read(
        config, None, 0, data=data, preprocess=preprocess, size=size, samples=samples, seed=seed,
        provider=provider, threads=threads,
    )  # fmt: skip
    with progress() as tell:
        found = study(models, [flags.request(model) for model in models], tell)
    return show(found, report, save, verbose=verbose, quiet=quiet)
