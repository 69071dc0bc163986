"""A Pad of zeros stands alone although it could be the convolution's own pads.

What it finds
-------------
Explicit Pads of zeros that could be pads of the convolutions that read them, bit for bit, and that
ONNX Runtime 1.31 does not fold itself. It folds a Pad directly in front of Conv at every opset
from 7 to 23; it does not where the Pad names axes, where an activation, a Transpose or Q/DQ stands
between, where auto_pad is VALID, or where ops of several types read it.

Why it matters
--------------
The Pad copies the whole map, and between two convolutions it undoes their blocked layout: two
reorderings and a copy for nothing. What would fuse across it (Conv and activation, Q/DQ and Conv)
does not.

Example
-------
Pad, Relu, Conv: Relu(0) is 0, so the zeros can be the Conv's.

What to do
----------
`onnxpad rewrite MODEL --mode zero` makes them the convolutions' own; its outputs are equal.
"""

from collections.abc import Iterator

from onnxpad import ops
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.implicit import KEEPS_ZERO, conv_takes_pads, only_windows_read
from onnxpad.ort_fusion import folds
from onnxpad.records import PaddingSite
from onnxpad.rules.rule import rule
from onnxpad.scopes import Scope
from onnxpad.subject import Subject
from onnxpad.text import count
from onnxpad.trace import follow
from onnxpad.values import Values


def _in_the_way(scope: Scope, values: Values, site: PaddingSite) -> str | None:
    """What keeps ONNX Runtime from folding a Pad that could be folded; None if nothing does."""
    if site.form != "Pad" or site.mode.name != "zero" or None in _amounts(site):
        return None
    pad = scope.nodes[scope.producers[site.node]]
    trace = follow(scope, values, site.node, tuple(axis.axis for axis in site.axes))
    between = [scope.nodes[i] for i in trace.between]
    readers = [scope.nodes[i] for i, _ in trace.readers]
    names = [site.node, *(node.output[0] for node in between)]
    possible = (
        all(node.op_type in KEEPS_ZERO for node in between)
        and all(map(conv_takes_pads, readers))
        and only_windows_read(scope, names, trace.between)
    )
    if not possible or folds(scope, values, pad):
        return None
    if between:
        return f"{ops.op_name(between[0])} stands between"
    return f"read by {', '.join(dict.fromkeys(map(ops.op_name, readers)))}"


def _amounts(site: PaddingSite) -> list[int | None]:
    return [amount for axis in site.axes for amount in (axis.begin, axis.end)]


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such Pads."""
    places = [
        Location(site.identity, site.op, why)
        for site in subject.survey.sites
        if (why := _in_the_way(subject.by_path[site.scope], subject.values, site)) is not None
    ]
    if not places:
        return
    message = (
        f"the zeros of {count(len(places), 'Pad')} could be pads of the convolutions behind, and "
        "ONNX Runtime does not fold them"
    )
    yield RULE.finding(message, places, {"sites": len(places)})


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)
