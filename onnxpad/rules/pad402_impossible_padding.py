"""Padding that cannot be done at this size or opset.

What it finds
-------------
Pads of mode reflect that are as large as the map or larger (a map of size 1 takes none), a mode
that ONNX does not have, and pools whose padding is not smaller than their kernel, Pads that ONNX
Runtime folds into them among it: errors, because the model cannot run. And, as a warning, mode
wrap below opset 19: ONNX Runtime runs it, the standard has it only from 19 on.

Why it matters
--------------
The checker accepts these models and they fail when they are run, with a size that was never
tried; old versions of ONNX Runtime wrote zeros in silence. Other runtimes refuse wrap below 19.

Example
-------
A Pad with mode reflect and 40 pixels per side on a 32x32 image: at most 31 can be mirrored.

What to do
----------
Run on larger inputs (`onnxpad audit --size HxW` judges another size) or let `onnxpad rewrite --mode
edge --from reflect` change the mode: edge and wrap do for any size. For wrap raise the opset to 19.
"""

from collections.abc import Iterator

from onnx import NodeProto

from onnxpad import ops
from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.ort_fusion import folded_pads
from onnxpad.pad_sites import pad_amounts
from onnxpad.rules.rule import rule
from onnxpad.scopes import Scope, identities
from onnxpad.subject import Subject
from onnxpad.text import count
from onnxpad.values import Values, attributes
from onnxpad.window_sites import size_of

_WRAP_SINCE = 19
_MODES = ("constant", "reflect", "edge", "wrap")
_CAUSES = {
    "reflect": (Severity.ERROR, "to mirror more than there is: the model fails when it runs"),
    "mode": (Severity.ERROR, "with a mode that ONNX does not have: the model cannot be loaded"),
    "pool": (Severity.ERROR, "padded by the kernel or more: the model cannot be loaded"),
    "wrap": (Severity.WARNING, "of mode wrap below opset 19, where only ONNX Runtime has it"),
}


def check(subject: Subject) -> Iterator[Finding]:
    """A finding for each cause."""
    found: dict[str, list[Location]] = {}
    for scope in subject.scopes:
        names = identities(scope)
        for index, (node, identity) in enumerate(zip(scope.nodes, names, strict=True)):
            if index in scope.guarded:
                continue
            if ops.key(node) == ("", "Pad"):
                cause, detail = _of_pad(scope, subject.values, node)
            else:
                cause, detail = "pool", _of_pool(scope, subject.values, node)
            if detail:
                found.setdefault(cause, []).append(Location(identity, ops.op_name(node), detail))
    for cause, (severity, text) in _CAUSES.items():
        if places := found.get(cause):
            message = f"{count(len(places), 'pool' if cause == 'pool' else 'Pad')} {text}"
            yield RULE.finding(message, places, {"sites": len(places)}, severity=severity)


def _of_pad(scope: Scope, values: Values, node: NodeProto) -> tuple[str, str]:
    """(cause, detail) of a Pad that is not possible; the detail is "" for one that is."""
    given = attributes(node)
    mode = given.get("mode", b"constant")
    mode = mode.decode(errors="replace") if isinstance(mode, bytes) else "constant"
    if mode not in _MODES:
        return "mode", f"mode {mode}"
    if mode == "wrap" and scope.opset < _WRAP_SINCE:
        return "wrap", f"opset {scope.opset}"
    amounts = pad_amounts(scope, values, node, given) if mode == "reflect" else None
    if amounts is None:
        return "", ""
    begins, ends, rank = amounts
    shape = scope.info(node.input[0]).shape
    if any(p is not None and p < 0 for p in (*begins, *ends)):
        return "", ""  # what is cropped first decides
    for axis in range(rank):
        size, largest = size_of(shape, axis), max(begins[axis] or 0, ends[axis] or 0)
        if size is not None and 0 < largest >= size:
            return "reflect", f"{largest} mirrored on an axis of {size}"
    return "", ""


def _of_pool(scope: Scope, values: Values, node: NodeProto) -> str:
    op = ops.window_op(node)
    if op is None or op.conv or node.domain not in ("", "ai.onnx"):
        return ""
    windows, pads = ops.windows(scope, node, op), folded_pads(scope, values, node)
    if windows is None or pads is None or len(pads) != 2 * len(windows):
        return ""
    kernels = [w.kernel for w in windows] * 2
    over = [(p, k) for p, k in zip(pads, kernels, strict=True) if p >= k]
    return "pads {} with kernel {}".format(*over[0]) if over else ""


RULE = rule(__name__, Severity.ERROR, Confidence.HIGH, check)
