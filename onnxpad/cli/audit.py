"""``onnxpad audit``: judge the padding of models; they are run only where that is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onnxpad.cli import audit_options as flag
from onnxpad.cli import options as shared
from onnxpad.cli.options import parse_reports
from onnxpad.cli.running import Flags
from onnxpad.errors import UsageError

if TYPE_CHECKING:
    from onnxpad.auditing_all import Measuring, Progress
    from onnxpad.config.settings import Config
    from onnxpad.findings import Audit
    from onnxpad.gating import Gate

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PATH]...",
        help="Models, or folders to look through; by default the current folder.",
        show_default=False,
    ),
]


def audit(
    paths: Paths = None,
    select: flag.Select = None,
    ignore: flag.Ignore = None,
    extend_select: flag.ExtendSelect = None,
    target: flag.Target = None,
    size: flag.Size = None,
    exclude: flag.Exclude = None,
    no_ignore: flag.NoIgnore = False,
    fail_on: flag.FailOn = None,
    baseline: flag.Baseline = None,
    write_baseline: flag.WriteBaseline = None,
    jobs: flag.Jobs = None,
    measure: flag.Measure = False,
    data: shared.Data = None,
    preprocess: shared.PreprocessSpec = None,
    samples: shared.Samples = None,
    seed: shared.Seed = None,
    provider: shared.Provider = None,
    threads: shared.Threads = None,
    config: shared.ConfigFile = None,
    budget: flag.Budget = None,
    strict: flag.Strict = False,
    report: flag.Reports = None,
    full: flag.Full = False,
    exit_zero: shared.ExitZero = False,
    verbose: shared.Verbose = False,
    quiet: shared.Quiet = False,
) -> int:
    """Say what padding does to models, from their graphs alone, or with --measure by running them.

    [b]Examples[/b]

      onnxpad audit

      onnxpad audit model.onnx --full

      onnxpad audit models/ --target tensorrt --fail-on warning

      onnxpad audit --select PAD1,PAD3 --ignore PAD110

      onnxpad audit --report sarif:onnxpad.sarif --report junit:onnxpad.xml

      onnxpad audit --write-baseline onnxpad-baseline.json

      onnxpad audit model.onnx --measure --data images/ --budget 'errors<=0,line_artifacts<=0'
    """
    from onnxpad.config.audit import audit_settings_for
    from onnxpad.config.files import find_config, load_config
    from onnxpad.gating import gate_audit
    from onnxpad.report.formats import AUDIT_FORMATS

    reports = parse_reports(report, AUDIT_FORMATS)
    flags = {
        "select": _joined(select), "ignore": _joined(ignore),
        "extend_select": _joined(extend_select), "target": _joined(target), "size": size,
        "exclude": exclude, "fail_on": fail_on, "baseline": baseline, "jobs": jobs,
    }  # fmt: skip
    settings = load_config(config or find_config(Path.cwd()))
    accepted = None if write_baseline else audit_settings_for(None, settings, flags).baseline.value
    running = {
        "data": data, "preprocess": preprocess, "samples": samples, "seed": seed, "size": size,
        "provider": provider, "threads": threads,
    }  # fmt: skip
    wanted = running if measure else None
    if not measure:
        _only_with_measure(running)
    found = _run(tuple(paths or ()), settings, flags, accepted, wanted, skip=not no_ignore)
    judged = gate_audit(found, settings, budget, measured=measure, strict=strict)
    for one in reports:
        one.write(AUDIT_FORMATS[one.form](found))
    if not quiet and not any(one.to_stdout for one in reports):
        _show(found, judged, full=full or verbose)
    if write_baseline is not None:
        _accept(found, write_baseline, quiet=quiet)
    code = max((model.exit_code for model in found.models), default=0)
    if (found.failed or judged.exit_code) and not exit_zero and write_baseline is None:
        code = max(code, 1)
    return code


def _only_with_measure(running: dict[str, Any]) -> None:
    """Raise UsageError for a flag that nothing would look at."""
    for key, value in running.items():
        if value is not None and key != "size":
            raise UsageError(f"--{key} is for running the models; add --measure")


def _joined(words: list[str] | None) -> str | None:
    return ",".join(words) if words else None


def _run(
    paths: tuple[Path, ...], config: "Config", flags: dict[str, Any], accepted: Path | None,
    running: dict[str, Any] | None, *, skip: bool,
) -> "Audit":  # fmt: skip
    """The audit, without what the baseline accepts. Raises OnnxpadError.

    Args:
        running: settings by key where the models are to be run as well.
    """
    from onnxpad import baseline
    from onnxpad.auditing_all import audit_as
    from onnxpad.report.progress import progress

    known = None if accepted is None else baseline.read(accepted)
    with progress() as tell:
        measuring = None if running is None else _measuring(config, running, tell)
        found = audit_as(paths, config, flags, skip=skip, progress=tell, measuring=measuring)
    return found if known is None else baseline.apply(found, known)


def _measuring(config: "Config", running: dict[str, Any], tell: "Progress") -> "Measuring":
    from onnxpad.measuring import add_measured

    flags = Flags(running, config, None, 0)
    return lambda model, path, rules: add_measured(model, path, flags.request(path), rules, tell)


def _show(found: "Audit", judged: "Gate", *, full: bool) -> None:
    from onnxpad.report import audit_terminal, gate_terminal
    from onnxpad.report.console import show

    show(audit_terminal.render(found, full=full))
    if any(one.judged for one in judged.results):
        show(gate_terminal.render(judged, "budget"))


def _accept(found: "Audit", path: Path, *, quiet: bool) -> None:
    from onnxpad import baseline
    from onnxpad.text import printable

    places = baseline.write(found, path)
    if not quiet:
        typer.echo(
            f"Wrote {printable(str(path))}: {places} place{'' if places == 1 else 's'} accepted",
            err=True,
        )
