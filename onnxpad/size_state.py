"""What is known of every tensor's size while many input sizes are followed through a graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope, node_name
from onnxpad.size_values import MOST_ELEMENTS, Along, Dims, Element, lift, spread
from onnxpad.text import printable
from onnxpad.values import Partial, from_tensor

Amounts = tuple[tuple[Element, Element], ...]


class UnknownSizeError(Exception):
    """The sizes that a node makes cannot be told; says why. Never leaves this room."""


@dataclass(frozen=True, slots=True, eq=False)
class Obstacle:
    """A node at which the walk ends, or at which some sizes do.

    Attributes:
        node: its name, untrusted. op: the operator as it is shown.
        reason: why, to be read after "the node".
        at: the candidates that it holds for; None where it says only that sizes are not known.
    """

    node: str
    op: str
    reason: str
    at: NDArray[np.bool_] | None = None

    @property
    def sentence(self) -> str:
        """The node and the reason, safe to print."""
        return f"the {printable(self.op)} {printable(self.node, 60)!r} {self.reason}"


@dataclass(slots=True)
class SizeState:
    """Sizes and small values of the tensors met so far.

    Attributes:
        scope: the main graph.
        count: how many candidates there are.
        given: sizes of graph inputs, by name.
        dims: sizes of each tensor's axes; None where not even their number is known.
        values: tensors of shape arithmetic.
        pads: elements that each Pad and window op adds, for every axis of its data, by output.
        tainted: tensors whose values may hold sizes, though nobody can tell them.
        obstacles: in the order of the nodes.
        windows: what each different window made of each different size.
        whole: sizes that were looked through for maps of nothing.
    """

    scope: Scope
    count: int
    given: Mapping[str, Dims]
    dims: dict[str, Dims | None] = field(default_factory=dict)
    values: dict[str, Partial | None] = field(default_factory=dict)
    pads: dict[str, Amounts] = field(default_factory=dict)
    tainted: set[str] = field(default_factory=set)
    obstacles: list[Obstacle] = field(default_factory=list)
    windows: dict[Any, tuple[Element, Element, Element]] = field(default_factory=dict)
    whole: set[Element] = field(default_factory=set)

    def dims_of(self, name: str) -> Dims:
        """A tensor's sizes. Raises UnknownSizeError where the number of its axes is unknown."""
        found = self.maybe(name)
        if found is None:
            raise UnknownSizeError("gets a tensor whose shape is not known")
        return found

    def maybe(self, name: str) -> Dims | None:
        """A tensor's sizes, None where the number of its axes is unknown."""
        if name not in self.dims:
            self.dims[name] = self._at_first(name)
        return self.dims[name]

    def _at_first(self, name: str) -> Dims | None:
        """The sizes of a tensor that no node makes."""
        if name in self.given:
            return self.given[name]
        tensor = self.scope.initializers.get(name)
        if tensor is not None:
            return tuple(tensor.dims)
        return self.recorded(name) if name in self.scope.inputs else None

    def recorded(self, name: str) -> Dims | None:
        """What the model says of a tensor that does not depend on the candidates."""
        shape = self.scope.info(name).shape
        return None if shape is None else tuple(d if isinstance(d, int) else None for d in shape)

    def value(self, name: str) -> Partial | None:
        """A small tensor's elements, None where they are not known."""
        if name not in self.values:
            tensor = self.scope.initializers.get(name)
            small = tensor is not None and np.prod(tensor.dims, dtype=float) <= MOST_ELEMENTS
            self.values[name] = from_tensor(tensor) if tensor is not None and small else None
        return self.values[name]

    def elements(self, name: str, what: str) -> list[Element]:
        """A small tensor as a list. Raises UnknownSizeError."""
        found = self.value(name)
        if found is None:
            raise UnknownSizeError(f"computes its {what} in a way that cannot be followed")
        return list(found.reshape(-1))

    def ints(self, name: str, what: str) -> list[int]:
        """The same for numbers that no size changes: axes. Raises UnknownSizeError."""
        found = self.elements(name, what)
        if any(e is None or isinstance(e, Along) for e in found):
            raise UnknownSizeError(f"computes its {what} in a way that cannot be followed")
        return [int(e) for e in found if isinstance(e, (int, float))]

    def varies(self, name: str) -> bool:
        """Whether a tensor's sizes depend on the candidates, or it may hold such sizes."""
        dims = self.maybe(name)
        return name in self.tainted or any(isinstance(d, Along) for d in dims or ())

    def refuse(self, node: NodeProto, fails: Element, reason: str) -> None:
        """Note the candidates at which a node would fail; unknown ones are none."""
        at = spread(fails, self.count)
        if at is not None and at.any():
            found = at.astype(np.bool_)
            self.obstacles.append(Obstacle(node_name(node), ops.op_name(node), reason, found))

    def unlike(self, node: NodeProto, a: Element, b: Element, reason: str) -> Element:
        """One size where two must be alike; notes where they are not."""
        if a is None or b is None:
            return b if a is None else a
        if a is not b:
            self.refuse(node, lift(np.not_equal, a, b), reason)
        return a
