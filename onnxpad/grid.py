"""How positions of every tensor relate to positions of the model's input.

A tensor is on a *grid* when its spatial axes are those of the input at some scale, and every
operator in between treats all positions alike. There a larger input gives a larger map that holds
the smaller one, shifted: what a halo needs.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

from onnx import NodeProto

from onnxpad import ops
from onnxpad.errors import OnnxpadError
from onnxpad.scopes import Scope, node_name
from onnxpad.values import Values

# Elements of a small tensor; None where unknown.
Elements = tuple[int | float | None, ...]


class OffGridError(OnnxpadError):
    """An operator that does not treat all positions alike stands in the way; says which."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Spatial axes of a tensor and its size per input pixel along each."""

    axes: tuple[int, ...]
    scale: tuple[Fraction, ...]


@dataclass(slots=True)
class Grids:
    """What was found of a graph.

    Attributes:
        of: tensor -> its grid. sizes: tensors that hold sizes of such tensors, not their values.
        pooled: (node index, input position) of the places where a map is read as a whole.
        outputs: graph outputs on a grid.
        stride: along each axis, what an input must be shifted by to shift every map by a whole
            number of positions.
    """

    of: dict[str, Grid] = field(default_factory=dict)
    sizes: set[str] = field(default_factory=set)
    pooled: list[tuple[int, int]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    @property
    def stride(self) -> tuple[int, ...]:
        """Least common multiple of the scales' denominators, over all branches."""
        scales = [grid.scale for grid in self.of.values()]
        return tuple(lcm(*(s.denominator for s in along)) for along in zip(*scales, strict=True))


def off(node: NodeProto, why: str) -> OffGridError:
    """The sentence for an operator that stands in the way."""
    return OffGridError(f"{ops.op_name(node)} {node_name(node)!r} {why}")


def at_two_sizes(scope: Scope, grids: Grids, name: str) -> tuple[Elements, Elements, int] | None:
    """What a tensor of sizes holds for an input of S and of 2 S pixels, and S; None if unknown.

    Comparing the two tells what depends on the input's size and by which factor, whatever
    arithmetic leads there.
    """
    base = 64 * lcm(*grids.stride)
    results = []
    for size in (base, 2 * base):
        assumed = {}
        for tensor, grid in grids.of.items():
            shape = list(scope.info(tensor).shape or ())
            for axis, scale in zip(grid.axes, grid.scale, strict=True):
                if axis < len(shape):
                    shape[axis] = int(size * scale)
            assumed[tensor] = tuple(shape)
        found = Values(assumed).value(scope, name)
        if found is None:
            return None
        results.append(tuple(found.reshape(-1)))
    return results[0], results[1], base
