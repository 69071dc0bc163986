"""The input's size is free, and it decides whether strided windows read padding evenly.

What it finds
-------------
Models whose input has a free height, width or length and which have strided, padded windows. It
names the input sizes at which every strided window op reads as much padding at both sides and
leaves no real row unread, and at which the graph is known to run: by following sizes through the
graph, and by onnx's strict shape inference.

Why it matters
--------------
Whoever feeds the model chooses, mostly without knowing it. At other sizes some layers see padding
on one side alone (arXiv 2010.02178, section 3). Where maps are up-sampled and joined again, the
sizes that run and the even ones may exclude each other; that is said, too.

Example
-------
A ResNet without a fixed input size: even at 193, 225 and 257, that is at 1 modulo 32.

What to do
----------
Resize or crop to one of these sizes where the application is free to; `--size HxW` judges any
other.
"""

from collections.abc import Iterator

from onnxpad.even_sizes import EvenAxis
from onnxpad.findings import Confidence, Finding, Severity
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.windows import WindowUse

_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def _pads(use: WindowUse) -> bool:
    """Whether a strided window reads padding, or may: unknown pads depend on the size."""
    return use.strided and any(a.begin != 0 or a.end != 0 for a in use.axes)


def _told(axis: EvenAxis, name: str) -> str:
    if axis.unknown:
        return f"{name}: unknown, because {axis.unknown}"
    low, high = axis.searched
    if not axis.sizes:
        return f"{name}: no size from {low} to {high} is even and runs"
    nearest = ", ".join(map(str, sorted(axis.sizes[:3])))
    period = axis.period
    rule_of_thumb = f" ({period[0]} modulo {period[1]} from {low} to {high})" if period else ""
    return f"{name}: {nearest}{rule_of_thumb}"


def check(subject: Subject) -> Iterator[Finding]:
    """One note for the whole model, where its size is free and was not asked about."""
    picture = subject.picture
    if subject.size is not None or picture is None or not any(map(_pads, subject.windows)):
        return
    found = subject.even_sizes
    if found is None or not any(map(_of_use, found.axes)):
        return
    names = _NAMES.get(len(found.axes), tuple(f"axis {a.axis}" for a in found.axes))
    told = dict.fromkeys(
        _told(axis, name) for axis, name in zip(found.axes, names, strict=True) if _of_use(axis)
    )
    facts: dict[str, float | int | str] = {}
    for axis, name in zip(found.axes, names, strict=True):
        facts[f"strided_{name}"] = axis.strided
        facts[f"even_{name}"] = ",".join(map(str, sorted(axis.sizes[:3])))
    shapes = " or ".join("×".join(map(str, shape)) for shape in found.shapes)
    advice = f"Sizes to feed that are even and run: {shapes}." if shapes else ""
    yield RULE.finding(
        f"the input's size is free; even sizes by {'; by '.join(told)}", (), facts, advice=advice
    )


def _of_use(axis: EvenAxis) -> bool:
    return bool(axis.strided or axis.unknown)


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)
