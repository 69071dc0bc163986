"""What ops that slide a window, pad or resize do to reached positions."""

from collections.abc import Mapping

from onnx import NodeProto

from onnxpad import ops
from onnxpad.geometry import Window, overlap
from onnxpad.pad_sites import pad_amounts
from onnxpad.reach_axis import padded, read_at, resized, slid, spread
from onnxpad.reach_state import Context, LostError, Spread, States, only
from onnxpad.values import attributes
from onnxpad.window_sites import spatial_axes


def window(context: Context, index: int, node: NodeProto, states: States) -> Spread:
    """A window op: reached where a window holds a reached or a padded element."""
    op = ops.window_op(node)
    assert op is not None
    if node.op_type == "DeformConv":
        raise LostError("reads at places that the data decides")
    state, given, source = only(states), attributes(node), node.input[0]
    windows = ops.windows(context.scope, node, op, given)
    axes = spatial_axes(node, op, windows, given, context.scope.info(source).shape)
    if windows is None or axes is None or not set(state.masks) <= set(axes):
        raise LostError("slides a window that is not known")
    before = {a: context.mask(state, source, a) for a in axes}
    context.first = context.first or tuple(len(before[a]) for a in axes)
    amounts, invents = _amounts(context, node)
    masks = {}
    for axis, window in zip(axes, windows, strict=True):
        begin, end = amounts.get(axis, (0, 0))
        made = slid(
            before[axis], window, begin, end,
            ceil_mode=not op.conv and bool(given.get("ceil_mode", 0)), invents=invents,
        )  # fmt: skip
        if made is None:
            raise LostError("has no window that fits, or too many positions")
        masks[axis] = made
    if (
        not op.conv
        and all(len(m) == 1 for m in masks.values())
        and max(map(len, before.values())) > 1
    ):
        return Spread({}, state.through | context.mixes(index, "pools", list(before.values())))
    return Spread(masks, state.through)


def _amounts(context: Context, node: NodeProto) -> tuple[dict[int, tuple[int, int]], bool]:
    """(begin, end) by axis of what a window op pads itself, and whether that counts."""
    site = context.sites.get(node.output[0])
    if site is None:
        return {}, False
    found = {}
    for axis in site.axes:
        if axis.begin is None or axis.end is None:
            raise LostError("pads an amount that is not known")
        found[axis.axis] = (axis.begin, axis.end)
    return found, context.counts(site)


def pad(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    """A Pad of constants invents; one of copies hands on what it copies."""
    state, given = states[0] or Spread({}), attributes(node)
    amounts = pad_amounts(context.scope, context.values, node, given)
    if amounts is None:
        raise LostError("pads an amount that is not known")
    site = context.sites.get(node.output[0])
    mode = given.get("mode", b"constant").decode(errors="replace")
    others = context.others and mode == "constant"
    counts = others if site is None else context.counts(site)
    begins, ends, rank = amounts
    masks = {}
    for axis in range(rank):
        begin, end = begins[axis], ends[axis]
        if begin == end == 0 and axis not in state.masks:
            continue
        if begin is None or end is None:
            raise LostError("pads an amount that is not known")
        if axis not in state.masks and site is None:
            continue  # the batch, channels, or an axis that is not known to be spatial yet
        mask = context.mask(state, node.input[0], axis)
        made = padded(mask, begin, end, mode, invents=counts)
        if made is None:
            raise LostError("pads in a way that is not known")
        masks[axis] = made
    return Spread(masks, state.through)


def transposed(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    """Crops, never pads: its own thin border is no padding's."""
    state, given, source = only(states), attributes(node), node.input[0]
    axes = tuple(range(2, context.rank(source, state)))
    kernel = given.get("kernel_shape") or [context.known(node.input[1], a) or 0 for a in axes]
    strides, dilations = (given.get(k) or [1] * len(axes) for k in ("strides", "dilations"))
    plain = len(kernel) == len(strides) == len(dilations) == len(axes)
    if not set(state.masks) <= set(axes) or not plain or min(*kernel, *strides, *dilations) < 1:
        raise LostError("slides a window that is not known")
    masks = {}
    for i, axis in enumerate(axes):
        mask = context.mask(state, source, axis)
        window = Window(kernel[i], strides[i], dilations[i])
        if overlap(window)[0] == 0:
            # a row that reads nothing is clean however its columns fare: no masks by axis say so
            raise LostError("leaves positions that read nothing")
        full = (len(mask) - 1) * window.stride + window.extent
        out = context.known(node.output[0], axis) or _written(given, i, len(axes), full)
        begin = _cropped(given, i, len(axes), full, out)
        made = spread(mask, window, begin, out)
        if made is None:
            raise LostError("has too many positions")
        masks[axis] = made
    return Spread(masks, state.through)


def _written(given: Mapping[str, list[int]], i: int, count: int, full: int) -> int:
    """Positions of a ConvTranspose's result where only its attributes tell."""
    asked = given.get("output_shape", [])
    if len(asked) >= count:
        return asked[len(asked) - count + i]
    if given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise LostError("makes a tensor of unknown size")
    pads = given.get("pads") or [0] * (2 * count)
    return full + (given.get("output_padding") or [0] * count)[i] - pads[i] - pads[i + count]


def _cropped(given: Mapping[str, list[int]], i: int, count: int, full: int, out: int) -> int:
    """Elements a ConvTranspose crops at the begin of its i-th spatial axis (ONNX, version 11)."""
    automatic = given.get("auto_pad", b"NOTSET")
    if automatic in (b"NOTSET", b"VALID") and not given.get("output_shape"):
        pads = given.get("pads") or [0] * (2 * count)
        return int(pads[i])
    total = max(full + (given.get("output_padding") or [0] * count)[i] - out, 0)
    return total // 2 if automatic == b"SAME_UPPER" else total - total // 2


def resize(context: Context, _index: int, node: NodeProto, states: States) -> Spread:
    """A Resize or Upsample: reached where one of the positions it reads is."""
    state, given = only(states), attributes(node)
    if given.get("antialias", 0) or given.get("axes"):
        raise LostError("resizes in a way that is not known")
    old = node.op_type == "Upsample" or len(node.input) < 3
    how = "asymmetric" if old else _word(given, "coordinate_transformation_mode", "half_pixel")
    scales = _scales(context, node, given)
    sizes = context.values.ints(context.scope, node.input[3]) if len(node.input) > 3 else None
    masks = {}
    for axis, mask in state.masks.items():
        out = context.known(node.output[0], axis) or (sizes[axis] if sizes else None)
        if out is None:
            raise LostError("makes a tensor of unknown size")
        if out == len(mask):
            masks[axis] = mask
            continue
        scale = scales[axis] if scales is not None else out / len(mask)
        read = resized(
            out, len(mask), scale, how, _word(given, "mode", "nearest"),
            "floor" if old else _word(given, "nearest_mode", "round_prefer_floor"),
        )  # fmt: skip
        if read is None:
            raise LostError("resizes in a way that is not known")
        masks[axis] = read_at(mask, read)
    return Spread(masks, state.through)


def _word(given: Mapping[str, bytes], name: str, default: str) -> str:
    word = given.get(name, default.encode()).decode(errors="replace")
    return "linear" if word == "bilinear" else word


def _scales(context: Context, node: NodeProto, given: Mapping[str, object]) -> list[float] | None:
    """Scales by axis; None where sizes are given in their place."""
    found = given.get("scales")
    position = 2 if len(node.input) > 2 else 1
    if found is None and len(node.input) > position and node.input[position]:
        value = context.values.value(context.scope, node.input[position])
        found = None if value is None or None in value.reshape(-1) else list(value.reshape(-1))
    return [float(s) for s in found] if isinstance(found, list) and found else None
