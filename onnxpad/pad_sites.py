"""Padding that stands as nodes of its own: Pad, or Slice, Gather and Concat that pad."""

from dataclasses import replace
from math import nan

import numpy as np
from onnx import NodeProto, TensorProto

from onnxpad import ops
from onnxpad.modes import Mode
from onnxpad.recognise import Composed
from onnxpad.records import OtherPad, PaddingSite, SiteAxis
from onnxpad.scopes import Scope, node_name
from onnxpad.trace import Axes, Trace, follow
from onnxpad.values import Values, attributes
from onnxpad.window_sites import causal, size_of, spatial_axes


def pad_site(scope: Scope, values: Values, node: NodeProto) -> PaddingSite | OtherPad:
    """What a Pad node is: a site, or something else for a reason."""
    given = attributes(node)
    info = scope.info(node.input[0])
    amounts = pad_amounts(scope, values, node, given)
    if amounts is None:
        return OtherPad("", "its pads are computed in a way that cannot be followed")
    begins, ends, rank = amounts
    padded = [i for i in range(rank) if (begins[i], ends[i]) != (0, 0)]
    if not padded:
        return OtherPad("", "it pads nothing")
    known = [v for i in padded for v in (begins[i], ends[i]) if v is not None]
    if any(v < 0 for v in known):
        return OtherPad("", "it crops (negative pads)")
    mode = pad_mode(scope, values, node)
    trace = border(scope, values, node.output[0], tuple(padded), mode)
    axes = tuple(SiteAxis(i, size_of(info.shape, i), begins[i], ends[i], None) for i in padded)
    return _explicit(scope, node, "Pad", mode, node.input[0], rank, axes, trace)


def border(scope: Scope, values: Values, name: str, axes: Axes, mode: Mode) -> Trace:
    """Where a padded tensor's border is read; copies stay copies behind convolutions of kernel 1.

    These are passed where all that reads their results in the end is window ops again: there
    rewriting puts padding that costs less in front of them. Else they are the readers.
    """
    if mode.copying or mode.name == "linear":
        trace = follow(scope, values, name, axes, convs=True)
        if trace.readers and not trace.blocked:
            return trace
    return follow(scope, values, name, axes)


def pad_amounts(
    scope: Scope, values: Values, node: NodeProto, given: dict[str, object]
) -> tuple[list[int | None], list[int | None], int] | None:
    """(begins, ends, rank) over all axes, from whichever place this opset keeps them."""
    amounts: list[int | None]
    if "pads" in given:
        amounts = list(given["pads"])  # type: ignore[call-overload]  # an INTS attribute
    else:
        found = values.ints(scope, node.input[1]) if len(node.input) > 1 else None
        if found is None:
            return None
        amounts = list(found)
    half = len(amounts) // 2
    shape = scope.info(node.input[0]).shape
    if len(node.input) < 4 or not node.input[3]:
        return (amounts[:half], amounts[half:], half) if len(amounts) == 2 * half else None
    named = values.ints(scope, node.input[3])
    if shape is None or named is None or None in named or len(named) != half:
        return None
    begins: list[int | None] = [0] * len(shape)
    ends: list[int | None] = [0] * len(shape)
    for position, axis in enumerate(named):
        if axis is None or not -len(shape) <= axis < len(shape):
            return None
        begins[axis], ends[axis] = amounts[position], amounts[position + half]
    return begins, ends, len(shape)


def pad_mode(scope: Scope, values: Values, node: NodeProto) -> Mode:
    """What a Pad node invents; integers count from the zero point of whoever reads them."""
    given = attributes(node)
    name = given.get("mode", b"constant")
    text = name.decode(errors="replace") if isinstance(name, bytes) else "constant"
    if text != "constant":
        return Mode(text) if text in ("edge", "reflect", "wrap") else Mode("constant", nan)
    if "value" in given:
        fill: float | None = float(given["value"])
    elif len(node.input) > 2 and node.input[2]:
        fill = values.number(scope, node.input[2])
    else:
        fill = 0.0
    if fill is None:
        return Mode("constant", nan)
    neutral = zero_point(scope, values, node.output[0])
    if neutral is None:
        return Mode("constant", nan)
    if fill == neutral:
        return Mode("zero")
    return Mode("constant", _as_written(fill - neutral, scope.info(node.input[0]).dtype))


def _as_written(value: float, dtype: int) -> float:
    """The shortest number that a tensor of this type holds as the value: 0.1, not its rounding."""
    if dtype not in (TensorProto.FLOAT, TensorProto.FLOAT16):
        return value
    with np.errstate(over="ignore"):  # a fill that float16 cannot hold is infinity there
        rounded = np.float32(value) if dtype == TensorProto.FLOAT else np.float16(value)
    return float(str(rounded))


# What hands integers on as they are, beside further window ops.
_SAME_NUMBERS = frozenset(
    ("Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Pad", "MaxPool")
)


def zero_point(scope: Scope, values: Values, name: str) -> float | None:
    """The number that means 0 in a tensor: the zero point of those who read it, 0 for floats.

    None where it is not one number, or readers do not agree on it.
    """
    found: set[float | None] = set()
    queue, seen = [name], {name}
    while queue:
        name = queue.pop()
        for reader in (scope.nodes[i] for i in scope.readers(name)):
            op = ops.window_op(reader)
            position = 2 if reader.op_type == "DequantizeLinear" else op.zero_point if op else -1
            if position >= 0 and reader.input[0] == name:
                given = reader.input[position] if len(reader.input) > position else ""
                found.add(values.number(scope, given) if given else 0.0)
            elif reader.op_type in _SAME_NUMBERS and reader.input[0] == name:
                queue += {reader.output[0]} - seen
                seen.add(reader.output[0])
    return found.pop() if len(found) == 1 else None if found else 0.0


def composed_site(
    scope: Scope, values: Values, node: NodeProto, found: Composed
) -> PaddingSite | None:
    """A padding composed of several nodes, if window ops read it; None if anything else does."""
    trace = border(scope, values, found.output, tuple(a for a, *_ in found.axes), found.mode)
    shape = scope.info(found.source).shape
    axes = tuple(
        SiteAxis(axis, size_of(shape, axis), begin, end, None) for axis, begin, end in found.axes
    )
    rank = len(shape) if shape else found.rank or _rank_read(scope, trace)
    if not rank:
        return None
    site = _explicit(scope, node, "composed", found.mode, found.source, rank, axes, trace)
    return site if isinstance(site, PaddingSite) else None


def _rank_read(scope: Scope, trace: Trace) -> int:
    """Axes of a tensor of unknown shape, told by the window op that reads it; 0 where unknown."""
    reader = scope.nodes[trace.readers[0][0]] if trace.readers else NodeProto()
    op = ops.window_op(reader)
    windows = ops.windows(scope, reader, op) if op else None
    return len(windows) + 2 if windows else 0


def _explicit(
    scope: Scope, node: NodeProto, form: str, mode: Mode, source: str, rank: int,
    axes: tuple[SiteAxis, ...], trace: Trace,
) -> PaddingSite | OtherPad:  # fmt: skip
    """A site that stands as nodes of its own, if every way its border takes ends in a window op."""
    if trace.blocked:
        return OtherPad("", trace.blocked)
    if not trace.readers:
        return OtherPad("", "no window op reads it")
    read = [scope.nodes[i] for i, _ in trace.readers]
    for reader, (_, theirs) in zip(read, trace.readers, strict=True):
        op = ops.window_op(reader)
        windows = ops.windows(scope, reader, op) if op else None
        spatial = spatial_axes(reader, op, windows, attributes(reader), None) if op else None
        if spatial is None:
            return OtherPad("", f"which axes of {node_name(reader)!r} are spatial is unknown")
        if not set(theirs) <= set(spatial):
            return OtherPad("", f"it pads the batch or channel axis of {node_name(reader)!r}")
    axes = _with_windows(scope, axes, trace)
    first = ops.window_op(read[0])
    windows = ops.windows(scope, read[0], first) if first else None
    return PaddingSite(
        "", scope.path, node.output[0], ops.op_name(node), form, mode, source, rank,
        scope.info(source).dtype, axes, tuple(r.output[0] for r in read),
        tuple(dict.fromkeys(ops.op_name(r) for r in read)),
        any((o := ops.window_op(r)) is not None and o.conv for r in read),
        causal(axes, windows), scope.opset, _explicit_notes(node, read, trace),
    )  # fmt: skip


def _explicit_notes(node: NodeProto, read: list[NodeProto], trace: Trace) -> tuple[str, ...]:
    """What is special about it.

    ``hoisted``: it stands in front of convolutions of kernel 1, which pass it on. ``direct``: every
    reader reads the padded tensor itself, and pads nothing of its own.
    """
    if trace.through:
        return ("hoisted",)
    own = (attributes(r) for r in read)
    plain = all(
        not any(o.get("pads", ())) and o.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
        for o in own
    )
    direct = plain and all(r.input[0] == node.output[0] for r in read)
    return ("direct",) if direct else ()


def _with_windows(scope: Scope, axes: tuple[SiteAxis, ...], trace: Trace) -> tuple[SiteAxis, ...]:
    """The axes with the window of the first reader that slides along each."""
    index, theirs = trace.readers[0]
    node = scope.nodes[index]
    op = ops.window_op(node)
    windows = ops.windows(scope, node, op) if op else None
    if op is None or windows is None:
        return axes
    first = 1 if ops.channels_last(node, op) else 2
    return tuple(replace(a, window=windows[t - first]) for a, t in zip(axes, theirs, strict=True))
