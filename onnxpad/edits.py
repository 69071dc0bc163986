"""Turn one decision, a site and its new mode, into edits of its scope."""

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from onnxpad import ops
from onnxpad.builder import Ints, whole
from onnxpad.compose import PadAxis, pad, pad_operator, same_amounts
from onnxpad.errors import UsageError
from onnxpad.fold import fold
from onnxpad.geometry import end_extent
from onnxpad.mean_pad import pad_mean
from onnxpad.modes import Mode
from onnxpad.pad_sites import zero_point
from onnxpad.partial import to_partial
from onnxpad.records import PaddingSite, SiteAxis
from onnxpad.scopes import Scope
from onnxpad.text import printable
from onnxpad.trace import quantised_alike
from onnxpad.values import attributes
from onnxpad.workshop import Workshop, element_type, set_pad_mode


def change(shop: Workshop, site: PaddingSite, mode: Mode) -> str:
    """Change a site to a mode; returns how it was done, in a word or two."""
    shop.build.name_after(site.node)
    if mode.name == "partial":
        return to_partial(shop, site)
    if site.form in ("Pad", "composed"):
        how = _change_explicit(shop, site, mode)
    else:
        how = _change_window(shop, site, mode)
    if how and mode.name != "zero" and "DeformConv" in site.reader_ops:
        how += "; samples that offsets move beyond it still read 0"
    return how


def _change_window(shop: Workshop, site: PaddingSite, mode: Mode) -> str:
    """Padding that a window op does itself: pad in front of it, and let it pad no more."""
    index = shop.scope.producers[site.node]
    node = shop.edit.node(index)
    axes = [_pad_axis(shop, site, node, axis) for axis in site.axes]
    quantised = _quantised_source(shop, node, site, mode)
    if mode.name == "mean":
        padded = built = _mean(shop, site, node.input[0], axes)
    elif not quantised:
        padded = built = pad(
            shop.build, node.input[0], axes, mode, site.rank, element_type(site),
            fill=_fill(shop, site, mode),
        )  # fmt: skip
    else:
        first = quantised[0]
        kind = shop.scope.info(first.input[0]).dtype
        padded = built = pad(shop.build, first.input[0], axes, mode, site.rank, kind)
        for one in quantised:
            inputs = [padded, *one.input[1:]]
            padded = shop.build.op(one.op_type, inputs, domain=one.domain, **attributes(one))
    shop.place(index)
    node.input[0] = padded
    pad_no_more(node)
    how = {0: "in front of the op", 1: "before DQ", 2: "before Q/DQ"}[len(quantised)]
    return how + shop.small_maps(built)


def _mean(
    shop: Workshop, site: PaddingSite, tensor: str, axes: list[PadAxis], *, output: str = ""
) -> str:
    """The tensor padded with the means of its channels."""
    means, kind = shop.means[site.identity], element_type(site)
    channels = (shop.scope.info(tensor).shape or (None, None))[1]
    if isinstance(channels, int) and channels != len(means):
        raise UsageError(
            f"site {printable(site.identity)!r} has {channels} channels, but {len(means)} means "
            "were given; calibrate on this very model"
        )
    return pad_mean(shop.build, tensor, axes, site.rank, kind, means, output=output)


def _pad_axis(shop: Workshop, site: PaddingSite, node: NodeProto, axis: SiteAxis) -> PadAxis:
    """A site's axis with its amounts as numbers, or as tensors that compute them."""
    if axis.begin is not None and axis.end is not None:
        end = axis.end
        if "ceil_mode" in site.notes and axis.size is not None and axis.window is not None:
            end = end_extent(axis.size, axis.window, axis.begin, axis.end, ceil=True)
            if end < axis.end:
                _distrust_shapes_behind(shop, site)
        return PadAxis(axis.axis, axis.size, whole(axis.begin), whole(end))
    begin: Ints
    stop: Ints
    if site.form == "reference":
        begin, stop = _from_reference(shop, site, node, axis)
    elif axis.window is None:
        raise AssertionError("an automatic pad has a window")  # sites.py makes none without
    else:
        lower = attributes(node).get("auto_pad") == b"SAME_LOWER"
        window = axis.window
        begin, stop = same_amounts(
            shop.build, node.input[0], axis.axis, window.stride, window.extent, lower=lower
        )
    return PadAxis(axis.axis, axis.size, begin, stop)


def _distrust_shapes_behind(shop: Workshop, site: PaddingSite) -> None:
    """Say that the sizes recorded behind a pool that drops a window of ceil_mode may change.

    Runtimes drop a window that would start in the end padding; onnx's shape inference does so from
    opset 22 on only, and counts one too many below: in the model as it came, not as it goes.
    """
    queue = [site.node]
    while queue:
        name = queue.pop()
        if name not in shop.edit.stale:
            shop.edit.stale.add(name)
            queue += [o for i in shop.scope.readers(name) for o in shop.scope.nodes[i].output]


def _from_reference(
    shop: Workshop, site: PaddingSite, node: NodeProto, axis: SiteAxis
) -> tuple[Ints, Ints]:
    """(begin, end) from a function's attribute: a Constant node refers to it as the op did."""
    referring = next(a for a in node.attribute if a.name == "pads")
    count = len(site.axes)
    position = [a.axis for a in site.axes].index(axis.axis)
    pads = shop.build.reference("value_ints", referring.ref_attr_name)
    return (
        shop.build.op("Gather", [pads, shop.build.constant([position])], axis=0),
        shop.build.op("Gather", [pads, shop.build.constant([position + count])], axis=0),
    )


def _quantised_source(
    shop: Workshop, node: NodeProto, site: PaddingSite, mode: Mode
) -> tuple[NodeProto, ...]:
    """The quantising nodes in front of an op that a copying mode can be put before.

    A copy of an integer is exact, and in front of DQ the runtime can go on fusing DQ, Conv, Q.
    For runtimes without integer Pads the place is in front of Q: quantising the copy is copying
    the quantised.
    """
    scope, axes = shop.scope, tuple(a.axis for a in site.axes)
    last = scope.producer(node.input[0])
    if not mode.copying or not _passes_copies(scope, last, "DequantizeLinear", axes, site.rank):
        return ()
    assert last is not None
    if not shop.float_pads:
        return (last,)
    first = scope.producer(last.input[0])
    if not _passes_copies(scope, first, "QuantizeLinear", axes, site.rank):
        return ()
    assert first is not None
    return (first, last)


def _passes_copies(
    scope: Scope, node: NodeProto | None, op_type: str, axes: tuple[int, ...], rank: int
) -> bool:
    if node is None or node.op_type != op_type or shape_rank(scope, node.input[0]) != rank:
        return False
    return quantised_alike(scope, node, axes)


def shape_rank(scope: Scope, name: str) -> int:
    """Axes of a value, 0 where unknown."""
    return len(scope.info(name).shape or ())


def pad_no_more(node: NodeProto) -> None:
    """Explicit zero pads in place of what the op padded itself."""
    for position in range(len(node.attribute) - 1, -1, -1):
        attribute = node.attribute[position]
        if attribute.name == "auto_pad":
            attribute.s = b"NOTSET"
        elif attribute.name == "pads" and attribute.ref_attr_name:
            del node.attribute[position]
        elif attribute.name == "pads":
            attribute.ints[:] = [0] * len(attribute.ints)


def _change_explicit(shop: Workshop, site: PaddingSite, mode: Mode) -> str:
    """Padding that stands as nodes: change the Pad's mode, or put other nodes in its place."""
    index = shop.scope.producers[site.node]
    if mode.name == "zero" and fold(shop, site, index):
        return "into the op's own pads"
    if mode.name == "zero" and "hoisted" in site.notes:
        return ""
    if mode == site.mode:
        return ""
    node = shop.scope.nodes[index]
    operator = pad_operator(
        shop.build, mode, [_told_axis(axis) for axis in site.axes], element_type(site)
    )
    if site.form == "Pad" and operator:
        set_pad_mode(shop, shop.edit.node(index), operator, mode, _fill(shop, site, mode))
        return "the Pad's mode"
    shop.edit.removed.add(index)
    axes = [_explicit_axis(shop, site, node, axis) for axis in site.axes]
    if mode.name == "mean":
        _mean(shop, site, site.source, axes, output=site.node)
        shop.place(index)
        return "in place of it"
    pad(
        shop.build, site.source, axes, mode, site.rank, element_type(site), output=site.node,
        fill=_fill(shop, site, mode),
    )  # fmt: skip
    shop.place(index)
    return "in place of it" + shop.small_maps(site.node)


def _told_axis(axis: SiteAxis) -> PadAxis:
    """An axis for asking what Pad can do: builds no node, a computed amount stays unnamed."""
    if axis.begin is None or axis.end is None:
        return PadAxis(axis.axis, axis.size, "", "")
    return PadAxis(axis.axis, axis.size, whole(axis.begin), whole(axis.end))


def _explicit_axis(shop: Workshop, site: PaddingSite, node: NodeProto, axis: SiteAxis) -> PadAxis:
    if axis.begin is not None and axis.end is not None:
        return PadAxis(axis.axis, axis.size, whole(axis.begin), whole(axis.end))
    position, half = axis.axis, site.rank
    if len(node.input) > 3 and node.input[3]:
        named = [
            n % site.rank
            for n in shop.values.ints(shop.scope, node.input[3]) or ()
            if n is not None
        ]
        position, half = named.index(axis.axis), len(named)
    begin, end = (
        shop.build.op("Gather", [node.input[1], shop.build.constant([p])], axis=0)
        for p in (position, position + half)
    )
    return PadAxis(axis.axis, axis.size, begin, end)


def _fill(shop: Workshop, site: PaddingSite, mode: Mode) -> NDArray[np.float64] | None:
    """What zero is in an integer tensor: the zero point of the op that reads it."""
    if mode.name != "zero" or site.dtype in ops.FLOATING | {0}:
        return None
    node = shop.scope.nodes[shop.scope.producers[site.node]]
    op = ops.window_op(node)
    if op is not None and op.zero_point >= 0:
        return np.array(shop.values.number(shop.scope, node.input[op.zero_point]) or 0)
    return np.array(zero_point(shop.scope, shop.values, site.node) or 0)
