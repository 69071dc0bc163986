"""Zero padding can reach much, or all, of the last maps.

What it finds
-------------
The share of positions of the maps the outputs are made of that a path leads to from an invented
zero, along each axis, followed through the real graph: windows, strides, dilation, pools,
transposed convolutions, resizes, crops, branches. A warning where the output has positions of its
own (a mask, an image, boxes of a grid) and at least half of them are reached; else a note. A model
of free size is looked at with a likely one, and gets a note. It is an upper bound, told by
geometry alone: how strongly a position is touched falls off inwards, and summaries of whole maps
(PAD503) are left out.

Why it matters
--------------
Each padded layer carries the invented border one step further in. With deep networks or small
inputs no position is left that padding cannot influence (Alsallakh et al. 2021, arXiv 2010.02178,
for VGG-19 at 127 px). In dense outputs it is where seams between tiles come from: what is cut into
tiles needs an overlap of the width that is named here to be free of it for certain.

Example
-------
Ten 3x3 convolutions with pads 1 reach 10 px from each border: all of a tile of 20 px.

What to do
----------
`onnxpad audit --measure` tells how strong it is, `onnxpad compare --tile` what an overlap mends.
Larger inputs or tiles leave more of the centre clean.
"""

from collections.abc import Iterator, Sequence

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.reach import AxisReach, FinalMap
from onnxpad.rules.rule import rule
from onnxpad.scopes import identities
from onnxpad.subject import Subject
from onnxpad.text import count

MUCH = 0.5  # share of a dense map that makes a warning


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all maps, the most reached of them in the message."""
    found = [final for final in subject.reach.finals if final.map.share > 0]
    if not found:
        return
    worst = max(found, key=lambda final: (final.dense, final.map.share))
    names = identities(subject.main)
    places = []
    for final in sorted(found, key=lambda final: final is not worst):
        position = subject.main.producers[final.map.name]
        node = subject.main.nodes[position]
        places.append(Location(names[position], node.op_type, _told(final)))
    much = worst.dense and worst.map.share >= MUCH and subject.assumed is None
    at = "" if subject.assumed is None else f", were the input {_shown(subject.assumed)}"
    yield RULE.finding(
        f"zero padding can reach {_told(worst)} of {_what(worst, len(found))}{at}",
        places, _facts(worst), severity=Severity.WARNING if much else Severity.NOTE,
    )  # fmt: skip


def _what(final: FinalMap, maps: int) -> str:
    size = _shown([axis.size for axis in final.map.axes])
    kind = "the output's" if final.dense else "the last"
    others = f" ({count(maps, 'map')} in all)" if maps > 1 else ""
    return f"{kind} {size} map{others}"


def _shown(size: Sequence[int]) -> str:
    return "×".join(map(str, size))


def _told(final: FinalMap) -> str:
    share = final.map.share
    if share == 1:
        return "every position"
    # one pair where all axes are alike, as in most square images
    widths = " and ".join(dict.fromkeys(f"{a}+{b}" for a, b in map(_pixels, final.map.axes)))
    return f"{share:.0%} of the positions, {widths} input px (begin+end)"


def _pixels(axis: AxisReach) -> tuple[int, int]:
    """Input pixels from the begin and from the end."""
    begin, end = axis.ends
    return round(begin * axis.pixels), round(end * axis.pixels)


def _facts(final: FinalMap) -> dict[str, float | int | str]:
    facts: dict[str, float | int | str] = {"share": final.map.share, "dense": int(final.dense)}
    for axis in final.map.axes:
        begin, end = _pixels(axis)
        facts[f"axis{axis.axis}_share"] = axis.share
        facts[f"axis{axis.axis}_begin_px"] = begin
        facts[f"axis{axis.axis}_end_px"] = end
    return facts


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)
