"""What the model gives at the border of a crop is not what real surroundings would make of it.

What it finds
-------------
A crop runs alone and inside a larger image; NE of a ring is the mean squared difference of the two
outputs there, over the variance of the output. Told is the worst ring, above the floor of the
innermost one, which no padding explains. A note from 0.1 % of the variance (super-resolution nets
lie at 1 to 3 %, which is seen as a frame); a warning from the whole of it, where the border's error
is as large as what the output has to say.
With `--data` of large enough images it stands on the user's own; else on synthetic scenes, which
is said, with low confidence. Models that read the whole image at some place (global pooling,
attention) are called mixed: context changes their inside too, and the finding stays a note.

Why it matters
--------------
It is the error that padding makes at every border: of a photograph, and of every tile that a large
image is cut into, where it is seen as a seam.

Example
-------
A super-resolution net with zero padding: the outermost pixels come out darker than the same pixels
computed inside a larger picture.

What to do
----------
For tiles, let them overlap: `onnxpad compare MODEL MODEL --tile T` says how many pixels are enough.
For whole images try `onnxpad rewrite MODEL --mode edge --halo N` on image-to-image models, or
`--mode edge`, and trust the comparison: a smaller border error is no cure where the task suffers.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule

if TYPE_CHECKING:
    from onnxpad.joining.context import Context
    from onnxpad.measure.context import ContextError

RULE = rule(__name__, Severity.NOTE, Confidence.MEDIUM)
NOTE, WARNING = 1e-3, 1.0
_ORIGINAL = "original"


def findings(found: "Context") -> Iterator[Finding]:
    """One finding for all outputs whose worst ring is above the floor by the note's share."""
    each = zip(found.names, found.errors[_ORIGINAL], strict=True)
    off = [(name, error) for name, error in each if _above(error) >= NOTE]
    if not off:
        return
    off.sort(key=lambda one: -_above(one[1]))
    _, worst = off[0]
    whose = "your images" if found.real else "synthetic scenes"
    message = (
        f"at the border the output differs from what real surroundings give by "
        f"{_times(max(worst.error))} its variance (innermost ring {worst.error[-1]:.2g}; "
        f"{found.images} crops, {whose})"
        + ("; mixed: part of the model reads the whole image" if found.mixed else "")
    )
    facts: dict[str, float | int | str] = {
        "ne": max(worst.error), "floor": worst.error[-1], "outputs": len(off),
        "crops": found.images, "images": "own" if found.real else "synthetic",
        "mixed": len(found.mixed),
    }  # fmt: skip
    large = _above(worst) >= WARNING and not found.mixed
    yield RULE.finding(
        message, [Location(name, "", _detail(error)) for name, error in off], facts,
        severity=Severity.WARNING if large else Severity.NOTE,
        confidence=Confidence.MEDIUM if found.real and not found.mixed else Confidence.LOW,
    )  # fmt: skip


def _above(error: "ContextError") -> float:
    return max(error.error) - error.error[-1] if error.error else 0.0


def _times(share: float) -> str:
    return f"{share:.3g} times"


def _detail(error: "ContextError") -> str:
    pixels = error.discard(NOTE)
    reach = "no ring is good" if pixels is None else f"the outer {pixels} px are above {NOTE:g}"
    return f"{_times(max(error.error))} its variance; {reach}"
