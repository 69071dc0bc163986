"""A comparison for the terminal: what changed, where, and what the statement stands on.

Names come from models and files and are untrusted: they are made printable and enter rich as
Text, which knows no markup.
"""

from collections.abc import Iterator, Sequence
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from onnxpad.budget import missed
from onnxpad.comparison import Comparison, OutputComparison, Run, Samples
from onnxpad.measure.agreement import Agreement
from onnxpad.measure.latency import Latency
from onnxpad.report.figures import number, percent, shape
from onnxpad.report.overview import headline, sections, short_names, unmeasured, verdict
from onnxpad.report.ringline import bar, bins
from onnxpad.report.sections import BAD, Cell, Grid, Profile, Section
from onnxpad.report.sites import abridged
from onnxpad.text import printable

# Eleven bins of six columns fit 80 columns, indentation and all.
_BINS = 11
_CELL = 6
_MOST_OUTPUTS = 12
_MOST_PROFILES = 4
_MOST_SKIPS = 5
_NAME = 40
_STYLES = {"": "", "good": "green", "bad": "red", "dim": "dim", "strong": "bold"}


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
    yield from _verdict(comparison)
    yield from (_warning(w) for w in comparison.warnings)
    yield from _skips(comparison.samples)
    for section in sections(comparison):
        if not section.absent and (section.lines or section.grids):
            yield Padding(Group(*_section(section)), (1, 0, 0, 0))
    yield from _outputs(comparison)
    yield Padding(_facts(comparison, comparison.outputs[:_MOST_OUTPUTS]), (1, 0, 0, 0))
    yield from (Text(line, "dim") for line in unmeasured(comparison))


def _verdict(comparison: Comparison) -> Iterator[RenderableType]:
    word, reasons = verdict(comparison)
    title = Text(" → ".join(short_names(comparison)) + ": ", "bold")
    yield title.append(word.text, f"{_STYLES[word.tone]}".strip() or None)
    yield from (_bullet(reason) for reason in reasons)
    if missed(comparison.judged):
        yield _bullet("the budget is missed", BAD)


def _bullet(sentence: str, tone: str = "") -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column()
    grid.add_row(Text("-"), Text(sentence, _STYLES[tone]))
    return grid


def _section(section: Section) -> Iterator[RenderableType]:
    yield Text(section.title, "bold")
    yield from (Text(line.text, _STYLES[line.tone]) for line in section.lines)
    yield from (_profile(profile) for profile in section.profiles)
    yield from (_grid(grid) for grid in section.grids)


def _grid(grid: Grid) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, head in enumerate(grid.heads):
        left = place < grid.words
        table.add_column(
            head, justify="left" if left else "right", no_wrap=True, overflow="ellipsis"
        )
    for row in grid.rows:
        table.add_row(*(_cell(cell, place) for place, cell in enumerate(row)))
    if not grid.more:
        return table
    return Group(table, Text(f"… and {grid.more} more (--report html:PATH shows all)", "dim"))


def _cell(cell: Cell, place: int) -> Text:
    text = abridged(cell.text, _NAME) if place == 0 else cell.text
    return Text(text, _STYLES[cell.tone])


def _profile(profile: Profile) -> RenderableType:
    """Bars and numbers of each series, the distances below."""
    top = max((v for _, values in profile.series for v in values), default=0.0)
    lines = [Text(profile.title)]
    for name, values in profile.series:
        lines.append(_bars([v / top if top else 0.0 for v in values], f" {name}"))
        lines.append(Text(_centred([number(v) for v in values])))
    lines.append(Text(_centred([_distance(label) for label in profile.labels]), "dim"))
    return Group(*lines)


def _bars(shares: Sequence[float], name: str = "") -> Text:
    line = Text("".join(bar(share, _CELL - 1) + " " for share in shares), "cyan")
    return line.append(name, "not cyan default")


def _centred(texts: Sequence[str]) -> str:
    return "".join(text.center(_CELL - 1) + " " for text in texts)


def _outputs(comparison: Comparison) -> Iterator[RenderableType]:
    """How far the outputs differ, element by element and by ring."""
    shown = comparison.outputs[:_MOST_OUTPUTS]
    more = len(comparison.outputs) - len(shown)
    if comparison.identical:
        if comparison.verdict is not None:
            yield Padding(Text("Outputs: the same, element by element", "bold"), (1, 0, 0, 0))
        return
    if comparison.verdict is not None:
        yield Padding(Text(f"Outputs: {headline(comparison).text}", "bold"), (1, 0, 0, 0))
        yield _differences(shown)
    else:
        yield Padding(_differences(shown), (1, 0, 0, 0))
    if more:
        yield Text(f"… and {more} more outputs", "dim")
    for output in shown[:_MOST_PROFILES]:
        if output.rings is not None and not output.identical:
            yield Padding(_ring_table(output), (1, 0, 0, 0))


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
            Text(shape(output.shape)),
            *(
                Text(cell)
                for cell in (
                    number(found.max_abs),
                    percent(found.relative_max),
                    number(found.mean_abs),
                    number(found.rms),
                    percent(found.relative_rms),
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
    show = percent if relative else number
    head = (
        f"{printable(output.name, 24)}: {'RMS Δ / RMS y' if relative else 'RMS Δ'} by distance "
        f"to the border, {output.rings.depth} of {len(output.rings.counts)} rings differ"
    )
    return Group(
        Text(head, "bold"),
        _bars([p.value / top if top else 0.0 for p in parts]),
        Text(_centred([show(p.value) for p in parts])),
        Text(_centred([_distance(p.label) for p in parts]), "dim"),
    )


def _distance(label: str) -> str:
    return label if len(label) < _CELL else f"{label.split('–', maxsplit=1)[0]}+"


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
        f"{printable(i.name, 30)} {shape(i.shape)} {i.dtype}" for i in samples.inputs[:4]
    ) + (", …" if len(samples.inputs) > 4 else "")
    return f"{samples.count}{of}{why}; {samples.note}; seed {samples.seed}; {fed}"


def _engine(run: Run) -> str:
    threads = {None: "", 1: ", 1 thread"}.get(run.threads, f", {run.threads} threads")
    return f"ONNX Runtime {run.onnxruntime}{threads}; {run.provider_note}"
