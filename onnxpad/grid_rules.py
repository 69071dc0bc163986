"""What each operator does to a grid: keep it, scale it, or leave it."""

from collections.abc import Iterable
from fractions import Fraction

from onnx import NodeProto

from onnxpad import ops
from onnxpad.grid import Grid, Grids, at_two_sizes, off
from onnxpad.scopes import Scope
from onnxpad.trace import pass_on, quantised_alike
from onnxpad.values import Values, attributes


def reduced_axes(scope: Scope, values: Values, node: NodeProto) -> list[int]:
    """Axes that a Reduce op collapses; all of them where none are named."""
    shape = scope.info(node.input[0]).shape
    axes = attributes(node).get("axes")
    if axes is None and len(node.input) > 1 and node.input[1]:
        axes = values.ints(scope, node.input[1])
    if shape is None or axes is None or None in axes:
        return list(range(len(shape or ()))) if not axes else []
    return [a % len(shape) for a in axes]


Known = list[tuple[int, Grid]]


def _window(scope: Scope, _values: Values, _grids: Grids, node: NodeProto, known: Known) -> Grid:
    op = ops.window_op(node)
    transposed = node.op_type == "ConvTranspose"
    grid = known[0][1]
    if len(known) > 1 or known[0][0] != 0:
        raise off(node, "takes the map as a kernel or offset")
    shape = scope.info(node.input[0]).shape
    rank = len(shape) if shape else len(grid.axes) + 2
    last = op is not None and ops.channels_last(node, op)
    if grid.axes != tuple(range(1 if last else 2, rank - 1 if last else rank)):
        raise off(node, "slides along other axes than the input's")
    given = attributes(node)
    if transposed and given.get("output_shape"):
        raise off(node, "has a hard-coded output size")
    strides = given.get("strides") or [1] * len(grid.axes)
    scale = tuple(s * t if transposed else s / t for s, t in zip(grid.scale, strides, strict=True))
    return Grid(grid.axes, scale)


def _resize(scope: Scope, values: Values, grids: Grids, node: NodeProto, known: Known) -> Grid:
    given, grid = attributes(node), known[0][1]
    if given.get("coordinate_transformation_mode") == b"align_corners":
        raise off(node, "aligns corners, so that every value depends on the size")
    sizes = node.input[3] if len(node.input) > 3 else ""
    if sizes:
        ratios = _size_ratios(scope, grids, sizes, grid)
    else:
        ratios = _scale_ratios(scope, values, node, grid)
    if ratios is None:
        raise off(node, "is resized by a factor that is not known")
    if 0 in ratios:
        raise off(node, "has a hard-coded output size")
    return Grid(grid.axes, tuple(r * s for r, s in zip(ratios, grid.scale, strict=True)))


def _size_ratios(scope: Scope, grids: Grids, sizes: str, grid: Grid) -> tuple[Fraction, ...] | None:
    """Output pixels per pixel of the resized map; 0 where the output's size is fixed."""
    found = at_two_sizes(scope, grids, sizes)
    if found is None:
        return None
    small, large, base = found
    ratios = []
    for axis, scale in zip(grid.axes, grid.scale, strict=True):
        low, high = (one[axis] if axis < len(one) else None for one in (small, large))
        if low is None or high is None:
            return None
        ratios.append(Fraction(float(high - low)) / (base * scale))
    return tuple(ratios)


def _scale_ratios(
    scope: Scope, values: Values, node: NodeProto, grid: Grid
) -> tuple[Fraction, ...] | None:
    """The scales of a Resize or Upsample along the map's axes."""
    factors = attributes(node).get("scales")
    # Upsample has its scales second, Resize third from opset 11 on.
    position = 2 if len(node.input) > 2 else 1
    if factors is None and len(node.input) > position:
        found = values.value(scope, node.input[position])
        factors = None if found is None else list(found.reshape(-1))
    if factors is None or max(grid.axes) >= len(factors):
        return None
    along = [factors[axis] for axis in grid.axes]
    if None in along:
        return None
    return tuple(Fraction(float(f)).limit_denominator(64) for f in along)


def _concat(_scope: Scope, _values: Values, _grids: Grids, node: NodeProto, known: Known) -> Grid:
    if len(known) < len(node.input) or len({g for _, g in known}) > 1:
        raise off(node, "joins maps of different grids")
    grid = known[0][1]
    if attributes(node).get("axis") in grid.axes:
        raise off(node, "joins maps side by side")
    return grid


def _pick(scope: Scope, values: Values, _grids: Grids, node: NodeProto, known: Known) -> Grid:
    """Slice, Split, Gather, ArgMax, Softmax: along other axes than space they keep the grid."""
    grid = known[0][1]
    shape = scope.info(node.input[0]).shape
    axes = _picked_axes(scope, values, node, len(shape) if shape else 0)
    if axes is None or set(axes) & set(grid.axes) or not shape:
        raise off(node, "takes positions apart")
    return _dropped(node, grid, axes, len(shape))


def _picked_axes(scope: Scope, values: Values, node: NodeProto, rank: int) -> list[int] | None:
    given = attributes(node)
    if not rank:
        return None
    if node.op_type == "Slice":
        axes = given.get("axes")
        if axes is None and len(node.input) > 3:
            axes = values.ints(scope, node.input[3])
        return None if axes is None or None in axes else [a % rank for a in axes]
    if node.op_type.startswith("Reduce"):
        return reduced_axes(scope, values, node)
    default = {"Split": 0, "Gather": 0, "ArgMax": 0, "ArgMin": 0, "TopK": -1}
    axis = given.get("axis", default.get(node.op_type, -1 if scope.opset >= 13 else 1)) % rank
    flattening = node.op_type in ("Softmax", "LogSoftmax", "Hardmax") and scope.opset < 13
    return list(range(axis, rank)) if flattening else [axis]


def _dropped(node: NodeProto, grid: Grid, axes: Iterable[int], rank: int) -> Grid:
    """The grid after axes other than space may have vanished."""
    reduces = node.op_type.startswith(("Reduce", "Arg"))
    if not reduces or attributes(node).get("keepdims", 1):
        return grid
    kept = [a for a in range(rank) if a not in set(axes)]
    return Grid(tuple(kept.index(a) for a in grid.axes), grid.scale)


def _blocks(_scope: Scope, _values: Values, _grids: Grids, node: NodeProto, known: Known) -> Grid:
    grid, size = known[0][1], attributes(node).get("blocksize", 1)
    factor = Fraction(size) if node.op_type == "DepthToSpace" else Fraction(1, size)
    return Grid(grid.axes, tuple(s * factor for s in grid.scale))


def _matmul(scope: Scope, _values: Values, _grids: Grids, node: NodeProto, known: Known) -> Grid:
    """A product over the last axis (channels of N, H, W, C) with a matrix of the model's own."""
    shape = scope.info(node.input[0]).shape
    weights = scope.info(node.input[1]).shape
    position, grid = known[0]
    plain = len(known) == 1 and position == 0 and shape and weights and len(weights) == 2
    if not plain or not shape or len(shape) - 1 in grid.axes:
        raise off(node, "multiplies positions with each other")
    return grid


def _layer_norm(
    scope: Scope, _values: Values, _grids: Grids, node: NodeProto, known: Known
) -> Grid:
    shape, grid = scope.info(node.input[0]).shape, known[0][1]
    axis = attributes(node).get("axis", -1)
    if not shape or any(a >= axis % len(shape) for a in grid.axes):
        raise off(node, "normalises over space")
    return grid


def other(scope: Scope, values: Values, _grids: Grids, node: NodeProto, known: Known) -> Grid:
    """Element-wise ops and ops that rename axes; everything else is off the grid."""
    position, grid = known[0]
    if any(other != grid for _, other in known):
        raise off(node, "joins maps of different grids")
    if node.op_type in ops.BINARY | {"Sum", "Mean", "Where"}:
        names = {node.input[i] for i, _ in known}
        others = [n for n in node.input if n not in names]
        if _same_everywhere(scope, others, node.input[position], grid):
            return grid
        raise off(node, "adds or multiplies a map of its own, of fixed size")
    if node.op_type in ops.QUANTISE and quantised_alike(scope, node, grid.axes):
        return grid
    if node.op_type in ("Flatten", "Reshape", "Gemm"):
        raise off(node, "flattens the map, so that positions lose their place")
    if node.op_type in ("InstanceNormalization", "GroupNormalization"):
        raise off(node, "normalises over the whole map")
    axes = pass_on(scope, values, node, node.input[position], grid.axes)
    if axes is None:
        raise off(node, "is not known to treat all positions alike")
    return Grid(axes, grid.scale)


def _same_everywhere(scope: Scope, others: list[str], name: str, grid: Grid) -> bool:
    shape = scope.info(name).shape
    for other in others:
        theirs = scope.info(other).shape
        if theirs is None or shape is None:
            return False
        for axis in grid.axes:
            position = axis - len(shape) + len(theirs)
            if position >= 0 and theirs[position] != 1:
                return False
    return True


_WINDOWS = (*sorted(name for _, name in ops.WINDOW_OPS), "ConvTranspose")
_PICKS = ("Slice", "Split", "Gather", "ArgMax", "ArgMin", "Softmax", "LogSoftmax", "Hardmax")
_REDUCTIONS = ("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceL2")
RULES = (
    dict.fromkeys(_WINDOWS, _window)
    | dict.fromkeys(_PICKS + _REDUCTIONS, _pick)
    | {
        "Resize": _resize,
        "Upsample": _resize,
        "Concat": _concat,
        "DepthToSpace": _blocks,
        "SpaceToDepth": _blocks,
        "MatMul": _matmul,
        "LayerNormalization": _layer_norm,
    }
)
