"""Partial convolution (Liu et al. 2018, arXiv 1811.11718): nothing invented, output rescaled."""

from dataclasses import replace
from typing import Any

import numpy as np
from onnx import NodeProto

from onnxpad import ops
from onnxpad.builder import Builder, whole
from onnxpad.compose import PadAxis, pad
from onnxpad.geometry import valid_cells
from onnxpad.modes import Mode
from onnxpad.records import PaddingSite, SiteAxis
from onnxpad.values import attributes
from onnxpad.workshop import Workshop, element_type, set_pad_mode


def to_partial(shop: Workshop, site: PaddingSite) -> str:
    """Partial convolution: out = r (W * x) + b, r = window cells / real cells (Liu et al. 2018).

    The zeros stay; the convolution's output is rescaled where its window meets them. The bias is
    taken off the convolution, because it must not be scaled.
    """
    index = shop.scope.producers[site.node]
    if site.form == "Pad" and site.mode.name != "zero":
        set_pad_mode(shop, shop.edit.node(index), "constant", Mode("zero"), None)
    elif site.form == "composed":
        shop.edit.removed.add(index)
        axes = [PadAxis(a.axis, a.size, whole(a.begin or 0), whole(a.end or 0)) for a in site.axes]
        pad(shop.build, site.source, axes, Mode("zero"), site.rank, element_type(site),
            output=site.node)  # fmt: skip
        shop.place(index)
    for reader in site.readers:
        index = shop.scope.producers[reader]
        _rescale(shop, site, index)
    return "rescaled behind the op"


def _rescale(shop: Workshop, site: PaddingSite, index: int) -> None:
    node = shop.edit.node(index)
    output, bias = node.output[0], node.input[2] if len(node.input) > 2 else ""
    del node.input[2:]
    node.output[0] = shop.build.unique(f"{output}/unscaled")
    scale = _scale(shop, _as_read_by(shop, site, node), node)
    scaled = shop.build.op("Mul", [node.output[0], scale], output="" if bias else output)
    if bias:
        channels = shop.build.constant([1, -1] + [1] * (site.rank - 2))
        shaped = shop.build.op("Reshape", [bias, channels])
        shop.build.op("Add", [scaled, shaped], output=output)
    shop.place(index + 1, like=index)


def _as_read_by(shop: Workshop, site: PaddingSite, node: NodeProto) -> PaddingSite:
    """The site with the windows of this reader: two convolutions may share one Pad."""
    windows = ops.windows(shop.scope, node, ops.WindowOp()) or ()
    axes = tuple(replace(a, window=windows[a.axis - 2]) if windows else a for a in site.axes)
    return replace(site, axes=axes)


def _scale(shop: Workshop, site: PaddingSite, node: NodeProto) -> str:
    """The map r, of shape (1, 1, out...), as a constant or computed from the input's size."""
    fixed = [_fixed_scale(axis) for axis in site.axes]
    if any(f is None for f in fixed):
        return _counted_scale(shop, site, node)
    scale = ""
    for axis, factors in zip(site.axes, fixed, strict=True):
        shape = [-1 if i == axis.axis else 1 for i in range(site.rank)]
        part = shop.build.constant(np.array(factors).reshape(shape), element_type(site))
        scale = shop.build.op("Mul", [scale, part]) if scale else part
    return scale


def _fixed_scale(axis: SiteAxis) -> list[float] | None:
    """K / valid per window position along one axis; 1 where a window meets no real cell."""
    if axis.window is None or axis.size is None or axis.begin is None or axis.end is None:
        return None
    cells = valid_cells(axis.size, axis.window, axis.begin, axis.end)
    return [axis.window.kernel / max(c, 1) for c in cells]


def _counted_scale(shop: Workshop, site: PaddingSite, node: NodeProto) -> str:
    """R for unknown sizes: a convolution of ones counts the real cells under each window."""
    build, dtype = shop.build, element_type(site)
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
