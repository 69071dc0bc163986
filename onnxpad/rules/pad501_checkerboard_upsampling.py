"""A transposed convolution's windows overlap unevenly: checkerboard patterns.

What it finds
-------------
ConvTranspose nodes whose kernel is not divisible by their stride along some axis, dilation counted:
some output positions are sums of more products than their neighbours.

Why it matters
--------------
The output has a pattern of the stride's period even for a constant input, all over the map, which
training has to learn away and often does not (Odena, Dumoulin and Olah, "Deconvolution and
Checkerboard Artifacts", Distill 2016). It is easily taken for a padding artifact, and no change of
padding removes it.

Example
-------
Kernel 3 with stride 2: every other row adds two products, those between only one.

What to do
----------
Train with a kernel that is a multiple of the stride (4 for 2), or with a resize and a convolution.
"""

from collections.abc import Iterator

from onnx import NodeProto

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.geometry import Window, overlap
from onnxpad.rules.rule import rule
from onnxpad.scopes import Scope, identities
from onnxpad.subject import Subject
from onnxpad.text import count
from onnxpad.values import attributes


def _windows(scope: Scope, node: NodeProto) -> list[Window]:
    """The window along each spatial axis; [] where it is unknown."""
    given = attributes(node)
    shape = scope.info(node.input[1]).shape if len(node.input) > 1 else None
    kernel = given.get("kernel_shape") or [d for d in (shape or ())[2:] if isinstance(d, int)]
    strides, dilations = (given.get(k) or [1] * len(kernel) for k in ("strides", "dilations"))
    if not len(kernel) == len(strides) == len(dilations) or min(kernel + strides, default=0) < 1:
        return []
    return [Window(*three) for three in zip(kernel, strides, dilations, strict=True)]


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such nodes."""
    places = []
    for scope in subject.scopes:
        names = identities(scope)
        for name, node in zip(names, scope.nodes, strict=True):
            if node.op_type != "ConvTranspose" or node.domain not in ("", "ai.onnx"):
                continue
            uneven = [w for w in _windows(scope, node) if overlap(w)[0] < overlap(w)[1]]
            if uneven:
                places.append(Location(name, node.op_type, _told(uneven)))
    if places:
        what = count(len(places), "transposed convolution")
        message = f"{what} whose kernel is not divisible by the stride: checkerboard patterns"
        yield RULE.finding(message, places, {"sites": len(places)})


def _told(windows: list[Window]) -> str:
    parts = (
        f"kernel {w.kernel}, stride {w.stride}: {overlap(w)[0]} to {overlap(w)[1]} products"
        for w in windows
    )
    return "; ".join(dict.fromkeys(parts))


RULE = rule(__name__, Severity.WARNING, Confidence.MEDIUM, check)
