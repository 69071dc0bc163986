"""The sizes that operators make which cut, join and reshape axes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from onnxpad.size_state import SizeState, UnknownSizeError
from onnxpad.size_values import Dims, Element, lift, product
from onnxpad.values import attributes

_RESHAPED = "reshapes maps of one size only"


def reshape(state: SizeState, node: NodeProto) -> Dims:
    """A Reshape; sizes at which the elements do not fit the shape are noted."""
    data, given = state.dims_of(node.input[0]), attributes(node)
    wanted: list[Element] = given.get("shape") or state.elements(node.input[1], "shape")
    if not given.get("allowzero", 0):
        if any(d == 0 and i >= len(data) for i, d in enumerate(wanted)):
            raise UnknownSizeError("reshapes to more axes than it can copy")
        wanted = [data[i] if d == 0 else d for i, d in enumerate(wanted)]
    return _filled(state, node, data, wanted)


def _filled(state: SizeState, node: NodeProto, data: Dims, wanted: list[Element]) -> Dims:
    """The shape with its -1 put in. A size on both sides cancels, even if nobody knows it."""
    before, after = list(data), list(wanted)
    for size in wanted:
        if size is not None and size in before and after.count(size):
            before.remove(size)
            after.remove(size)
    free = [d for d in after if isinstance(d, int) and d == -1]
    total, rest = product(before), product([d for d in after if d not in free])
    if not free:
        fails = lift(np.not_equal, total, rest)
        state.refuse(node, fails, _RESHAPED)
        return tuple(wanted)
    fails = lift(lambda n, m: np.where(m > 0, n % np.maximum(m, 1) != 0, True), total, rest)
    state.refuse(node, fails, _RESHAPED)
    left = lift(lambda n, m: n // np.maximum(m, 1), total, rest)
    return tuple(left if isinstance(d, int) and d == -1 else d for d in wanted)


def flatten(state: SizeState, node: NodeProto) -> Dims:
    """A Flatten: two axes."""
    data, axis = state.dims_of(node.input[0]), attributes(node).get("axis", 1)
    axis = axis + len(data) if axis < 0 else axis
    return (product(data[:axis]), product(data[axis:]))


def concat(state: SizeState, node: NodeProto) -> Dims:
    """A Concat; sizes at which its operands differ along other axes are noted."""
    shapes = [state.dims_of(name) for name in node.input]
    axis = attributes(node).get("axis", 1) % len(shapes[0])
    out = list(shapes[0])
    for shape in shapes[1:]:
        if len(shape) != len(out):
            raise UnknownSizeError("joins tensors with different numbers of axes")
        for i, size in enumerate(shape):
            if i == axis:
                out[i] = lift(np.add, out[i], size)
            else:
                out[i] = state.unlike(node, out[i], size, "joins maps of different sizes")
    return tuple(out)


def sliced(state: SizeState, node: NodeProto) -> Dims:
    """A Slice with constant or computed bounds."""
    data, given = state.dims_of(node.input[0]), attributes(node)
    bounds: list[list[Element] | None] = [given.get(k) for k in ("starts", "ends", "axes")]
    bounds.append(None)
    for i, name in enumerate(node.input[1:5]):
        if name:
            bounds[i] = state.elements(name, ("starts", "ends", "axes", "steps")[i])
    starts, ends = bounds[0] or [], bounds[1] or []
    axes = bounds[2] or list(range(len(starts)))
    steps = bounds[3] or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise UnknownSizeError("has bounds that do not fit its axes")
    out = list(data)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if not isinstance(axis, int) or not isinstance(step, int) or step == 0:
            raise UnknownSizeError("slices along axes that are not known")
        size = out[axis % len(data)]
        cut = _backward if step < 0 else _forward
        out[axis % len(data)] = lift(cut, size, start, end, abs(step))
    return tuple(out)


def _forward(size: Any, start: Any, end: Any, step: int) -> NDArray[Any]:
    start, end = (np.clip(np.where(b < 0, b + size, b), 0, size) for b in _ints(start, end))
    return _steps(end - start, step)


def _backward(size: Any, start: Any, end: Any, step: int) -> NDArray[Any]:
    start, end = _ints(start, end)
    start = np.clip(np.where(start < 0, start + size, start), 0, np.maximum(size - 1, 0))
    # an end this far below 0 stands for "past the first element"
    end = np.clip(np.where(end < 0, end + size, end), -1, np.maximum(size - 1, 0))
    return _steps(start - end, step)


def _steps(span: NDArray[Any], step: int) -> NDArray[Any]:
    return np.asarray(np.maximum(-(-span // step), 0))


def _ints(*bounds: Any) -> list[NDArray[Any]]:
    """Bounds as arrays; "to the end" is spelled with the largest integer, which must not wrap."""
    far = 2**60
    return [np.clip(np.asarray(b, dtype=np.int64), -far, far) for b in bounds]


def split(state: SizeState, node: NodeProto) -> list[Dims]:
    """The parts of a Split; sizes at which they do not add up are noted."""
    data, given = state.dims_of(node.input[0]), attributes(node)
    axis = given.get("axis", 0) % len(data)
    parts: list[Element] | None = given.get("split")
    if parts is None and len(node.input) > 1 and node.input[1]:
        parts = state.elements(node.input[1], "split")
    count = len(node.output)
    if parts is None:
        each = lift(lambda n: -(-n // count), data[axis])
        last = lift(lambda n, e: n - (count - 1) * e, data[axis], each)
        parts = [each] * (count - 1) + [last]
        if "num_outputs" not in given:
            state.unlike(node, last, each, "splits a map into parts of one size")
    else:
        total: Element = 0
        for part in parts:
            total = lift(np.add, total, part)
        state.unlike(node, data[axis], total, "splits maps of one size only")
    return [(*data[:axis], part, *data[axis + 1 :]) for part in parts]


def move_blocks(state: SizeState, node: NodeProto) -> Dims:
    """A DepthToSpace or SpaceToDepth."""
    n, c, *space = state.dims_of(node.input[0])
    block = attributes(node)["blocksize"]
    if node.op_type == "DepthToSpace":
        wide = [lift(lambda d: d * block, d) for d in space]
        return (n, lift(lambda d: d // block ** len(space), c), *wide)
    for size in space:
        state.refuse(node, lift(lambda d: d % block != 0, size), f"cuts maps in blocks of {block}")
    narrow = [lift(lambda d: d // block, d) for d in space]
    return (n, lift(lambda d: d * block ** len(space), c), *narrow)


def expand(state: SizeState, node: NodeProto) -> Dims:
    """An Expand: broadcasting with a shape."""
    data, wanted = state.dims_of(node.input[0]), state.elements(node.input[1], "shape")
    rank = max(len(data), len(wanted))
    ours = (1,) * (rank - len(data)) + tuple(data)
    theirs = (1,) * (rank - len(wanted)) + tuple(wanted)
    fails = [lift(lambda n, m: (n != m) & (np.asarray(n) != 1) & (np.asarray(m) != 1), a, b)
             for a, b in zip(ours, theirs, strict=True)]  # fmt: skip
    for one in fails:
        state.refuse(node, one, "spreads a map over one of another size")
    return tuple(lift(np.maximum, a, b) for a, b in zip(ours, theirs, strict=True))


def tile(state: SizeState, node: NodeProto) -> Dims:
    """A Tile."""
    data, times = state.dims_of(node.input[0]), state.elements(node.input[1], "repeats")
    return tuple(lift(np.multiply, d, t) for d, t in zip(data, times, strict=True))


def crop(state: SizeState, node: NodeProto) -> Dims:
    """The Crop of old exports, which ONNX Runtime keeps: border is left, top, right, bottom."""
    n, c, height, width = state.dims_of(node.input[0])
    given = attributes(node)
    left, top, right, bottom = given["border"]
    if given.get("scale"):
        return (n, c, *given["scale"])
    return (n, c, lift(lambda h: h - top - bottom, height), lift(lambda w: w - left - right, width))
