"""Back through operators that work element by element or over channels."""

import numpy as np
from onnx import NodeProto

from onnxpad import ops
from onnxpad.paths.counts import Counts, along, over_channels, uniform
from onnxpad.paths.state import Rule, Walk
from onnxpad.values import attributes


def other(walk: Walk, node: NodeProto, out: Counts) -> None:
    """Element by element where the shape stays; else every position counts alike, and a note."""
    for name in dict.fromkeys(node.input):
        if name not in walk.live:
            continue
        own = walk.sizes(name)
        if own is None or not out.space or (out.channels, out.space) == own:
            walk.give(name, out)
        else:
            walk.note(f"{ops.op_name(node)} is taken to read all positions alike")
            walk.give(name, uniform(out, *own))


def _binary(walk: Walk, node: NodeProto, out: Counts) -> None:
    for name in node.input:
        own = walk.sizes(name)
        if name not in walk.live:
            continue
        if own is None or out.space == () or own == (out.channels, out.space):
            walk.give(name, out)
            continue
        wider = any(size == 1 < full for size, full in zip(own[1], out.space, strict=False))
        if wider and node.op_type in ("Mul", "Div"):
            walk.note("a gate over all positions is taken as the factor 1")
            continue
        walk.give(name, _summed(out, *own))


def _summed(out: Counts, channels: int, space: tuple[int, ...]) -> Counts:
    """Back through broadcasting: sums over what was repeated."""
    back = out
    for axis, (size, full) in enumerate(zip(space, out.space, strict=False)):
        if size == 1 < full:
            back = along(back, axis, np.ones((full, 1)))
    return over_channels(back, 1) if channels == 1 < back.channels else back


def _product(walk: Walk, node: NodeProto, out: Counts) -> None:
    """Gemm and MatMul with weights: every output of a position counts every input of it."""
    name = node.input[0]
    weight = walk.scope.info(node.input[1]).shape
    if node.input[1] in walk.live or weight is None:
        other(walk, node, out)
        return
    own = walk.sizes(name)
    if own is not None and out.space:
        walk.give(name, over_channels(out, own[0]))
        return
    columns = weight[0] if attributes(node).get("transB", 0) else weight[-1]
    factor = float(columns) if isinstance(columns, int) else 1.0
    walk.give(name, uniform(out, 1, (), factor))


ELEMENTS: dict[str, Rule] = {
    **dict.fromkeys((*ops.BINARY, "Sum", "Mean", "Where"), _binary),
    "Gemm": _product,
    "MatMul": _product,
}
