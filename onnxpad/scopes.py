"""Every place a model keeps nodes: the main graph, subgraphs, local functions.

A ``Scope`` is a read-only index over one of them: who produces and who reads a value, with names
of outer scopes visible from inner ones. It holds references into the proto it was built from, so
an edit that reorders nodes needs the scopes built anew.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto

from onnxpad.records import ScopePath

DEFAULT_DOMAINS = ("", "ai.onnx")
Shape = tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What is known of a value: ONNX element type (0 unknown) and shape (None unknown rank)."""

    dtype: int = 0
    shape: Shape | None = None


NOTHING_KNOWN = TensorInfo()


@dataclass(slots=True)
class Scope:
    """Index over the nodes of one graph, subgraph or function body.

    Attributes:
        label: how people address it: "" for the main graph, "If_3.then_branch", "function d::f".
        path: the way to it through the proto.
        opset: version of the default operator set in force.
        producers: value name -> index of the node that makes it.
        consumers: value name -> indices of the nodes that read it, subgraph readers included.
        outputs: names this scope hands out.
        nodes: as they are to be read: an If that only guards a Pad is that Pad (guarded.py).
        guarded: indices of those; in the container they are what they are.
    """

    label: str
    path: ScopePath
    container: GraphProto | FunctionProto
    opset: int
    parent: "Scope | None" = None
    infos: Mapping[str, TensorInfo] = field(default_factory=dict)
    producers: dict[str, int] = field(default_factory=dict)
    consumers: dict[str, list[int]] = field(default_factory=dict)
    initializers: dict[str, TensorProto] = field(default_factory=dict)
    outputs: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    nodes: tuple[NodeProto, ...] = ()
    guarded: frozenset[int] = frozenset()

    @property
    def is_function(self) -> bool:
        """Whether this is the body of a local function, where shapes depend on the caller."""
        return isinstance(self.container, FunctionProto)

    def defines(self, name: str) -> bool:
        """Whether the value belongs to this scope rather than to an outer one."""
        return name in self.producers or name in self.initializers or name in self.inputs

    def owner(self, name: str) -> "Scope | None":
        """The nearest scope, outwards, that defines the value."""
        scope: Scope | None = self
        while scope is not None and not scope.defines(name):
            scope = scope.parent
        return scope

    def producer(self, name: str) -> NodeProto | None:
        """The node of this scope that makes the value."""
        index = self.producers.get(name)
        return None if index is None else self.nodes[index]

    def readers(self, name: str) -> list[int]:
        """Indices of the nodes of this scope that read the value (inside subgraphs too)."""
        return self.consumers.get(name, [])

    def info(self, name: str) -> TensorInfo:
        """Type and shape of a value seen from this scope."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.infos:
                return scope.infos[name]
            if name in scope.initializers:
                tensor = scope.initializers[name]
                return TensorInfo(tensor.data_type, tuple(tensor.dims))
            scope = scope.parent
        return NOTHING_KNOWN


def subgraphs(node: NodeProto) -> Iterator[tuple[int, int, str, GraphProto]]:
    """(attribute index, graph index or -1, attribute name, graph) of each body a node carries."""
    for index, attribute in enumerate(node.attribute):
        if attribute.type == AttributeProto.GRAPH:
            yield index, -1, attribute.name, attribute.g
        elif attribute.type == AttributeProto.GRAPHS:
            for position, graph in enumerate(attribute.graphs):
                yield index, position, f"{attribute.name}[{position}]", graph


def all_reads(node: NodeProto) -> set[str]:
    """What a node reads, inside its bodies too; with what bodies make themselves."""
    names = {name for name in node.input if name}
    for *_, graph in subgraphs(node):
        names.update(output.name for output in graph.output)
        for inner in graph.node:
            names |= all_reads(inner)
    return names


def node_name(node: NodeProto) -> str:
    """A node's name, or the name of its first output where it has none."""
    return node.name or _first_output(node)


def unique_names(nodes: Sequence[NodeProto]) -> list[str]:
    """A name for each node that no other has: its own, else that of its first output.

    Outputs are unique in a graph, node names need not be: they may be missing, shared, or the
    name that another node gets from its output.
    """
    counts = Counter(node.name for node in nodes)
    names = [node_name(node) if counts[node.name] == 1 else _first_output(node) for node in nodes]
    while shared := {name for name, count in Counter(names).items() if count > 1}:
        again = [_first_output(n) if m in shared else m for n, m in zip(nodes, names, strict=True)]
        if again == names:
            break  # nodes without outputs, which no site is
        names = again
    return names


def identities(scope: "Scope") -> list[str]:
    """Graph path and node name of each node of a scope."""
    prefix = f"{scope.label}/" if scope.label else ""
    return [prefix + name for name in unique_names(scope.nodes)]


def _first_output(node: NodeProto) -> str:
    return next((name for name in node.output if name), node.name)


def default_opset(holder: ModelProto | FunctionProto) -> int:
    """Version of the default operator set, 0 where none is imported."""
    versions = (o.version for o in holder.opset_import if o.domain in DEFAULT_DOMAINS)
    return next(versions, 0)


def function_label(function: FunctionProto) -> str:
    """How a local function is addressed: domain::name, with :overload where there is one."""
    overload = f":{function.overload}" if function.overload else ""
    return f"function {function.domain}::{function.name}{overload}"


def walk(
    model: ModelProto, infos: Mapping[ScopePath, Mapping[str, TensorInfo]]
) -> tuple[Scope, ...]:
    """Index every scope of a model, outer before inner.

    Args:
        model: the proto to index; it is not changed.
        infos: types and shapes by scope path, as ``shapes.infer`` returns them.
    """
    found: list[Scope] = []
    _enter(found, model.graph, ("graph",), "", default_opset(model), None, infos)
    for index, function in enumerate(model.functions):
        opset = default_opset(function) or default_opset(model)
        _enter(found, function, ("function", index), function_label(function), opset, None, infos)
    return tuple(found)


def _enter(
    found: list[Scope],
    container: GraphProto | FunctionProto,
    step: tuple[int | str, ...],
    label: str,
    opset: int,
    parent: Scope | None,
    infos: Mapping[ScopePath, Mapping[str, TensorInfo]],
) -> set[str]:
    """Add the scope and those below it; return the outer names that it reads."""
    path = (*(parent.path if parent else ()), step)
    scope = Scope(label, path, container, opset, parent, infos.get(path, {}))
    scope.nodes = tuple(container.node)
    if isinstance(container, GraphProto):
        scope.initializers = {t.name: t for t in container.initializer}
        scope.inputs = frozenset(i.name for i in container.input)
        sparse = {
            s.values.name: TensorInfo(s.values.data_type, tuple(s.dims))
            for s in container.sparse_initializer
        }
        scope.infos = {**scope.infos, **sparse} if sparse else scope.infos
        scope.inputs |= frozenset(sparse)
        scope.outputs = frozenset(o.name for o in container.output)
    else:
        scope.inputs = frozenset(container.input)
        scope.outputs = frozenset(container.output)
    found.append(scope)
    for index, node in enumerate(scope.nodes):
        scope.producers.update((name, index) for name in node.output if name)
    names = unique_names(scope.nodes)
    for index, node in enumerate(scope.nodes):
        read = set(node.input)
        for attribute, position, name, graph in subgraphs(node):
            inner = f"{scope.label}/{names[index]}" if scope.label else names[index]
            read |= _enter(
                found, graph, (index, attribute, position), f"{inner}.{name}", opset, scope, infos
            )
        for name in sorted(read - {""}) if len(read) > 1 else read - {""}:
            scope.consumers.setdefault(name, []).append(index)
    outside = {name for name in scope.consumers if not scope.defines(name)}
    return outside | {name for name in scope.outputs if not scope.defines(name)}
