"""``onnxpad gate``: judge saved results again; no model is loaded and nothing is run."""

from pathlib import Path
from typing import Annotated

import typer

from onnxpad.cli import options as flag
from onnxpad.cli.options import parse_reports

Results = Annotated[
    list[Path],
    typer.Argument(
        metavar="RESULT.json...", help="Written by compare, rewrite or audit with --report json."
    ),
]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT:PATH",
        help="Also write the outcome as [b]junit[/b], [b]md[/b], [b]github[/b] or [b]json[/b] to a "
        "path; - is stdout. Repeatable.",
        rich_help_panel="Result",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Warnings (inconclusive limits, those after warn:) count as missed.",
        rich_help_panel="Result",
    ),
]


def gate(
    results: Results,
    budget: flag.Budget = None,
    config: flag.ConfigFile = None,
    report: Reports = None,
    strict: Strict = False,
    exit_zero: flag.ExitZero = False,
    quiet: flag.Quiet = False,
) -> int:
    """Judge saved results by a budget; nothing is run and no model is loaded.

    The limits are those of --budget, else of the configuration for each model, else those the
    result was judged by when it was written. Exits 1 where one is missed.

    [b]Examples[/b]

      onnxpad gate result.json --budget 'agreement>=0.98,latency<=1.5,warn:latency<=1.1'

      onnxpad gate nightly/*.json --strict --report junit:gate.xml

      onnxpad gate audit.json --budget 'errors<=0,warn:warnings<=3' --report md:-

      onnxpad gate halo.json --budget 'context_error<=0.6'
    """
    from onnxpad.config.files import find_config, load_config
    from onnxpad.gating import gate as judged
    from onnxpad.report import gate_terminal
    from onnxpad.report.console import show
    from onnxpad.report.formats import GATE_FORMATS

    reports = parse_reports(report, GATE_FORMATS)
    settings = load_config(config if config is not None else find_config(Path.cwd()))
    found = judged(results, settings, budget, strict=strict)
    for one in reports:
        one.write(GATE_FORMATS[one.form](found))
    if not quiet and not any(one.to_stdout for one in reports):
        show(gate_terminal.render(found))
    return 0 if exit_zero and found.exit_code == 1 else found.exit_code
