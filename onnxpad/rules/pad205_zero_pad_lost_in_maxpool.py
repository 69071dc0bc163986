"""ONNX Runtime turns the zeros in front of a MaxPool into minus infinity.

What it finds
-------------
An explicit Pad of zeros that only MaxPools read, where values may be negative. From its level
"basic" of graph optimisation on, which is on unless it is switched off, ONNX Runtime 1.31 makes
such a Pad the pool's own pads, at every opset from 7 to 23. Behind a Relu, or wherever else nothing
is negative, the result is the same, and nothing is found.

Why it matters
--------------
A MaxPool's own padding never wins; a zero does where all real values of a window are negative.
The model then computes something else than its graph says and than the framework it came from
computed, and something else again with another runtime or without optimisation.

Example
-------
ZeroPadding2D and MaxPooling2D behind a BatchNormalization without Relu.

What to do
----------
Decide which of the two is meant. If minus infinity, give the MaxPool its pads and drop the Pad; if
zero, name the spatial axes in the Pad's `axes` input (opset 18), which ONNX Runtime does not fold.
"""

from collections.abc import Iterator

from onnxpad.bounds import BoundsFinder
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.ort_fusion import folds
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.text import count


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such Pads."""
    finder = BoundsFinder(subject.values)
    places = []
    for site in subject.survey.sites:
        scope = subject.by_path[site.scope]
        node = scope.producer(site.node)
        if node is None or site.form != "Pad" or site.reader_ops != ("MaxPool",):
            continue
        if folds(scope, subject.values, node) and finder.find(scope, site.source).low < 0:
            places.append(Location(site.identity, site.op, "becomes -inf"))
    if not places:
        return
    message = (
        f"ONNX Runtime turns the zeros of {count(len(places), 'Pad')} in front of MaxPool into "
        "minus infinity, which differs where values are negative"
    )
    yield RULE.finding(message, places, {"sites": len(places)})


RULE = rule(__name__, Severity.ERROR, Confidence.MEDIUM, check)
