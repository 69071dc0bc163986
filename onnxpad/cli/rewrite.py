"""``onnxpad rewrite``: change the padding, then run both models and show what it did."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onnxpad.cli.options import ModelPath, Quiet, Reports, Verbose, parse_reports
from onnxpad.errors import UsageError

if TYPE_CHECKING:
    from onnxpad.comparison import Comparison
    from onnxpad.plan import Plan
    from onnxpad.rewriting import RewriteResult

MODES = "zero, constant:V, edge, reflect, symmetric, wrap, linear, partial"
_SITES, _RUN, _OUT = "Which sites", "Comparison", "Output"


def rewrite(
    model: ModelPath,
    mode: Annotated[str, typer.Option(metavar="MODE", help=f"What to invent: {MODES}.")] = "",
    plan: Annotated[
        Path | None, typer.Option(help="Follow a saved plan.", metavar="FILE")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="OUT", rich_help_panel=_OUT,
            help="Where to write; by default model.MODE.onnx beside the model.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only sites like this.", rich_help_panel=_SITES),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="No sites like this.", rich_help_panel=_SITES),
    ] = None,
    assign: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="GLOB=MODE", help="These sites get this mode; later ones win.",
            rich_help_panel=_SITES,
        ),
    ] = None,
    from_mode: Annotated[
        str,
        typer.Option(
            "--from", metavar="MODE", rich_help_panel=_SITES,
            help="Change the sites that are in this mode now, in place of zero.",
        ),
    ] = "",
    pools: Annotated[
        bool, typer.Option("--pools", help="Change pools too.", rich_help_panel=_SITES)
    ] = False,
    fallback: Annotated[
        str,
        typer.Option(
            metavar="MODE", help="For sites where the mode is refused.", rich_help_panel=_SITES
        ),
    ] = "",
    allow_noncausal: Annotated[
        bool,
        typer.Option(
            "--allow-noncausal", rich_help_panel=_SITES,
            help="Let causal padding read the future.",
        ),
    ] = False,
    save_plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save what was decided.", rich_help_panel=_OUT),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be done, write no model.",
                     rich_help_panel=_OUT),
    ] = False,
    self_contained: Annotated[
        bool,
        typer.Option("--self-contained", help="Copy external data beside the output.",
                     rich_help_panel=_OUT),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a file that onnxpad did not write.",
                     rich_help_panel=_OUT),
    ] = False,
    no_compare: Annotated[
        bool,
        typer.Option("--no-compare", help="Do not run the models.", rich_help_panel=_RUN),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", rich_help_panel=_RUN,
            help="A folder of images, a .npy or .npz file; without it, synthetic scenes.",
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="How many samples.", rich_help_panel=_RUN)
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="For scenes and order.", rich_help_panel=_RUN)
    ] = 0,
    provider: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Where to run.", rich_help_panel=_RUN)
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of one run.", rich_help_panel=_RUN)
    ] = None,
    report: Reports = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a site is refused.")] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit 0 even then.")
    ] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:  # fmt: skip
    """Change the padding of a model, exactly, then run both and show what it did.

    By default the zero padding of all convolutions changes; pools and other padding stay.

    [b]Examples[/b]

      onnxpad rewrite model.onnx --mode reflect

      onnxpad rewrite model.onnx --mode edge --data images/ -o out.onnx

      onnxpad rewrite model.onnx --mode edge --skip 'head/*' --set 'stem/*=reflect'

      onnxpad rewrite model.onnx --mode zero --from reflect   (for TensorRT, say)
    """
    from onnxpad.rewriting import rewrite as apply
    from onnxpad.writing import check_target, staged

    reports = parse_reports(report)
    result = apply(
        model, mode or None, plan=plan, only=only or (), skip=skip or (),
        set=[_assignment(text) for text in assign or ()], from_mode=from_mode or None,
        pools=pools, fallback=fallback or None, allow_noncausal=allow_noncausal,
    )  # fmt: skip
    out = output or model.with_name(f"{model.stem}.{_suffix(mode, plan)}.onnx")
    check_target(result.output, out, force=force, self_contained=self_contained)
    comparison = None
    if dry_run:
        _write_plan(result.plan, save_plan)
    else:
        with staged(result.output, out, force=force, self_contained=self_contained) as stage:
            if result.changed and not no_compare:
                comparison = _compare(
                    model, stage.path, out, data, samples, seed, provider, threads
                )
            _write_plan(result.plan, save_plan)
            stage.commit()
    _tell(result, comparison, None if dry_run else out, reports, verbose=verbose, quiet=quiet)
    return 1 if strict and result.refused and not exit_zero else 0


def _assignment(text: str) -> tuple[str, str]:
    glob, equals, mode = text.rpartition("=")
    if not equals or not glob:
        raise UsageError(f"--set {text!r}: expected GLOB=MODE, for example 'conv1*=edge'")
    return glob, mode


def _suffix(mode: str, plan: Path | None) -> str:
    """The word in the default output's name."""
    if mode:
        return mode.strip().replace(":", "_")
    return "plan" if plan else "rewritten"


def _write_plan(plan: "Plan", path: Path | None) -> None:
    if path is not None:
        from onnxpad.cli.options import Report

        Report("json", str(path)).write(plan.to_json())


def _compare(
    model: Path, candidate: Path, out: Path, data: Path | None, samples: int | None, seed: int,
    provider: str, threads: int | None,
) -> "Comparison":  # fmt: skip
    from dataclasses import replace

    from onnxpad.comparing import compare
    from onnxpad.report.progress import progress

    with progress() as tell:
        found = compare(
            model, candidate, data=data, samples=samples, seed=seed, provider=provider,
            threads=threads, progress=tell,
        )  # fmt: skip
    return replace(found, candidate=str(out))


def _tell(
    result: "RewriteResult", comparison: "Comparison | None", out: Path | None,
    reports: tuple[object, ...], *, verbose: bool, quiet: bool,
) -> None:  # fmt: skip
    from onnxpad.cli.options import Report
    from onnxpad.report import rewriting
    from onnxpad.report.console import show

    summary = rewriting.Summary(
        str(result.original), str(out) if out else None, result.changed, result.left,
        result.refused, result.others, result.canonical, comparison,
    )  # fmt: skip
    wanted = [r for r in reports if isinstance(r, Report)]
    for one in wanted:
        one.write(rewriting.as_json(summary))
    if not quiet and not any(one.to_stdout for one in wanted):
        show(rewriting.render(summary, every=verbose))
