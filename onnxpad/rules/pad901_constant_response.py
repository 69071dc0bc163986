"""Layers answer an image of one colour with a map that is not constant at the border.

What it finds
-------------
The model is run on an image of one colour, and each layer's map is held against its interior
value: what the layer gives where no padding is seen. The deviation at the worst position, over
the layer's scale (the RMS of the interior over channels), is told for the worst layer. A note from
1 % of the scale, which no rounding explains; a warning from ten times the scale. Ordinary networks
trained with zero padding lie at both sides: 16 published ones from 0.6 to 98 times, half below 8.5.
Layers whose interior is zero, or in doubt, are left out and counted.

Why it matters
--------------
An image of one colour has no edges, so what is seen at the border is made by padding alone, on
every image. Later layers read it as content: lines, blind strips, absolute position.

Example
-------
A convolution with a bias, then a second one with zero padding: the second sees the bias in the
middle and zeros around it, and its border rows come out darker.

What to do
----------
`onnxpad rewrite MODEL --mode edge` makes the response constant for graphs of convolutions and
pointwise operators; whether the task gets better is another question, which the comparison it runs
answers. For image-to-image models try `--halo` first.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule

if TYPE_CHECKING:
    from onnxpad.measure.constant_response import ConstantResponse
    from onnxpad.measure.layers import ConstantResponses

RULE = rule(__name__, Severity.NOTE, Confidence.HIGH)
NOTE, WARNING = 0.01, 10.0


def findings(found: "ConstantResponses") -> Iterator[Finding]:
    """One finding for all layers that deviate by the note's share of their scale or more."""
    sure = [r for r in found.original if r.relative is not None and not r.unsure]
    off = [r for r in sure if not r.clean and _share(r) >= NOTE]
    if not off:
        return
    worst = max(off, key=_share)
    covered = sum(r.widths is None for r in off)
    message = (
        f"{len(off)} of {len(found.original)} layers answer one colour with a border that is not "
        f"constant, by up to {_share(worst):.3g} of the layer's scale"
        + (f"; in {covered} it reaches every position" if covered else "")
        + ("; the first layer is fed zeros, so its own padding cannot show" * found.first_sees_zero)
    )
    facts = {
        "layers": len(off), "of": len(found.original), "largest": _share(worst),
        "all_positions": covered, "unsure": len(found.original) - len(sure),
    }  # fmt: skip
    places = [Location(r.layer, r.op, _detail(r)) for r in sorted(off, key=_share, reverse=True)]
    yield RULE.finding(
        message, places, facts,
        severity=Severity.WARNING if _share(worst) >= WARNING else Severity.NOTE,
    )  # fmt: skip


def _share(found: "ConstantResponse") -> float:
    return found.relative or 0.0


def _detail(found: "ConstantResponse") -> str:
    widths = found.widths_px
    if widths is None:
        reach = "every position"
    else:
        reach = f"{max(max(pair) for pair in widths):g} px in from the border"
    apart = f"; counts {', '.join(found.apart)}" if found.apart else ""
    return f"{_share(found):.3g} of its scale, {reach}{apart}"
