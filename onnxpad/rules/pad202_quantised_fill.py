"""A Pad of quantised values fills in a number that does not mean zero.

What it finds
-------------
Pads of integers in front of a convolution whose fill is not the zero point of those who read them,
which is the integer that means 0. Pads whose readers disagree, and max-pools, are left out.

Why it matters
--------------
The border then holds the value (fill - zero point) x scale in place of 0. Quantisers and converters
that write the fill 0 for an asymmetric type, or leave it out, make this slip, and accuracy is lost
at the border alone, where averages over whole images hardly show it.

Example
-------
A Pad of uint8 with fill 0 in front of a QLinearConv whose zero point is 128: the border reads
-128 x scale, the most negative value there is.

What to do
----------
Give the Pad its readers' zero point as constant_value, or let `onnxpad rewrite --from
constant:OFFSET --mode zero` do it (the offset stands at each site).
"""

from collections.abc import Iterator
from math import isfinite

from onnxpad import ops
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.text import count


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such Pads."""
    found = [
        site
        for site in subject.survey.sites
        if site.mode.name == "constant" and site.conv and site.dtype in ops.INTEGERS
        if isfinite(site.mode.value)
    ]
    if not found:
        return
    places = [
        Location(site.identity, site.op, f"the fill is the zero point {site.mode.value:+g}")
        for site in found
    ]
    furthest = max((site.mode.value for site in found), key=abs)
    message = (
        f"quantised borders are filled with another number than the zero point by "
        f"{count(len(found), 'Pad')}: up to {count(int(abs(furthest)), 'step')} off"
    )
    yield RULE.finding(message, places, {"sites": len(found), "furthest": furthest})


RULE = rule(__name__, Severity.WARNING, Confidence.HIGH, check)
