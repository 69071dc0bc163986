"""Padding that is written in other words: recognised by what it does, not by how it looks.

Exporters write circular padding as Slice + Concat, and onnxpad itself composes what ONNX's Pad
cannot do. Such a composition is cut out, run on a short ramp, and compared with numpy.pad.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, TypeProto, helper, numpy_helper

from onnxpad.geometry import Window, valid_cells
from onnxpad.modes import Mode
from onnxpad.scopes import DEFAULT_DOMAINS, Scope
from onnxpad.values import Values, attributes, from_tensor

# What strips are cut and computed with. A Conv or Relu in a branch ends the search at once.
_STRIP_OPS = frozenset(
    [
        "Slice",
        "Gather",
        "Shape",
        "Constant",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Mod",
        "Abs",
        "Neg",
        "Min",
        "Max",
        "Cast",
        "CastLike",
        "Reshape",
        "Unsqueeze",
        "Squeeze",
        "Identity",
        "Range",
        "Concat",
        "Clip",
        "Floor",
        "ConstantOfShape",
        "Where",
        "Greater",
        "Less",
    ]
)
_LARGEST_STRIP = 80  # nodes
_TRIAL_SIZES = (61, 37)
# edge before symmetric: they are one and the same where the padding is 1.
_CANDIDATES = (Mode("edge"), Mode("reflect"), Mode("symmetric"), Mode("wrap"), Mode("linear"))


@dataclass(frozen=True, slots=True)
class Composed:
    """Padding made of several nodes: ``output`` is ``source`` padded on (axis, begin, end)s."""

    source: str
    output: str
    mode: Mode
    axes: tuple[tuple[int, int, int], ...]


def numpy_pad(array: NDArray[Any], pads: list[tuple[int, int]], mode: Mode) -> NDArray[Any]:
    """``numpy.pad`` in onnxpad's words."""
    if mode.name == "linear":
        return np.pad(array, pads, mode="reflect", reflect_type="odd")
    if mode.name in ("zero", "constant"):
        return np.pad(array, pads, mode="constant", constant_values=mode.value)
    padded: NDArray[Any] = np.pad(array, pads, mode=mode.name)  # type: ignore[call-overload]
    return padded  # the modes' names are numpy's own words


def composed_paddings(scope: Scope, values: Values) -> Iterator[Composed]:
    """Every composed padding of a scope, axes that follow each other joined into one."""
    single: dict[str, Composed] = {}
    for node in scope.nodes:
        if node.op_type == "Concat" and node.domain in DEFAULT_DOMAINS and len(node.input) > 1:
            found = _concat(scope, values, node)
            if found is not None:
                single[found.output] = found
    inner = set()
    joined: dict[str, Composed] = {}
    for output, one in single.items():
        found = one
        before = joined.get(found.source)
        if before is not None and before.mode == found.mode:
            inner.add(found.source)
            axes = tuple(sorted(before.axes + found.axes))
            found = Composed(before.source, output, found.mode, axes)
        joined[output] = found
    yield from (found for output, found in joined.items() if output not in inner)


def _concat(scope: Scope, values: Values, node: NodeProto) -> Composed | None:
    axis = attributes(node).get("axis")
    if axis is None or len(node.input) > 3:
        return None
    for position, source in enumerate(node.input):
        strips = [name for i, name in enumerate(node.input) if i != position]
        if source in strips or not source:
            continue
        cut = _ancestors(scope, values, strips, source)
        if cut is not None and cut[1]:
            return _judge(scope, node, source, position, axis, cut[0])
    return None


def _ancestors(
    scope: Scope,
    values: Values,
    names: list[str],
    source: str,
    allowed: frozenset[str] = _STRIP_OPS,
) -> tuple[list[int], bool] | None:
    """Nodes that compute ``names`` from ``source`` and constants alone; None if others take part.

    With them, whether every one of ``names`` really depends on ``source``.
    """
    found: set[int] = set()
    reads_source = dict.fromkeys(names, False)
    for name in names:
        queue, seen = [name], set[str]()
        while queue:
            current = queue.pop()
            if current == source:
                reads_source[name] = True
                continue
            if current in seen or not current or current in scope.initializers:
                continue
            seen.add(current)
            index = scope.producers.get(current)
            if index is None:
                if values.value(scope, current) is None:
                    return None
                continue
            node = scope.nodes[index]
            if node.op_type not in allowed or node.domain not in DEFAULT_DOMAINS:
                return None
            found.add(index)
            if len(found) > _LARGEST_STRIP:
                return None
            queue.extend(node.input)
    return sorted(found), all(reads_source.values())


def _judge(
    scope: Scope, node: NodeProto, source: str, position: int, axis: int, cut: list[int]
) -> Composed | None:
    info = scope.info(source)
    rank = len(info.shape) if info.shape is not None else max(axis + 1, 3)
    axis %= rank
    size = info.shape[axis] if info.shape is not None else None
    verdicts = set()
    for trial in (size,) if isinstance(size, int) else _TRIAL_SIZES:
        shape = [1] * rank
        shape[axis] = trial
        ramp = _ramp(trial).reshape(shape)
        nodes = [*(scope.nodes[i] for i in cut), node]
        outputs = _run(scope, nodes, source, ramp, [*node.input, node.output[0]])
        if outputs is None:
            return None
        verdicts.add(_compare(ramp.reshape(-1), outputs, node, position))
    if len(verdicts) != 1 or None in verdicts:
        return None
    begin, end, mode = verdicts.pop() or (0, 0, Mode("zero"))
    return Composed(source, node.output[0], mode, ((axis, begin, end),))


def _ramp(size: int) -> NDArray[np.float32]:
    """Numbers that no two modes continue alike; squares, so that linear is not a straight line."""
    return (np.arange(size, dtype=np.float32) + 1) ** 2 % 1021


def _compare(
    ramp: NDArray[Any], outputs: dict[str, NDArray[Any]], node: NodeProto, position: int
) -> tuple[int, int, Mode] | None:
    begin = sum(outputs[name].size for name in node.input[:position])
    padded = outputs[node.output[0]].reshape(-1)
    end = padded.size - begin - ramp.size
    for mode in _CANDIDATES:
        if np.array_equal(padded, numpy_pad(ramp, [(begin, end)], mode)):
            return begin, end, mode
    return None


# What a map of window cells / real cells is computed with, besides.
_SCALE_OPS = _STRIP_OPS | {"Conv", "Tile"}


@dataclass(frozen=True, slots=True)
class ScaledAxis:
    """A padded axis of a convolution that may be rescaled; ``pads`` gives them for any size."""

    axis: int
    size: int | None
    window: Window
    pads: Callable[[int], tuple[int, int]]


def rescaling(
    scope: Scope,
    values: Values,
    conv: NodeProto,
    source: str,
    axes: tuple[ScaledAxis, ...],
) -> frozenset[int] | None:
    """Whether a convolution's output is rescaled as partial convolution does.

    Args:
        source: the tensor that is padded, whose shape the map may be computed from.
        axes: every padded axis.

    Returns:
        The indices of the nodes that compute the map, None if it is no partial convolution.
    """
    readers = scope.readers(conv.output[0])
    if len(readers) != 1 or len(conv.input) > 2 or not axes:
        return None
    node = scope.nodes[readers[0]]
    if node.op_type != "Mul" or len(node.input) != 2:
        return None
    scale = next((name for name in node.input if name != conv.output[0]), "")
    cut = _ancestors(scope, values, [scale], source, _SCALE_OPS) if scale else None
    if cut is None:
        return None
    info = scope.info(source)
    rank = len(info.shape) if info.shape is not None else max(a.axis for a in axes) + 1
    for trial in _TRIAL_SIZES:
        sizes = {a.axis: a.size or trial for a in axes}
        shape = [1 if i < 2 else sizes.get(i, trial) for i in range(rank)]
        nodes = [scope.nodes[i] for i in cut[0]]
        made = _run(scope, nodes, source, np.zeros(shape, np.float32), [scale])
        if made is None or not _is_scale(made[scale], rank, sizes, axes):
            return None
    return frozenset(cut[0])


def _is_scale(
    found: NDArray[Any],
    rank: int,
    sizes: dict[int, int],
    axes: tuple[ScaledAxis, ...],
) -> bool:
    expected, met = np.ones([1] * rank), np.ones([1] * rank, dtype=bool)
    for one in axes:
        size = sizes[one.axis]
        along = [-1 if i == one.axis else 1 for i in range(rank)]
        cells = np.reshape(valid_cells(size, one.window, *one.pads(size)), along)
        expected = expected * one.window.kernel / np.maximum(cells, 1)
        met = met & (cells > 0)  # where a window meets no real cell, any number will do
    try:
        broadcast = np.broadcast_arrays(np.where(met, found, 1), np.where(met, expected, 1))
    except ValueError:
        return False
    # 1e-3: the map can be stored as float16
    return bool(found.ndim == rank and np.allclose(broadcast[0], broadcast[1], rtol=1e-3, atol=0))


def _run(
    scope: Scope,
    nodes: list[NodeProto],
    source: str,
    array: NDArray[Any],
    wanted: list[str],
) -> dict[str, NDArray[Any]] | None:
    """Run a cut-out of the graph by ONNX's reference implementation; None if it cannot be run."""
    from onnx.reference import ReferenceEvaluator

    made = {name for node in nodes for name in node.output}
    needed = ({name for node in nodes for name in node.input} | set(wanted)) - made - {source, ""}
    constants = [t for name in sorted(needed) if (t := _constant(scope, name)) is not None]
    if len(constants) != len(needed):
        return None
    outputs = [n for n in dict.fromkeys(wanted) if n != source]
    graph = helper.make_graph(
        nodes, "cut", [helper.make_tensor_value_info(source, TensorProto.FLOAT, array.shape)],
        [helper.make_value_info(n, TypeProto()) for n in outputs], constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", scope.opset)])
    try:
        results = ReferenceEvaluator(model).run(None, {source: array})
    except Exception:  # noqa: BLE001  # an untrusted graph: what cannot run is not recognised
        return None
    return {source: array} | {n: np.asarray(r) for n, r in zip(outputs, results, strict=True)}


def _constant(scope: Scope, name: str) -> TensorProto | None:
    """A small constant under the name it is read by."""
    owner = scope.owner(name)
    if owner is None:
        return None
    node = owner.producer(name)
    tensor: Any = owner.initializers.get(name)
    if node is not None and node.op_type == "Constant" and node.attribute:
        tensor = attributes(node).get("value")
    array = from_tensor(tensor) if isinstance(tensor, TensorProto) else None
    if array is None:
        return None
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return numpy_helper.from_array(array.astype(kind), name)
