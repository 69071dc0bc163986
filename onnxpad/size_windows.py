"""The sizes that operators make which slide a window, pad, or resample."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from onnx import NodeProto

from onnxpad import ops
from onnxpad.geometry import Window, out_size, same_pads
from onnxpad.size_state import SizeState, UnknownSizeError
from onnxpad.size_values import Along, Dims, Element, lift, settled
from onnxpad.values import attributes
from onnxpad.window_sites import spatial_axes

_NO_WINDOW = "has a window that does not fit into a map of this size"


def window(state: SizeState, node: NodeProto) -> Dims:
    """A convolution or pool; its own pads are noted in ``state.pads``."""
    op = ops.window_op(node)
    if op is None:
        raise UnknownSizeError("slides no window")
    data, given = state.dims_of(node.input[0]), attributes(node)
    windows = ops.windows(state.scope, node, op, given)
    axes = spatial_axes(node, op, windows, given, tuple(None for _ in data))
    if windows is None or axes is None or len(data) != len(axes) + 2:
        raise UnknownSizeError("has a window that is not known")
    out, amounts = list(data), [(0, 0)] * len(data)
    declared = list(given.get("pads") or [0] * (2 * len(axes)))
    automatic = given.get("auto_pad", b"NOTSET").decode(errors="replace")
    ceil = not op.conv and bool(given.get("ceil_mode", 0))
    if len(declared) != 2 * len(axes) or any(
        a.ref_attr_name and a.name in ("pads", "auto_pad") for a in node.attribute
    ):
        raise UnknownSizeError("has pads that are not known")
    found: list[tuple[Element, Element]] = list(amounts)
    for i, (axis, one) in enumerate(zip(axes, windows, strict=True)):
        fixed = (0, 0) if automatic == "VALID" else (declared[i], declared[i + len(axes)])
        rule = automatic if automatic.startswith("SAME") else fixed
        out[axis], *pads = _slide(state, data[axis], one, rule, ceil)
        _refuse_small(state, node, out[axis])
        found[axis] = (pads[0], pads[1])
    state.pads[node.output[0]] = tuple(found)
    if op.weight >= 0:
        weight = state.maybe(node.input[op.weight])
        channel = len(data) - 1 if ops.channels_last(node, op) else 1
        out[channel] = weight[0] if weight else None
    return tuple(out)


def _refuse_small(state: SizeState, node: NodeProto, out: Element) -> None:
    """Note the maps that are too small for a window; sizes that were looked through are known."""
    if out in state.whole if isinstance(out, Along) else out is None or out >= 1:
        return
    state.refuse(node, lift(lambda n: np.less(n, 1), out), _NO_WINDOW)
    if isinstance(out, Along):
        state.whole.add(out)


def _slide(
    state: SizeState, size: Element, one: Window, rule: str | tuple[int, int], ceil: bool
) -> tuple[Element, Element, Element]:
    """(positions, begin, end) for each candidate; alike layers are computed once."""
    if size is None:
        return None, None, None
    key = (one, rule, ceil, size)
    if key not in state.windows:
        sizes = np.atleast_1d(size.values if isinstance(size, Along) else size)
        different, places = np.unique(sizes, return_inverse=True)
        rows = [_at(int(n), one, rule, ceil) for n in different]
        columns = (np.array(column)[places] for column in zip(*rows, strict=True))
        out, begin, end = map(settled, columns)
        if isinstance(out, Along) and isinstance(size, Along) and (out.values == size.values).all():
            out = size  # so that the next layer like this one is known, too
        state.windows[key] = out, begin, end
    return state.windows[key]


def _at(size: int, one: Window, rule: str | tuple[int, int], ceil: bool) -> tuple[int, int, int]:
    if isinstance(rule, str):
        begin, end = same_pads(size, one, lower=rule == "SAME_LOWER") if size > 0 else (0, 0)
        return (-(-size // one.stride) if size > 0 else 0), begin, end
    begin, end = rule
    return out_size(size, one, begin, end, ceil=ceil), begin, end


def pad(state: SizeState, node: NodeProto) -> Dims:
    """A Pad with constant or computed pads; they are noted in ``state.pads``."""
    data, given = state.dims_of(node.input[0]), attributes(node)
    amounts: list[Element] | None = given.get("pads", given.get("paddings"))
    if amounts is None:
        amounts = state.elements(node.input[1], "pads")
    axes = list(range(len(data)))
    if len(node.input) > 3 and node.input[3]:
        axes = [a % len(data) for a in state.ints(node.input[3], "axes")]
    if len(amounts) != 2 * len(axes):
        raise UnknownSizeError("has pads that do not fit its axes")
    out, found = list(data), [(0, 0)] * len(data)
    pads: list[tuple[Element, Element]] = list(found)
    mode = given.get("mode", b"constant")
    for i, axis in enumerate(axes):
        begin, end = amounts[i], amounts[i + len(axes)]
        pads[axis] = (begin, end)
        out[axis] = lift(lambda n, b, e: n + b + e, data[axis], begin, end)
        if mode == b"reflect":
            fails = lift(lambda n, b, e: np.greater_equal(np.maximum(b, e), n),
                         data[axis], begin, end)  # fmt: skip
            state.refuse(node, fails, "reflects more than the map holds")
    state.pads[node.output[0]] = tuple(pads)
    return tuple(out)


def transposed(state: SizeState, node: NodeProto) -> Dims:
    """A ConvTranspose: s(n - 1) + output_padding + d(k - 1) + 1 - p_b - p_e."""
    data, given = state.dims_of(node.input[0]), attributes(node)
    weight = state.maybe(node.input[1])
    kernel = given.get("kernel_shape") or (list(weight[2:]) if weight else None)
    space = len(data) - 2
    if kernel is None or len(kernel) != space or weight is None:
        raise UnknownSizeError("has a kernel that is not known")
    strides, dilations = (given.get(k) or [1] * space for k in ("strides", "dilations"))
    extra, pads = given.get("output_padding") or [0] * space, given.get("pads") or [0] * 2 * space
    automatic = given.get("auto_pad", b"NOTSET")
    out: list[Element] = [data[0], lift(np.multiply, weight[1], given.get("group", 1))]
    for i in range(space):
        if given.get("output_shape"):
            out.append(given["output_shape"][-space:][i])
        elif automatic in (b"SAME_UPPER", b"SAME_LOWER"):
            out.append(lift(partial(np.multiply, strides[i]), data[2 + i]))
        else:
            extent = dilations[i] * (kernel[i] - 1) + 1
            lost = 0 if automatic == b"VALID" else pads[i] + pads[i + space]
            more = extra[i] + extent - lost
            out.append(lift(_transposed(strides[i], more), data[2 + i]))
    return tuple(out)


def _transposed(stride: int, more: int) -> Callable[[Any], Any]:
    return lambda n: (n - 1) * stride + more


def resize(state: SizeState, node: NodeProto) -> Dims:
    """A Resize or Upsample, by scales or by sizes."""
    data, given = state.dims_of(node.input[0]), attributes(node)
    if given.get("coordinate_transformation_mode") == b"tf_crop_and_resize":
        raise UnknownSizeError("resizes a crop")
    if given.get("keep_aspect_ratio_policy", b"stretch") != b"stretch":
        raise UnknownSizeError("keeps proportions while it resizes")
    axes = [a % len(data) for a in given.get("axes") or range(len(data))]
    out = list(data)
    if len(node.input) > 3 and node.input[3]:
        sizes = state.elements(node.input[3], "sizes")
        _fits(sizes, axes)
        for axis, size in zip(axes, sizes, strict=True):
            out[axis] = size
        return tuple(out)
    position = 2 if len(node.input) > 2 else 1
    if "scales" in given:
        scales: list[Element] = list(given["scales"])
    elif len(node.input) > position:
        scales = state.elements(node.input[position], "scales")
    else:
        raise UnknownSizeError("is resized by a factor that is not known")
    _fits(scales, axes)
    for axis, scale in zip(axes, scales, strict=True):
        out[axis] = lift(_scaled, data[axis], scale)
    return tuple(out)


def _scaled(size: Any, scale: Any) -> Any:
    """A size times a scale as runtimes compute it: a product of single precision, cut."""
    product = np.asarray(size, np.float32) * np.asarray(scale, np.float32)
    return np.floor(product).astype(np.int64)


def _fits(given: list[Element], axes: list[int]) -> None:
    if len(given) != len(axes):
        raise UnknownSizeError("is resized along other axes than its data has")
