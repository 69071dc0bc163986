"""What a rewrite did, with the comparison that followed it: for the terminal and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxpad.comparison import Comparison
from onnxpad.records import Changed, Halo, Kept, OtherPad, Placement
from onnxpad.report import json as comparison_json
from onnxpad.report import terminal
from onnxpad.report.sites import abridged, site_as_dict
from onnxpad.text import printable

SCHEMA = "onnxpad.rewrite/1"
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """All that is told of one rewrite; paths are untrusted.

    Attributes:
        output: None where nothing was written: a dry run, or a budget that is missed.
    """

    model: str
    output: str | None
    changed: tuple[Changed, ...]
    left: tuple[Kept, ...]
    refused: tuple[Kept, ...]
    others: tuple[OtherPad, ...]
    canonical: bool
    comparison: Comparison | None
    halo: Halo | None = None
    halo_refusal: str = ""

    @property
    def done(self) -> bool:
        """Whether the output differs from the input."""
        return bool(self.changed or self.halo)


def render(summary: Summary, *, every: bool = False) -> RenderableType:
    """The summary for a terminal: the verdict, what was changed and why, what was measured."""
    return Group(*_parts(summary, every=every))


def _parts(summary: Summary, *, every: bool) -> Iterator[RenderableType]:
    if summary.comparison is not None:
        yield from terminal.lead(summary.comparison)
        yield Text()
    if summary.halo is not None or summary.halo_refusal:
        yield from _halo(summary)
    else:
        yield from _sites(summary, every=every)
    yield from _written(summary)
    if summary.comparison is not None:
        yield from terminal.details(summary.comparison, every=every)


def _halo(summary: Summary) -> Iterator[RenderableType]:
    styles = ("bold", "yellow" if summary.halo is None or summary.halo.rounded else "dim", "dim")
    for sentence, style in zip(halo_told(summary), styles, strict=False):
        yield Text(sentence, style)


def halo_told(summary: Summary) -> tuple[str, ...]:
    """What became of the halo, sentence by sentence, printable; () where none was asked for."""
    halo, model = summary.halo, printable(summary.model)
    if halo is None:
        if not summary.halo_refusal:
            return ()
        return f"{model}: no halo was built", printable(summary.halo_refusal, 400)
    around, stride = ("×".join(map(str, dict.fromkeys(n))) for n in (halo.pixels, halo.stride))
    source = printable(halo.source)
    told = [f"{model}: a halo of {around} pixels of {halo.mode} around {source!r}"]
    if halo.rounded:
        told.append(
            f"{halo.asked} were asked for; rounded up to a multiple of the total stride, {stride}"
        )
    names = ", ".join(abridged(name) for name in halo.cropped)
    return (*told, f"cropped away again at {names}; the layers' own padding stays")


def counts(summary: Summary) -> str:
    """How many sites were changed, refused and left, in one sentence."""
    total = len(summary.changed) + len(summary.left) + len(summary.refused)
    told = f"{len(summary.changed)} of {total} padding sites changed"
    if summary.refused:
        told += f", {len(summary.refused)} refused"
    if summary.left:
        told += f", {len(summary.left)} left alone"
    return f"{printable(summary.model)}: {told}"


def _sites(summary: Summary, *, every: bool) -> Iterator[RenderableType]:
    yield Text(counts(summary), "bold")
    if not (summary.changed or summary.left or summary.refused):
        yield Text("Nothing in it invents pixels on spatial axes: there is nothing to change.")
    rows = list(grouped(summary))
    if rows:
        yield _table(rows, every=every)
    for sentence in placed_told(summary, every=every or summary.output is None):
        yield Text(sentence, "dim")
    if summary.others and every:
        names = ", ".join(printable(o.identity) for o in summary.others)
        yield Text(f"Pads that are no padding sites: {names}", "dim")
    elif summary.others:
        only = len(summary.others) == 1
        told = "1 Pad is no padding site and stays" if only else (
            f"{len(summary.others)} Pads are no padding sites and stay"
        )  # fmt: skip
        yield Text(f"{told} (onnxpad sites says why)", "dim")


Row = tuple[str, str, str, list[str]]


def grouped(summary: Summary) -> Iterator[Row]:
    """(verb, what, why or how, identities, untrusted), alike ones in one row."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for change in summary.changed:
        what = f"{change.site.mode} → {change.mode}"
        key = ("changed", what, change.remark or change.how)
        rows.setdefault(key, []).append(change.site.identity)
    for verb, kept in (("refused", summary.refused), ("left", summary.left)):
        for one in kept:
            key = (verb, str(one.site.mode), one.reason)
            rows.setdefault(key, []).append(one.site.identity)
    yield from ((verb, what, why, names) for (verb, what, why), names in rows.items())


def _table(rows: Sequence[Row], *, every: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")
    styles = {"changed": "green", "refused": "yellow", "left": "dim"}
    for verb, what, why, names in rows:
        shown = names if every else names[:_MOST_NAMES]
        listed = ", ".join(printable(n, 1000) if every else abridged(n) for n in shown)
        more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
        table.add_row(
            str(len(names)), Text(verb, styles[verb]), Text(what),
            Text.assemble(printable(why, 300), "\n", (listed + more, "dim")),
        )  # fmt: skip
    return table


def placed_told(summary: Summary, *, every: bool) -> tuple[str, ...]:
    """Where padding is done that is not done where it is read, printable; () where there is none.

    Args:
        every: say it of each, with what it is estimated to save.
    """
    placed = {c.place: None for c in summary.changed if c.place is not None}
    if not placed:
        return ()
    before, after = (sum(map(of, placed)) for of in (_before, _after))
    moved = sum(p.moved for p in placed)
    told = (
        f"{moved} of these are done further up, where they cost less, with the same results: about "
        f"{before:.0f} → {after:.0f} µs in each run on one CPU thread, by size alone"
    )
    each = tuple(map(_placed, placed)) if every else ()
    return (told, *each) if moved else each


def _before(place: Placement) -> float:
    return place.before


def _after(place: Placement) -> float:
    return place.after


def _placed(place: Placement) -> str:
    names = ", ".join(abridged(name) for name in place.sites)
    if not place.moved and len(place.sites) == 1:
        return f"  {names}: without the rows that no window reads"
    over = f"in front of {len(place.crossed)} nodes, " if place.moved else ""
    return (
        f"  {names}: {over}at {abridged(place.tensor)}, about "
        f"{place.before:.0f} → {place.after:.0f} µs"
    )


def _written(summary: Summary) -> Iterator[RenderableType]:
    for sentence, style in zip(written_told(summary), ("", "dim"), strict=False):
        yield Text(sentence, style)


def written_told(summary: Summary) -> tuple[str, ...]:
    """What was written, printable."""
    if summary.output is None and summary.comparison is not None:
        return ("Nothing was written: the budget is missed.",)
    if summary.output is None:
        return ("Dry run: no model was written.",)
    if not summary.done:
        same = "the same bytes as the input: nothing was changed"
        return (f"Wrote {printable(summary.output)} ({same})",)
    wrote = (f"Wrote {printable(summary.output)}",)
    if summary.canonical:
        return wrote
    note = "The input is not serialised canonically; undoing gives its canonical bytes."
    return (*wrote, note)


def as_json(summary: Summary) -> str:
    """The summary for other programs; ends in a newline."""
    document = {
        "schema": SCHEMA,
        "model": summary.model,
        "output": summary.output,
        "canonical": summary.canonical,
        "comparison": comparison_json.as_dict(summary.comparison) if summary.comparison else None,
        "changed": [
            site_as_dict(c.site)
            | {"to": str(c.mode), "how": c.how, "remark": c.remark or None}
            | {"place": _place_as_dict(c.place)}
            for c in summary.changed
        ],
        "refused": [site_as_dict(k.site) | {"reason": k.reason} for k in summary.refused],
        "left": [site_as_dict(k.site) | {"reason": k.reason} for k in summary.left],
        "other_pads": [{"pad": o.identity, "reason": o.reason} for o in summary.others],
        "halo": _halo_as_dict(summary.halo),
        "halo_refusal": summary.halo_refusal or None,
    }
    return json.dumps(document, indent=2) + "\n"


def _place_as_dict(place: Placement | None) -> dict[str, object] | None:
    if place is None:
        return None
    return {
        "at": place.tensor,
        "crossed": list(place.crossed),
        "sites": list(place.sites),
        "microseconds": {"before": round(place.before, 2), "after": round(place.after, 2)},
    }


def _halo_as_dict(halo: Halo | None) -> dict[str, object] | None:
    if halo is None:
        return None
    return {
        "input": halo.source,
        "mode": str(halo.mode),
        "asked": halo.asked,
        "pixels": list(halo.pixels),
        "stride": list(halo.stride),
        "cropped": list(halo.cropped),
    }
