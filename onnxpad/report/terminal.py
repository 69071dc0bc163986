"""A comparison for the terminal: what changed, where, and what the statement stands on.

Names come from models and files and are untrusted: they are made printable and enter rich as
Text, which knows no markup.
"""

from collections.abc import Iterator
from io import StringIO
from pathlib import PurePath

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from onnxpad.comparison import Comparison, OutputComparison, Run, Samples
from onnxpad.measure.agreement import Agreement
from onnxpad.measure.latency import Latency
from onnxpad.report.ringline import bar, bins
from onnxpad.text import printable

# Eleven bins of six columns fit 80 columns, indentation and all.
_BINS = 11
_CELL = 6
_MOST_OUTPUTS = 12
_MOST_PROFILES = 4
_MOST_SKIPS = 5


def text(comparison: Comparison, width: int = 80) -> str:
    """The report as plain text without colours, lines at most `width` wide."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False)
    console.print(render(comparison))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render(comparison: Comparison) -> RenderableType:
    """The report for a rich console."""
    return Group(*_parts(comparison))


def _parts(comparison: Comparison) -> Iterator[RenderableType]:
    yield _title(comparison)
    yield from (_warning(w) for w in comparison.warnings)
    yield from _skips(comparison.samples)
    shown = comparison.outputs[:_MOST_OUTPUTS]
    more = len(comparison.outputs) - len(shown)
    if not comparison.identical:
        yield Padding(_differences(shown), (1, 0, 0, 0))
        if more:
            yield Text(f"… and {more} more outputs", "dim")
    for output in shown[:_MOST_PROFILES]:
        if output.rings is not None and not output.identical:
            yield Padding(_ring_table(output), (1, 0, 0, 0))
    yield Padding(_facts(comparison, shown), (1, 0, 0, 0))


def _facts(comparison: Comparison, shown: tuple[OutputComparison, ...]) -> Table:
    """Two columns: what is stated, and the statement."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for sentence in _agreements(shown):
        table.add_row(Text("agreement"), Text(sentence))
    table.add_row(Text("latency"), Text(_latency(comparison.run.latency)))
    table.add_row(Text("samples"), Text(_stands_on(comparison.samples)))
    table.add_row(Text("engine"), Text(_engine(comparison.run)))
    return table


def _title(comparison: Comparison) -> Text:
    """One sentence, the worst number first."""
    names = [printable(PurePath(p).name, 60) for p in (comparison.original, comparison.candidate)]
    title = Text(f"{names[0]} → {names[1]}: ", "bold")
    if comparison.identical:
        return title.append("every output is the same, element by element", "green")
    worst = max((o for o in comparison.outputs if not o.identical), key=_badness)
    name, share = printable(worst.name, 40), worst.difference.relative_max
    if worst.uncompared:
        return title.append(f"{name} has other shapes on {worst.uncompared} samples", "red")
    if worst.difference.unlike:
        return title.append(f"{name} is NaN or infinite where the other model's is not", "red")
    if share is None:
        return title.append(f"{name} differs, where the original is 0")
    return title.append(f"{name} differs by {_percent(share)} of its maximum")


def _badness(output: OutputComparison) -> tuple[int, int, float]:
    found = output.difference
    return output.uncompared, found.unlike, found.relative_max or 0.0


def _differences(outputs: tuple[OutputComparison, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("output", overflow="ellipsis", no_wrap=True, max_width=28)
    table.add_column("shape", overflow="ellipsis", no_wrap=True)
    for head in ("max |Δ|", "/ max |y|", "mean |Δ|", "RMS Δ", "/ RMS y"):
        table.add_column(head, justify="right", no_wrap=True)
    for output in outputs:
        found = output.difference
        table.add_row(
            Text(printable(output.name)),
            Text(_shape(output.shape)),
            *(
                Text(cell)
                for cell in (
                    _number(found.max_abs),
                    _percent(found.relative_max),
                    _number(found.mean_abs),
                    _number(found.rms),
                    _percent(found.relative_rms),
                )
            ),
        )
    return table


def _ring_table(output: OutputComparison) -> RenderableType:
    """Distances, bars and numbers under each other."""
    assert output.rings is not None
    parts = bins(output.rings, _BINS)
    top = max(p.value for p in parts)
    relative = output.rings.scale > 0
    show = _percent if relative else _number
    head = (
        f"{printable(output.name, 24)}: {'RMS Δ / RMS y' if relative else 'RMS Δ'} by distance "
        f"to the border, {output.rings.depth} of {len(output.rings.counts)} rings differ"
    )
    rows = (
        "".join(bar(p.value / top if top else 0.0, _CELL - 1) + " " for p in parts),
        "".join(show(p.value).center(_CELL - 1) + " " for p in parts),
        "".join(_distance(p.label, p.first).center(_CELL - 1) + " " for p in parts),
    )
    lines = [
        Text(head, "bold"),
        *(Text(r, s) for r, s in zip(rows, ("cyan", "", "dim"), strict=True)),
    ]
    return Group(*lines)


def _distance(label: str, first: int) -> str:
    return label if len(label) < _CELL else f"{first}+"


def _agreements(outputs: tuple[OutputComparison, ...]) -> Iterator[str]:
    for output in outputs:
        if output.agreement is not None:
            yield f"{printable(output.name, 40)}: {_agreement(output.agreement)}"
    silent = [o for o in outputs if o.scores and o.agreement is None]
    yield from sorted({f"not measured: {o.no_agreement}" for o in silent})


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


def _skips(samples: Samples) -> Iterator[Text]:
    if not samples.skipped_count:
        return
    named = ", ".join(f"{s.name} ({s.reason})" for s in samples.skipped[:_MOST_SKIPS])
    more = samples.skipped_count - min(len(samples.skipped), _MOST_SKIPS)
    noun = "sample was" if samples.skipped_count == 1 else "samples were"
    yield _warning(
        f"{samples.skipped_count} {noun} skipped: {named}" + (f", {more} more" if more else "")
    )


def _warning(sentence: str) -> Text:
    return Text("warning: ", "yellow").append(sentence, "not bold default")


def _stands_on(samples: Samples) -> str:
    of = f" of {samples.total}" if samples.total is not None else ""
    why = ", then time was up (--samples sets a number)" if samples.out_of_time else ""
    fed = ", ".join(
        f"{printable(i.name, 30)} {_shape(i.shape)} {i.dtype}" for i in samples.inputs[:4]
    ) + (", …" if len(samples.inputs) > 4 else "")
    return f"{samples.count}{of}{why}; {samples.note}; seed {samples.seed}; {fed}"


def _engine(run: Run) -> str:
    threads = {None: "", 1: ", 1 thread"}.get(run.threads, f", {run.threads} threads")
    return f"ONNX Runtime {run.onnxruntime}{threads}; {run.provider_note}"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _number(value: float) -> str:
    return f"{value:.2g}" if value else "0"


def _percent(share: float | None) -> str:
    """Two digits that count: 41%, 3.2%, 0.04%; 4e-05 below that; – where there is no share."""
    if share is None:
        return "–"
    if share == 0:
        return "0"
    percent = 100 * share
    if percent < 0.01:
        return f"{share:.0e}"
    return f"{percent:.2g}%" if percent < 99.5 else f"{percent:.0f}%"
