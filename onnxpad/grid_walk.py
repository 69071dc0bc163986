"""Follow the grid of a model's input through its graph."""

from fractions import Fraction

from onnx import NodeProto

from onnxpad import ops
from onnxpad.grid import Grid, Grids, OffGridError, at_two_sizes, off
from onnxpad.grid_rules import RULES, other, reduced_axes
from onnxpad.scopes import Scope, subgraphs
from onnxpad.values import Values


def lay(scope: Scope, values: Values, source: str, axes: tuple[int, ...]) -> Grids:
    """Follow the grid of the input ``source`` through a graph.

    Raises:
        OffGridError: an operator reads positions in a way that a larger map would change.
    """
    grids = Grids()
    grids.of[source] = Grid(axes, (Fraction(1),) * len(axes))
    for index, node in enumerate(scope.nodes):
        _step(scope, values, grids, index, node)
    grids.outputs = [o.name for o in scope.container.output if o.name in grids.of]
    for name in sorted(scope.outputs & grids.sizes):
        raise OffGridError(f"the output {name!r} tells the size of a map")
    return grids


def _step(scope: Scope, values: Values, grids: Grids, index: int, node: NodeProto) -> None:
    known = [(i, grids.of[name]) for i, name in enumerate(node.input) if name in grids.of]
    if not known:
        _step_sizes(scope, grids, node)
        return
    if node.op_type == "Shape":
        grids.sizes.update(node.output)
        return
    if next(subgraphs(node), None) is not None:
        raise off(node, "has a graph inside that reads the map")
    position, grid = known[0]
    if _reads_whole(scope, values, node, grid):
        grids.pooled.append((index, position))
        return
    rule = RULES.get(node.op_type, other)
    made = rule(scope, values, grids, node, known)
    grids.of.update((name, made) for name in node.output if name)


def _step_sizes(scope: Scope, grids: Grids, node: NodeProto) -> None:
    """Sizes stay sizes through arithmetic; a tensor they shape must not depend on a map's size."""
    if not any(name in grids.sizes for name in node.input):
        return
    shaping = {"Reshape": 1, "Expand": 1, "Tile": 1, "ConstantOfShape": 0, "Range": 1}
    position = shaping.get(node.op_type)
    if position is None or (node.op_type == "Reshape" and node.input[0] in grids.sizes):
        grids.sizes.update(node.output)
        return
    found = at_two_sizes(scope, grids, node.input[position])
    if found is None or list(found[0]) != list(found[1]):
        raise off(node, "is shaped by the size of a map")


def _reads_whole(scope: Scope, values: Values, node: NodeProto, grid: Grid) -> bool:
    """Whether a node collapses a map to one position: global pooling in any of its forms."""
    if node.op_type.startswith("Global") or node.op_type == "QLinearGlobalAveragePool":
        return True
    if node.op_type.startswith("Reduce"):
        axes = reduced_axes(scope, values, node)
        return set(grid.axes) <= set(axes)
    op = ops.window_op(node)
    if op is not None and not op.conv:
        shape = scope.info(node.output[0]).shape
        before = scope.info(node.input[0]).shape
        if shape is None or before is None:
            return False
        return all(shape[a] == 1 and before[a] != 1 for a in grid.axes)
    return False
