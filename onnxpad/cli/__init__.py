"""The command line: parse, call, choose the exit code. Nothing else."""

import sys
from typing import Annotated, Any

import typer

from onnxpad.cli import audit, compare, config, explain, gate, rewrite, sites
from onnxpad.cli.study import app as studies
from onnxpad.errors import OnnxpadError
from onnxpad.text import one_line

EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="onnxpad",
    help="See, change and measure the padding of CNNs in ONNX.",
    epilog="Exit codes: 0 done · 1 findings, a budget missed, refusals under --strict · 2 usage or "
    "data · 3 model not readable · 4 a run failed · 5 cannot write",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("audit")(audit.audit)
app.command("sites")(sites.sites)
app.command("rewrite")(rewrite.rewrite)
app.command("compare")(compare.compare)
app.command("gate")(gate.gate)
app.add_typer(studies, name="study")
app.command("explain")(explain.explain)
app.command("config")(config.config)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"onnxpad {version('onnxpad')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", is_eager=True, callback=_version
        ),
    ] = False,
) -> None:
    """See, change and measure the padding of CNNs in ONNX."""


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        code = _without_types(typer.main.get_command(app))(standalone_mode=False)
    except BaseException as error:
        told = _told(error)
        if told is None:
            raise
        return _fail(*told)
    if code == EXIT_INTERRUPTED:  # the parser's own way of taking Ctrl-C is silent
        return _fail("interrupted", EXIT_INTERRUPTED)
    return code if isinstance(code, int) else 0


def _without_types(command: Any) -> Any:
    """The command and all below it, whose help shows no type where an option is a mere switch."""
    for one in command.params:
        if getattr(one, "is_flag", False):
            one.metavar = ""
    for inner in getattr(command, "commands", {}).values():
        _without_types(inner)
    return command


def _told(error: BaseException) -> tuple[str, int] | None:
    """(sentence, exit code) for whatever ended a command; None to let it through."""
    if isinstance(error, OnnxpadError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted", EXIT_INTERRUPTED
    if isinstance(error, MemoryError):
        return "not enough memory for this model and its samples", 4
    if hasattr(error, "format_message"):  # a usage error of the parser's own
        message = error.format_message()  # none where the help was asked for by saying nothing
        return f"{message} (onnxpad --help tells more)" if message else "", 2
    if not isinstance(error, Exception) or {"-v", "--verbose"} & set(sys.argv):
        return None
    shown = one_line(f"{type(error).__name__}: {error}")
    return f"onnxpad itself failed: {shown}; please report it (-v shows where)", 4


def _fail(sentence: str, code: int) -> int:
    if sentence:
        sys.stderr.write(f"error: {one_line(sentence, 1000)}\n")
    return code


__all__ = ["app", "main"]
