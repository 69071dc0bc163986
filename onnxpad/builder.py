"""Write new nodes with GraphSurgeon, in a scratch graph; splice.py puts them into the model.

Integer arithmetic on sizes is folded while it is written, so a known size leaves constants behind
and an unknown one leaves a few tiny nodes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, helper

# A small integer tensor: known (numpy, int64, 1-D) or the name of a 1-D int64 tensor in the graph.
Ints = NDArray[np.int64] | str


class Builder:
    """Writes new nodes for one scope of a model.

    Args:
        opset: version of the default operator set in that scope.
        taken: names in use anywhere in the model; new ones are added.

    Attributes:
        enough: gives the name of a condition that axes of a tensor have so many elements at least;
            None where nodes may not be If, whose bodies not every runtime takes.
        branched: results of If.
    """

    def __init__(self, opset: int, taken: set[str]) -> None:
        self.opset = opset
        self.enough: Callable[[str, Mapping[int, int]], str] | None = None
        self.branched: set[str] = set()
        self._taken = taken
        self._graph = gs.Graph(opset=opset)
        self._tensors: dict[str, gs.Variable] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._constant_nodes: list[gs.Node] = []
        self._references: dict[str, tuple[str, str]] = {}
        self._prefix = "onnxpad"

    def name_after(self, prefix: str) -> None:
        """Names of the nodes that follow begin with ``prefix``."""
        self._prefix = prefix

    def unique(self, stem: str) -> str:
        """A name that nothing in the model has."""
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}_{count}"
        self._taken.add(name)
        return name

    def op(
        self, op_type: str, inputs: Sequence[str], *, output: str = "", domain: str = "",
        **attrs: Any,
    ) -> str:  # fmt: skip
        """Add one node; returns its output's name."""
        result = output or self.unique(f"{self._prefix}/{op_type}")
        node = gs.Node(op_type, name=self.unique(f"{result}/node"), attrs=attrs, domain=domain)
        node.inputs = [self._tensor(name) if name else gs.Variable.empty() for name in inputs]
        node.outputs = [self._tensor(result)]
        self._graph.nodes.append(node)
        return result

    def either(
        self, condition: str, first: Callable[[], str], second: Callable[[], str], *,
        output: str = "",
    ) -> str:  # fmt: skip
        """An If: what ``first`` builds where the condition holds, else what ``second`` builds.

        Both are called once, and return the name of what they made. Constants stand outside.
        """
        result = output or self.unique(f"{self._prefix}/If")
        bodies = {"then_branch": self._body(first), "else_branch": self._body(second)}
        node = gs.Node("If", name=self.unique(f"{result}/node"), attrs=bodies)
        node.inputs, node.outputs = [self._tensor(condition)], [self._tensor(result)]
        self._graph.nodes.append(node)
        self.branched.add(result)
        return result

    def _body(self, build: Callable[[], str]) -> gs.Graph:
        outer, self._graph = self._graph, gs.Graph(opset=self.opset, name=f"{self._prefix}/body")
        made = build()
        body, self._graph = self._graph, outer
        body.outputs = [self._tensor(made)]
        return body

    def constant(self, array: NDArray[Any] | Sequence[int], dtype: int = 0) -> str:
        """A constant of the scope; equal ones are one."""
        values = np.asarray(array)
        if not isinstance(array, np.ndarray):
            values = values.astype(np.int64)
        if dtype:
            values = values.astype(helper.tensor_dtype_to_np_dtype(dtype))
        key = (str(values.dtype), values.shape, values.tobytes())
        if key not in self._constants:
            self._constants[key] = self._new_constant(values)
        return self._constants[key]

    def _new_constant(self, values: NDArray[Any]) -> str:
        name = self.unique("onnxpad/constant")
        # Constant held floats only until opset 9; a double holds any size exactly.
        cast = self.opset < 9 and values.dtype.kind in "iu"
        stored = self.unique(f"{name}/float") if cast else name
        held = values.astype(np.float64) if cast else np.array(values, order="C")
        node = gs.Node("Constant", name=self.unique(f"{stored}/node"))
        node.attrs = {"value": gs.Constant(stored, held)}
        node.outputs = [self._tensor(stored)]
        self._constant_nodes.append(node)
        if cast:
            to = helper.np_dtype_to_tensor_dtype(values.dtype)
            convert = gs.Node("Cast", name=self.unique(f"{name}/node"), attrs={"to": to})
            convert.inputs, convert.outputs = [self._tensor(stored)], [self._tensor(name)]
            self._constant_nodes.append(convert)
        return name

    def reference(self, attribute: str, name: str) -> str:
        """A Constant whose attribute refers to an attribute ``name`` of the enclosing function."""
        key = (attribute, (), name.encode())
        if key not in self._constants:
            self._constants[key] = self.unique("onnxpad/reference")
            self._references[self._constants[key]] = (attribute, name)
        return self._constants[key]

    def _tensor(self, name: str) -> gs.Variable:
        if name not in self._tensors:
            self._tensors[name] = gs.Variable(name)
        return self._tensors[name]

    def mark(self) -> int:
        """A point between nodes; ``export`` cuts there."""
        return len(self._graph.nodes)

    def export(self, marks: Iterable[int]) -> tuple[list[NodeProto], list[list[NodeProto]]]:
        """(constants, the other nodes cut at each mark but the first) as protos."""
        self._graph.nodes = [*self._constant_nodes, *self._graph.nodes]
        exported = list(gs.export_onnx(self._graph, do_type_check=False).graph.node)
        head = len(self._constant_nodes)
        cuts = [head + mark for mark in marks]
        pieces = [exported[a:b] for a, b in pairwise(cuts)]
        referring = [_referring(output, *r) for output, r in self._references.items()]
        return [*referring, *exported[:head]], pieces

    # Integer arithmetic on sizes and positions: numpy as long as all is known.

    def ints(self, value: Ints) -> str:
        """The value as a tensor of the graph."""
        return value if isinstance(value, str) else self.constant(value)

    def _arithmetic(self, op_type: str, a: Ints, b: Ints) -> Ints:
        if not isinstance(a, str) and not isinstance(b, str):
            return np.asarray(_FOLD[op_type](a, b))
        return self.op(op_type, [self.ints(a), self.ints(b)])

    def add(self, a: Ints, b: Ints) -> Ints:
        """A + b."""
        return self._arithmetic("Add", a, b)

    def sub(self, a: Ints, b: Ints) -> Ints:
        """A - b."""
        return self._arithmetic("Sub", a, b)

    def mul(self, a: Ints, b: Ints) -> Ints:
        """A b."""
        return self._arithmetic("Mul", a, b)

    def div(self, a: Ints, b: Ints) -> Ints:
        """A // b for a >= 0, where truncating (ONNX) and flooring (numpy) are the same."""
        return self._arithmetic("Div", a, b)

    def abs(self, a: Ints) -> Ints:
        """Absolute value."""
        return np.abs(a) if not isinstance(a, str) else self.op("Abs", [a])

    # Abs stands in for Min, Max and comparisons, which ONNX had for integers only from opset 12.

    def min(self, a: Ints, b: Ints) -> Ints:
        """The smaller, for a + b >= |a - b|."""
        return self.div(self.sub(self.add(a, b), self.abs(self.sub(a, b))), whole(2))

    def max(self, a: Ints, b: Ints) -> Ints:
        """The larger, for a + b + |a - b| >= 0."""
        return self.div(self.add(self.add(a, b), self.abs(self.sub(a, b))), whole(2))

    def at_least_one(self, a: Ints) -> Ints:
        """1 where a >= 1, else 0."""
        distance = self.sub(self.abs(a), self.abs(self.sub(a, whole(1))))
        return self.div(self.add(distance, whole(1)), whole(2))

    def size(self, tensor: str, axis: int) -> Ints:
        """The size of a tensor's axis, read at run time."""
        return self.op("Gather", [self.op("Shape", [tensor]), self.constant([axis])], axis=0)

    def sizes(self, tensor: str, axes: Sequence[int]) -> str:
        """The sizes of several axes, ascending, as a tensor of the graph."""
        if self.opset >= 15 and list(axes) == list(range(axes[0], axes[-1] + 1)):
            return self.op("Shape", [tensor], start=axes[0], end=axes[-1] + 1)
        return self.op("Gather", [self.op("Shape", [tensor]), self.constant(axes)], axis=0)

    def range(self, start: Ints, stop: Ints) -> Ints:
        """start, start + 1, ..., stop - 1."""
        if not isinstance(start, str) and not isinstance(stop, str):
            return np.arange(start[0], stop[0])
        scalars = [self._scalar(v) for v in (start, stop)]
        return self.op("Range", [*scalars, self.constant(np.array(1))])

    def _scalar(self, value: Ints) -> str:
        if not isinstance(value, str):
            return self.constant(np.array(value[0]))
        return self.op("Gather", [value, self.constant(np.array(0))], axis=0)

    def concat(self, parts: Sequence[Ints]) -> Ints:
        """Joined end to end."""
        known = [p for p in parts if not isinstance(p, str)]
        if len(known) == len(parts):
            return np.concatenate(known)
        return self.op("Concat", [self.ints(p) for p in parts], axis=0)


def _referring(output: str, attribute: str, name: str) -> NodeProto:
    """GraphSurgeon knows no attribute references, so this one node is written directly."""
    node = NodeProto(op_type="Constant", name=f"{output}/node", output=[output])
    node.attribute.add(name=attribute, ref_attr_name=name, type=AttributeProto.INTS)
    return node


_FOLD = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.floor_divide}


def whole(*numbers: int) -> NDArray[np.int64]:
    """A known small integer tensor."""
    return np.array(numbers, dtype=np.int64)
