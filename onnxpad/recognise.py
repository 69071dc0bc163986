"""Padding that is written in other words: recognised by what it does, not by how it looks.

Exporters write circular padding as Slice + Concat, and onnxpad itself composes what ONNX's Pad
cannot do. Such a composition is cut out, run on a short ramp, and compared with numpy.pad.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from onnxpad.cutout import TRIAL_SIZES, ancestors, run_cut
from onnxpad.modes import Mode
from onnxpad.scopes import DEFAULT_DOMAINS, Scope
from onnxpad.values import Values, attributes

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
        cut = ancestors(scope, values, strips, source)
        if cut is not None and cut[1]:
            return _judge(scope, node, source, position, axis, cut[0])
    return None


def _judge(
    scope: Scope, node: NodeProto, source: str, position: int, axis: int, cut: list[int]
) -> Composed | None:
    info = scope.info(source)
    rank = len(info.shape) if info.shape is not None else max(axis + 1, 3)
    axis %= rank
    size = info.shape[axis] if info.shape is not None else None
    verdicts = set()
    for trial in (size,) if isinstance(size, int) else TRIAL_SIZES:
        shape = [1] * rank
        shape[axis] = trial
        ramp = _ramp(trial).reshape(shape)
        nodes = [*(scope.nodes[i] for i in cut), node]
        outputs = run_cut(scope, nodes, source, ramp, [*node.input, node.output[0]])
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
