"""What the edits of one scope share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, TensorProto, helper

from onnxpad.builder import Builder
from onnxpad.guards import Guards
from onnxpad.modes import Mode
from onnxpad.records import PaddingSite
from onnxpad.scopes import Scope
from onnxpad.splice import ScopeEdit
from onnxpad.values import Values


@dataclass(slots=True)
class Workshop:
    """What the edits of one scope share: the builder of new nodes and the edit they go into.

    New nodes are built one site after another and handed to the edit when all are there, because
    GraphSurgeon exports a whole graph at once.

    Attributes:
        float_pads: pad floats only, in front of Q, for runtimes that have no integer Pad.
        means: what mode mean writes, by site.
        folded: indices of the Pads whose zeros became a reader's own.
        guards: conditions that new nodes ask for.
    """

    scope: Scope
    values: Values
    build: Builder
    edit: ScopeEdit
    _marks: list[int] = field(default_factory=lambda: [0])
    float_pads: bool = False
    means: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    folded: set[int] = field(default_factory=set)
    _places: list[tuple[int, int]] = field(default_factory=list)
    guards: Guards = field(init=False)

    def __post_init__(self) -> None:
        """Let new nodes ask whether maps are large enough, but for runtimes of their own."""
        self.guards = Guards(self.scope, self.build)
        if not self.float_pads:
            self.build.enough = self.guards.enough

    def place(self, index: int, like: int | None = None) -> None:
        """The nodes built since the last call stand in front of node ``index``.

        They inherit the metadata of node ``like`` (by default the same one): tools keep there
        which layer of the source a node belongs to.
        """
        self._marks.append(self.build.mark())
        self._places.append((index, index if like is None else like))

    def small_maps(self, padded: str) -> str:
        """A remark on a padded tensor that is made in another way where its map is too small."""
        return ", slices where the map is too small" if padded in self.build.branched else ""

    def finish(self) -> ScopeEdit:
        """Hand everything over; constants stand at the head of the scope."""
        ahead = len(self._places)
        for index in self.guards.write():
            self.place(index, len(self.scope.nodes))  # for many: they inherit from none
        constants, pieces = self.build.export(self._marks)
        for order, ((index, like), nodes) in enumerate(zip(self._places, pieces, strict=True)):
            if order >= ahead:
                self.edit.insert_first(index, nodes)
                continue
            if like < len(self.scope.nodes):
                for node in nodes:
                    node.metadata_props.extend(self.scope.nodes[like].metadata_props)
            self.edit.insert(index, nodes)
        if constants:
            self.edit.before[0] = [*constants, *self.edit.before.get(0, [])]
        self.edit.remove_unread()
        return self.edit


def element_type(site: PaddingSite) -> int:
    """The tensor's type; a convolution whose input's type is unknown is taken for float32."""
    return site.dtype or TensorProto.FLOAT


def set_pad_mode(
    shop: Workshop, node: NodeProto, operator: str, mode: Mode, fill: NDArray[np.float64] | None
) -> None:
    """Change a Pad node in place: its mode, and its number where the mode has one."""
    for position in range(len(node.attribute) - 1, -1, -1):
        if node.attribute[position].name == "value":
            del node.attribute[position]
    mode_attribute = next((a for a in node.attribute if a.name == "mode"), None)
    if mode_attribute is None:
        mode_attribute = node.attribute.add(name="mode", type=AttributeProto.STRING)
    mode_attribute.s = operator.encode()
    number = fill if fill is not None else np.array(mode.value)
    filled = operator == "constant" and number != 0
    if shop.build.opset < 11:
        if filled:
            node.attribute.append(helper.make_attribute("value", float(number)))
        return
    axes = node.input[3] if len(node.input) > 3 else ""
    del node.input[2:]
    if filled:
        dtype = shop.scope.info(node.input[0]).dtype or TensorProto.FLOAT
        node.input.append(shop.build.constant(number, dtype))
    if axes:
        node.input.extend(["", axes] if not filled else [axes])
