"""A comparison, or several, as one page that needs no other file and no network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

from onnxpad.budget import missed
from onnxpad.comparison import Comparison
from onnxpad.report import batch, charts, page, rewriting
from onnxpad.report.accuracy import metric_tone
from onnxpad.report.borders import tone as ratio_tone
from onnxpad.report.figures import interval, plain, signed, times
from onnxpad.report.outputs import cautions, facts, outputs
from onnxpad.report.overview import headline, sections, short_names, unmeasured, verdict
from onnxpad.report.pictures import Shown, shown
from onnxpad.report.sections import BAD, GOOD, PLAIN, Section
from onnxpad.text import printable

Captions = tuple[tuple[str, str], ...]
_MOST_CHARTS = 8

Result = Comparison | rewriting.Summary | batch.Batch


@dataclass(frozen=True, slots=True)
class Key:
    """One number in large type: what, how much, beside what, and how it is meant."""

    label: str
    value: str
    note: str
    tone: str


@dataclass(frozen=True, slots=True)
class Article:
    """One comparison as the template sees it.

    Attributes:
        charts: by section's key: (identity, caption) of the charts below it.
        maps: (identity, layer's name) of the mean maps, the one to begin with in `first`.
    """

    comparison: Comparison
    identity: str
    names: tuple[str, str]
    word: str
    tone: str
    reasons: tuple[str, ...]
    missed: bool
    headline: str
    keys: tuple[Key, ...]
    cautions: tuple[str, ...]
    sections: tuple[Section, ...]
    unmeasured: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    charts: Mapping[str, Captions]
    maps: Captions
    first: str
    pictures: tuple[Shown, ...]
    sites: tuple[tuple[str, str, str, bool], ...]


def dumps(result: Result) -> str:
    """The page; ends in a newline."""
    comparisons = _comparisons(result)
    drawn: dict[str, charts.Chart] = {}
    articles = [_article(one, f"c{n}", drawn) for n, one in enumerate(comparisons)]
    return page.render(
        "report.html.j2",
        "report.js" if drawn else None,
        title=_title(result),
        head=batch.told(result) if isinstance(result, batch.Batch) else (),
        told=_told(result),
        rewrite=_rewrite(result),
        articles=articles,
        data=drawn,
    )


def _comparisons(result: Result) -> tuple[Comparison, ...]:
    if isinstance(result, batch.Batch):
        return result.comparisons
    if isinstance(result, rewriting.Summary):
        return (result.comparison,) if result.comparison is not None else ()
    return (result,)


def _title(result: Result) -> str:
    if isinstance(result, batch.Batch):
        return batch.title(result)
    if isinstance(result, rewriting.Summary):
        return printable(result.model)
    return " → ".join(short_names(result))


def _told(result: Result) -> tuple[str, ...]:
    """Sentences about what a rewrite did."""
    if isinstance(result, rewriting.Summary):
        counted = () if result.halo is not None else (rewriting.counts(result),)
        return (*rewriting.halo_told(result), *counted, *rewriting.written_told(result))
    return ()


def _rewrite(result: Result) -> list[tuple[str, str, str, list[str]]]:
    if not isinstance(result, rewriting.Summary):
        return []
    return [
        (verb, printable(what), printable(why, 400), [printable(name, 400) for name in names])
        for verb, what, why, names in rewriting.grouped(result)
    ]


def _article(comparison: Comparison, identity: str, drawn: dict[str, charts.Chart]) -> Article:
    word, reasons = verdict(comparison)
    below, maps, first = _charts(comparison, identity, drawn)
    found = (*sections(comparison, every=True), outputs(comparison, every=True))
    return Article(
        comparison,
        identity,
        short_names(comparison),
        word.text,
        word.tone,
        reasons,
        missed(comparison.judged),
        headline(comparison).text,
        tuple(_keys(comparison)),
        tuple(cautions(comparison)),
        tuple(s for s in found if not s.absent and (s.lines or s.grids)),
        unmeasured(comparison),
        tuple(facts(comparison)),
        below,
        maps,
        first,
        tuple(shown(picture) for picture in comparison.pictures),
        tuple((printable(site, 400), printable(before), printable(after), before != after)
              for site, before, after in comparison.sites),
    )  # fmt: skip


def _charts(
    comparison: Comparison, identity: str, drawn: dict[str, charts.Chart]
) -> tuple[dict[str, Captions], Captions, str]:
    """(charts by section, mean maps, the worst of them); the data goes into `drawn`."""

    def add(what: str, named: list[tuple[str, charts.Chart | None]]) -> Captions:
        """(identity, caption) of those charts that exist."""
        found = [
            (f"{identity}-{what}-{number}", name, chart)
            for number, (name, chart) in enumerate(named)
            if chart is not None
        ]
        drawn.update({key: chart for key, _, chart in found})
        return tuple((key, name) for key, name, _ in found)

    border, layers = comparison.border, comparison.layers
    outlines = border.outputs[:_MOST_CHARTS] if border else ()
    below = {
        "border": add("ring", [(_caption(o.name, "context error"), charts.ring_chart(o))
                               for o in outlines]),
        "outputs": add("output", [(_caption(o.name, "difference"), charts.output_chart(o))
                                  for o in comparison.outputs[:_MOST_CHARTS]]),
    }  # fmt: skip
    if layers is None:
        return below, (), ""
    depth = "How far in a constant image shows its border (gaps: everywhere, or no counterpart)"
    below["layers"] = add("depth", [(depth, charts.depth_chart(layers))])
    rows = charts.mapped_layers(layers)
    maps = add("map", [(printable(row.name, 200), charts.map_chart(row)) for row in rows])
    worst = max(range(len(rows)), key=lambda n: rows[n].badness, default=-1)
    return below, maps, f"{identity}-map-{worst}"


def _caption(name: str, what: str) -> str:
    return f"{printable(name, 60)}: {what} by distance to the border"


def _keys(comparison: Comparison) -> Iterator[Key]:
    """The numbers a reader came for."""
    metrics = comparison.task.metrics if comparison.task else ()
    for m in [m for m in metrics if m.delta is not None][:1]:
        unit = m.info.unit
        note = f"{plain(m.original, unit)} → {plain(m.candidate, unit)}"
        bounds = interval(m.low, m.high, unit, sign=True)
        value = signed(m.delta, unit)
        yield Key(m.name, value, f"{note}; {bounds}", metric_tone(m))
    for m in [m for m in metrics if m.delta is None][:1]:
        within = m.within_floor
        note = "" if m.floor is None else f"1-px shift alone: {plain(m.floor, m.info.unit)}"
        colour = PLAIN if within is None else GOOD if within else BAD
        yield Key(m.name, plain(m.candidate, m.info.unit), note, colour)
    ratios = [o.candidate.ratio for o in (comparison.border.outputs if comparison.border else ())]
    known = [r for r in ratios if r is not None and isfinite(r.value)]
    if known:
        worst = max(known, key=lambda r: r.value)
        yield Key("border error", times(worst.value), "of the original's", ratio_tone(worst))
    latency = comparison.run.latency
    note = f"{latency.original_ms:.3g} → {latency.candidate_ms:.3g} ms"
    noise = "; within the noise" if latency.within_noise else ""
    yield Key("latency", times(latency.ratio), note + noise, PLAIN)
