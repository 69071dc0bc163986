"""Turn one decision, a site and its new mode, into edits of its scope."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, TensorProto, helper

from onnxpad import ops
from onnxpad.compose import Builder, Ints, PadAxis, pad, pad_operator, same_amounts, whole
from onnxpad.geometry import end_extent, valid_cells
from onnxpad.modes import Mode
from onnxpad.scopes import Scope
from onnxpad.sites import PaddingSite, SiteAxis
from onnxpad.splice import ScopeEdit
from onnxpad.trace import follow, quantised_alike
from onnxpad.values import Values, attributes


@dataclass(slots=True)
class Workshop:
    """What the edits of one scope share: the builder of new nodes and the edit they go into.

    New nodes are built one site after another and handed to the edit when all are there, because
    GraphSurgeon exports a whole graph at once.
    """

    scope: Scope
    values: Values
    build: Builder
    edit: ScopeEdit
    _marks: list[int] = field(default_factory=lambda: [0])
    _places: list[int] = field(default_factory=list)

    def place(self, index: int) -> None:
        """The nodes built since the last call stand in front of node ``index``."""
        self._marks.append(self.build.mark())
        self._places.append(index)

    def finish(self) -> ScopeEdit:
        """Hand everything over; constants stand at the head of the scope."""
        constants, pieces = self.build.export(self._marks)
        for index, nodes in zip(self._places, pieces, strict=True):
            self.edit.insert(index, nodes)
        if constants:
            self.edit.before[0] = [*constants, *self.edit.before.get(0, [])]
        self.edit.remove_unread()
        return self.edit


def change(shop: Workshop, site: PaddingSite, mode: Mode) -> str:
    """Change a site to a mode; returns how it was done, in a word or two."""
    shop.build.name_after(site.node)
    if mode.name == "partial":
        return _to_partial(shop, site)
    if site.form in ("Pad", "composed"):
        return _change_explicit(shop, site, mode)
    return _change_window(shop, site, mode)


def _change_window(shop: Workshop, site: PaddingSite, mode: Mode) -> str:
    """Padding that a window op does itself: pad in front of it, and let it pad no more."""
    index = shop.scope.producers[site.node]
    node = shop.edit.node(index)
    axes = [_pad_axis(shop, site, node, axis) for axis in site.axes]
    quantised = _quantised_source(shop.scope, node, site, mode)
    if quantised is None:
        padded = pad(shop.build, node.input[0], axes, mode, site.rank, _dtype(site))
    else:
        kind = shop.scope.info(quantised.input[0]).dtype
        inner = pad(shop.build, quantised.input[0], axes, mode, site.rank, kind)
        padded = shop.build.op(
            quantised.op_type, [inner, *quantised.input[1:]], **attributes(quantised)
        )
    shop.place(index)
    node.input[0] = padded
    _pad_no_more(node)
    return "before Q/DQ" if quantised is not None else "in front of the op"


def _dtype(site: PaddingSite) -> int:
    """The tensor's type; a convolution whose input's type is unknown is taken for float32."""
    return site.dtype or TensorProto.FLOAT


def _pad_axis(shop: Workshop, site: PaddingSite, node: NodeProto, axis: SiteAxis) -> PadAxis:
    """A site's axis with its amounts as numbers, or as tensors that compute them."""
    if axis.begin is not None and axis.end is not None:
        end = axis.end
        if "ceil_mode" in site.notes and axis.size is not None and axis.window is not None:
            end = end_extent(axis.size, axis.window, axis.begin, axis.end, ceil=True)
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
    scope: Scope, node: NodeProto, site: PaddingSite, mode: Mode
) -> NodeProto | None:
    """The DequantizeLinear in front of an op, if padding its integers is the same as its floats.

    Copies of integers are exact, and the runtime can go on fusing DQ, Conv, Q.
    """
    source = scope.producer(node.input[0])
    if source is None or source.op_type != "DequantizeLinear" or not mode.copying:
        return None
    if shape_rank(scope, source.input[0]) != site.rank:
        return None
    axes = tuple(a.axis for a in site.axes)
    return source if quantised_alike(scope, source, axes) else None


def shape_rank(scope: Scope, name: str) -> int:
    """Axes of a value, 0 where unknown."""
    return len(scope.info(name).shape or ())


def _pad_no_more(node: NodeProto) -> None:
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
    if mode.name == "zero" and _fold(shop, site, index):
        return "into the op's own pads"
    node = shop.scope.nodes[index]
    axes = [_explicit_axis(shop, site, node, axis) for axis in site.axes]
    operator = pad_operator(shop.build, mode, axes, _dtype(site))
    if site.form == "Pad" and operator:
        _set_pad_mode(shop, shop.edit.node(index), operator, mode, _fill(shop, site, mode))
        return "the Pad's mode"
    shop.edit.removed.add(index)
    pad(
        shop.build, site.source, axes, mode, site.rank, _dtype(site), output=site.node,
        fill=_fill(shop, site, mode),
    )  # fmt: skip
    shop.place(index)
    return "in place of it"


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
    if mode.name != "zero" or site.dtype not in (TensorProto.INT8, TensorProto.UINT8):
        return None
    index = shop.scope.readers(site.node)[0]
    reader = shop.scope.nodes[index]
    op = ops.window_op(reader)
    position = 2 if op is None else op.zero_point
    if not 0 <= position < len(reader.input) or not reader.input[position]:
        return np.array(0)
    return np.array(shop.values.number(shop.scope, reader.input[position]) or 0)


def _set_pad_mode(
    shop: Workshop, node: NodeProto, operator: str, mode: Mode, fill: NDArray[np.float64] | None
) -> None:
    """Change a Pad node in place: its mode, and its number where the mode has one."""
    for position in range(len(node.attribute) - 1, -1, -1):
        if node.attribute[position].name == "value":
            del node.attribute[position]
    mode_attribute = next((a for a in node.attribute if a.name == "mode"), None)
    if mode_attribute is None:
        mode_attribute = node.attribute.add(name="mode", type=AttributeProto.STRING)
    mode_attribute.s = operator.encode()
    number = fill if fill is not None else np.array(mode.value)
    filled = operator == "constant" and number != 0
    if shop.build.opset < 11:
        if filled:
            node.attribute.append(helper.make_attribute("value", float(number)))
        return
    axes = node.input[3] if len(node.input) > 3 else ""
    del node.input[2:]
    if filled:
        dtype = shop.scope.info(node.input[0]).dtype or TensorProto.FLOAT
        node.input.append(shop.build.constant(number, dtype))
    if axes:
        node.input.extend(["", axes] if not filled else [axes])


# Ops that map 0 to 0, so that zeros in front of them are zeros behind them.
_KEEP_ZERO = frozenset(
    "Abs Asin Asinh Atan Atanh Cast Ceil Celu Dropout Elu Erf Floor Gelu HardSwish Identity "
    "LeakyRelu Mish Neg Relu Round Selu Shrink Sign Sin Sinh Softsign Sqrt Swish Tan Tanh "
    "ThresholdedRelu PRelu Transpose Unsqueeze Squeeze QuantizeLinear DequantizeLinear".split()
)


def _fold(shop: Workshop, site: PaddingSite, index: int) -> bool:
    """Make zero padding implicit: the readers' own pads in place of nodes. False if not exact."""
    if any(a.begin is None or a.end is None for a in site.axes):
        return False
    trace = follow(shop.scope, shop.values, site.node, tuple(a.axis for a in site.axes))
    between = [shop.scope.nodes[i] for i in trace.between]
    if any(n.op_type not in _KEEP_ZERO for n in between):
        return False
    if len(trace.between) != len(set(trace.between)) or not _only_these_read(
        shop, site, trace.between
    ):
        return False
    readers = [(shop.edit.node(i), theirs) for i, theirs in trace.readers]
    if not all(_takes_pads(shop.scope, node) for node, _ in readers):
        return False
    for node, theirs in readers:
        _add_pads(shop.scope, node, site, theirs)
        node.input[0] = site.source if node.input[0] == site.node else node.input[0]
    for passed in trace.between:
        node = shop.scope.nodes[passed]
        if node.input[0] == site.node:
            shop.edit.node(passed).input[0] = site.source
        shop.edit.stale.update(node.output)
    shop.edit.removed.add(index)
    return True


def _only_these_read(shop: Workshop, site: PaddingSite, between: list[int]) -> bool:
    """Whether nothing else, not even a Shape, sees the tensors whose border will vanish."""
    names = [site.node, *(shop.scope.nodes[i].output[0] for i in between)]
    for name in names:
        for reader in shop.scope.readers(name):
            node = shop.scope.nodes[reader]
            if reader not in between and ops.window_op(node) is None:
                return False
    return True


def _takes_pads(scope: Scope, node: NodeProto) -> bool:
    """Whether zeros in front of an op can be its own pads."""
    op = ops.window_op(node)
    given = attributes(node)
    if op is None or given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return False
    if any(a.ref_attr_name for a in node.attribute) or node.domain == ops.NCHWC:
        return False
    if op.conv:
        return node.op_type != "DeformConv"
    counted = node.op_type == "AveragePool" and given.get("count_include_pad", 0) == 1
    return counted and not given.get("ceil_mode", 0)


def _add_pads(scope: Scope, node: NodeProto, site: PaddingSite, theirs: tuple[int, ...]) -> None:
    op = ops.window_op(node)
    windows = ops.windows(scope, node, op) if op else None
    count = len(windows) if windows else site.rank - 2
    first = 1 if op is not None and ops.channels_last(node, op) else 2
    pads = list(attributes(node).get("pads") or [0] * (2 * count))
    for axis, position in zip(site.axes, theirs, strict=True):
        pads[position - first] += axis.begin or 0
        pads[position - first + count] += axis.end or 0
    for position in range(len(node.attribute) - 1, -1, -1):
        if node.attribute[position].name in ("pads", "auto_pad"):
            del node.attribute[position]
    node.attribute.append(helper.make_attribute("pads", pads))


def _to_partial(shop: Workshop, site: PaddingSite) -> str:
    """Partial convolution: out = r (W * x) + b, r = window cells / real cells (Liu et al. 2018).

    The zeros stay; the convolution's output is rescaled where its window meets them. The bias is
    taken off the convolution, because it must not be scaled.
    """
    if site.form == "Pad" and site.mode.name != "zero":
        index = shop.scope.producers[site.node]
        _set_pad_mode(shop, shop.edit.node(index), "constant", Mode("zero"), None)
    for reader in site.readers:
        index = shop.scope.producers[reader]
        _rescale(shop, site, index)
    return "rescaled behind the op"


def _rescale(shop: Workshop, site: PaddingSite, index: int) -> None:
    node = shop.edit.node(index)
    output, bias = node.output[0], node.input[2] if len(node.input) > 2 else ""
    del node.input[2:]
    node.output[0] = shop.build.unique(f"{output}/unscaled")
    scale = _scale(shop, site, node)
    scaled = shop.build.op("Mul", [node.output[0], scale], output="" if bias else output)
    if bias:
        channels = shop.build.constant([1, -1] + [1] * (site.rank - 2))
        shaped = shop.build.op("Reshape", [bias, channels])
        shop.build.op("Add", [scaled, shaped], output=output)
    shop.place(index + 1)


def _scale(shop: Workshop, site: PaddingSite, node: NodeProto) -> str:
    """The map r, of shape (1, 1, out...), as a constant or computed from the input's size."""
    fixed = [_fixed_scale(axis) for axis in site.axes]
    if any(f is None for f in fixed):
        return _counted_scale(shop, site, node)
    scale = ""
    for axis, factors in zip(site.axes, fixed, strict=True):
        shape = [-1 if i == axis.axis else 1 for i in range(site.rank)]
        part = shop.build.constant(np.array(factors).reshape(shape), _dtype(site))
        scale = shop.build.op("Mul", [scale, part]) if scale else part
    return scale


def _fixed_scale(axis: SiteAxis) -> list[float] | None:
    """k / valid per window position along one axis; 1 where a window meets no real cell."""
    if axis.window is None or axis.size is None or axis.begin is None or axis.end is None:
        return None
    cells = valid_cells(axis.size, axis.window, axis.begin, axis.end)
    return [axis.window.kernel / max(c, 1) for c in cells]


def _counted_scale(shop: Workshop, site: PaddingSite, node: NodeProto) -> str:
    """r for unknown sizes: a convolution of ones counts the real cells under each window."""
    build, dtype = shop.build, _dtype(site)
    spatial = site.rank - 2
    shape = build.op("Shape", [site.source])
    sizes = build.op("Gather", [shape, build.constant(list(range(2, site.rank)))], axis=0)
    ones_shape = build.op("Concat", [build.constant([1, 1]), sizes], axis=0)
    one = build.constant(np.ones([1] * site.rank), dtype)
    ones = build.op("Tile", [one, ones_shape])
    windows = ops.windows(shop.scope, shop.scope.nodes[shop.scope.producers[site.readers[0]]],
                          ops.WindowOp()) or ()  # fmt: skip
    kernel = [w.kernel for w in windows] or [1] * spatial
    given = attributes(node)
    attrs: dict[str, Any] = {
        k: given[k] for k in ("strides", "dilations", "auto_pad") if k in given
    }
    if site.form in ("pads", "auto_pad"):
        attrs |= {"pads": given["pads"]} if "pads" in given else {}
    else:
        amounts = {a.axis - 2: (a.begin or 0, a.end or 0) for a in site.axes}
        attrs["pads"] = [amounts.get(i, (0, 0))[side] for side in (0, 1) for i in range(spatial)]
    weights = build.constant(np.ones([1, 1, *kernel]), dtype)
    counted = build.op("Conv", [ones, weights], kernel_shape=kernel, **attrs)
    clipped = _at_least_one(build, counted, dtype)
    return build.op("Div", [build.constant(np.array(float(np.prod(kernel))), dtype), clipped])


def _at_least_one(build: Builder, counted: str, dtype: int) -> str:
    if build.opset < 11:
        return build.op("Clip", [counted], min=1.0)
    return build.op("Clip", [counted, build.constant(np.array(1.0), dtype)])
