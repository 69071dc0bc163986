"""What is carried from node to node while reach is followed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from onnxpad.reach_axis import LARGEST, Mask
from onnxpad.records import PaddingSite
from onnxpad.scopes import Scope, Shape
from onnxpad.values import Values


class LostError(Exception):
    """What becomes of a map behind this node is not known; says why, of the node."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What is known of a tensor.

    Attributes:
        masks: spatial axis -> reached positions along it.
        through: indices of the nodes before it that read a whole map at once.
    """

    masks: Mapping[int, Mask]
    through: frozenset[int] = frozenset()


@dataclass(slots=True)
class Context:
    """The graph, and what is gathered on the way through it.

    Attributes:
        sites: by the first output of the node that pads. counts: which of them are followed.
        others: whether constants of Pads that are no sites are followed along known axes of space.
        whole: nodes that read a whole map at once -> what they do.
        touched: those of them whose map is reached.
        first: spatial sizes of what the first window op slides over.
    """

    scope: Scope
    values: Values
    sites: Mapping[str, PaddingSite]
    counts: Callable[[PaddingSite], bool]
    others: bool = True
    whole: dict[int, str] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    first: tuple[int, ...] = ()

    def shape(self, name: str) -> Shape:
        """A tensor's shape. Raises LostError where even its rank is unknown."""
        shape = self.scope.info(name).shape
        if shape is None:
            raise LostError("works on a tensor of unknown shape")
        return shape

    def rank(self, name: str, state: Spread) -> int:
        """Axes of a tensor; where nobody infers shapes, as many as its spatial axes tell of."""
        shape = self.scope.info(name).shape
        return len(shape) if shape is not None else max(state.masks, default=-1) + 1

    def axis(self, name: str, axis: int) -> int:
        """An axis counted from the front. Raises LostError where that needs an unknown rank."""
        return axis if axis >= 0 else axis % len(self.shape(name))

    def known(self, name: str, axis: int) -> int | None:
        """The size of a tensor's axis, None where shape inference does not tell it."""
        shape = self.scope.info(name).shape or ()
        size = shape[axis] if axis < len(shape) else None
        return size if isinstance(size, int) else None

    def mask(self, state: Spread | None, name: str, axis: int) -> Mask:
        """The mask of a tensor's axis, clean where nothing is known to reach it.

        Raises LostError where its size is unknown.
        """
        if state is not None and axis in state.masks:
            return state.masks[axis]
        size = self.known(name, axis)
        if size is None:
            raise LostError("works on a tensor of unknown size")
        if size > LARGEST:
            raise LostError("works on a tensor of too many positions")
        return np.zeros(size, dtype=bool)

    def mixes(self, index: int, what: str, masks: Sequence[Mask]) -> frozenset[int]:
        """Note that a node reads whole axes at once."""
        self.whole[index] = what
        if any(mask.any() for mask in masks):
            self.touched.add(index)
        return frozenset((index,))


States = Sequence[Spread | None]


def only(states: States) -> Spread:
    """The state of the first input, where no other input is a map."""
    if any(s is not None and s.masks for s in states[1:]):
        raise LostError("takes a map as a parameter")
    return states[0] or Spread({})


def all_through(states: States) -> frozenset[int]:
    """Nodes that read a whole map before any of them."""
    return frozenset().union(*(s.through for s in states if s is not None))
