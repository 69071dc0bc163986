"""What a small tensor holds, as far as it can be known without running the model.

Exporters hide pads in chains of Shape, Gather, Concat, Slice. Elements that depend on an unknown
size come out as ``None`` while their neighbours stay known: ``[0, 0, None, None, 0, 0, ...]``.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, TypeProto, helper, numpy_helper

from onnxpad.scopes import DEFAULT_DOMAINS, Scope, Shape

# An object array: Python numbers, or None where an element is unknown.
Partial = NDArray[np.object_]

LARGEST = 8192  # elements; pads, axes and zero points are far smaller
DEEPEST = 100  # nodes in a row; real chains of shape arithmetic have about 20


def attributes(node: NodeProto) -> dict[str, Any]:
    """A node's attributes by name, as Python values; references to a function's are left out."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute if not a.ref_attr_name}


class Values:
    """Evaluates small tensors of a model, each once.

    Args:
        shapes: sizes to assume for some values (by name) in place of what the model says.
    """

    def __init__(self, shapes: Mapping[str, Shape] | None = None) -> None:
        self._shapes = shapes or {}
        self._known: dict[tuple[int, str], Partial | None] = {}

    def ints(self, scope: Scope, name: str) -> tuple[int | None, ...] | None:
        """A 1-D (or scalar) tensor of integers; None where nothing at all is known of it."""
        value = self.value(scope, name)
        if value is None:
            return None
        known = (v if v is None or isfinite(v) else None for v in value.reshape(-1))
        return tuple(None if v is None else int(v) for v in known)

    def number(self, scope: Scope, name: str) -> float | None:
        """The one number that every element of a tensor equals; None if unknown or several."""
        value = self.value(scope, name)
        if value is None or value.size == 0:
            return None
        first = value.reshape(-1)[0]
        same = first is not None and all(v == first for v in value.reshape(-1))
        return float(first) if same else None

    def value(self, scope: Scope, name: str, depth: int = 0) -> Partial | None:
        """The tensor's elements, or None where not even its shape is known."""
        owner = scope.owner(name) if name else None
        if owner is None or depth > DEEPEST:
            return None
        key = (id(owner), name)
        if key not in self._known:
            self._known[key] = self._find(owner, name, depth)
        return self._known[key]

    def _find(self, scope: Scope, name: str, depth: int) -> Partial | None:
        if name in scope.initializers:
            # An initializer that is also an input is only its default, and could be replaced;
            # before IR 4 every initializer had to be listed so, and onnx treats it as constant.
            return from_tensor(scope.initializers[name])
        node = scope.producer(name)
        if node is None or node.domain not in DEFAULT_DOMAINS:
            return None
        try:
            return self._evaluate(scope, node, list(node.output).index(name), depth + 1)
        except Exception:  # noqa: BLE001  # an untrusted graph holds any nonsense: not known
            return None

    def _evaluate(self, scope: Scope, node: NodeProto, output: int, depth: int) -> Partial | None:
        if node.op_type == "Shape":
            return self._shape(scope, node)
        arguments = [self.value(scope, name, depth) if name else None for name in node.input]
        if node.op_type == "Gather" and arguments[0] is None and _reads_shape(scope, node):
            arguments[0] = _objects([None] * _most_axes(arguments[1]))
        if any(a is None and name for a, name in zip(arguments, node.input, strict=True)):
            return None
        if output == 0 and node.op_type in STRUCTURAL:
            result = STRUCTURAL[node.op_type](attributes(node), arguments)
        elif all(a is None or _complete(a) for a in arguments):
            result = _run(node, scope, arguments, output)
        elif node.op_type in _ELEMENTWISE:
            shape = np.broadcast_shapes(*(a.shape for a in arguments if a is not None))
            result = np.full(shape, None, dtype=object)
        else:
            return None
        return result if result.size <= LARGEST else None

    def _shape(self, scope: Scope, node: NodeProto) -> Partial | None:
        name = node.input[0]
        shape = self._shapes.get(name, scope.info(name).shape)
        given = attributes(node)
        if shape is None:
            # Behind ops that nobody infers shapes for: as many sizes as were asked for.
            count = given.get("end", 0) - given.get("start", 0)
            whole = given.get("end", 0) * given.get("start", 0) >= 0
            return _objects([None] * count) if whole and 0 < count <= LARGEST else None
        known = [d if isinstance(d, int) else None for d in shape]
        return _objects(known[given.get("start", 0) : given.get("end", len(known))])


def from_tensor(tensor: TensorProto) -> Partial | None:
    """A small tensor stored in the model; external and large ones are not read."""
    if tensor.data_location == TensorProto.EXTERNAL or np.prod(tensor.dims, dtype=float) > LARGEST:
        return None
    try:
        return _as_objects(numpy_helper.to_array(tensor))
    except Exception:  # noqa: BLE001  # malformed tensors of an untrusted model
        return None


def _reads_shape(scope: Scope, node: NodeProto) -> bool:
    """Whether a Gather takes sizes of a tensor whose number of axes is not known either."""
    producer = scope.producer(node.input[0])
    return producer is not None and producer.op_type == "Shape"


def _most_axes(taken: Partial | None) -> int:
    """As many unknown sizes as a Gather needs, so that what it takes is unknown and no error."""
    indices = [] if taken is None else [abs(int(i)) for i in taken.reshape(-1) if i is not None]
    return min(max(indices, default=0) + 1, LARGEST)


def _complete(value: Partial) -> bool:
    return all(v is not None for v in value.reshape(-1))


def _objects(items: list[Any]) -> Partial:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _as_objects(array: NDArray[Any]) -> Partial:
    if array.dtype.kind not in "biuf":  # bfloat16 and the 8-bit floats
        array = array.astype(np.float32)
    return array.astype(object)


def _constant(given: dict[str, Any], _: list[Any]) -> Partial:
    if "value" in given:
        tensor = from_tensor(given["value"])
        if tensor is None:
            raise ValueError("too large")
        return tensor
    value = next(given[key] for key in _CONSTANT_KEYS if key in given)
    return np.array(value, dtype=object)


_CONSTANT_KEYS = ("value_int", "value_ints", "value_float", "value_floats")


def _axes(given: dict[str, Any], arguments: list[Any]) -> list[int] | None:
    if "axes" in given:
        return list(given["axes"])
    return [int(a) for a in arguments[1]] if len(arguments) > 1 else None


def _unsqueeze(given: dict[str, Any], arguments: list[Any]) -> Partial:
    axes = _axes(given, arguments)
    return np.expand_dims(arguments[0], tuple(axes or ()))


def _squeeze(given: dict[str, Any], arguments: list[Any]) -> Partial:
    axes = _axes(given, arguments)
    squeezed = np.squeeze(arguments[0], axis=None if axes is None else tuple(axes))
    return np.asarray(squeezed, dtype=object)


def _reshape(given: dict[str, Any], arguments: list[Any]) -> Partial:
    array, wanted = arguments
    keep = not given.get("allowzero", 0)
    target = [array.shape[i] if d == 0 and keep else int(d) for i, d in enumerate(wanted)]
    return np.asarray(array.reshape(target), dtype=object)


def _gather(given: dict[str, Any], arguments: list[Any]) -> Partial:
    taken = np.take(arguments[0], arguments[1].astype(np.int64), axis=given.get("axis", 0))
    return np.asarray(taken, dtype=object)


def _slice(given: dict[str, Any], arguments: list[Any]) -> Partial:
    array = arguments[0]
    if "starts" in given:
        starts, ends, axes, steps = given["starts"], given["ends"], given.get("axes"), None
    else:
        starts, ends, axes, steps = (*arguments[1:], None, None)[:4]
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    where = [slice(None)] * array.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        where[int(axis)] = slice(int(start), int(end), int(step))
    return np.asarray(array[tuple(where)], dtype=object)


def _constant_of_shape(given: dict[str, Any], arguments: list[Any]) -> Partial:
    shape = [int(d) for d in arguments[0]]
    if np.prod(shape, dtype=float) > LARGEST:
        raise ValueError("too large")
    fill = numpy_helper.to_array(given["value"]).reshape(-1)[0] if "value" in given else 0.0
    return np.full(shape, fill, dtype=object)


def _cast(given: dict[str, Any], arguments: list[Any]) -> Partial:
    if int(given["to"]) in _INTEGERS:
        return _map(int, arguments[0])
    return _map(float, arguments[0])


def _map(function: Callable[[Any], Any], array: Partial) -> Partial:
    mapped = _objects([None if v is None else function(v) for v in array.reshape(-1)])
    return np.asarray(mapped.reshape(array.shape), dtype=object)


_INTEGERS: frozenset[int] = frozenset({
    TensorProto.INT64, TensorProto.INT32, TensorProto.INT16, TensorProto.INT8,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
})  # fmt: skip

# Ops that move elements about: they work the same on unknown ones.
STRUCTURAL: dict[str, Callable[[dict[str, Any], list[Any]], Partial]] = {
    "Constant": _constant,
    "Identity": lambda _, a: a[0],
    "Cast": _cast,
    "Concat": lambda given, a: np.concatenate(a, axis=given.get("axis", 0)),
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Transpose": lambda given, a: np.transpose(a[0], given.get("perm")),
    "Gather": _gather,
    "Slice": _slice,
    "ConstantOfShape": _constant_of_shape,
}

# Ops whose result has the broadcast shape of their inputs, so that only its elements are unknown.
_ELEMENTWISE = frozenset(
    [
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Mod",
        "Max",
        "Min",
        "Neg",
        "Abs",
        "Floor",
        "Ceil",
        "Sign",
        "Clip",
        "Where",
        "Equal",
        "Less",
        "Greater",
        "Relu",
    ]
)


def _run(node: NodeProto, scope: Scope, arguments: list[Any], output: int) -> Partial:
    """One node with known inputs, by ONNX's own reference implementation."""
    from onnx.reference import ReferenceEvaluator

    infos = [scope.info(name).dtype for name in node.input]
    feeds = {}
    for name, argument, dtype in zip(node.input, arguments, infos, strict=True):
        if name:
            kind = _kind(argument, dtype)
            feeds[name] = argument.astype(kind)
    graph = helper.make_graph(
        [node], "one",
        [helper.make_value_info(n, TypeProto()) for n in dict.fromkeys(node.input) if n],
        [helper.make_value_info(n, TypeProto()) for n in node.output if n],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", scope.opset)])
    named = [n for n in node.output if n]
    results: Any = ReferenceEvaluator(model).run(None, feeds)
    return _as_objects(np.asarray(results[named.index(node.output[output])]))


def _kind(argument: Partial, dtype: int) -> Any:
    """The numpy type of an argument: the declared one, else what its numbers look like."""
    if dtype:
        return helper.tensor_dtype_to_np_dtype(dtype)
    return np.int64 if all(isinstance(v, int) for v in argument.reshape(-1)) else np.float32
