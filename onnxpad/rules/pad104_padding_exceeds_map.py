"""A convolution is padded by more than its map is wide, or sees mostly padding.

What it finds
-------------
Convolutions with at least as much padding on one side as the map has elements, and those where
less than half of what the kernel's taps read, over all positions, is real. The share of real
elements is counted exactly; so are taps that never meet one. Max-pools are left out: their padding
never wins.

Why it matters
--------------
Taps that read nothing but padding are dead weights. A dilated convolution whose padding is as
large as the map is a 1x1 convolution in all but name, which is what happens to the large rates of
an ASPP head on small inputs.

Example
-------
A 3x3 Conv with dilation 18 and padding 18 on a 14x14 map: 8 of its 9 taps never see a real
element, and 11 % of what it reads is real.

What to do
----------
Run the model on larger inputs (`onnxpad audit --size HxW` judges another size), or train it with
rates that suit this one. Copying modes do not help: what is copied is as far away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.geometry import out_size, real_positions
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.text import count
from onnxpad.windows import WindowAxis, WindowUse

_LONGEST = 4096  # taps along one axis that are counted one by one
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the taps of one op read: the real share, and how many of all taps never do."""

    share: float
    dead: int
    taps: int
    exceeds: bool


def _along(axis: WindowAxis) -> _Seen | None:
    window = axis.window
    if axis.size is None or axis.begin is None or axis.end is None or window is None:
        return _Seen(1.0, 0, 1 if window is None else window.kernel, exceeds=False)
    out = out_size(axis.size, window, axis.begin, axis.end)
    if not out or not axis.size or window.kernel > _LONGEST:
        return None
    counts = real_positions(axis.size, window, axis.begin, axis.end)
    exceeds = max(axis.begin, axis.end) >= axis.size
    return _Seen(sum(counts) / (out * window.kernel), counts.count(0), window.kernel, exceeds)


def _seen(use: WindowUse) -> _Seen | None:
    """The product over the axes: positions and taps of one are independent of the others."""
    axes = [_along(axis) for axis in use.axes] if use.conv else []
    known = [axis for axis in axes if axis is not None]
    if not known or len(known) < len(axes):
        return None
    taps = prod(axis.taps for axis in known)
    alive = prod(axis.taps - axis.dead for axis in known)
    exceeds = any(axis.exceeds for axis in known)
    return _Seen(prod(axis.share for axis in known), taps - alive, taps, exceeds)


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such convolutions, with the smallest share."""
    found = [
        (use, seen)
        for use in subject.windows
        if (seen := _seen(use)) and (seen.exceeds or seen.share < _HALF)
    ]
    if not found:
        return
    places = [
        Location(
            use.identity, use.op, f"{seen.share:.0%} real, {seen.dead} of {seen.taps} taps see none"
        )
        for use, seen in found
    ]
    exceeding = sum(seen.exceeds for _, seen in found)
    least = min(seen.share for _, seen in found)
    dead = max(seen.dead for _, seen in found)
    message = (
        f"padding is most of what {count(len(found), 'convolution')} can see: down to {least:.0%} "
        f"real elements; {exceeding} padded by the map's size or more, "
        f"up to {count(dead, 'tap')} without any real element"
    )
    facts = {"sites": len(found), "exceeding": exceeding, "least_real": least, "dead_taps": dead}
    yield RULE.finding(message, places, facts)


RULE = rule(__name__, Severity.WARNING, Confidence.HIGH, check)
