"""``onnxpad rewrite``: change the padding, then run both models and show what it did."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from onnxpad.cli import rewrite_options as flag
from onnxpad.cli.options import (
    ModelPath,
    Quiet,
    Report,
    Reports,
    RunFlags,
    Verbose,
    parse_reports,
)
from onnxpad.errors import RunError, UsageError

if TYPE_CHECKING:
    from onnxpad.comparison import Comparison
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
    model: ModelPath,
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
    save_plan: flag.SavePlan = None,
    dry_run: flag.DryRun = False,
    self_contained: flag.SelfContained = False,
    force: flag.Force = False,
    no_compare: flag.NoCompare = False,
    data: flag.Data = None,
    samples: flag.Samples = None,
    seed: flag.Seed = 0,
    provider: flag.Provider = "auto",
    threads: flag.Threads = None,
    report: Reports = None,
    strict: flag.Strict = False,
    exit_zero: flag.ExitZero = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
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
    run = RunFlags(data, samples, seed, provider, threads)
    means = _means(model, run) if "mean" in (mode, fallback) or _assigns_mean(assign) else None
    result = apply(
        model, mode or None, plan=plan, only=only or (), skip=skip or (),
        set=[_assignment(text) for text in assign or ()], from_mode=from_mode or None,
        pools=pools, fallback=fallback or None, allow_noncausal=allow_noncausal, halo=halo,
        target=target, means=means,
    )  # fmt: skip
    out = output or model.with_name(f"{model.stem}.{_suffix(mode, plan, halo)}.onnx")
    where = Destination(out, force, self_contained, save_plan)
    comparison = _finish(result, model, where, None if no_compare else run, dry_run=dry_run)
    _tell(result, comparison, None if dry_run else out, reports, verbose=verbose, quiet=quiet)
    return 1 if strict and result.refusals and not exit_zero else 0


def _assignment(text: str) -> tuple[str, str]:
    glob, equals, mode = text.rpartition("=")
    if not equals or not glob:
        raise UsageError(f"--set {text!r}: expected GLOB=MODE, for example 'conv1*=edge'")
    return glob, mode


def _assigns_mean(assign: list[str] | None) -> bool:
    return any(text.endswith("=mean") for text in assign or ())


def _means(model: Path, run: RunFlags) -> dict[str, tuple[float, ...]]:
    """What mode mean writes; taken on the same data as the comparison."""
    from onnxpad.calibration import calibrate

    return calibrate(
        model, data=run.data, samples=run.samples, seed=run.seed, provider=run.provider,
        threads=run.threads,
    )  # fmt: skip


def _suffix(mode: str, plan: Path | None, halo: int) -> str:
    """The word in the default output's name."""
    if mode:
        return mode.strip().replace(":", "_") + (f"_halo{halo}" if halo else "")
    return "plan" if plan else "rewritten"


def _finish(
    result: "RewriteResult", model: Path, where: Destination, run: RunFlags | None, *, dry_run: bool
) -> "Comparison | None":
    """Write, run both, and only then give the result its name."""
    from onnxpad.writing import check_target, staged

    write = {"force": where.force, "self_contained": where.self_contained}
    check_target(result.output, where.out, **write)
    if dry_run:
        _write_plan(result.plan, where.plan)
        return None
    with staged(result.output, where.out, **write) as stage:
        wanted = run is not None and result.done
        comparison = _compare(model, stage.path, where.out, run) if wanted and run else None
        _write_plan(result.plan, where.plan)
        stage.commit()
    return comparison


def _write_plan(plan: "Plan", path: Path | None) -> None:
    if path is not None:
        Report("json", str(path)).write(plan.to_json())


def _compare(model: Path, candidate: Path, out: Path, run: RunFlags) -> "Comparison":
    """Compare the original with the result, which has only a temporary name as yet."""
    from onnxpad.comparing import compare
    from onnxpad.report.progress import progress

    try:
        with progress() as tell:
            found = compare(
                model, candidate, data=run.data, samples=run.samples, seed=run.seed,
                provider=run.provider, threads=run.threads, progress=tell,
            )  # fmt: skip
    except RunError as error:
        told = str(error).replace(candidate.name, out.name)
        raise RunError(f"{told}; nothing was written (--no-compare writes without running)") from (
            None
        )
    return replace(found, candidate=str(out))


def _tell(
    result: "RewriteResult", comparison: "Comparison | None", out: Path | None,
    reports: tuple[Report, ...], *, verbose: bool, quiet: bool,
) -> None:  # fmt: skip
    from onnxpad.report import rewriting
    from onnxpad.report.console import show

    summary = rewriting.Summary(
        str(result.original), str(out) if out else None, result.changed, result.left,
        result.refused, result.others, result.canonical, comparison, result.halo,
        result.halo_refusal,
    )  # fmt: skip
    for one in reports:
        one.write(rewriting.as_json(summary))
    if not quiet and not any(one.to_stdout for one in reports):
        show(rewriting.render(summary, every=verbose))
