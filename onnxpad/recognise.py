"""Padding that is written in other words: recognised by what it does, not by how it looks.

Exporters write circular padding as Slice + Concat, and onnxpad itself composes what ONNX's Pad
cannot do. Such a composition is cut out, run on a short ramp, and compared with numpy.pad.
"""

from collections.abc import Iterator, Mapping
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
_WIDEST = 1024  # elements, both ends together
_LONGEST = 2**20  # elements of an axis; a second of sound has 48,000
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
    """Every composed padding of a scope; steps that follow each other are joined into one."""
    single: dict[str, Composed] = {}  # one axis each
    joined: dict[str, Composed] = {}
    inner: set[str] = set()
    for node in scope.nodes:
        if node.op_type != "Concat" or node.domain not in DEFAULT_DOMAINS or len(node.input) < 2:
            continue
        found = _other_end(scope, values, node, single) or _concat(scope, values, node)
        if found is None:
            continue
        single[node.output[0]] = found
        before = joined.get(found.source)
        if before is not None and before.mode == found.mode and _apart(before, found):
            axes = tuple(sorted(before.axes + found.axes))
            found = Composed(before.source, node.output[0], found.mode, axes)
        # What a later step goes on from is a part of it, and no site of its own.
        inner.update(name for name in node.input if name in joined)
        joined[node.output[0]] = found
    yield from (found for output, found in joined.items() if output not in inner)


def _apart(before: Composed, found: Composed) -> bool:
    return not {a for a, *_ in before.axes} & {a for a, *_ in found.axes}


def _other_end(
    scope: Scope, values: Values, node: NodeProto, single: Mapping[str, Composed]
) -> Composed | None:
    """Padding of the other end of an axis that an earlier Concat padded at one end.

    Some exporters pad end by end, and cut the second strip from what the first step made; only
    seen from the tensor in front of both do the two make sense.
    """
    axis = attributes(node).get("axis", 0)
    for name in node.input if len(node.input) == 2 else ():
        if name not in single:
            continue
        source = single[name].source
        cut = ancestors(scope, values, list(node.input), source)
        found = None if cut is None else _judge(scope, node, source, axis, cut[0])
        if found is not None and found.axes[0][0] == single[name].axes[0][0]:
            return found
    return None


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
            return _judge(scope, node, source, axis, cut[0])
    return None


def _rank(scope: Scope, name: str, axis: int) -> int:
    """Axes of a tensor; a guess that is large enough where unknown."""
    shape = scope.info(name).shape
    return len(shape) if shape is not None else max(axis + 1, 3)


def _judge(
    scope: Scope, node: NodeProto, source: str, axis: int, cut: list[int]
) -> Composed | None:
    """Run the cut-out nodes on a ramp and say which padding of ``source`` they are, if any."""
    rank = _rank(scope, source, axis)
    axis %= rank
    info = scope.info(source)
    size = info.shape[axis] if info.shape is not None else None
    if isinstance(size, int) and size > _LONGEST:
        return None
    verdicts = set()
    for trial in (size,) if isinstance(size, int) else TRIAL_SIZES:
        shape = [1] * rank
        shape[axis] = trial
        ramp = _ramp(trial)
        nodes = [scope.nodes[i] for i in cut] + [node]
        outputs = run_cut(scope, nodes, source, ramp.reshape(shape), [node.output[0]])
        if outputs is None:
            return None
        verdicts.add(_compare(ramp, outputs[node.output[0]].reshape(-1)))
    if len(verdicts) != 1 or None in verdicts:
        return None
    begin, end, mode = verdicts.pop() or (0, 0, Mode("zero"))
    return Composed(source, node.output[0], mode, ((axis, begin, end),))


def _ramp(size: int) -> NDArray[np.float32]:
    """Numbers that no two modes continue alike; squares, so that linear is not a straight line."""
    return (np.arange(size, dtype=np.float32) + 1) ** 2 % 1021


def _compare(ramp: NDArray[Any], padded: NDArray[Any]) -> tuple[int, int, Mode] | None:
    """(begin, end, mode) with which numpy.pad makes the same of the ramp."""
    total = padded.size - ramp.size
    for begin in range(total + 1) if 0 < total <= _WIDEST else ():
        if not np.array_equal(padded[begin : begin + ramp.size], ramp):
            continue
        for mode in _CANDIDATES:
            if np.array_equal(padded, numpy_pad(ramp, [(begin, total - begin)], mode)):
                return begin, total - begin, mode
    return None
