"""A copy of a model, in memory, that can be run in parts and at other sizes.

The file is only read. Weights in external files stay there: the copy refers to them, and a
session is told their folder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx.inliner
from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto
from onnx.external_data_helper import load_external_data_for_tensor

from onnxpad.external import external_tensors
from onnxpad.model import Model, load_model
from onnxpad.scopes import all_reads
from onnxpad.shapes import SMALL_TENSOR_ELEMENTS
from onnxpad.sized import forget_shapes

_NODE = "onnxpad_node_{}_"
NODE_PATTERN = r"onnxpad_node_(\d+)_"


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """The copy and an index over its main graph.

    Attributes:
        proto: nodes carry numbers in place of names, so that an engine's error tells which it
            means; the freed sizes are symbols; no recorded shapes.
        folder: where its external data lies, None where it has none.
        names: what each node was called: its name, else its first output.
        reads: values each node reads, inside its subgraphs too.
        producers: value -> index of the node that makes it.
        outputs: names of the model's outputs.
    """

    proto: ModelProto
    folder: Path | None
    names: tuple[str, ...]
    reads: tuple[frozenset[str], ...] = field(repr=False)
    producers: Mapping[str, int] = field(repr=False)
    outputs: tuple[str, ...]

    @property
    def nodes(self) -> Sequence[NodeProto]:
        """The nodes of the main graph."""
        nodes: Sequence[NodeProto] = self.proto.graph.node
        return nodes

    def ancestors(self, names: Iterable[str]) -> set[int]:
        """Indices of all nodes that the values depend on."""
        found: set[int] = set()
        queue = list(names)
        while queue:
            index = self.producers.get(queue.pop())
            if index is not None and index not in found:
                found.add(index)
                queue.extend(self.reads[index])
        return found

    def descendants(self, indices: Iterable[int]) -> set[int]:
        """Indices of the nodes themselves and of all that depend on them."""
        found = set(indices)
        made = {name for index in found for name in self.nodes[index].output}
        for index in range(min(found, default=0), len(self.nodes)):
            if index not in found and self.reads[index] & made:
                found.add(index)
                made.update(self.nodes[index].output)
        return found

    def part(
        self, names: Sequence[str], extra: Sequence[NodeProto] = (), wanted: Sequence[str] = ()
    ) -> bytes:
        """The model that computes these values alone, serialised.

        Args:
            names: values to hand out.
            extra: nodes to put at the end, read from values of the graph.
            wanted: values that extra nodes make, to hand out after the others.
        """
        kept = self.ancestors([*names, *(name for node in extra for name in node.input)])
        graph = GraphProto(name=self.proto.graph.name or "probe")
        graph.node.extend(node for i, node in enumerate(self.nodes) if i in kept)
        graph.node.extend(extra)
        read = set(names).union(*(self.reads[i] for i in kept), *(node.input for node in extra))
        old = self.proto.graph
        graph.initializer.extend(t for t in old.initializer if t.name in read)
        graph.sparse_initializer.extend(t for t in old.sparse_initializer if t.values.name in read)
        # Before IR 4 every initializer is an input too: those left out must not be asked for.
        dropped = {t.name for t in old.initializer} - {t.name for t in graph.initializer}
        graph.input.extend(value for value in old.input if value.name not in dropped)
        graph.output.extend(ValueInfoProto(name=name) for name in [*names, *wanted])
        model = ModelProto(ir_version=self.proto.ir_version, graph=graph)
        model.opset_import.extend(self.proto.opset_import)
        model.functions.extend(self.proto.functions)
        return bytes(model.SerializeToString())


def copy_model(source: str | Path | ModelProto, main: str, axes: tuple[int, ...]) -> Copy:
    """Copy a model, with the sizes of the input `main` freed along `axes`.

    Raises ModelError when the model cannot be read.
    """
    model = load_model(source)
    proto, folder = _self_standing(model)
    if proto.functions:
        # Window ops inside local functions come into sight.
        proto = onnx.inliner.inline_local_functions(proto)
    forget_shapes(proto.graph)
    for value in proto.graph.input:
        if value.name == main:
            for number, axis in enumerate(axes):
                dim = value.type.tensor_type.shape.dim[axis]
                dim.Clear()
                dim.dim_param = f"onnxpad_space_{number}"
    names = []
    for index, node in enumerate(proto.graph.node):
        names.append(node.name or next((n for n in node.output if n), ""))
        node.name = _NODE.format(index)
    return indexed(proto, folder, tuple(names))


def indexed(proto: ModelProto, folder: Path | None, names: tuple[str, ...]) -> Copy:
    """The index over a copy."""
    nodes = proto.graph.node
    return Copy(
        proto,
        folder,
        names,
        tuple(frozenset(all_reads(node)) for node in nodes),
        {name: i for i, node in enumerate(nodes) for name in node.output if name},
        tuple(output.name for output in proto.graph.output),
    )


def _self_standing(model: Model) -> tuple[ModelProto, Path | None]:
    """The proto with small external tensors put into it: engines refuse shapes kept outside."""
    external = list(external_tensors(model.proto))
    if not external or model.path is None:
        return model.proto, None
    folder = model.path.parent
    for tensor in external:
        count = 1
        for dim in tensor.dims:
            count *= dim
        if count <= SMALL_TENSOR_ELEMENTS:
            load_external_data_for_tensor(tensor, str(folder))
            tensor.data_location = onnx.TensorProto.DEFAULT
            del tensor.external_data[:]
    return model.proto, folder
