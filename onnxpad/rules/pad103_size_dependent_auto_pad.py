"""auto_pad leaves the padding to the runtime, which chooses it by size or refuses to.

What it finds
-------------
Strided window ops with auto_pad SAME_UPPER or SAME_LOWER on axes whose size is free: the padding
differs from one input size to the next. As errors: auto_pad SAME together with dilation, which
ONNX Runtime 1.31 refuses on convolutions when the model runs and computes with a wrong size on
pools, and a convolution with both auto_pad and pads, which it refuses when the model is loaded.

Why it matters
--------------
With stride 2 and kernel 3 an even size is padded 0+1, an odd one 1+1: the windows sit half a
stride further left for one of them, so that the same object gives other features at another image
size. Runtimes and converters disagree on what SAME means with dilation.

Example
-------
A Conv with auto_pad SAME_UPPER, kernel 3 and stride 2 on an input of free height and width.

What to do
----------
Feed sizes of one remainder only (`onnxpad audit --size HxW` judges one size), or export again with
explicit pads. For dilated SAME convolutions write d (k - 1) / 2 pads on both sides.
"""

from collections.abc import Iterator

from onnx import NodeProto

from onnxpad import ops
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.geometry import Window, same_pads
from onnxpad.records import PaddingSite
from onnxpad.rules.rule import rule
from onnxpad.scopes import Scope, identities
from onnxpad.subject import Subject
from onnxpad.text import count
from onnxpad.values import attributes

_MOST = 8  # remainders that are worth listing


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for what is refused, one for wrong sizes, one for what depends on the size."""
    refused: list[Location] = []
    resized: list[Location] = []
    for scope in subject.scopes:
        for node, identity in zip(scope.nodes, identities(scope), strict=True):
            op = ops.window_op(node)
            if op is not None and (why := _refused(scope, node, op)):
                (refused if op.conv else resized).append(Location(identity, ops.op_name(node), why))
    if refused:
        message = f"ONNX Runtime refuses the auto_pad of {count(len(refused), 'convolution')}"
        yield RULE.finding(message, refused, {"sites": len(refused)}, severity=Severity.ERROR)
    if resized:
        message = (
            f"ONNX Runtime leaves dilation out of the auto_pad of {count(len(resized), 'pool')}: "
            "the output is smaller than SAME says"
        )
        yield RULE.finding(message, resized, {"sites": len(resized)}, severity=Severity.ERROR)
    free = [
        Location(site.identity, site.op, detail)
        for site in subject.survey.sites
        if site.form == "auto_pad" and (detail := _changes(subject, site))
    ]
    if free:
        message = (
            f"the padding of {count(len(free), 'window op')} depends on the input size "
            "(auto_pad SAME with a stride)"
        )
        yield RULE.finding(message, free, {"sites": len(free)})


def _refused(scope: Scope, node: NodeProto, op: ops.WindowOp) -> str:
    """Why ONNX Runtime does not compute what an op's auto_pad says; "" if it does."""
    given = attributes(node)
    automatic = given.get("auto_pad", b"NOTSET").decode(errors="replace")
    if op.conv and automatic != "NOTSET" and "pads" in given:
        return f"auto_pad {automatic} beside pads"
    if not automatic.startswith("SAME"):
        return ""
    windows = ops.windows(scope, node, op, given) or ()
    dilations = given.get("dilations") or [w.dilation for w in windows]
    matters = op.conv or any(w.extent > w.kernel for w in windows)
    if max(dilations, default=1) > 1 and matters:
        return f"auto_pad {automatic} with dilation {max(dilations)}"
    return ""


def _changes(subject: Subject, site: PaddingSite) -> str:
    """What the padding of an auto_pad site is by remainder of the size; "" where it is fixed."""
    free = [a.window for a in site.axes if a.begin is None and a.window is not None]
    strided = [w for w in free if w.stride > 1 and w.extent > 1 and w.dilation == 1]
    if not strided:
        return ""
    scope = subject.by_path[site.scope]
    given = attributes(scope.nodes[scope.producers[site.node]])
    lower = given.get("auto_pad") == b"SAME_LOWER"
    return ", ".join(dict.fromkeys(_by_remainder(w, lower=lower) for w in strided))


def _by_remainder(window: Window, *, lower: bool) -> str:
    stride = window.stride
    if stride > _MOST:
        return f"by the size modulo {stride}"
    large = stride * window.extent
    pads = (same_pads(large + r, window, lower=lower) for r in range(stride))
    return " or ".join(f"{b}+{e} at {stride}n" + f"+{r}" * (r > 0) for r, (b, e) in enumerate(pads))


RULE = rule(__name__, Severity.WARNING, Confidence.HIGH, check)
