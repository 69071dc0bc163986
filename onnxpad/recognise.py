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

    Amounts are None where they depend on the size. ``modes`` are those that it can be said to be,
    ``rank`` the axes of the source, 0 where unknown.
    """

    source: str
    output: str
    modes: tuple[Mode, ...]
    axes: tuple[tuple[int, int | None, int | None], ...]
    rank: int = 0

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
        if node.domain not in DEFAULT_DOMAINS or len(node.input) < 2:
            continue
        ranks = {name: one.rank for name, one in joined.items()}
        found = None
        if node.op_type == "Concat":
            found = _other_end(scope, values, node, single) or _concat(scope, values, node, ranks)
        elif node.op_type == "Gather":
            found = _gathered(scope, values, node, joined)
        if found is None:
            continue
        single[node.output[0]] = found
        before = joined.get(found.source)
        if before is not None and _apart(before, found):
            modes = tuple(m for m in before.modes if m in found.modes)
            axes = tuple(sorted(before.axes + found.axes))
            if modes:
                found = Composed(before.source, node.output[0], modes, axes, before.rank)
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
        if cut is None or end is None:
            continue
        rest = partial(_beside, begin if first else None, end)
        found = _judge(scope, node, source, axis, cut[0], rest, {source: single[name].rank})
        if found is not None and found.axes[0][0] == single[name].axes[0][0]:
            return found
    return None


def _gathered(
    scope: Scope, values: Values, node: NodeProto, joined: Mapping[str, Composed]
) -> Composed | None:
    """A whole axis taken anew, by positions computed from its size: padding of computed amounts.

    The size may be that of the tensor in front of earlier steps, so all of them are run.
    """
    data, where = node.input
    source = joined[data].source if data in joined else data
    cut = ancestors(scope, values, [data, where], source)
    if cut is None or not cut[1]:
        return None
    axis = attributes(node).get("axis", 0)
    rank = _rank(scope, source, axis, {})
    kept = set(_CANDIDATES)
    for trial in TRIAL_SIZES:
        ramp = _ramp(trial)
        outputs = _run(scope, node, source, cut[0], rank, axis % rank, ramp)
        if outputs is None:
            return None
        # The other axes, of size 1, hold copies of their one element.
        made = np.moveaxis(outputs[node.output[0]], axis, 0)
        padded = made.reshape(made.shape[0], -1)[:, 0]
        total = padded.size - ramp.size
        if np.array_equal(padded, ramp):
            continue  # nothing is padded at this very size
        found = [_compare(ramp, padded, begin, total) for begin in range(min(total, _WIDEST) + 1)]
        kept &= {mode for one in found if one is not None for mode in one[2]}
    modes = tuple(mode for mode in _CANDIDATES if mode in kept)
    axes = ((axis % rank, None, None),)
    if not 0 < len(modes) < len(_CANDIDATES):
        return None  # no padding, or none at any size that was tried
    return Composed(data, node.output[0], modes, axes, len(scope.info(source).shape or ()))


def _concat(
    scope: Scope, values: Values, node: NodeProto, ranks: Mapping[str, int]
) -> Composed | None:
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
            return _judge(scope, node, source, axis, cut[0], front, ranks)
    return None


Made = Mapping[str, NDArray[Any]]


def _in_front(names: Sequence[str], made: Made, _: int) -> int:
    """The begin amount where these strips were put in front of the tensor itself."""
    return sum(made[name].size for name in names)


def _beside(begin: int | None, end: int, _: Made, total: int) -> int:
    """The begin amount where an earlier step padded the other end (begin None), or this one."""
    return total - end if begin is None else begin


def _rank(scope: Scope, name: str, axis: int, ranks: Mapping[str, int]) -> int:
    """Axes of a tensor; a guess that is large enough where unknown."""
    shape = scope.info(name).shape
    return (len(shape) if shape is not None else ranks.get(name, 0)) or max(axis + 1, 3)


def _run(
    scope: Scope, node: NodeProto, source: str, cut: list[int], rank: int, axis: int,
    ramp: NDArray[np.float32],
) -> Made | None:  # fmt: skip
    """What the cut-out nodes and the last one make of a ramp along an axis."""
    shape = [1] * rank
    shape[axis] = ramp.size
    nodes = [scope.nodes[i] for i in cut] + [node]
    return run_cut(scope, nodes, source, ramp.reshape(shape), [*node.input, node.output[0]])


def _judge(
    scope: Scope, node: NodeProto, source: str, axis: int, cut: list[int],
    begin_of: Callable[[Made, int], int], ranks: Mapping[str, int],
) -> Composed | None:  # fmt: skip
    """Run the cut-out nodes on a ramp and say which padding of ``source`` they are, if any.

    Args:
        begin_of: how much is padded at the begin, from what the nodes gave and the amount in all.
        ranks: axes of tensors of which shape inference does not know them.
    """
    rank = _rank(scope, source, axis, ranks)
    axis %= rank
    info = scope.info(source)
    size = info.shape[axis] if info.shape is not None else None
    if isinstance(size, int) and size > _LONGEST:
        return None
    verdicts = set()
    for trial in (size,) if isinstance(size, int) else TRIAL_SIZES:
        ramp = _ramp(trial)
        outputs = _run(scope, node, source, cut, rank, axis, ramp)
        if outputs is None:
            return None
        padded = outputs[node.output[0]].reshape(-1)
        total = padded.size - ramp.size
        verdicts.add(_compare(ramp, padded, begin_of(outputs, total), total))
    if len(verdicts) != 1 or None in verdicts:
        return None
    begin, end, modes = verdicts.pop() or (0, 0, ())
    known = ranks.get(source, 0) or len(info.shape or ())
    return Composed(source, node.output[0], modes, ((axis, begin, end),), known)


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
