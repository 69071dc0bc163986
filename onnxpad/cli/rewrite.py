"""``onnxpad rewrite``: change the padding, then run both models and show what it did."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from onnxpad.cli import options as shared
from onnxpad.cli import rewrite_options as flag
from onnxpad.cli.options import Report, parse_reports
from onnxpad.cli.running import Flags, missed
from onnxpad.errors import RunError, UsageError
from onnxpad.text import one_line, printable

if TYPE_CHECKING:
    from onnxpad.comparison import Comparison
    from onnxpad.joining.request import Request
    from onnxpad.plan import Plan
    from onnxpad.rewriting import RewriteResult


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the result goes, and whether it may."""

    out: Path
    force: bool
    self_contained: bool
    plan: Path | None


def rewrite(
    model: shared.ModelPath,
    mode: flag.Mode = "",
    plan: flag.PlanFile = None,
    halo: flag.Halo = 0,
    output: flag.Output = None,
    only: flag.Only = None,
    skip: flag.Skip = None,
    assign: flag.Set = None,
    from_mode: flag.From = "",
    pools: flag.Pools = False,
    fallback: flag.Fallback = "",
    allow_noncausal: flag.AllowNoncausal = False,
    target: flag.Target = "",
    place: flag.Place = "",
    save_plan: flag.SavePlan = None,
    dry_run: flag.DryRun = False,
    self_contained: flag.SelfContained = False,
    force: flag.Force = False,
    no_compare: flag.NoCompare = False,
    data: shared.Data = None,
    labels: shared.Labels = None,
    preprocess: shared.PreprocessSpec = None,
    size: shared.Size = None,
    samples: shared.Samples = None,
    seed: shared.Seed = None,
    task: shared.Task = None,
    class_offset: shared.ClassOffset = None,
    decoder: shared.Decoder = None,
    tile: shared.Tile = None,
    overlap: shared.Overlap = 0,
    provider: shared.Provider = None,
    threads: shared.Threads = None,
    config: shared.ConfigFile = None,
    budget: shared.Budget = None,
    report: shared.Reports = None,
    strict: shared.Strict = False,
    exit_zero: shared.ExitZero = False,
    verbose: shared.Verbose = False,
    quiet: shared.Quiet = False,
) -> int:
    """Change the padding of a model, exactly, then run both and show what it did.

    By default the zero padding of all convolutions changes; pools and other padding stay.

    [b]Examples[/b]

      onnxpad rewrite model.onnx --mode reflect

      onnxpad rewrite model.onnx --mode edge --data images/ -o out.onnx

      onnxpad rewrite model.onnx --mode edge --skip 'head/*' --set 'stem/*=reflect'

      onnxpad rewrite model.onnx --mode zero --from reflect

      onnxpad rewrite upscaler.onnx --mode edge --halo 8
    """
    from onnxpad.rewriting import rewrite as apply

    reports = parse_reports(report)
    flags = Flags.read(
        config, tile, overlap, data=data, labels=labels, preprocess=preprocess, size=size,
        samples=samples, seed=seed, task=task, class_offset=class_offset, decoder=decoder,
        provider=provider, threads=threads, budget=budget, strict=strict,
    )  # fmt: skip
    request = flags.request(model)
    if no_compare and request.limits:
        _leave_unjudged(flags, model, strict=request.strict)
    means = _means(model, request) if "mean" in (mode, fallback) or _assigns_mean(assign) else None
    result = apply(
        model, mode or None, plan=plan, only=only or (), skip=skip or (),
        set=[_assignment(text) for text in assign or ()], from_mode=from_mode or None,
        pools=pools, fallback=fallback or None, allow_noncausal=allow_noncausal, halo=halo,
        target=target, means=means, place=place,
    )  # fmt: skip
    out = output or model.with_name(f"{model.stem}.{_suffix(mode, plan, halo)}.onnx")
    where = Destination(out, force, self_contained, save_plan)
    comparison = _finish(result, model, where, None if no_compare else request, dry_run=dry_run)
    broken = comparison is not None and missed(comparison, request)
    _tell(
        result, comparison, None if dry_run or broken else out, reports, verbose=verbose,
        quiet=quiet,
    )  # fmt: skip
    if broken:
        typer.echo(f"budget missed: nothing was written to {printable(str(out))}", err=True)
    return int((broken or (request.strict and bool(result.refusals))) and not exit_zero)


def _leave_unjudged(flags: Flags, model: Path, *, strict: bool) -> None:
    """Say that the budget of a file or of the environment is not judged, where that is allowed.

    Raises UsageError where the budget is as explicit as --no-compare, or nothing may be left.
    """
    budget = flags.settings(model).budget
    if strict or flags.given.get("budget") is not None:
        raise UsageError(
            f"the budget {budget.value} ({budget.origin}) judges the comparison, which "
            "--no-compare leaves out; leave out one of the two"
        )
    told = f"not judged: the budget {budget.value} ({budget.origin}), because of --no-compare"
    typer.echo(one_line(told), err=True)


def _assignment(text: str) -> tuple[str, str]:
    glob, equals, mode = text.rpartition("=")
    if not equals or not glob:
        raise UsageError(f"--set {text!r}: expected GLOB=MODE, for example 'conv1*=edge'")
    return glob, mode


def _assigns_mean(assign: list[str] | None) -> bool:
    return any(text.endswith("=mean") for text in assign or ())


def _means(model: Path, request: "Request") -> dict[str, tuple[float, ...]]:
    """What mode mean writes; taken on the same data as the comparison."""
    from onnxpad.calibration import calibrate

    return calibrate(
        model, data=request.data, samples=request.samples, seed=request.seed,
        provider=request.provider, threads=request.threads, preprocess=request.preprocess,
        size=request.size,
    )  # fmt: skip


def _suffix(mode: str, plan: Path | None, halo: int) -> str:
    """The word in the default output's name."""
    if mode:
        return mode.strip().replace(":", "_") + (f"_halo{halo}" if halo else "")
    return "plan" if plan else "rewritten"


def _finish(
    result: "RewriteResult", model: Path, where: Destination, request: "Request | None",
    *, dry_run: bool,
) -> "Comparison | None":  # fmt: skip
    """Write, run both, and only then, if the budget is kept, give the result its name."""
    from onnxpad.writing import check_target, staged

    write = {"force": where.force, "self_contained": where.self_contained}
    check_target(result.output, where.out, **write)
    if dry_run:
        _write_plan(result.plan, where.plan)
        return None
    with staged(result.output, where.out, **write) as stage:
        comparison = None
        if request is not None and (result.done or request.limits):
            comparison = _compare(model, stage.path, where.out, request)
            if missed(comparison, request):
                return comparison
        _write_plan(result.plan, where.plan)
        stage.commit()
    return comparison


def _write_plan(plan: "Plan", path: Path | None) -> None:
    if path is not None:
        Report("json", str(path)).write(plan.to_json())


def _compare(model: Path, candidate: Path, out: Path, request: "Request") -> "Comparison":
    """Compare the original with the result, which has only a temporary name as yet."""
    from onnxpad.comparing import compare_as
    from onnxpad.report.progress import progress

    try:
        with progress() as tell:
            return compare_as(model, candidate, request, tell, called=out)
    except RunError as error:
        raise RunError(f"{error}; nothing was written (--no-compare writes without running)") from (
            None
        )


def _tell(
    result: "RewriteResult", comparison: "Comparison | None", out: Path | None,
    reports: tuple[Report, ...], *, verbose: bool, quiet: bool,
) -> None:  # fmt: skip
    from onnxpad.report import rewriting
    from onnxpad.report.console import show
    from onnxpad.report.formats import FORMATS

    summary = rewriting.Summary(
        str(result.original), str(out) if out else None, result.changed, result.left,
        result.refused, result.others, result.canonical, comparison, result.halo,
        result.halo_refusal,
    )  # fmt: skip
    for one in reports:
        one.write(FORMATS[one.form](summary))
    if not quiet and not any(one.to_stdout for one in reports):
        show(rewriting.render(summary, every=verbose))
