"""Border rows or columns stand out in a layer's map averaged over images.

What it finds
-------------
Each layer's map is averaged over channels and over up to 16 images. A border row or column is a
line artifact where it is more than three standard deviations from the interior's rows, and also
more than three times as far from its neighbour as interior rows are. A note where lines are found;
a warning where three quarters of the judged layers, and at least three, have one: then it is no
matter of a few layers. Maps of fewer than 8 positions along an axis have no interior and are
counted, not judged.

Why it matters
--------------
Averaged over many images no row differs from its neighbour; a line at the border of the average is
there in every image, whatever it shows. Detectors are blind along such lines, and tiles show seams.

Example
-------
Zero padding in front of a convolution whose kernel sums to a large number: the outermost row of
the mean map is far from all the others.

What to do
----------
Compare with a rewrite (`--mode edge`, or `--halo` for image-to-image models), which says whether
the lines go and what the task loses; its page (`--report html:PATH`) shows the maps. With few
images the average swings: give more of your own with `--data` and `--samples`.
"""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule

if TYPE_CHECKING:
    from onnxpad.measure.mean_map import MeanMap

RULE = rule(__name__, Severity.NOTE, Confidence.MEDIUM)
WARNING_SHARE, WARNING_LAYERS = 0.75, 3


def findings(maps: "Sequence[MeanMap]") -> Iterator[Finding]:
    """One finding for all layers with lines."""
    judged = [m for m in maps if not m.unjudged]
    lined = [m for m in judged if m.artifacts]
    if not lined:
        return
    lines = sum(len(m.artifacts) for m in lined)
    images = max(m.images for m in lined)
    message = (
        f"{lines} border lines stand out in mean maps of {len(lined)} of {len(judged)} layers "
        f"({images} images)"
    )
    much = len(lined) >= max(WARNING_SHARE * len(judged), WARNING_LAYERS)
    facts = {
        "lines": lines, "layers": len(lined), "judged": len(judged),
        "unjudged": len(maps) - len(judged), "images": images,
    }  # fmt: skip
    places = [Location(m.layer, m.op, _detail(m)) for m in lined]
    yield RULE.finding(message, places, facts, severity=Severity.WARNING if much else Severity.NOTE)


def _detail(one: "MeanMap") -> str:
    worst = max(one.artifacts, key=lambda line: abs(line.z))
    z = f"{abs(worst.z):.3g}" if isfinite(worst.z) else "infinitely many"
    count = len(one.artifacts)
    return f"{count} line{'s' * (count > 1)}, the farthest {z} standard deviations out"
