"""The tensors from which a padded tensor can be had: a walk upwards from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from onnxpad import ops
from onnxpad.crossing import Crossing, crossing
from onnxpad.modes import Mode
from onnxpad.pad_costs import halo_cost, pad_cost, sized
from onnxpad.pad_sites import pad_amounts, pad_mode
from onnxpad.scopes import Scope, subgraphs
from onnxpad.trace import Axes
from onnxpad.values import Values, attributes

# Nodes that one walk crosses at most; between two windows real networks have about ten.
MOST_CROSSED = 48

# (axis, begin, end), ascending.
Amounts = tuple[tuple[int, int, int], ...]
# Who else wants a tensor padded by the same amounts.
Others = Callable[[str, Amounts], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Cut:
    """One tensor that, padded, gives what was wanted.

    Attributes:
        readers: indices of the nodes that read it padded.
        crossed: indices of the nodes between it and what was wanted.
        inside: what these make, and by how much it grows.
        doubled: those of them that are made twice, for what else reads them.
        work: estimated microseconds that these take longer.
        clean: whether a Pad there leaves the nodes around it together that runtimes fuse.
    """

    tensor: str
    amounts: Amounts
    readers: frozenset[int]
    crossed: frozenset[int] = frozenset()
    inside: frozenset[tuple[str, Amounts]] = frozenset()
    doubled: frozenset[int] = frozenset()
    work: float = 0.0
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Ground:
    """Where cuts are looked for.

    Attributes:
        barred: nodes that are not to be crossed: they change in another way.
        floats: pad floats only, for runtimes that have no integer Pad.
        blocked: tensors that ONNX Runtime holds in its blocked layout.
    """

    scope: Scope
    values: Values
    barred: frozenset[int] = frozenset()
    floats: bool = False
    blocked: frozenset[str] = frozenset()


def cuts(ground: Ground, wanted: Cut, others: Others, *, affine: bool) -> Iterator[Cut]:
    """Every single tensor further up from which ``wanted`` can be had, the nearest first."""
    scope = ground.scope
    by_axis = {axis: (begin, end) for axis, begin, end in wanted.amounts}
    sides = tuple(by_axis.values())
    frontier: dict[str, Axes] = {wanted.tensor: tuple(by_axis)}
    asking = {wanted.tensor: set(wanted.readers)}
    crossed: set[int] = set()
    inside: set[tuple[str, Amounts]] = set()
    doubled = set(wanted.doubled)
    stuck: set[str] = set()
    work = wanted.work
    while len(crossed) < MOST_CROSSED and (free := frontier.keys() - stuck):
        name = max(free, key=lambda n: (scope.producers.get(n, -1), n))
        axes = frontier[name]
        amounts = _amounts(axes, sides)
        alone = _alone(scope, name, (asking[name] - doubled) | others(name, amounts))
        step = _step(ground, name, axes, alone=alone, affine=affine)
        if step is None:
            stuck.add(name)
            if len(stuck) > 1:
                return  # these two never become one
            continue
        tensor = sized(scope.info(name))
        if tensor is None or any(frontier.get(n, step.axes) != step.axes for n in step.inputs):
            return
        index = scope.producers[name]
        del frontier[name]
        inside.add((name, amounts))
        work += halo_cost(tensor, {a: b + e for a, b, e in amounts}, step.macs)
        crossed.add(index)
        doubled |= set() if alone else {index}
        for read in step.inputs:
            frontier[read] = step.axes
            asking.setdefault(read, set()).add(index)
        if len(frontier) == 1:
            ((name, axes),) = frontier.items()
            readers = frozenset(asking[name])
            yield Cut(
                name, _amounts(axes, sides), readers, wanted.crossed | crossed,
                wanted.inside | inside, frozenset(doubled), work, is_clean(ground, name, readers),
            )  # fmt: skip


def _amounts(axes: Axes, sides: tuple[tuple[int, int], ...]) -> Amounts:
    return tuple(sorted((axis, *side) for axis, side in zip(axes, sides, strict=True)))


def _alone(scope: Scope, name: str, asking: set[int]) -> bool:
    """Whether those who ask are all that read a tensor."""
    return name not in scope.outputs and set(scope.readers(name)) <= asking


def _step(ground: Ground, name: str, axes: Axes, *, alone: bool, affine: bool) -> Crossing | None:
    """What to pad in front of the node that makes a tensor, None where it cannot be crossed.

    Nobody but those who ask may read the tensor, which grows; a DQ is made twice instead, as
    runtimes do themselves to fuse it with each reader.
    """
    scope = ground.scope
    index = scope.producers.get(name)
    if index is None or index in ground.barred:
        return None
    node = scope.nodes[index]
    if not alone and node.op_type != "DequantizeLinear":
        return None
    step = crossing(scope, ground.values, node, axes, affine=affine)
    if step is None or any(scope.producers.get(n, -1) >= index for n in step.inputs):
        return None
    own = all(n in scope.producers or n in scope.inputs for n in step.inputs)
    return step if own and not any(n in scope.initializers for n in step.inputs) else None


# What ONNX Runtime merges with the convolution in front of it.
_FUSED = frozenset(
    ["Add", "BatchNormalization", "Clip", "HardSigmoid", "LeakyRelu", "Mul", "Relu", "Sigmoid",
     "Tanh"]
)  # fmt: skip


def is_clean(ground: Ground, name: str, readers: frozenset[int]) -> bool:
    """Whether a Pad between a tensor and these readers separates nothing that runtimes fuse."""
    scope = ground.scope
    reading = {scope.nodes[i].op_type for i in readers}
    maker = scope.producer(name)
    if maker is not None and maker.op_type == "DequantizeLinear":
        return False
    if ground.floats:
        return scope.info(name).dtype in ops.FLOATING
    fuses = maker is not None and maker.op_type == "Conv" and len(scope.readers(name)) == 1
    return "QuantizeLinear" not in reading and not (fuses and reading & _FUSED)


def is_readable(scope: Scope, name: str) -> bool:
    """Whether all readers of a tensor name it in their inputs, so that they can read another."""
    readers = {i: scope.nodes[i] for i in scope.readers(name)}
    return not readers.keys() & scope.guarded and all(
        name in node.input and not any(subgraphs(node)) for node in readers.values()
    )


def existing_pad(
    ground: Ground, name: str, mode: Mode, amounts: Amounts, readers: frozenset[int]
) -> str:
    """What a Pad that the model has already makes of a tensor in this mode; "" where none does."""
    scope = ground.scope
    for index in scope.readers(name) if amounts else ():
        node = scope.nodes[index]
        usable = ops.key(node) == ("", "Pad") and index < min(readers) and node.input[0] == name
        if not usable or index in ground.barred or pad_mode(scope, ground.values, node) != mode:
            continue
        found = pad_amounts(scope, ground.values, node, attributes(node))
        if found is not None:
            both = enumerate(zip(found[0], found[1], strict=True))
            if tuple((i, *pair) for i, pair in both if pair != (0, 0)) == amounts:
                return str(node.output[0])
    return ""


def cost(ground: Ground, name: str, amounts: Amounts) -> float | None:
    """Estimated microseconds of a Pad on a tensor, None where its rank or type is unknown."""
    tensor = sized(ground.scope.info(name))
    if tensor is None:
        return None
    if not amounts:
        return 0.0
    blocked = tensor.item == 4 and name in ground.blocked  # float32
    return pad_cost(tensor, {a: b + e for a, b, e in amounts}, blocked=blocked)
