"""Types and shapes inside local functions, as far as all their callers agree on them."""

from collections.abc import Iterable, Mapping

from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, helper

from onnxpad.records import ScopePath
from onnxpad.scopes import Scope, Shape, TensorInfo, subgraphs, walk
from onnxpad.shapes import collect, infer_bare

Infos = dict[ScopePath, dict[str, TensorInfo]]

# A model from a stranger may call functions without end; past these, shapes stay unknown.
MOST_CALLS, MOST_ROUNDS = 500, 5
# A domain without operators: for nodes whose attributes only an outer function's caller tells.
_UNTOLD = "onnxpad.untold"


def with_functions(bare: ModelProto, infos: Infos) -> Infos:
    """The same types and shapes with those of function bodies added.

    A body is inferred once for each call, with the call's inputs and attributes; what differs
    between calls is unknown. Functions that functions call take a round more each.
    """
    if not bare.functions:
        return infos
    places = {_key(f): i for i, f in enumerate(bare.functions)}
    merged = dict(infos)
    for _ in range(MOST_ROUNDS):
        inferred: Infos = dict(infos)
        calls = [
            (scope, node, places[_key(node)])
            for scope in walk(bare, merged)
            for node in scope.nodes
            if _key(node) in places
        ]
        unread = {place for *_, place in calls[MOST_CALLS:]}
        for scope, node, place in calls[:MOST_CALLS]:
            if place in unread:
                continue  # what all of its callers agree on is not known
            body = _body(bare, bare.functions[place], scope, node)
            for path, found in _infer(body, place).items():
                inferred[path] = _agreed(inferred[path], found) if path in inferred else found
        if inferred == merged:
            break
        merged = inferred
    return merged


def _key(one: NodeProto | FunctionProto) -> tuple[str, str, str]:
    name = one.op_type if isinstance(one, NodeProto) else one.name
    return one.domain, name, one.overload


def _body(bare: ModelProto, function: FunctionProto, scope: Scope, call: NodeProto) -> ModelProto:
    """One call of a function as a model: inputs typed, attribute references put in."""
    graph = GraphProto(name="body")
    for name, given in zip(function.input, call.input, strict=False):
        info = scope.info(given)
        if info.dtype:
            value = helper.make_tensor_value_info(name, info.dtype, info.shape)
            graph.input.append(value)
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in function.output)
    graph.node.extend(function.node)
    defaults = {a.name: a for a in function.attribute_proto}
    _put_in(graph.node, defaults | {a.name: a for a in call.attribute})
    model = ModelProto(ir_version=bare.ir_version, graph=graph)
    model.opset_import.extend(function.opset_import)
    model.functions.extend(bare.functions)
    return model


def _put_in(nodes: Iterable[NodeProto], given: Mapping[str, AttributeProto]) -> None:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.ref_attr_name in given:
                name = attribute.name
                attribute.CopyFrom(given[attribute.ref_attr_name])
                attribute.name = name
                if attribute.ref_attr_name:
                    node.domain = _UNTOLD
        for *_, graph in subgraphs(node):
            _put_in(graph.node, given)


def _infer(body: ModelProto, place: int) -> Infos:
    found: Infos = {}
    collect(infer_bare(body), (("function", place),), found)
    return found


def _agreed(
    ours: Mapping[str, TensorInfo], theirs: Mapping[str, TensorInfo]
) -> dict[str, TensorInfo]:
    """What two calls agree on."""
    return {
        name: TensorInfo(
            info.dtype if info.dtype == theirs[name].dtype else 0,
            _agreed_shape(info.shape, theirs[name].shape),
        )
        for name, info in ours.items()
        if name in theirs
    }


def _agreed_shape(ours: Shape | None, theirs: Shape | None) -> Shape | None:
    if ours is None or theirs is None or len(ours) != len(theirs):
        return None
    return tuple(o if o == t else None for o, t in zip(ours, theirs, strict=True))
