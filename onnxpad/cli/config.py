"""``onnxpad config``: what is in force, and from where."""

from pathlib import Path
from typing import Annotated

import typer

from onnxpad.cli.options import ConfigFile, Quiet, Verbose, parse_reports

Model = Annotated[
    Path | None,
    typer.Argument(
        metavar="[MODEL]",
        help="Whose settings; without it, those of any model.",
        show_default=False,
    ),
]
Reports = Annotated[
    list[str] | None,
    typer.Option("--report", metavar="json:PATH", help="Also write them as json; - is stdout."),
]
Schema = Annotated[
    bool, typer.Option("--schema", help="Print the JSON Schema of the configuration file instead.")
]


def config(
    model: Model = None,
    config: ConfigFile = None,
    report: Reports = None,
    schema: Schema = False,
    _verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show which settings are in force, and where each comes from.

    A flag wins over the environment (ONNXPAD_…), that over an entry of [[models]], that over the
    rest of the file.

    [b]Examples[/b]

      onnxpad config

      onnxpad config models/classifier.onnx

      onnxpad config --report json:-

      onnxpad config --schema > onnxpad.schema.json
    """
    import json

    from onnxpad.config.files import find_config, load_config
    from onnxpad.config.in_force import in_force
    from onnxpad.config.layout import json_schema
    from onnxpad.report import settings as rendering
    from onnxpad.report.console import show

    if schema:
        typer.echo(json.dumps(json_schema(), indent=1))
        return
    reports = parse_reports(report, ("json",))
    read = load_config(config or find_config(Path.cwd()))
    rows = tuple(rendering.Row(*line) for line in in_force(model, read))
    found = rendering.InForce(str(model or ""), str(read.path or ""), rows)
    for one in reports:
        one.write(rendering.as_json(found))
    if not quiet and not any(one.to_stdout for one in reports):
        show(rendering.render(found))
