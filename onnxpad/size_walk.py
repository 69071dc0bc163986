"""Follow many input sizes through a graph at once: the size of every tensor at each of them."""

from collections.abc import Mapping

import numpy as np
from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import DEFAULT_DOMAINS, Scope, all_reads, node_name
from onnxpad.size_moves import split
from onnxpad.size_rules import RULES
from onnxpad.size_state import Obstacle, SizeState, UnknownSizeError
from onnxpad.size_values import Along, Dims, evaluate, evaluates, lift
from onnxpad.values import Partial, attributes


def follow_sizes(scope: Scope, given: Mapping[str, Dims], count: int) -> SizeState:
    """Sizes of every tensor of a main graph, for ``count`` candidate sizes of its inputs.

    Args:
        given: sizes of inputs, those that vary as ``Along`` of ``count`` numbers. A symbol that
            another input shares gets the same size there.
    """
    state = SizeState(scope, count, {**_shared(scope, given), **given})
    for node in scope.nodes:
        _step(state, node)
    _refuse_folding(state)
    return state


def _shared(scope: Scope, given: Mapping[str, Dims]) -> dict[str, Dims]:
    """Sizes of the other inputs, as far as they are declared with symbols of those given."""
    symbols = {
        word: size
        for name, dims in given.items()
        for word, size in zip(scope.info(name).shape or (), dims, strict=False)
        if isinstance(word, str)
    }
    found: dict[str, Dims] = {}
    for name in scope.inputs - set(given) - set(scope.initializers):
        shape = scope.info(name).shape
        if shape is not None:
            sizes = (symbols.get(d) if isinstance(d, str) else d for d in shape)
            found[name] = tuple(sizes)
    return found


def _refuse_folding(state: SizeState) -> None:
    """Refuse sizes at which one sample comes out as several.

    A Reshape to (-1, channels) behind a pool of one window runs at other sizes, too; but its
    positions end up in the batch, and what follows takes each for a sample of its own.
    """
    for name in sorted(state.scope.outputs):
        first, node = (state.maybe(name) or (None,))[0], state.scope.producer(name)
        if node is None or not isinstance(first, Along) or not (first.values == 1).any():
            continue
        state.refuse(node, lift(lambda n: n != 1, first), "gives several samples for one")


def _step(state: SizeState, node: NodeProto) -> None:
    outputs = [name for name in node.output if name]
    if node.op_type == "Shape" and node.domain in DEFAULT_DOMAINS:
        _shape(state, node)
        return
    if evaluates(node) and _computed(state, node):
        return
    if any(name in state.tainted or _holds_sizes(state, name) for name in node.input):
        # a size among values, once no longer followed: what is made of it may hold it, too
        state.tainted.update(outputs)
    if node.op_type == "Constant":
        state.dims.update((name, state.recorded(name)) for name in outputs)
        return
    try:
        _sizes(state, node)
    except UnknownSizeError as reason:
        _unknown(state, node, str(reason))
    except Exception:  # noqa: BLE001  # an untrusted graph holds any nonsense: not known
        _unknown(state, node, "is used in a way that is not understood")


def _sizes(state: SizeState, node: NodeProto) -> None:
    domain, kind = ops.key(node)
    if domain in ("", ops.MICROSOFT, ops.NCHWC) and kind == "Split":
        state.dims.update(zip(node.output, split(state, node), strict=True))
        return
    rule = RULES.get(kind) if domain in ("", ops.MICROSOFT, ops.NCHWC) else None
    if rule is None:
        _unknown(state, node, "is an operator whose sizes are not followed")
        return
    dims = rule(state, node)
    for size in dims:
        if size in state.whole:
            continue
        if isinstance(size, Along) or (size == 0 and any(map(state.varies, node.input))):
            state.refuse(node, lift(lambda n: n < 1, size), "leaves nothing of a map of this size")
            state.whole.add(size)
    state.dims[node.output[0]] = dims
    for name in node.output[1:]:
        state.dims[name] = dims if kind == "MaxPool" else None


def _shape(state: SizeState, node: NodeProto) -> None:
    given, dims = attributes(node), state.maybe(node.input[0])
    name = node.output[0]
    if dims is None:
        state.dims[name] = None
        if state.varies(node.input[0]):
            state.tainted.add(name)
        return
    part = dims[given.get("start", 0) : given.get("end", len(dims))]
    value = np.empty(len(part), dtype=object)
    value[:] = part
    _know(state, name, value)


def _computed(state: SizeState, node: NodeProto) -> bool:
    """Evaluate a node of shape arithmetic; whether that could be done."""
    arguments: list[Partial | None] = []
    for name in node.input:
        value = state.value(name) if name else None
        if name and value is None:
            return False
        arguments.append(value)
    result = evaluate(node, arguments)
    if result is None:
        return False
    _know(state, node.output[0], result)
    return True


def _know(state: SizeState, name: str, value: Partial) -> None:
    state.values[name] = value
    state.dims[name] = tuple(value.shape)


def _unknown(state: SizeState, node: NodeProto, reason: str) -> None:
    """A node nobody can follow: if no candidate reaches it, what it makes is as recorded."""
    read = [name for name in node.input if name]
    inner = all_reads(node).difference(read)
    known = [name for name in sorted(inner) if name in state.dims or name in state.given]
    reached = any(_reaches(state, name) for name in (*read, *known))
    for name in node.output:
        if name:
            state.dims[name] = None if reached else state.recorded(name)
    if reached:
        state.tainted.update(name for name in node.output if name)
        state.obstacles.append(Obstacle(node_name(node), ops.op_name(node), reason))


def _reaches(state: SizeState, name: str) -> bool:
    """Whether a tensor depends on the candidates, or may."""
    return _holds_sizes(state, name) or state.varies(name)


def _holds_sizes(state: SizeState, name: str) -> bool:
    """Whether a followed value holds sizes that differ between the candidates."""
    value = state.values.get(name)
    return value is not None and any(isinstance(e, Along) for e in value.reshape(-1))
