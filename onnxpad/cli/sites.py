"""``onnxpad sites``: the facts, no judgement."""

from onnxpad.cli.options import ModelPath, Quiet, Reports, Verbose, parse_reports
from onnxpad.errors import UsageError


def sites(
    model: ModelPath,
    report: Reports = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """List every place where a model invents pixels.

    [b]Examples[/b]

      onnxpad sites model.onnx

      onnxpad sites model.onnx --report json:-
    """
    from onnxpad.model import load_model
    from onnxpad.report import sites as rendering
    from onnxpad.report.console import show
    from onnxpad.sites import survey

    reports = parse_reports(report)
    loaded = load_model(model, exact=False)
    listing = rendering.Listing(str(model), survey(loaded))
    for wanted in reports:
        if wanted.form != "json":
            raise UsageError("--report: sites are listed as json alone")
        wanted.write(rendering.as_json(listing))
    if not quiet and not any(r.to_stdout for r in reports):
        show(rendering.render(listing, every=verbose))
