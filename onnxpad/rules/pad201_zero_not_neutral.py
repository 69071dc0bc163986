"""Zeros are invented beside values for which zero means something.

What it finds
-------------
Convolutions that pad zeros onto a tensor of which the graph says that zero is not neutral. Three
causes, one finding each: zero lies outside the values the tensor can take (a warning: after a Clip
with min > 0, a Sigmoid of a Relu); zero is an end of them that stands for "none" or "black", while
the middle is elsewhere (after Sigmoid, HardSigmoid, Softmax, Softplus, Exp, or an integer image
that is only scaled); and, directly behind a BatchNormalization or InstanceNormalization, zero lies
more than a standard deviation off the mean of half of the channels or more (|bias| > |scale|).

Where the graph says nothing, nothing is found: a float input may be 0 to 1 or have mean 0. Zero is
neutral behind Relu and its kin, which make 0 of 0, and with quantised values it is the zero point.

Why it matters
--------------
The convolution meets values at the border that it meets nowhere else, or an edge that is not in
the image; the response to it runs inwards with every layer.

Example
-------
A Sigmoid in front of a Conv with pads [1, 1, 1, 1]: the map lies in 0 to 1 around 0.5, its border
is all 0.

What to do
----------
Try `onnxpad rewrite --only SITE --mode edge` (or `--mode mean --data IMAGES`) at these sites and
look at what the comparison says. An image that is scaled to -1 .. 1 in the graph has a grey border.
"""

from collections.abc import Iterator
from statistics import median

from onnxpad import ops
from onnxpad.bounds import Bounds, BoundsFinder
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.records import PaddingSite
from onnxpad.rules.rule import rule
from onnxpad.scopes import Scope
from onnxpad.subject import Subject
from onnxpad.text import count

# Ops whose result for 0 is not 0, so that zero at the end of what they give is not rest.
_OFF_CENTRE = frozenset(("Sigmoid", "HardSigmoid", "Softmax", "Softplus", "Exp", "input"))
_NORMALISES = frozenset(("BatchNormalization", "InstanceNormalization"))


def check(subject: Subject) -> Iterator[Finding]:
    """A finding for each of the three causes."""
    finder = BoundsFinder(subject.values)
    outside: list[Location] = []
    ends: list[Location] = []
    shifted: list[tuple[Location, float]] = []
    for site in subject.survey.sites:
        if site.mode.name != "zero" or not site.conv or site.dtype in ops.INTEGERS:
            continue
        scope = subject.by_path[site.scope]
        bounds = finder.find(scope, site.source)
        if bounds.low > 0 or bounds.high < 0:
            outside.append(_place(site, f"values lie in {_shown(bounds)}"))
        elif bounds.op in _OFF_CENTRE and 0 in (bounds.low, bounds.high):
            ends.append(_place(site, f"values lie in {_shown(bounds)}"))
        elif (ratio := _shift(subject, scope, site)) is not None and ratio > 1:
            detail = f"zero is {ratio:.1f} standard deviations off (median of channels)"
            shifted.append((_place(site, detail), ratio))
    if outside:
        message = f"zero is no value of what is padded with zeros at {count(len(outside), 'site')}"
        yield RULE.finding(message, outside, {"sites": len(outside)}, severity=Severity.WARNING)
    if ends:
        message = (
            f"zero is an end of the values that are padded with zeros at {count(len(ends), 'site')}"
        )
        yield RULE.finding(message, ends, {"sites": len(ends)})
    if shifted:
        places = [place for place, _ in shifted]
        furthest = max(ratio for _, ratio in shifted)
        message = (
            f"zero is up to {furthest:.1f} standard deviations off the channels' means at "
            f"{count(len(places), 'site')} directly behind a normalisation"
        )
        facts = {"sites": len(places), "deviations": furthest}
        yield RULE.finding(message, places, facts, confidence=Confidence.MEDIUM)


def _place(site: PaddingSite, detail: str) -> Location:
    return Location(site.identity, site.op, detail)


def _shown(bounds: Bounds) -> str:
    made = "of an integer input" if bounds.op == "input" else f"behind {bounds.op}"
    return f"{bounds.low:.3g} .. {bounds.high:.3g} {made if bounds.op else ''}".strip()


def _shift(subject: Subject, scope: Scope, site: PaddingSite) -> float | None:
    """Median over channels of |bias / scale| of a normalisation in front; None without one."""
    node = scope.producer(site.source)
    if node is None or node.op_type not in _NORMALISES or node.domain:
        return None
    scale, bias = (subject.values.value(scope, name) for name in node.input[1:3])
    if scale is None or bias is None or scale.shape != bias.shape or not scale.size:
        return None
    pairs = zip(scale.reshape(-1), bias.reshape(-1), strict=True)
    # a channel that is scaled to nothing holds its bias and nothing else
    return median(abs(b / s) if s else float(b != 0) for s, b in pairs)


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)
