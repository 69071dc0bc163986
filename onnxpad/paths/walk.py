"""Go back through a graph from its outputs to its input, counting paths."""

from onnx import NodeProto

from onnxpad import ops
from onnxpad.paths.counts import Counts, ones
from onnxpad.paths.elements import ELEMENTS, other
from onnxpad.paths.moving import MOVING
from onnxpad.paths.roles import find_roles
from onnxpad.paths.state import NoPathsError, Rule, Walk
from onnxpad.paths.windows import SPATIAL
from onnxpad.records import PaddingSite
from onnxpad.scopes import Scope, node_name, subgraphs
from onnxpad.values import Values

RULES: dict[str, Rule] = {**ELEMENTS, **SPATIAL, **MOVING}


def count_paths(
    scope: Scope,
    values: Values,
    sites: tuple[PaddingSite, ...],
    source: str,
    mode: str | None = None,
) -> tuple[Counts, dict[str, int]]:
    """The paths from each element of an input, and what was not followed exactly, how often.

    Args:
        mode: what zero padding of convolutions is replaced by.

    Raises NoPathsError.
    """
    roles = find_roles(scope)
    live = _live(scope, source)
    here = {site.node: site for site in sites if site.scope == scope.path}
    walk = Walk(scope, values, roles, here, mode, live)
    if source not in roles:
        raise NoPathsError(
            "no convolution or pool reads its input as a map: it is first reshaped, cut into "
            "frames or handed to a graph inside"
        )
    if walk.sizes(source) is None:
        raise NoPathsError("its input's size is not known")
    for output in scope.container.output:
        name = output if isinstance(output, str) else output.name
        own = walk.sizes(name)
        walk.give(name, ones(*own) if own else ones(1, ()))
    for node in reversed(scope.nodes):
        _step(walk, node)
    if source not in walk.found:
        raise NoPathsError("no output depends on the input")
    return walk.found[source], walk.notes


def _step(walk: Walk, node: NodeProto) -> None:
    out = next((walk.found[name] for name in node.output if name in walk.found), None)
    if out is None or not any(name in walk.live for name in node.input):
        return
    if next(subgraphs(node), None) is not None:
        raise NoPathsError(f"{ops.op_name(node)} {node_name(node)!r} has a graph inside")
    RULES.get(node.op_type, other)(walk, node, out)
    for name in node.output:
        walk.found.pop(name, None)


def _live(scope: Scope, source: str) -> frozenset[str]:
    live = {source}
    for node in scope.nodes:
        if node.op_type not in ("Shape", "Size") and any(name in live for name in node.input):
            live.update(name for name in node.output if name)
    return frozenset(live)
