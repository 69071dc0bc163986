"""An average pool counts padded zeros as if they were values.

What it finds
-------------
AveragePool with pads and count_include_pad = 1, and AveragePool that reads an explicit Pad of
zeros: the sum is divided by the whole window wherever it lies. The least share of a window that is
real, in the worst corner, is stated.

Why it matters
--------------
Averages fall off towards the border by that share: 4/9 in the corners of a padded 3x3 pool. No
learned weight can undo it, and stacked pools multiply it.

Example
-------
An AveragePool of 3x3 with pads [1, 1, 1, 1] and count_include_pad = 1 on a map of ones gives 0.44
in the corners and 0.67 along the edges.

What to do
----------
A model that was trained so expects it. Where accuracy at the border matters, try `onnxpad rewrite
--pools --mode edge`, measured by the comparison it prints, or train with count_include_pad = 0.
"""

from collections.abc import Iterator
from math import prod

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.text import count
from onnxpad.windows import WindowAxis, WindowUse


def _counts(use: WindowUse) -> bool:
    return use.op.endswith("AveragePool") and any(site.mode.name == "zero" for site in use.sites)


def _least(axis: WindowAxis) -> float:
    """The real share of the outermost window, on the worse side; taps are d apart."""
    window, reading = axis.window, axis.reading
    if window is None:
        return 1.0
    end = axis.end if reading is None else reading.end
    amounts = [p for p in (axis.begin, end) if p is not None and p > 0]
    worst = max((-(-p // window.dilation) for p in amounts), default=0)
    return max(window.kernel - worst, 0) / window.kernel


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such pools."""
    found = [(use, prod(map(_least, use.axes))) for use in subject.windows if _counts(use)]
    if not found:
        return
    places = [
        Location(use.identity, use.op, f"{share:.0%} of a corner window is real")
        for use, share in found
    ]
    least = min(share for _, share in found)
    message = (
        f"padded zeros are counted by {count(len(found), 'average pool')}: a constant map falls "
        f"to {least:.0%} in the corners"
    )
    yield RULE.finding(message, places, {"sites": len(found), "corner": least})


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)
