"""The padding sites of a model, as a table and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxpad.records import PaddingSite, SiteAxis, Survey
from onnxpad.refusals import MODES_TRIED, obstacles
from onnxpad.text import printable

SCHEMA = "onnxpad.sites/1"
_MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Listing:
    """A model's name (untrusted) and what was found in it."""

    model: str
    survey: Survey


def render(listing: Listing, *, every: bool = False) -> RenderableType:
    """A table of the sites, what a rewrite could do with each, and the Pads that are none."""
    return Group(*_parts(listing, every=every))


def _parts(listing: Listing, *, every: bool) -> Iterator[RenderableType]:
    survey = listing.survey
    count = len(survey.sites)
    yield Text(
        f"{printable(listing.model)}: {count} padding site{'' if count == 1 else 's'}, "
        f"{survey.window_ops} window ops",
        "bold",
    )
    if not survey.sites:
        yield Text("Nothing in it invents pixels on spatial axes: there is nothing to change.")
    else:
        shown = survey.sites if every else survey.sites[:_MOST_ROWS]
        notes: dict[str, int] = {}
        yield _table(shown, notes, whole=every)
        if len(shown) < count:
            yield Text(f"… and {count - len(shown)} more; -v lists them all", "dim")
        for note, number in notes.items():
            yield Text(f"[{number}] {note}", "dim")
    yield from _others(survey, every=every)


def _table(sites: tuple[PaddingSite, ...], notes: dict[str, int], *, whole: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("site", overflow="fold", ratio=1)
    for heading in ("reader", "window", "pads", "size", "mode", "rewrite to"):
        table.add_column(heading, overflow="fold")
    for site in sites:
        table.add_row(
            Text(printable(site.identity, 1000) if whole else abridged(site.identity)),
            Text(printable(", ".join(site.reader_ops))),
            Text(_windows(site.axes)),
            Text(_pads(site)),
            Text("×".join("?" if a.size is None else str(a.size) for a in site.axes)),
            Text(str(site.mode)),
            Text(_possible(site, notes)),
        )
    return table


def abridged(name: str, limit: int = 36, head: int | None = None) -> str:
    """A name whose middle is left out where it is long: both ends tell names apart.

    Of the `limit` characters `head` are its beginning, a third by default.
    """
    shown = printable(name, 1000)
    if len(shown) <= limit:
        return shown
    begin = limit // 3 if head is None else head
    return f"{shown[:begin]}…{shown[begin + 1 - limit :]}"


def abridged_all(names: Sequence[str], limit: int = 36) -> list[str]:
    """All of them, cut where the most of them still differ."""
    heads = (limit // 3, limit // 2, 2 * limit // 3, limit // 6)
    ways = [[abridged(name, limit, head) for name in names] for head in heads]
    return max(ways, key=lambda way: len(set(way)))


def _windows(axes: tuple[SiteAxis, ...]) -> str:
    """Kernel/stride, with the dilation where there is one: 3×3/2 d2."""
    windows = [a.window for a in axes]
    known = [w for w in windows if w is not None]
    if len(known) < len(windows):
        return "?"
    parts = [
        "×".join(str(w.kernel) for w in known),
        _once([w.stride for w in known], "/", 1),
        _once([w.dilation for w in known], " d", 1),
    ]
    return "".join(parts)


def _once(numbers: list[int], sign: str, usual: int) -> str:
    if set(numbers) == {usual}:
        return ""
    unique = numbers[:1] if len(set(numbers)) == 1 else numbers
    return sign + ",".join(map(str, unique))


def _pads(site: PaddingSite) -> str:
    """Begin+end of each axis, once where all are alike; where they come from if not from pads."""
    pairs = ["?" if a.begin is None or a.end is None else f"{a.begin}+{a.end}" for a in site.axes]
    shown = pairs[0] if len(set(pairs)) == 1 and len(pairs) > 1 else " ".join(pairs)
    source = {"auto_pad": " SAME", "Pad": " Pad", "composed": " nodes", "reference": " attr"}
    return shown + source.get(site.form, "") + (" causal" if site.causal else "")


def _possible(site: PaddingSite, notes: dict[str, int]) -> str:
    blocked = obstacles(site)
    pool = "" if site.conv else "pools: "
    if not blocked:
        return pool + "any mode"
    marks = {name: notes.setdefault(reason, len(notes) + 1) for name, reason in blocked.items()}
    if len(blocked) == MODES_TRIED and len(set(marks.values())) == 1:
        return f"{pool}none [{next(iter(marks.values()))}]"
    return f"{pool}not " + ", ".join(f"{name} [{number}]" for name, number in marks.items())


def _others(survey: Survey, *, every: bool) -> Iterator[RenderableType]:
    if not survey.others:
        return
    shown = survey.others if every else survey.others[:5]
    yield Text()
    yield Text("Pads that are no padding sites, and are never changed:", "bold")
    for other in shown:
        name = printable(other.identity, 1000) if every else abridged(other.identity)
        yield Text(f"  {name}: {printable(other.reason, 300)}")
    if len(shown) < len(survey.others):
        yield Text(f"  … and {len(survey.others) - len(shown)} more; -v lists them all", "dim")


def as_json(listing: Listing) -> str:
    """The listing for other programs; ends in a newline."""
    survey = listing.survey
    document = {
        "schema": SCHEMA,
        "model": listing.model,
        "window_ops": survey.window_ops,
        "sites": [site_as_dict(site) | {"obstacles": obstacles(site)} for site in survey.sites],
        "other_pads": [{"pad": o.identity, "reason": o.reason} for o in survey.others],
    }
    return json.dumps(document, indent=2) + "\n"


def site_as_dict(site: PaddingSite) -> dict[str, Any]:
    """One site as plain data."""
    return {
        "site": site.identity,
        "op": site.op,
        "form": site.form,
        "mode": str(site.mode),
        "readers": list(site.reader_ops),
        "axes": [
            {
                "axis": a.axis,
                "size": a.size,
                "begin": a.begin,
                "end": a.end,
                "kernel": a.window.kernel if a.window else None,
                "stride": a.window.stride if a.window else None,
                "dilation": a.window.dilation if a.window else None,
            }
            for a in site.axes
        ],
        "causal": site.causal,
        "opset": site.opset,
        "notes": list(site.notes),
    }
