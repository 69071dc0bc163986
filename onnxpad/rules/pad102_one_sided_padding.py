"""A convolution or pool with stride 1 pads one side more than the other.

What it finds
-------------
Window ops that step by 1 along an axis and whose padding at the begin (left, top) differs from
that at the end (right, bottom), with the sites under one finding for each model. Causal padding of
1-D signals and strided ops are other matters: PAD403 and PAD101.

Why it matters
--------------
The windows sit off centre: the map is shifted against its input by half the difference, layer by
layer, and one border sees more invented pixels than the other. Even kernels cannot be centred;
odd kernels with such padding are mostly slips of a conversion.

Example
-------
A Conv with kernel 3 and pads [0, 0, 2, 2]: the map is moved by one pixel to the top left.

What to do
----------
With odd kernels, give both sides k // 2 when the model is exported again. What a trained model
computes depends on the shift, so changing pads in the graph would move every later map.
"""

from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.windows import WindowAxis, WindowUse


def _one_sided(axis: WindowAxis) -> bool:
    known = axis.begin is not None and axis.end is not None
    return known and axis.begin != axis.end and axis.window is not None and axis.window.stride == 1


def _off_centre(use: WindowUse) -> list[WindowAxis]:
    if any(site.causal for site in use.sites):
        return []
    return [axis for axis in use.axes if _one_sided(axis)]


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such window ops."""
    found = [(use, axes) for use in subject.windows if (axes := _off_centre(use))]
    if not found:
        return
    places = [
        Location(
            use.identity,
            use.op,
            "pads " + ", ".join(f"{a.begin}+{a.end}" for a in axes) + " (begin+end)",
        )
        for use, axes in found
    ]
    odd = sum(any(a.window is not None and a.window.kernel % 2 for a in axes) for _, axes in found)
    message = (
        f"{len(found)} stride-1 window op{'s pad' if len(found) > 1 else ' pads'} one side more "
        f"than the other ({odd} with an odd kernel, which could be centred)"
    )
    yield RULE.finding(message, places, {"sites": len(found), "odd_kernels": odd})


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)
