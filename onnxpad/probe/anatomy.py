"""What a model is made of, as far as space goes: records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from onnxpad.text import printable

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """A tensor that follows the input's space.

    Attributes:
        name: the model's own, untrusted.
        axes: its spatial axes, in the order of the input's.
        stride: input pixels from one position to the next, along each.
        shape: at the size the model was fed.
    """

    name: str
    axes: tuple[int, ...]
    stride: tuple[Fraction, ...]
    shape: Shape

    @property
    def space(self) -> Shape:
        """Its spatial sizes."""
        return tuple(self.shape[axis] for axis in self.axes)

    @property
    def channels(self) -> tuple[int, ...]:
        """The axes that are neither the batch's nor spatial."""
        return tuple(a for a in range(1, len(self.shape)) if a not in self.axes)


@dataclass(frozen=True, slots=True)
class Layer:
    """A window op, or ConvTranspose, whose output is a map.

    Attributes:
        name: the node's, else its output's; untrusted.
        op: the operator as shown.
        map: its output.
        apart: kinds of operators, itself included, that bring border effects of their own.
    """

    name: str
    op: str
    map: Map
    apart: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What was found.

    Attributes:
        maps: every map of the main graph by name, the input among them.
        layers: window ops with a map.
        outputs: the model's spatial outputs, or else the deepest maps in front of those that
            are not spatial.
        deepest: whether an output stands for one that is not spatial.
        stride: least common multiple of the strides of all maps the outputs depend on.
        global_ops: nodes in front of the outputs that read the whole space ("mixed").
        refused: why no larger image can serve as context, "" if it can.
        blocked: nodes that run at no other size.
        unseen: window ops without a map.
    """

    maps: Mapping[str, Map] = field(repr=False)
    layers: tuple[Layer, ...]
    outputs: tuple[Map, ...]
    deepest: bool
    stride: tuple[int, ...]
    global_ops: tuple[str, ...]
    refused: str
    blocked: tuple[str, ...]
    unseen: int

    @property
    def label(self) -> str:
        """The word "mixed" where context error holds more than the border's, else ""."""
        return "mixed" if self.global_ops else ""


def told(names: Sequence[str], most: int = 3) -> str:
    """A few names of nodes for a sentence."""
    shown = ", ".join(printable(name, 60) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
