"""Back through operators that mix positions: windows, padding, resizing, pooling."""

from typing import Any

import numpy as np
from onnx import NodeProto

from onnxpad import ops
from onnxpad.geometry import Window
from onnxpad.measure.foveation import layer_matrix, pad_matrix, valid_share, window_matrix
from onnxpad.measure.resampling import resize_matrix
from onnxpad.paths.counts import Array, Counts, along, over_channels, part, uniform
from onnxpad.paths.elements import other
from onnxpad.paths.state import NoPathsError, Rule, Walk
from onnxpad.records import PaddingSite
from onnxpad.scopes import node_name
from onnxpad.values import attributes


def _window(walk: Walk, node: NodeProto, out: Counts) -> None:
    op = ops.window_op(node)
    own = walk.sizes(node.input[0])
    windows = None if op is None else ops.windows(walk.scope, node, op)
    if op is None or own is None or windows is None or len(windows) != len(own[1]):
        raise NoPathsError(f"the size or kernel of {node_name(node)!r} is not known")
    if out.space == ():
        raise NoPathsError(f"the output of {node_name(node)!r} is no map")
    site = walk.sites.get(node.output[0])
    mode = walk.mode_of(site)
    back = out
    if op.conv:
        groups = int(attributes(node).get("group", 1))
        back = over_channels(out, own[0], groups)
    for axis, (size, window) in enumerate(zip(own[1], windows, strict=True)):
        begin, end = _amounts(walk, node, site, axis)
        matrix = layer_matrix(size, window, begin, end, out.space[axis], mode)
        for before in walk.partial_in_front(node.output[0]):
            first, last = _amounts(walk, node, before, axis)
            matrix *= valid_share(size - first - last, window, first, last, out.space[axis])[
                :, None
            ]
        back = along(back, axis, matrix)
    walk.give(node.input[0], back)


def _amounts(walk: Walk, node: NodeProto, site: PaddingSite | None, axis: int) -> tuple[int, int]:
    if site is None:
        return 0, 0
    tensor_axis = walk.roles[node.input[0]].space[axis]
    padded = next((a for a in site.axes if a.axis == tensor_axis), None)
    if padded is None:
        return 0, 0
    if padded.begin is None or padded.end is None:
        raise NoPathsError(f"the padding of {node_name(node)!r} is not known")
    return padded.begin, padded.end


def _transposed(walk: Walk, node: NodeProto, out: Counts) -> None:
    own = walk.sizes(node.input[0])
    given = attributes(node)
    shape = walk.scope.info(node.input[1]).shape
    kernel: Any = given.get("kernel_shape") or (shape[2:] if shape else None)
    if own is None or kernel is None or out.space == ():
        raise NoPathsError(f"the size or kernel of {node_name(node)!r} is not known")
    count = len(own[1])
    taps = [int(k) for k in kernel]
    strides, dilations = (given.get(key) or [1] * count for key in ("strides", "dilations"))
    back = over_channels(out, own[0], int(given.get("group", 1)))
    for axis in range(count):
        window = Window(taps[axis], int(strides[axis]), int(dilations[axis]))
        full = (own[1][axis] - 1) * window.stride + window.extent
        begin = _cropped(given, axis, full, out.space[axis])
        # beyond the last kernel stands what output_padding adds, made of nothing
        wide = max(full, begin + out.space[axis])
        matrix = window_matrix(wide, window, own[1][axis])[:, begin : begin + out.space[axis]]
        back = along(back, axis, np.ascontiguousarray(matrix.T))
    walk.give(node.input[0], back)


def _cropped(given: dict[str, object], axis: int, full: int, size: int) -> int:
    """Elements that a transposed convolution leaves out at the begin."""
    pads = given.get("pads")
    automatic = given.get("auto_pad", b"NOTSET")
    if isinstance(pads, list) and automatic in (b"NOTSET", b"") and "output_shape" not in given:
        return int(pads[axis])
    adds = given.get("output_padding")
    total = max(full + (adds[axis] if isinstance(adds, list) else 0) - size, 0)
    return total - total // 2 if automatic == b"SAME_LOWER" else total // 2


def _pad(walk: Walk, node: NodeProto, out: Counts) -> None:
    own, roles = walk.sizes(node.input[0]), walk.roles.get(node.input[0])
    site = walk.sites.get(node.output[0])
    if own is None or roles is None or out.space == ():
        other(walk, node, out)
        return
    back = out
    if site is not None:
        for axis, size in enumerate(own[1]):
            begin, end = _amounts(walk, node, site, axis)
            back = along(back, axis, pad_matrix(size, begin, end, walk.mode_of(site)))
        walk.give(node.input[0], back)
        return
    amounts = _padded(walk, node, 1 + len(roles.space) + len(roles.channels))
    mode = attributes(node).get("mode", b"constant").decode(errors="replace")
    if amounts is None or mode not in ("constant", "edge", "reflect", "wrap"):
        raise NoPathsError(f"the amounts of Pad {node_name(node)!r} are not known")
    for axis, size in enumerate(own[1]):
        matrix = _pad_or_crop(size, *amounts[roles.space[axis]], mode)
        back = along(back, axis, matrix)
    begins = [amounts[axis][0] for axis in roles.channels]
    if mode != "constant" or (len(begins) > 1 and any(begins)) or min(begins) < 0:
        other(walk, node, uniform(back, *own) if back.channels != own[0] else back)
        return
    walk.give(node.input[0], part(back, begins[0], begins[0] + own[0]))


def _pad_or_crop(size: int, begin: int, end: int, mode: str) -> Array:
    """The matrix of a Pad along one axis; negative amounts take elements away."""
    wide = pad_matrix(size, max(begin, 0), max(end, 0), "zero" if mode == "constant" else mode)
    return wide[max(-begin, 0) : len(wide) - max(-end, 0)]


def _padded(walk: Walk, node: NodeProto, rank: int) -> dict[int, tuple[int, int]] | None:
    """(begin, end) that a Pad adds to each axis (negative: takes away); None where unknown."""
    pads = attributes(node).get("pads")
    if pads is None and len(node.input) > 1:
        pads = walk.values.ints(walk.scope, node.input[1])
    axes = list(range(rank))
    if len(node.input) > 3 and node.input[3]:
        named = walk.values.ints(walk.scope, node.input[3])
        if named is None or None in named:
            return None
        axes = [a % rank for a in named if a is not None]
    if pads is None or None in pads or len(pads) != 2 * len(axes):
        return None
    given = zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True)
    return dict.fromkeys(range(rank), (0, 0)) | {axis: (b, e) for axis, b, e in given}


def _resize(walk: Walk, node: NodeProto, out: Counts) -> None:
    own, roles = walk.sizes(node.input[0]), walk.roles.get(node.input[0])
    if own is None or roles is None or out.space == ():
        other(walk, node, out)
        return
    given: dict[str, Any] = {
        k: v.decode() if isinstance(v, bytes) else v for k, v in attributes(node).items()
    }
    old = node.op_type == "Upsample" or walk.scope.opset < 11
    mode = {"bilinear": "linear"}.get(given.get("mode", "nearest"), given.get("mode", "nearest"))
    coordinates = "asymmetric" if old else given.get("coordinate_transformation_mode", "half_pixel")
    nearest = "floor" if old else given.get("nearest_mode", "round_prefer_floor")
    scales = _scales(walk, node, given)
    back = out
    for axis, size in enumerate(own[1]):
        target = out.space[axis]
        scale = target / size if scales is None else scales[roles.space[axis]]
        matrix = resize_matrix(
            size, target, scale, mode, coordinates, nearest, given.get("cubic_coeff_a", -0.75)
        )
        if matrix is None or given.get("antialias", 0):
            walk.note(f"{ops.op_name(node)} is taken to read all positions alike")
            walk.give(node.input[0], uniform(out, *own))
            return
        back = along(back, axis, matrix)
    walk.give(node.input[0], back)


def _scales(walk: Walk, node: NodeProto, given: dict[str, object]) -> list[float] | None:
    """The scale of every axis, None where sizes are given instead."""
    listed = given.get("scales")
    if isinstance(listed, list):
        return [float(v) for v in listed]
    place = 1 if node.op_type == "Upsample" or walk.scope.opset < 11 else 2
    name = node.input[place] if len(node.input) > place else ""
    found = walk.values.value(walk.scope, name) if name else None
    shape = walk.scope.info(node.input[0]).shape or ()
    if found is None or found.size != len(shape) or any(v is None for v in found.reshape(-1)):
        return None
    return [float(v) for v in found.reshape(-1)]


def _pooled(walk: Walk, node: NodeProto, out: Counts) -> None:
    """Global pooling, and Reduce over axes: every element that is summed counts once."""
    own, roles = walk.sizes(node.input[0]), walk.roles.get(node.input[0])
    if own is None or roles is None:
        other(walk, node, out)
        return
    axes = _reduced(walk, node)
    over_space = node.op_type.startswith("Global") or set(roles.space) <= set(axes)
    if out.space == ():  # the axes are gone: what was summed cannot be told apart any more
        walk.give(node.input[0], uniform(out, *own))
        return
    back = out
    for place, axis in enumerate(roles.space):
        if (over_space or axis in axes) and out.space[place] == 1:
            back = along(back, place, np.ones((1, own[1][place])))
    if back.channels == 1 < own[0]:
        back = Counts((own[0],), back.values, back.exponent)
    walk.give(node.input[0], back)


def _reduced(walk: Walk, node: NodeProto) -> list[int]:
    rank = len(walk.scope.info(node.input[0]).shape or ())
    axes = attributes(node).get("axes")
    if axes is None and len(node.input) > 1 and node.input[1]:
        axes = walk.values.ints(walk.scope, node.input[1])
    return [a % rank for a in axes if a is not None] if axes else list(range(rank))


SPATIAL: dict[str, Rule] = {
    **{op: _window for _, op in ops.WINDOW_OPS},
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2"), _pooled),
    **dict.fromkeys(
        ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "QLinearGlobalAveragePool"), _pooled
    ),
    "ConvTranspose": _transposed,
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
}
