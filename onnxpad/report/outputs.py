"""How far the outputs differ, and what all statements stand on."""

from collections.abc import Iterator

from onnxpad.comparison import Comparison, OutputComparison, Run, Samples
from onnxpad.measure.agreement import Agreement
from onnxpad.measure.latency import Latency
from onnxpad.report.figures import number, percent, shape
from onnxpad.report.ringline import bins
from onnxpad.report.sections import Cell, Grid, Profile, Section, Series, cells
from onnxpad.text import printable

# Eleven bins of six columns fit 80 columns.
BINS = 11
MOST_OUTPUTS = 12
_MOST_PROFILES = 4
_MOST_SKIPS = 5
_HEADS = ("output", "shape", "max |Δ|", "/ max |y|", "mean |Δ|", "RMS Δ", "/ RMS y")


def outputs(comparison: Comparison, *, every: bool = False) -> Section:
    """Differences of every output, and its rings where it has some; empty for equal outputs."""
    shown = comparison.outputs if every else comparison.outputs[:MOST_OUTPUTS]
    if not comparison.outputs:
        return Section("outputs", "Outputs: none could be compared")
    if comparison.identical:
        return Section("outputs", "Outputs: the same, element by element")
    rows = tuple(_row(output) for output in shown)
    grid = Grid(_HEADS, rows, words=2, more=len(comparison.outputs) - len(shown))
    profiled = shown if every else shown[:_MOST_PROFILES]
    profiles = tuple(
        ring_profile(o) for o in profiled if o.rings is not None and not o.identical
    )  # fmt: skip
    return Section("outputs", "Outputs", (), profiles, (grid,))


def _row(output: OutputComparison) -> tuple[Cell, ...]:
    found = output.difference
    return cells(
        printable(output.name),
        shape(output.shape),
        number(found.max_abs),
        percent(found.relative_max),
        number(found.mean_abs),
        number(found.rms),
        percent(found.relative_rms),
    )


def ring_profile(output: OutputComparison) -> Profile:
    """RMS Δ by distance to the border, in share of the output's RMS where it has one."""
    rings = output.rings
    assert rings is not None
    parts = bins(rings, BINS)
    relative = rings.scale > 0
    show = percent if relative else number
    title = (
        f"{printable(output.name, 24)}: {'RMS Δ / RMS y' if relative else 'RMS Δ'} by distance "
        f"to the border, {rings.depth} of {len(rings.counts)} rings differ"
    )
    values = tuple(p.value for p in parts)
    series = Series("", values, tuple(show(v) for v in values))
    return Profile(title, tuple(p.label for p in parts), (series,))


def facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """(what is stated, the statement). A task has agreement among its metrics already."""
    shown = comparison.outputs[:MOST_OUTPUTS] if comparison.task is None else ()
    for output in shown:
        if output.agreement is not None:
            yield "agreement", f"{printable(output.name, 40)}: {_agreement(output.agreement)}"
    silent = {o.no_agreement for o in shown if o.scores and o.agreement is None}
    yield from (("agreement", f"not measured: {printable(why, 200)}") for why in sorted(silent))
    yield "latency", _latency(comparison.run.latency)
    if comparison.run.memory is not None:
        before, after = comparison.run.memory
        yield "memory", f"{before:.0f} → {after:.0f} MiB at the peak of a process that runs it once"
    yield "samples", _stands_on(comparison.samples)
    yield "engine", _engine(comparison.run)


def cautions(comparison: Comparison) -> Iterator[str]:
    """What a reader must know before the numbers."""
    yield from (printable(warning, 600) for warning in comparison.warnings)
    samples = comparison.samples
    if samples.skipped_count:
        first = samples.skipped[:_MOST_SKIPS]
        named = ", ".join(f"{printable(s.name)} ({printable(s.reason, 200)})" for s in first)
        more = samples.skipped_count - len(first)
        noun = "sample was" if samples.skipped_count == 1 else "samples were"
        rest = f", {more} more" if more else ""
        yield f"{samples.skipped_count} {noun} skipped: {named}{rest}"


def _agreement(found: Agreement) -> str:
    if found.share is None:
        return "no sample has usable scores"
    left_out = f", {found.unusable} left out (NaN)" if found.unusable else ""
    return (
        f"{found.same} of {found.total} samples, {100 * found.share:.1f} % "
        f"[{100 * found.low:.1f}, {100 * found.high:.1f}]{left_out}"
    )


def _latency(found: Latency) -> str:
    verdict = "; within the noise" if found.within_noise else ""
    return (
        f"{found.original_ms:.3g} → {found.candidate_ms:.3g} ms, ×{found.ratio:.2f} "
        f"[{found.ratio_low:.2f}, {found.ratio_high:.2f}]; original against itself "
        f"[{found.floor_low:.2f}, {found.floor_high:.2f}]{verdict}"
    )


def _stands_on(samples: Samples) -> str:
    of = f" of {samples.total}" if samples.total is not None else ""
    why = ", then time was up (--samples sets a number)" if samples.out_of_time else ""
    fed = ", ".join(
        f"{printable(i.name, 30)} {shape(i.shape)} {printable(i.dtype, 20)}"
        for i in samples.inputs[:4]
    ) + (", …" if len(samples.inputs) > 4 else "")
    note = printable(samples.note, 300)
    return f"{samples.count}{of}{why}; {note}; seed {samples.seed}; {fed}"


def _engine(run: Run) -> str:
    threads = {None: "", 1: ", 1 thread"}.get(run.threads, f", {run.threads} threads")
    return f"ONNX Runtime {run.onnxruntime}{threads}; {printable(run.provider_note, 200)}"
