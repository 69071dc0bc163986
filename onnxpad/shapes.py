"""Types and shapes of a model's values, found without its weights."""

from math import prod

import numpy as np
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    numpy_helper,
    shape_inference,
)

from onnxpad.records import ScopePath
from onnxpad.scopes import Shape, TensorInfo, subgraphs

# A tensor above this is a weight as far as shapes go: shape arithmetic fits far below it.
SMALL_TENSOR_ELEMENTS = 1024
# Elements of a filled tensor whose values are worth following: shapes have a dozen.
MOST_FOLLOWED = 2**16


def infer_bare(bare: ModelProto) -> GraphProto:
    """The main graph with types and shapes filled in; local functions stay unknown.

    Args:
        bare: a copy made by ``without_weights``; declared shapes that inference contradicts are
            taken out of it. A model that onnx cannot infer gives what it declares itself.
    """
    try:
        follow_values = not fills_memory(bare.graph)
        try:
            return shape_inference.infer_shapes(
                bare, strict_mode=True, data_prop=follow_values
            ).graph
        except Exception:  # noqa: BLE001  # what strict inference minds, the lenient may pass
            _forget_wrong_shapes(bare, data_prop=follow_values)
            return shape_inference.infer_shapes(bare, data_prop=follow_values).graph
    except Exception:  # noqa: BLE001  # onnx raises several types; unknown shapes are normal
        return bare.graph


def _forget_wrong_shapes(bare: ModelProto, *, data_prop: bool) -> None:
    """Take out declared shapes that do not hold, as tools leave behind that change a batch size.

    Runtimes go by what they infer, whereas onnx's inference lets the declared shape win.
    """
    silent = ModelProto()
    silent.CopyFrom(bare)
    del silent.graph.value_info[:]
    for output in silent.graph.output:
        output.type.tensor_type.ClearField("shape")
    found = shape_inference.infer_shapes(silent, data_prop=data_prop).graph
    inferred = {v.name: read_value_info(v).shape for v in (*found.value_info, *found.output)}
    for value in (*bare.graph.value_info, *bare.graph.output):
        if contradict(read_value_info(value).shape, inferred.get(value.name)):
            value.type.tensor_type.ClearField("shape")


def contradict(ours: Shape | None, theirs: Shape | None) -> bool:
    """Whether no tensor can have both shapes."""
    if ours is None or theirs is None:
        return False
    known = (isinstance(o, int) and isinstance(t, int) and o != t
             for o, t in zip(ours, theirs, strict=False))  # fmt: skip
    return len(ours) != len(theirs) or any(known)


def fills_memory(graph: GraphProto) -> bool:
    """Whether following values would write out a tensor without end.

    onnx's inference follows the elements of ConstantOfShape one by one, however many a damaged or
    hostile model asks for.
    """
    constants = {t.name: t for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            constants.update((node.output[0], a.t) for a in node.attribute if a.name == "value")
        if node.op_type != "ConstantOfShape" or not node.input:
            continue
        tensor = constants.get(node.input[0])
        if tensor is not None and not is_large(tensor):
            shape = numpy_helper.to_array(tensor).astype(float)
            if float(np.prod(np.abs(shape))) > MOST_FOLLOWED:
                return True
    return any(fills_memory(inner) for node in graph.node for *_, inner in subgraphs(node))


def main_infos(bare: ModelProto) -> dict[ScopePath, dict[str, TensorInfo]]:
    """Types and shapes in the main graph and its subgraphs, by scope path."""
    found: dict[ScopePath, dict[str, TensorInfo]] = {}
    collect(infer_bare(bare), (("graph",),), found)
    return found


def collect(
    graph: GraphProto, path: ScopePath, found: dict[ScopePath, dict[str, TensorInfo]]
) -> None:
    """Read types and shapes of a graph and of those inside it into ``found``."""
    infos = found.setdefault(path, {})
    for values in (graph.value_info, graph.input, graph.output):
        infos.update((value.name, read_value_info(value)) for value in values)
    for index, node in enumerate(graph.node):
        for attribute, position, _, inner in subgraphs(node):
            collect(inner, (*path, (index, attribute, position)), found)


def read_value_info(value: ValueInfoProto) -> TensorInfo:
    """Type and shape of a declared value; a fixed size below 1 counts as unknown."""
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type"):
        return TensorInfo()
    if not tensor.HasField("shape"):
        return TensorInfo(tensor.elem_type)
    # a dim holds one of the two, and protobuf gives 0 and "" for the one it does not
    dims = [d.dim_value or d.dim_param or None for d in tensor.shape.dim]
    sizes = [None if isinstance(d, int) and d < 0 else d for d in dims]
    return TensorInfo(tensor.elem_type, tuple(sizes))


def without_weights(model: ModelProto) -> ModelProto:
    """A copy for shape inference: large tensors keep their name, type and dims, not their data."""
    bare = ModelProto(ir_version=model.ir_version)
    bare.opset_import.extend(model.opset_import)
    bare.functions.extend(_bare_function(f) for f in model.functions)
    bare.graph.CopyFrom(_bare_graph(model.graph))
    return bare


def _bare_function(function: FunctionProto) -> FunctionProto:
    bare = FunctionProto()
    bare.CopyFrom(function)
    del bare.node[:]
    bare.node.extend(_bare_node(node) for node in function.node)
    return bare


def _bare_graph(graph: GraphProto) -> GraphProto:
    bare = GraphProto(name=graph.name)
    for ours, theirs in (
        (bare.input, graph.input),
        (bare.output, graph.output),
        (bare.value_info, graph.value_info),
    ):
        ours.extend(theirs)
    bare.initializer.extend(_bare_tensor(t) for t in graph.initializer)
    bare.node.extend(_bare_node(node) for node in graph.node)
    return bare


def _bare_node(node: NodeProto) -> NodeProto:
    heavy = any(
        a.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS)
        or (a.type == AttributeProto.TENSOR and is_large(a.t))
        for a in node.attribute
    )
    if not heavy:
        return node
    bare = NodeProto(op_type=node.op_type, domain=node.domain, name=node.name)
    bare.input.extend(node.input)
    bare.output.extend(node.output)
    for attribute in node.attribute:
        copied = bare.attribute.add(name=attribute.name, type=attribute.type)
        if attribute.type == AttributeProto.GRAPH:
            copied.g.CopyFrom(_bare_graph(attribute.g))
        elif attribute.type == AttributeProto.GRAPHS:
            copied.graphs.extend(_bare_graph(graph) for graph in attribute.graphs)
        elif attribute.type == AttributeProto.TENSOR and is_large(attribute.t):
            copied.t.CopyFrom(_bare_tensor(attribute.t))
        else:
            copied.CopyFrom(attribute)
    return bare


def _bare_tensor(tensor: TensorProto) -> TensorProto:
    if not is_large(tensor):
        return tensor
    bare = TensorProto(name=tensor.name, data_type=tensor.data_type)
    bare.dims.extend(tensor.dims)
    return bare


def is_large(tensor: TensorProto) -> bool:
    """Whether a tensor is too large to be shape arithmetic (external data always is).

    Decided from the dims: asking protobuf for the size of the data would copy the weights.
    """
    if tensor.data_location == TensorProto.EXTERNAL:
        return True
    return bool(prod(tensor.dims) > SMALL_TENSOR_ELEMENTS)
