"""A Pad that an If guards: where a map is too small for it, other nodes do the same.

reflect mirrors elements beside the border, and Pad fails where there are too few of them. For sizes
known at run time only onnxpad writes an If: Pad where the map is large enough, else a composition
of slices that holds for any size (compose.py). Both do the same, so that the whole is read as the
Pad it is nearly always, by all that looks at a model.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto

from onnxpad.cutout import STRIP_OPS, TRIAL_SIZES, ancestors, run_cut
from onnxpad.scopes import DEFAULT_DOMAINS, Scope
from onnxpad.values import Values, attributes

_BRANCHES = ("then_branch", "else_branch")
# Nodes of the branch without a Pad; onnxpad's own has 10 for two axes.
_MOST_NODES = 200
# Sizes too small for Pad are where the other branch is for; each mirrors more than once.
_SMALL = (1, 2, 3)
_MOST_ELEMENTS = 2**24


def read_guarded(scopes: Sequence[Scope]) -> tuple[Scope, ...]:
    """Let every If that only guards a Pad be read as that Pad; the scopes of its branches go."""
    values = Values()
    gone: set[tuple[tuple[int | str, ...], ...]] = set()
    for scope in scopes:
        found: dict[int, NodeProto] = {}
        for index, node in enumerate(scope.nodes):
            if node.op_type == "If" and node.domain in DEFAULT_DOMAINS:
                pad = _as_pad(scope, values, node)
                if pad is not None:
                    found[index] = pad
        if found:
            scope.nodes = tuple(found.get(i, node) for i, node in enumerate(scope.nodes))
            scope.guarded = frozenset(found)
            depth = len(scope.path)
            gone |= {
                inner.path
                for inner in scopes
                if inner.path[:depth] == scope.path
                and len(inner.path) > depth
                and inner.path[depth][0] in found
            }
    return tuple(scope for scope in scopes if scope.path not in gone)


def _as_pad(scope: Scope, values: Values, node: NodeProto) -> NodeProto | None:
    """The Pad that an If is, None where it is anything else."""
    bodies = {a.name: a.g for a in node.attribute if a.type == AttributeProto.GRAPH}
    if set(bodies) != set(_BRANCHES) or len(node.output) != 1:
        return None
    inner, other = _single_pad(bodies["then_branch"]), bodies["else_branch"]
    if inner is None or not _is_of_strips(other) or not _alike(scope, values, inner, other):
        return None
    found = NodeProto()
    found.CopyFrom(inner)
    found.name, found.output[:] = node.name, node.output
    del found.metadata_props[:]
    found.metadata_props.extend(node.metadata_props)
    return found


def _single_pad(body: GraphProto) -> NodeProto | None:
    """The Pad that is all of a branch, of mode reflect and without axes."""
    if len(body.node) != 1 or len(body.output) != 1 or body.initializer:
        return None
    node = body.node[0]
    own = node.op_type == "Pad" and node.domain in DEFAULT_DOMAINS
    given = attributes(node) if own and list(node.output) == [body.output[0].name] else {}
    plain = given.get("mode") == b"reflect" and not any(node.input[2:])
    return node if plain else None


def _is_of_strips(body: GraphProto) -> bool:
    known = (n.op_type in STRIP_OPS and n.domain in DEFAULT_DOMAINS for n in body.node)
    return (
        len(body.output) == 1
        and not body.initializer
        and len(body.node) <= _MOST_NODES
        and all(known)
    )


def _alike(scope: Scope, values: Values, pad: NodeProto, other: GraphProto) -> bool:
    """Whether the other branch mirrors as the Pad does, at large sizes and small ones."""
    given = attributes(pad).get("pads")
    amounts = given if given is not None else values.ints(scope, pad.input[1])
    if amounts is None or None in amounts or len(amounts) % 2:
        return False
    half = len(amounts) // 2
    pads = [(int(b), int(e)) for b, e in zip(amounts[:half], amounts[half:], strict=True)]
    if not any(map(any, pads)) or any(not 0 <= n <= TRIAL_SIZES[0] for pair in pads for n in pair):
        return False
    made, source = other.output[0].name, pad.input[0]
    inside = {name for node in other.node for name in node.output}
    read = {name for node in other.node for name in node.input} - inside - {source, ""}
    outside = ancestors(scope, values, sorted(read), source)
    if outside is None:
        return False
    nodes = [*(scope.nodes[i] for i in outside[0]), *other.node]
    for shape in _shapes(scope, source, pads):
        if prod(shape) > _MOST_ELEMENTS:
            return False
        array = np.arange(prod(shape), dtype=np.float32).reshape(shape)
        outputs = run_cut(scope, nodes, source, array, [made])
        if outputs is None or not np.array_equal(outputs[made], np.pad(array, pads, "reflect")):
            return False
    return True


def _shapes(scope: Scope, name: str, pads: Sequence[tuple[int, int]]) -> set[tuple[int, ...]]:
    """What to try: sizes that are known are kept along padded axes, a branch may count on them.

    The unknown ones differ from each other, and each is the smallest once.
    """
    given = scope.info(name).shape
    known = given if given is not None and len(given) == len(pads) else (None,) * len(pads)
    padded = [axis for axis, pair in enumerate(pads) if any(pair)]
    found = set()
    for size in (*TRIAL_SIZES, *_SMALL):
        for order in (padded, padded[::-1]):
            shape = [2] * len(pads)
            for more, axis in enumerate(order):
                known_size = known[axis]
                shape[axis] = known_size if isinstance(known_size, int) else size + more
            found.add(tuple(shape))
    return found
