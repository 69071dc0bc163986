"""Which tensors of a model are maps of its input, at what stride: measured, not guessed.

The copy runs at three sizes: as fed, taller, wider. A tensor is a map when exactly one of its
axes follows each spatial axis of the input; how much it grows gives the stride. So reshapes,
transposes and shape arithmetic of any exporter need no rules of their own, and what breaks at
another size (a hard-coded Reshape) shows itself by failing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm, prod

from onnx import helper

from onnxpad import ops
from onnxpad.errors import RunError
from onnxpad.probe import context_ops
from onnxpad.probe.anatomy import Anatomy, Layer, Map, Shape, told
from onnxpad.probe.copying import NODE_PATTERN, Copy
from onnxpad.probe.feeding import Feeding
from onnxpad.runtime import Provider, Session, open_bytes

# By how much the input grows, by its number of spatial axes: multiples of the strides in use.
_GROWTH = {1: (3840, 61440), 2: (64, 192, 960), 3: (32, 96)}
# Nodes that may fail at other sizes before the search for them ends.
_MOST_BLOCKED = 60
_SIZES = frozenset(("Shape", "Size"))
# An output of fewer positions along an axis has no inside to compare a border with.
_FEWEST = 3


def examine(
    copy: Copy, feeding: Feeding, *, provider: Provider, threads: int | None, label: str
) -> Anatomy:
    """Run a copy at three sizes and read its anatomy off.

    Raises RunError when the model cannot be run at any other size, with the reason.
    """
    count = len(feeding.axes)
    best: tuple[dict[str, Map], _Shapes] | None = None
    for growth in _GROWTH.get(count, (32,)):
        shapes = _measure(copy, feeding, growth, provider, threads, label)
        maps = {
            name: found
            for name, three in shapes.of.items()
            if (found := _as_map(name, three, growth, batched=0 not in feeding.axes)) is not None
        }
        if best is None or len(maps) > len(best[0]):
            best = maps, shapes
        if not any(_odd(three, growth) for three in shapes.of.values()):
            break
    assert best is not None
    return _anatomy(copy, *best)


@dataclass(slots=True)
class _Shapes:
    """Shapes of tensors as fed, then with each spatial axis longer; nodes that failed."""

    of: dict[str, tuple[Shape, ...]] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)


def _measure(
    copy: Copy,
    feeding: Feeding,
    growth: int,
    provider: Provider,
    threads: int | None,
    label: str,
) -> _Shapes:
    nodes = copy.nodes
    interesting = _reached(copy, feeding.main)
    spaces = [feeding.space] + [
        tuple(s + growth * (i == j) for j, s in enumerate(feeding.space))
        for i in range(len(feeding.space))
    ]
    shapes, out = _Shapes(), set[int]()
    while True:
        names = [n for i in interesting if i not in out for n in nodes[i].output[:1] if n]
        if not names:
            break
        try:
            session = _shape_session(copy, names, provider, threads, label)
            # Other sizes first: what fails, fails there.
            runs = [session.run(feeding.sized(space)) for space in reversed(spaces)][::-1]
        except RunError as error:
            found = re.search(NODE_PATTERN, str(error))
            if found is None or int(found[1]) in out or len(shapes.blocked) >= _MOST_BLOCKED:
                raise RunError(f"{label} cannot be run at other sizes: {error}") from None
            shapes.blocked.add(int(found[1]))
            out = copy.descendants(shapes.blocked)
            continue
        for number, name in enumerate(names):
            shapes.of[name] = tuple(tuple(int(d) for d in run[_shape(number)]) for run in runs)
        break
    shapes.of[feeding.main] = tuple(feeding.sized(space)[feeding.main].shape for space in spaces)
    return shapes


def _shape_session(
    copy: Copy, names: Sequence[str], provider: Provider, threads: int | None, label: str
) -> Session:
    extra = [
        helper.make_node(
            "Shape", [name], [_shape(i)], name=f"{copy.nodes[copy.producers[name]].name}shape"
        )
        for i, name in enumerate(names)
    ]
    data = copy.part([], extra, [_shape(i) for i in range(len(names))])
    return open_bytes(
        data, provider=provider, threads=threads, label=label, folder=copy.folder, optimise=False
    )


def _shape(number: int) -> str:
    return f"onnxpad.shape.{number}"


def _reached(copy: Copy, main: str) -> list[int]:
    """Nodes that work on values of the main input, not on its size alone."""
    names, found = {main}, []
    for index, node in enumerate(copy.nodes):
        if node.op_type not in _SIZES and copy.reads[index] & names:
            found.append(index)
            names.update(node.output)
    return found


def _follows(three: tuple[Shape, ...]) -> list[tuple[int, ...]] | None:
    """For each axis of a tensor, the input's spatial axes that it follows."""
    first = three[0]
    if any(len(shape) != len(first) for shape in three):
        return None
    return [
        tuple(i for i, other in enumerate(three[1:]) if other[axis] != first[axis])
        for axis in range(len(first))
    ]


def _as_map(name: str, three: tuple[Shape, ...], growth: int, *, batched: bool) -> Map | None:
    follows, count = _follows(three), len(three) - 1
    if follows is None or sorted(f for f in follows if f) != [(i,) for i in range(count)]:
        return None
    if batched and follows[0]:
        return None
    axes = tuple(follows.index((i,)) for i in range(count))
    grown = [three[i + 1][axis] - three[0][axis] for i, axis in enumerate(axes)]
    if min(grown) <= 0:
        return None
    stride = tuple(Fraction(growth, more) for more in grown)
    return Map(name, axes, stride, three[0]) if all(map(_plain, stride)) else None


def _plain(stride: Fraction) -> bool:
    """Whether it is a stride that models have; 64 / 21 means that the growth was no multiple."""
    return stride.numerator == 1 or stride.denominator <= 8


def _odd(three: tuple[Shape, ...], growth: int) -> bool:
    """Whether a tensor grows by what no stride explains, so that another growth may."""
    follows = _follows(three)
    if follows is None:
        return False
    for axis, inputs in enumerate(follows):
        if len(inputs) == 1:
            more = three[inputs[0] + 1][axis] - three[0][axis]
            if more > 0 and not _plain(Fraction(growth, more)):
                return True
    return False


def _anatomy(copy: Copy, maps: dict[str, Map], shapes: _Shapes) -> Anatomy:
    outputs, deepest = _outputs(copy, maps)
    before = copy.ancestors(m.name for m in outputs)
    strides = [
        maps[name].stride for i in before for name in copy.nodes[i].output[:1] if name in maps
    ]
    strides += [m.stride for m in outputs]
    follows = {name: _follows(three) for name, three in shapes.of.items()}
    whole = context_ops.global_ops(copy, follows)
    layers, unseen = _layers(copy, maps, whole)
    return Anatomy(
        maps,
        layers,
        outputs,
        deepest,
        tuple(lcm(*(s.numerator for s in along)) for along in zip(*strides, strict=True)),
        tuple(copy.names[i] for i in sorted(before & whole)),
        context_ops.refusal(copy, before) if outputs else _nothing(copy, shapes.blocked),
        tuple(copy.names[i] for i in sorted(shapes.blocked)),
        unseen,
    )


def _outputs(copy: Copy, maps: Mapping[str, Map]) -> tuple[tuple[Map, ...], bool]:
    """Spatial outputs; for others the deepest maps on the way back from them."""
    found: dict[str, None] = {}
    deepest = False
    for output in copy.outputs:
        queue, seen = [output], set[str]()
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            if name not in copy.producers:
                continue
            if name in maps and min(maps[name].space) >= _FEWEST:
                found[name] = None
            elif copy.nodes[copy.producers[name]].op_type not in _SIZES:
                queue.extend(sorted(copy.reads[copy.producers[name]]))
                deepest = True
    kept = [name for name in found if name in copy.outputs]
    kept += [
        n for n in found if n not in kept and not _feeds(copy, n, [o for o in found if o != n])
    ]
    kept.sort(key=lambda name: copy.producers[name])
    return tuple(maps[name] for name in kept), deepest and any(n not in copy.outputs for n in kept)


def _nothing(copy: Copy, blocked: set[int]) -> str:
    if not blocked:
        return "no tensor follows the size of the input"
    names = told([copy.names[i] for i in sorted(blocked)])
    return f"no tensor follows the size of the input, which is fixed by {names}"


def _feeds(copy: Copy, name: str, others: Sequence[str]) -> bool:
    """Whether a value is on the way to one of the others, which is then the deeper one."""
    return copy.producers[name] in copy.ancestors(others)


def _layers(copy: Copy, maps: Mapping[str, Map], whole: set[int]) -> tuple[tuple[Layer, ...], int]:
    layers, unseen = [], 0
    apart = context_ops.apart(copy, whole)
    for index, node in enumerate(copy.nodes):
        if ops.window_op(node) is None and node.op_type != "ConvTranspose":
            continue
        name = next((n for n in node.output if n), "")
        if name in maps and prod(maps[name].shape) > 0:
            layers.append(Layer(copy.names[index], ops.op_name(node), maps[name], apart[index]))
        else:
            unseen += 1
    return tuple(layers), unseen
