"""Conditions of If: whether maps are large enough to be mirrored, asked once for many of them.

A network's maps follow from the size of its input, so one question to the input answers for all of
them. Where it is answered with no, the other branches run, which hold for any size.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from onnx import TensorProto

from onnxpad.builder import Builder, whole
from onnxpad.least_sizes import LeastSizes
from onnxpad.scopes import Scope

Axis = tuple[str, int]  # of a tensor


@dataclass(slots=True)
class Guards:
    """The conditions that the new nodes of one scope ask for, written when all are known."""

    scope: Scope
    build: Builder
    _sizes: LeastSizes = field(init=False)
    _names: dict[tuple[Axis, ...], str] = field(default_factory=dict)
    _least: dict[tuple[Axis, ...], dict[Axis, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to look at the scope."""
        self._sizes = LeastSizes(self.scope)

    def enough(self, tensor: str, least: Mapping[int, int]) -> str:
        """The name of a condition that holds only where the axes have as many elements."""
        if self.scope.owner(tensor) is None:  # made by new nodes
            return self._write({(tensor, axis): n for axis, n in least.items()}, "")
        demands = {axis: self._sizes.demand(tensor, axis) for axis in sorted(least)}
        asked = tuple((demand.tensor, demand.axis) for demand in demands.values())
        if asked not in self._names:
            self._names[asked] = self.build.unique("onnxpad/large_enough")
            self._least[asked] = dict.fromkeys(asked, 1)
        most = self._least[asked]
        for axis, demand in demands.items():
            at = (demand.tensor, demand.axis)
            most[at] = max(most[at], demand.least(least[axis]))
        return self._names[asked]

    def write(self) -> Iterator[int]:
        """Write the nodes of one condition after the other; yields what node each goes before.

        Moved padding makes only such tensors larger that demands are passed on through, but those
        of known sizes: none that is asked.
        """
        for asked, name in self._names.items():
            self.build.name_after("onnxpad")
            self._write(self._least[asked], name)
            yield max(self.scope.producers.get(tensor, -1) for tensor, _ in asked) + 1

    def _write(self, least: Mapping[Axis, int], output: str) -> str:
        """In as few nodes as there can be: each costs about what a small Pad does."""
        build, names = self.build, list(dict.fromkeys(name for name, _ in least))
        axes = {name: sorted(axis for other, axis in least if other == name) for name in names}
        found = [build.sizes(name, axes[name]) for name in names]
        sizes = build.op("Concat", found, axis=0) if len(found) > 1 else found[0]
        wanted = [least[name, axis] for name in names for axis in axes[name]]
        most = max(wanted)
        if len(set(wanted)) > 1:
            sizes = build.op("Add", [sizes, build.constant(whole(*(most - n for n in wanted)))])
        if len(wanted) > 1:
            sizes = build.op("ReduceMin", [sizes], keepdims=1)
        if build.opset >= 9:
            return build.op("Greater", [sizes, build.constant([most - 1])], output=output)
        times = build.op("Div", [sizes, build.constant([most])])  # integers are not compared yet
        return build.op("Cast", [times], output=output, to=TensorProto.BOOL)
