"""``onnxpad study kernels``: mean kernels of the layers, from the weights alone."""

from onnxpad.cli import options as flag
from onnxpad.cli.study.showing import Models, Save, UnreadData, check_reports, show


def kernels(
    models: Models,
    data: UnreadData = None,
    size: flag.Size = None,
    report: flag.Reports = None,
    save: Save = None,
    verbose: flag.Verbose = False,
    quiet: flag.Quiet = False,
) -> int:
    """Average the kernels of each layer and test how far they lean to a side. Nothing is run.

    [b]Examples[/b]

      onnxpad study kernels model.onnx

      onnxpad study kernels trained224.onnx trained225.onnx --report html:kernels.html

      onnxpad study kernels model.onnx --size 225x225 --save figures/
    """
    from onnxpad.config.values import parse_size
    from onnxpad.studies.kernels import kernels as study

    del data
    check_reports(report)
    found = study(models, None if size is None else parse_size(size))
    return show(found, report, save, verbose=verbose, quiet=quiet)
