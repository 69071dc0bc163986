"""Padding that is written in other words: recognised by what it does, not by how it looks.

Exporters write circular padding as Slice + Concat, and onnxpad itself composes what ONNX's Pad
cannot do. Such a composition is cut out, run on a short ramp, and compared with numpy.pad.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from onnxpad.cutout import TRIAL_SIZES, ancestors, run_cut
from onnxpad.modes import Mode
from onnxpad.scopes import DEFAULT_DOMAINS, Scope
from onnxpad.values import Values, attributes

_WIDEST = 1024  # elements, both ends together
_LONGEST = 2**20  # elements of an axis; a second of sound has 48,000
# Some are one and the same here and there: edge and symmetric where the padding is 1, all of them
# where the size is.
_CANDIDATES = (Mode("edge"), Mode("reflect"), Mode("symmetric"), Mode("wrap"), Mode("linear"))


@dataclass(frozen=True, slots=True)
class Composed:
    """Padding made of several nodes: ``output`` is ``source`` padded on (axis, begin, end)s.

    ``modes`` are those that it can be said to be.
    """

    source: str
    output: str
    modes: tuple[Mode, ...]
    axes: tuple[tuple[int, int, int], ...]

    @property
    def mode(self) -> Mode:
        """What it is, by the plainest of its names."""
        return self.modes[0]


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
        if before is not None and _apart(before, found):
            modes = tuple(m for m in before.modes if m in found.modes)
            axes = tuple(sorted(before.axes + found.axes))
            found = Composed(before.source, node.output[0], modes, axes) if modes else found
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
        _, begin, end = single[name].axes[0]
        first = name == node.input[0]
        if cut is None:
            continue
        rest = partial(_beside, begin if first else None, end)
        found = _judge(scope, node, source, axis, cut[0], rest)
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
            front = partial(_in_front, node.input[:position])
            return _judge(scope, node, source, axis, cut[0], front)
    return None


Made = Mapping[str, NDArray[Any]]


def _in_front(names: Sequence[str], made: Made, _: int) -> int:
    """The begin amount where these strips were put in front of the tensor itself."""
    return sum(made[name].size for name in names)


def _beside(begin: int | None, end: int, _: Made, total: int) -> int:
    """The begin amount where an earlier step padded the other end (begin None), or this one."""
    return total - end if begin is None else begin


def _rank(scope: Scope, name: str, axis: int) -> int:
    """Axes of a tensor; a guess that is large enough where unknown."""
    shape = scope.info(name).shape
    return len(shape) if shape is not None else max(axis + 1, 3)


def _judge(
    scope: Scope, node: NodeProto, source: str, axis: int, cut: list[int],
    begin_of: Callable[[Made, int], int],
) -> Composed | None:  # fmt: skip
    """Run the cut-out nodes on a ramp and say which padding of ``source`` they are, if any.

    Args:
        begin_of: how much is padded at the begin, from what the nodes gave and the amount in all.
    """
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
        wanted = [*node.input, node.output[0]]
        outputs = run_cut(scope, nodes, source, ramp.reshape(shape), wanted)
        if outputs is None:
            return None
        padded = outputs[node.output[0]].reshape(-1)
        total = padded.size - ramp.size
        verdicts.add(_compare(ramp, padded, begin_of(outputs, total), total))
    if len(verdicts) != 1 or None in verdicts:
        return None
    begin, end, modes = verdicts.pop() or (0, 0, ())
    return Composed(source, node.output[0], modes, ((axis, begin, end),))


def _ramp(size: int) -> NDArray[np.float32]:
    """Numbers that no two modes continue alike; squares, so that linear is not a straight line."""
    return (np.arange(size, dtype=np.float32) + 1) ** 2 % 1021


def _compare(
    ramp: NDArray[Any], padded: NDArray[Any], begin: int, total: int
) -> tuple[int, int, tuple[Mode, ...]] | None:
    """(begin, end, modes) with which numpy.pad makes the same of the ramp."""
    if not 0 <= begin <= total or not 0 < total <= _WIDEST:
        return None
    width = [(begin, total - begin)]
    modes = (m for m in _CANDIDATES if np.array_equal(padded, numpy_pad(ramp, width, m)))
    found = tuple(modes)
    return (begin, total - begin, found) if found else None
