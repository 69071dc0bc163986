"""``onnxpad audit``: judge the padding of models without running them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onnxpad.cli import audit_options as flag
from onnxpad.cli import options as shared
from onnxpad.cli.options import parse_reports

if TYPE_CHECKING:
    from onnxpad.config.settings import Config
    from onnxpad.findings import Audit

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
    config: shared.ConfigFile = None,
    report: flag.Reports = None,
    full: flag.Full = False,
    exit_zero: shared.ExitZero = False,
    verbose: shared.Verbose = False,
    quiet: shared.Quiet = False,
) -> int:
    """Say what padding does to models, from their graphs alone: nothing is run.

    [b]Examples[/b]

      onnxpad audit

      onnxpad audit model.onnx --full

      onnxpad audit models/ --target tensorrt --fail-on warning

      onnxpad audit --select PAD1,PAD3 --ignore PAD110

      onnxpad audit --report sarif:onnxpad.sarif --report junit:onnxpad.xml

      onnxpad audit --write-baseline onnxpad-baseline.json
    """
    from onnxpad.config.audit import audit_settings_for
    from onnxpad.config.files import find_config, load_config
    from onnxpad.report.formats import AUDIT_FORMATS

    reports = parse_reports(report, AUDIT_FORMATS)
    flags = {
        "select": _joined(select), "ignore": _joined(ignore),
        "extend_select": _joined(extend_select), "target": _joined(target), "size": size,
        "exclude": exclude, "fail_on": fail_on, "baseline": baseline, "jobs": jobs,
    }  # fmt: skip
    settings = load_config(config or find_config(Path.cwd()))
    accepted = None if write_baseline else audit_settings_for(None, settings, flags).baseline.value
    found = _run(tuple(paths or ()), settings, flags, accepted, skip=not no_ignore)
    for one in reports:
        one.write(AUDIT_FORMATS[one.form](found))
    if not quiet and not any(one.to_stdout for one in reports):
        _show(found, full=full or verbose)
    if write_baseline is not None:
        _accept(found, write_baseline, quiet=quiet)
    code = max((model.exit_code for model in found.models), default=0)
    if found.failed and not exit_zero and write_baseline is None:
        code = max(code, 1)
    return code


def _joined(words: list[str] | None) -> str | None:
    return ",".join(words) if words else None


def _run(
    paths: tuple[Path, ...], config: "Config", flags: dict[str, Any], accepted: Path | None,
    *, skip: bool,
) -> "Audit":  # fmt: skip
    """The audit, without what the baseline accepts. Raises OnnxpadError."""
    from onnxpad import baseline
    from onnxpad.auditing_all import audit_as
    from onnxpad.report.progress import progress

    known = None if accepted is None else baseline.read(accepted)
    with progress() as tell:
        found = audit_as(paths, config, flags, skip=skip, progress=tell)
    return found if known is None else baseline.apply(found, known)


def _show(found: "Audit", *, full: bool) -> None:
    from onnxpad.report import audit_terminal
    from onnxpad.report.console import show

    show(audit_terminal.render(found, full=full))


def _accept(found: "Audit", path: Path, *, quiet: bool) -> None:
    from onnxpad import baseline
    from onnxpad.text import printable

    places = baseline.write(found, path)
    if not quiet:
        typer.echo(
            f"Wrote {printable(str(path))}: {places} place{'' if places == 1 else 's'} accepted",
            err=True,
        )
