"""Cut a small computation out of a graph and run it alone, to see what it does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, TypeProto, helper, numpy_helper

from onnxpad.scopes import DEFAULT_DOMAINS, Scope
from onnxpad.values import Values, attributes, from_tensor

# What strips are cut and computed with. A Conv or Relu in a branch ends the search at once.
STRIP_OPS = frozenset(
    [
        "Slice",
        "Gather",
        "Shape",
        "Constant",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Mod",
        "Abs",
        "Neg",
        "Min",
        "Max",
        "Cast",
        "CastLike",
        "Reshape",
        "Unsqueeze",
        "Squeeze",
        "Identity",
        "Range",
        "Concat",
        "Clip",
        "Floor",
        "ConstantOfShape",
        "Where",
        "Greater",
        "Less",
    ]
)
LARGEST_CUT = 200  # nodes; linear padding of a free size on one axis is 130
# Sizes to assume for an axis whose size is unknown.
# Their difference is a prime: padding that depends on the size modulo a stride shows itself.
TRIAL_SIZES = (61, 38)


def ancestors(
    scope: Scope,
    values: Values,
    names: list[str],
    source: str,
    allowed: frozenset[str] = STRIP_OPS,
) -> tuple[list[int], bool] | None:
    """Nodes that compute ``names`` from ``source`` and constants alone; None if others take part.

    With them, whether every one of ``names`` really depends on ``source``.
    """
    found: set[int] = set()
    reads_source = dict.fromkeys(names, False)
    for name in names:
        queue, seen = [name], set[str]()
        while queue:
            current = queue.pop()
            if current == source:
                reads_source[name] = True
                continue
            if current in seen or not current or current in scope.initializers:
                continue
            seen.add(current)
            index = scope.producers.get(current)
            if index is None:
                if values.value(scope, current) is None:
                    return None
                continue
            node = scope.nodes[index]
            if node.op_type not in allowed or node.domain not in DEFAULT_DOMAINS:
                return None
            found.add(index)
            if len(found) > LARGEST_CUT:
                return None
            queue.extend(node.input)
    return sorted(found), all(reads_source.values())


def run_cut(
    scope: Scope,
    nodes: list[NodeProto],
    source: str,
    array: NDArray[Any],
    wanted: list[str],
) -> dict[str, NDArray[Any]] | None:
    """Run a cut-out of the graph by ONNX's reference implementation; None if it cannot be run."""
    from onnx.reference import ReferenceEvaluator

    made = {name for node in nodes for name in node.output}
    needed = ({name for node in nodes for name in node.input} | set(wanted)) - made - {source, ""}
    constants = [t for name in sorted(needed) if (t := _constant(scope, name)) is not None]
    if len(constants) != len(needed):
        return None
    outputs = [n for n in dict.fromkeys(wanted) if n != source]
    graph = helper.make_graph(
        nodes, "cut", [helper.make_tensor_value_info(source, TensorProto.FLOAT, array.shape)],
        [helper.make_value_info(n, TypeProto()) for n in outputs], constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", scope.opset)])
    try:
        results = ReferenceEvaluator(model).run(None, {source: array})
    except Exception:  # noqa: BLE001  # an untrusted graph: what cannot run is not recognised
        return None
    return {source: array} | {n: np.asarray(r) for n, r in zip(outputs, results, strict=True)}


def _constant(scope: Scope, name: str) -> TensorProto | None:
    """A small constant under the name it is read by."""
    owner = scope.owner(name)
    if owner is None:
        return None
    node = owner.producer(name)
    tensor: Any = owner.initializers.get(name)
    if node is not None and node.op_type == "Constant" and node.attribute:
        tensor = attributes(node).get("value")
    array = from_tensor(tensor) if isinstance(tensor, TensorProto) else None
    if array is None:
        return None
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return numpy_helper.from_array(array.astype(kind), name)
