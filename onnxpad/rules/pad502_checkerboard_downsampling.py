"""A strided convolution reads some input positions more often than others.

What it finds
-------------
Convolutions with a stride above 1 whose kernel, of more than one tap, is not divisible by it,
dilation counted; and those that pass over positions, the kernel being smaller than the stride. Off
unless selected: nearly every classifier has them (3x3 with stride 2).

Why it matters
--------------
It is the backward form of the checkerboard: each input position counts in a different number of
products, and so does its gradient (Odena, Dumoulin and Olah, Distill 2016). Saliency maps and
generated or adversarial inputs show it; a trained network's output need not.

Example
-------
Kernel 3 with stride 2: pixels in even rows are read once, those in odd rows twice.

What to do
----------
For gradients with respect to the input, kernels that are multiples of the stride (2 or 4 for 2).
For inference there is nothing to do.
"""

from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.geometry import Window, overlap
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.text import count
from onnxpad.windows import WindowUse


def _uneven(use: WindowUse) -> list[Window]:
    windows = [axis.window for axis in use.axes if axis.window is not None]
    if not use.conv or all(window.kernel == 1 for window in windows):
        return []
    return [window for window in windows if overlap(window)[0] < overlap(window)[1]]


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such convolutions."""
    places = []
    for use in subject.windows:
        told = (
            f"kernel {w.kernel}, stride {w.stride}: read {overlap(w)[0]} to {overlap(w)[1]}x"
            for w in _uneven(use)
        )
        if parts := list(dict.fromkeys(told)):
            places.append(Location(use.identity, use.op, "; ".join(parts)))
    if places:
        what = count(len(places), "strided convolution")
        message = f"{what} whose kernel is not divisible by the stride: uneven gradients"
        yield RULE.finding(message, places, {"sites": len(places)})


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check, default=False)
