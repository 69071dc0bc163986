"""Operators that read the whole map: another cause of seams, which no padding mends.

What it finds
-------------
In models whose output has positions of its own: normalisation over space (InstanceNormalization,
GroupNormalization), global pooling and reductions that flow back into the map (squeeze and excite),
softmax along space, attention and products of positions, recurrent layers along space.
Classifiers, which end in global pooling, are left alone.

Why it matters
--------------
Each position depends on all of the image through such an operator. Two tiles of one image get
other statistics, so that they differ everywhere and not near the border alone: seams between tiles
often come from InstanceNorm and not from padding (Buglakova et al. 2025). Context error holds that
difference too; a comparison labels such models "mixed".

Example
-------
A style-transfer net with InstanceNormalization behind every convolution.

What to do
----------
Run tiles as large as memory allows, or the whole image; overlaps do not remove these seams. Look
for padding's share with `onnxpad compare`, which tells both apart by ring.
"""

from collections.abc import Iterator

from onnxpad import ops
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule
from onnxpad.scopes import identities
from onnxpad.subject import Subject
from onnxpad.text import count


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such operators in front of dense outputs."""
    reach = subject.reach
    dense = {index for final in reach.finals if final.dense for index in final.map.through}
    if not dense:
        return
    names = identities(subject.main)
    nodes = subject.main.nodes
    places = [
        Location(names[index], ops.op_name(nodes[index]), reach.whole[index])
        for index in sorted(dense)
    ]
    kinds = ", ".join(dict.fromkeys(place.op for place in places))
    read = "reads" if len(places) == 1 else "read"
    message = (
        f"{count(len(places), 'operator')} in front of the output {read} the whole map ({kinds}): "
        "seams between tiles that padding is not to blame for"
    )
    yield RULE.finding(message, places, {"sites": len(places)})


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)
