"""Strided windows read more padding on one side of the map than on the other.

What it finds
-------------
Convolutions and pools that step by more than 1 along an axis and, at the model's input size, read
more invented elements at the begin (top, left) than at the end (bottom, right) or the other way
round, or leave real rows at the end unread. 1x1 windows are left out, and so are windows without
any padding. With n elements, pads b and e, kernel k, dilation d and stride s,
u = (n + b + e - d(k - 1) - 1) mod s elements at the end are behind the last window.

Why it matters
--------------
Layer by layer the windows sit off centre to the same side. Mind the Pad (arXiv 2010.02178) traces
asymmetric kernels and blind spots to it, and finds ImageNet accuracy 0.4 % higher on average when
networks are trained at 225 instead of 224 pixels. TensorFlow's SAME errs at the other side.

Example
-------
A ResNet at 224x224: each of its five strided ops reads padding at the top and left, and one element
less at the bottom and right. At 225x225 none does.

What to do
----------
Train, export and feed the model at one of the even sizes that the finding names. A trained model
has adapted to its size: measure before you change it. With --size the audit looks at another size.
"""

from collections.abc import Iterator, Sequence

from onnxpad.even_sizes import EvenSizes
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.windows import WindowAxis, WindowUse


def _strided(axis: WindowAxis) -> bool:
    return axis.window is not None and axis.window.stride > 1 and axis.window.extent > 1


def _uneven(axis: WindowAxis) -> bool:
    reading = axis.reading
    if not _strided(axis) or reading is None or reading.even:
        return False
    return bool(axis.begin or axis.end or reading.end)


def _place(use: WindowUse, axes: Sequence[WindowAxis]) -> Location:
    parts = []
    for axis in axes:
        reading = axis.reading
        if reading is not None:
            lost = f", {reading.lost} real unread" if reading.lost else ""
            pads = f"{reading.begin}+{reading.end} of {axis.begin}+{axis.end}"
            parts.append(f"size {axis.size} reads {pads} pads (begin+end){lost}")
    return Location(use.identity, use.op, "; ".join(dict.fromkeys(parts)))


def _advice(found: EvenSizes | None) -> str:
    if found is None:
        return ""
    if found.shapes:
        shown = " or ".join("×".join(map(str, shape)) for shape in found.shapes)
        return f"The nearest input sizes that are even in every strided op: {shown}."
    for axis in found.axes:
        if axis.unknown:
            return f"Even sizes cannot be told: {axis.unknown}."
        if axis.stuck:
            return f"As exported it runs at no other size ({axis.stuck}): export it again for one."
    low, high = found.axes[0].searched
    return f"No size from {low} to {high} is even in every strided op and runs in this graph."


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all uneven window ops."""
    strided = [use for use in subject.windows if any(map(_strided, use.axes))]
    uneven = [(use, axes) for use in strided if (axes := [a for a in use.axes if _uneven(a)])]
    if not uneven:
        return
    readings = [[a.reading for a in axes if a.reading is not None] for _, axes in uneven]
    begin = sum(any(r.begin > r.end for r in rows) for rows in readings)
    end = sum(any(r.begin < r.end for r in rows) for rows in readings)
    lost = sum(any(r.lost for r in rows) for rows in readings)
    image = subject.size is None or len(subject.size) > 1
    told = (
        (begin, "at the begin (top, left)" if image else "at the begin"),
        (end, "at the end (bottom, right)" if image else "at the end"),
    )
    sides = [f"more {side} in {count}" for count, side in told if count]
    sides += [f"real rows never read in {lost}"] if lost else []
    at = "x".join(map(str, subject.size)) if subject.size else ""
    message = (
        f"{len(uneven)} of {len(strided)} strided window ops read padding unevenly"
        f"{' at ' + at.replace('x', '×') if at else ''}: {', '.join(sides)}"
    )
    even = subject.even_sizes
    nearest = "x".join(map(str, even.shapes[0])) if even is not None and even.shapes else ""
    facts: dict[str, float | int | str] = {
        "uneven": len(uneven), "strided": len(strided), "more_at_begin": begin,
        "more_at_end": end, "unread_real": lost, "size": at, "nearest_even": nearest,
    }  # fmt: skip
    severity = None if any(use.conv for use, _ in uneven) else Severity.NOTE
    places = [_place(use, axes) for use, axes in uneven]
    yield RULE.finding(message, places, facts, severity=severity, advice=_advice(even))


RULE = rule(__name__, Severity.WARNING, Confidence.HIGH, check)
