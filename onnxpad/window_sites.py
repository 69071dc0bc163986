"""Padding that a window op does itself: its pads, its auto_pad."""

from math import inf

from onnx import NodeProto

from onnxpad import ops
from onnxpad.geometry import Window, is_causal, same_pads, same_pads_any_size
from onnxpad.modes import Mode
from onnxpad.phases import in_phases
from onnxpad.records import PaddingSite, SiteAxis
from onnxpad.scopes import Scope, TensorInfo
from onnxpad.values import attributes


def window_site(scope: Scope, node: NodeProto, op: ops.WindowOp) -> PaddingSite | None:
    """The site that a window op is by itself, None if it pads nothing."""
    given = attributes(node)
    windows = ops.windows(scope, node, op, given)
    automatic = given.get("auto_pad", b"NOTSET").decode(errors="replace")
    referred = {a.name for a in node.attribute if a.ref_attr_name}
    info = scope.info(node.input[0])
    spatial = spatial_axes(node, op, windows, given, info.shape)
    if spatial is None:
        return None
    if info.shape is not None and len(info.shape) != len(spatial) + 2:
        info = TensorInfo(info.dtype)  # a shape that contradicts the op is no shape
    sizes = [size_of(info.shape, axis) for axis in spatial]
    pads: list[tuple[int | None, int | None]]
    if "auto_pad" in referred:
        form, pads = "auto_pad", [(None, None)] * len(spatial)
    elif "pads" in referred:
        form, pads = "reference", [(None, None)] * len(spatial)
    elif automatic.startswith("SAME"):
        form, pads = "auto_pad", _same(sizes, windows, lower=automatic == "SAME_LOWER")
    else:
        form, amounts = "pads", list(given.get("pads", ()))
        if automatic == "VALID" or len(amounts) != 2 * len(spatial):
            return None
        half = len(spatial)
        pads = [(amounts[i], amounts[i + half]) for i in range(half)]
    axes = tuple(
        SiteAxis(axis, size, begin, end, windows[i] if windows else None)
        for i, (axis, size, (begin, end)) in enumerate(zip(spatial, sizes, pads, strict=True))
        if (begin, end) != (0, 0)
    )
    if not axes:
        return None
    return PaddingSite(
        "", scope.path, node.output[0], ops.op_name(node), form, _own_mode(node, given),
        node.input[0], len(info.shape) if info.shape else len(spatial) + 2, info.dtype, axes,
        (node.output[0],), (ops.op_name(node),), op.conv,
        op.conv and causal(axes, windows), scope.opset, _notes(scope, node, op, given),
    )  # fmt: skip


def _same(
    sizes: list[int | None], windows: tuple[Window, ...] | None, *, lower: bool
) -> list[tuple[int | None, int | None]]:
    """The pads of auto_pad SAME along each axis, as far as size and window tell them."""
    if windows is None:
        return [(None, None)] * len(sizes)
    return [
        same_pads(size, window, lower=lower)
        if size is not None
        else same_pads_any_size(window, lower=lower) or (None, None)
        for size, window in zip(sizes, windows, strict=True)
    ]


def _own_mode(node: NodeProto, given: dict[str, object]) -> Mode:
    """What a window op itself invents: convolutions zeros, max-pools -inf, averages nothing."""
    if node.op_type.endswith("MaxPool"):
        return Mode("constant", -inf)
    if node.op_type.endswith("AveragePool") and not given.get("count_include_pad", 0):
        return Mode("partial")
    return Mode("zero")


def _notes(
    scope: Scope, node: NodeProto, op: ops.WindowOp, given: dict[str, object]
) -> tuple[str, ...]:
    return tuple(
        note
        for note, holds in (
            ("ceil_mode", not op.conv and bool(given.get("ceil_mode", 0))),
            ("indices", node.op_type == "MaxPool" and len(node.output) > 1 and node.output[1]),
            ("nchwc", node.domain == ops.NCHWC),
            ("caller_pads", any(a.name == "auto_pad" and a.ref_attr_name for a in node.attribute)),
            ("space_to_batch", op.conv and in_phases(scope, node.input[0])),
        )
        if holds
    )


def spatial_axes(
    node: NodeProto,
    op: ops.WindowOp,
    windows: tuple[Window, ...] | None,
    given: dict[str, object],
    shape: tuple[int | str | None, ...] | None,
) -> tuple[int, ...] | None:
    """Indices of the spatial axes of a window op's data."""
    if windows is not None:
        count = len(windows)
    elif shape is not None:
        count = len(shape) - 2
    else:
        pads = given.get("pads")
        if not isinstance(pads, list):
            return None
        count = len(pads) // 2
    first = 1 if ops.channels_last(node, op) else 2
    return tuple(range(first, first + count))


def size_of(shape: tuple[int | str | None, ...] | None, axis: int) -> int | None:
    """The known size of an axis, None where it depends on the input."""
    size = shape[axis] if shape is not None and axis < len(shape) else None
    return size if isinstance(size, int) else None


def causal(axes: tuple[SiteAxis, ...], windows: tuple[Window, ...] | None) -> bool:
    """One-sided padding of a whole receptive field, where only one axis has a window at all."""
    sliding = [w for w in windows or () if w.kernel > 1]
    if len(axes) != 1 or len(sliding) != 1:
        return False
    axis = axes[0]
    if axis.window is None or axis.begin is None or axis.end is None:
        return False
    return is_causal(axis.window, axis.begin, axis.end)
