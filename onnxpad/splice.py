"""Put edits into a ModelProto without touching anything else, and take them out again.

Messages are never copied or rebuilt unless they change: repeated fields are reordered in place, so
unknown fields, metadata, documentation and weights stay what they were. Every edit is recorded
well enough to be undone on the serialised result alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto

from onnxpad.errors import UsageError
from onnxpad.records import ScopePath
from onnxpad.scopes import Scope, all_reads, default_opset


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """What happened to one repeated field of one message.

    Attributes:
        path: way to the message in the edited model; () is the model itself.
        name: the field.
        inserted: positions in the edited list that hold new items, ascending.
        restored: (position in the original list, item's bytes) of items taken out, ascending.
    """

    path: ScopePath
    name: str
    inserted: tuple[int, ...]
    restored: tuple[tuple[int, bytes], ...]


@dataclass(slots=True)
class ScopeEdit:
    """Edits of one scope, gathered before they are applied.

    Attributes:
        before: node index -> new nodes to stand in front of it (one past the last: at the end).
        replaced: node index -> the changed node.
        removed: indices of nodes to take out.
        stale: values whose recorded shape no longer holds.
    """

    scope: Scope
    before: dict[int, list[NodeProto]] = field(default_factory=dict)
    replaced: dict[int, NodeProto] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)

    def node(self, index: int) -> NodeProto:
        """The node as it will be: a copy to change."""
        if index not in self.replaced:
            copy = NodeProto()
            copy.CopyFrom(self.scope.nodes[index])
            self.replaced[index] = copy
        return self.replaced[index]

    def insert(self, index: int, nodes: Sequence[NodeProto]) -> None:
        """Put new nodes in front of a node, behind those put there earlier."""
        self.before.setdefault(index, []).extend(nodes)

    def insert_first(self, index: int, nodes: Sequence[NodeProto]) -> None:
        """Put new nodes in front of all others in front of a node."""
        self.before[index] = [*nodes, *self.before.get(index, [])]

    def remove_unread(self) -> None:
        """Take out the nodes that lost their last reader by these edits, and those before them.

        Nodes that nobody read before the edits are not ours to remove.
        """
        reads = self._reads()
        queue = [*self.removed, *self.replaced]
        while queue:
            for name in all_reads(self.scope.container.node[queue.pop()]):
                index = self.scope.producers.get(name)
                if index is None or index in self.removed or index in self.replaced:
                    continue
                node = self.scope.nodes[index]
                unread = all(reads.get(o, 0) == 0 for o in node.output if o)
                if unread and not self.scope.outputs.intersection(node.output):
                    self.removed.add(index)
                    for read in self._own_reads(index):
                        reads[read] -= 1
                    queue.append(index)

    def _own_reads(self, index: int) -> list[str]:
        consumers = self.scope.consumers
        names = all_reads(self.scope.container.node[index])
        return [name for name in names if index in consumers.get(name, ())]

    def _reads(self) -> dict[str, int]:
        """Readers of each value after the edits."""
        changed = self.removed | set(self.replaced)
        reads = {
            name: sum(i not in changed for i in indices)
            for name, indices in self.scope.consumers.items()
        }
        new = [n for nodes in self.before.values() for n in nodes]
        for node in (*new, *(n for i, n in self.replaced.items() if i not in self.removed)):
            for name in all_reads(node):
                reads[name] = reads.get(name, 0) + 1
        return reads


Order = list[tuple[int, Any]]  # (index in the old list, None) or (-1, a new item)


def apply(edits: Sequence[ScopeEdit]) -> list[FieldEdit]:
    """Apply the edits of several scopes, outer scopes first; returns how to undo them."""
    done: list[FieldEdit] = []
    moved: dict[ScopePath, dict[int, int]] = {}
    for edit in sorted(edits, key=lambda e: len(e.scope.path)):
        path = _moved_path(edit.scope.path, moved)
        container = edit.scope.container
        order = _node_order(edit)
        places = {old: new for new, (old, _) in enumerate(order) if old >= 0}
        moved[edit.scope.path] = places
        done.append(_rearrange(container, path, "node", order))
        gone = {o for i in edit.removed for o in edit.scope.nodes[i].output} | edit.stale
        kept: Order = [(i, None) for i, v in enumerate(container.value_info) if v.name not in gone]
        if len(kept) < len(container.value_info):
            done.append(_rearrange(container, path, "value_info", kept))
        if isinstance(container, FunctionProto) and not default_opset(container):
            # A body of contrib ops alone; the new nodes are ONNX's own.
            own: Order = [(i, None) for i in range(len(container.opset_import))]
            own.append((-1, OperatorSetIdProto(domain="", version=edit.scope.opset)))
            done.append(_rearrange(container, path, "opset_import", own))
    return done


def _moved_path(path: ScopePath, moved: dict[ScopePath, dict[int, int]]) -> ScopePath:
    """A scope's path after the nodes of outer scopes moved."""
    steps = list(path)
    for depth in range(1, len(path)):
        places = moved.get(path[:depth], {})
        index, *rest = path[depth]
        if isinstance(index, int):
            steps[depth] = (places.get(index, index), *rest)
    return tuple(steps)


def _node_order(edit: ScopeEdit) -> Order:
    order: Order = []
    for index in range(len(edit.scope.nodes) + 1):
        order += [(-1, node) for node in edit.before.get(index, ())]
        if index == len(edit.scope.nodes) or index in edit.removed:
            continue
        order.append((-1, edit.replaced[index]) if index in edit.replaced else (index, None))
    return order


def set_metadata(proto: ModelProto, entries: dict[str, str]) -> FieldEdit:
    """Set metadata_props of the model, replacing entries of the same keys."""
    from onnx import StringStringEntryProto

    order: Order = [(i, None) for i, e in enumerate(proto.metadata_props) if e.key not in entries]
    order += [(-1, StringStringEntryProto(key=k, value=v)) for k, v in entries.items()]
    return _rearrange(proto, (), "metadata_props", order)


def _rearrange(message: Any, path: ScopePath, name: str, order: Order) -> FieldEdit:
    """Bring a repeated field into a new order in place; items left out are recorded."""
    items = getattr(message, name)
    kept = {old for old, _ in order if old >= 0}
    restored = tuple((i, item.SerializeToString()) for i, item in enumerate(items) if i not in kept)
    inserted = tuple(new for new, (old, _) in enumerate(order) if old < 0)
    count = len(items)
    items.extend(item for old, item in order if old < 0)
    fresh = iter(range(count, len(items)))
    target = {(old if old >= 0 else next(fresh)): new for new, (old, _) in enumerate(order)}
    _sort(items, [target.get(i, len(items)) for i in range(len(items))])
    del items[len(order) :]
    return FieldEdit(path, name, inserted, restored)


def _sort(items: Any, ranks: Sequence[int]) -> None:
    """Reorder a repeated field by given ranks. Moves references: no message is copied."""
    following = iter(ranks)
    items.sort(key=lambda _: next(following))


def undo(proto: ModelProto, edits: Sequence[FieldEdit]) -> ModelProto:
    """A copy of an edited model with the edits taken out again.

    Raises:
        UsageError: the model is not the one the edits were made to.
    """
    original = ModelProto()
    original.CopyFrom(proto)
    for edit in sorted(edits, key=lambda e: -len(e.path)):
        try:
            items = getattr(_at(original, edit.path), edit.name)
            _restore(items, edit)
        except (IndexError, AttributeError, ValueError):
            raise UsageError(
                "this model is not the one that the rewrite made, so it cannot be undone; expected "
                "the rewritten model, unchanged"
            ) from None
    return original


def _restore(items: Any, edit: FieldEdit) -> None:
    if edit.inserted and edit.inserted[-1] >= len(items):
        raise IndexError
    out = set(edit.inserted)
    kept = [i for i in range(len(items)) if i not in out]
    total = len(kept) + len(edit.restored)
    taken = {position for position, _ in edit.restored}
    places = iter([p for p in range(total) if p not in taken])
    ranks = {i: next(places) for i in kept}
    count = len(items)
    for position, data in edit.restored:
        ranks[len(items)] = position
        items.add().ParseFromString(data)
    _sort(items, [ranks.get(i, total) for i in range(count + len(edit.restored))])
    del items[total:]


def _at(proto: ModelProto, path: ScopePath) -> ModelProto | GraphProto | FunctionProto:
    """The message at a path."""
    found: Any = proto
    for step in path:
        if step[0] == "graph":
            found = found.graph
        elif step[0] == "function":
            found = found.functions[step[1]]
        else:
            index, attribute, position = step
            held = found.node[index].attribute[attribute]
            found = held.g if position == -1 else held.graphs[position]
    return found  # type: ignore[no-any-return]  # protobuf's containers are untyped
