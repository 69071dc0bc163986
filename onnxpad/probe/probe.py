"""Open a model so that its inside can be measured: any tensor as an output, at any size."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from onnxpad.probe.anatomy import Anatomy, Layer, Map
from onnxpad.probe.copying import Copy, copy_model
from onnxpad.probe.examine import examine
from onnxpad.probe.feeding import Feeding
from onnxpad.probe.interior import interior_copy
from onnxpad.runtime import Array, Provider, Session, open_bytes
from onnxpad.scopes import default_opset

# What the maps of one run may take, in bytes; more are fetched in several runs, or thinned.
MAP_BYTES = 256 * 2**20
_MEAN = "onnxpad.mean."
_SQUARE = "onnxpad.square."

# A picture in, maps out: all that measures see of a model. None stands for a map it lacks.
Runner = Callable[[Array], tuple[Array, ...]]
SomeRunner = Callable[[Array], tuple[Array | None, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A model's copy, how it is fed, and what it is made of."""

    copy: Copy
    feeding: Feeding
    anatomy: Anatomy
    provider: Provider
    threads: int | None
    label: str

    def session(self, names: Sequence[str]) -> Session:
        """A session that hands out these tensors, and computes nothing else. Raises RunError."""
        return self._open(self.copy.part(names))

    def runner(self, maps: Sequence[Map]) -> Runner:
        """From a picture of any size to these maps. Raises RunError."""
        names = [m.name for m in maps]
        return self._runner(self.session(names), names) if names else _nothing

    def some(self, maps: Sequence[Map | None]) -> SomeRunner:
        """The same where some maps have no counterpart in this model: None in their places."""
        run = self.runner([m for m in maps if m is not None])

        def all_of_them(picture: Array) -> tuple[Array | None, ...]:
            values = iter(run(picture))
            return tuple(None if m is None else next(values) for m in maps)

        return all_of_them

    def means(self, layers: Sequence[Layer], *, squares: bool = False) -> Runner:
        """From a picture to each layer's mean over its channels, then, with `squares`, their means.

        The reduction runs inside the graph, in float32, so that no map leaves it; the batch axis
        and the spatial axes stay. Raises RunError.
        """
        if not layers:
            return _nothing
        kinds = [("ReduceMean", _MEAN)] + [("ReduceSumSquare", _SQUARE)] * squares
        nodes: list[NodeProto] = []
        wanted = []
        for kind, prefix in kinds:
            for number, layer in enumerate(layers):
                name = f"{prefix}{number}"
                nodes += _reduce(kind, layer.map, name, default_opset(self.copy.proto))
                wanted.append(name)
        run = self._runner(self._open(self.copy.part([], nodes, wanted)), wanted)
        sums = [prod(_channels(x.map)) for x in layers] if squares else []
        counts = [1] * len(layers) + sums
        kept = [_convolves(x.map) for x in layers] * len(kinds)

        def reduced(picture: Array) -> tuple[Array, ...]:
            each = zip(run(picture), counts, kept, strict=True)
            return tuple((v.squeeze(1) if one else v) / n for v, n, one in each)

        return reduced

    def interior(self, layers: Sequence[Layer]) -> Runner:
        """The layers' maps if padding invented only copies of the border. Raises RunError."""
        copy = interior_copy(self.copy, self.anatomy.maps)
        names = [layer.map.name for layer in layers]
        return self._runner(self._open(copy.part(names), folder=copy.folder), names)

    def first_input(self) -> str | None:
        """The tensor that the first window op reads, None where it is the model's input."""
        if not self.anatomy.layers:
            return None
        made = self.copy.producers[self.anatomy.layers[0].map.name]
        name = str(self.copy.nodes[made].input[0])
        return name if name in self.copy.producers else None

    def _runner(self, session: Session, names: Sequence[str]) -> Runner:
        feeding = self.feeding

        def run(picture: Array) -> tuple[Array, ...]:
            values = session.run(feeding.with_main(picture), names)
            return tuple(values[name] for name in names)

        return run

    def _open(self, data: bytes, folder: Path | None = None) -> Session:
        return open_bytes(
            data,
            provider=self.provider,
            threads=self.threads,
            label=self.label,
            folder=folder or self.copy.folder,
        )


def _nothing(_: Array) -> tuple[Array, ...]:
    """No maps are wanted: engines run no model without outputs."""
    return ()


def open_probe(
    source: str | Path | ModelProto,
    feeding: Feeding,
    *,
    provider: Provider,
    threads: int | None = None,
    label: str = "the model",
) -> Probe:
    """Copy a model and study it. The file is only read, and nothing is written.

    Raises:
        ModelError: it cannot be read. RunError: it cannot be run at any size but the given one.
    """
    copy = copy_model(source, feeding.main, feeding.axes)
    anatomy = examine(copy, feeding, provider=provider, threads=threads, label=label)
    return Probe(copy, feeding, anatomy, provider, threads, label)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Layers of two models that belong together, and how many have no counterpart."""

    layers: tuple[tuple[Layer, Layer], ...]
    unpaired: int


def pair_layers(original: Anatomy, candidate: Anatomy) -> Pairs:
    """Pair layers by the name of what they make; by position where no name is shared.

    A layer whose map has another shape in the candidate has no counterpart.
    """
    theirs: dict[str, Layer] = {layer.map.name: layer for layer in candidate.layers}
    ours = original.layers
    shared = [layer for layer in ours if layer.map.name in candidate.maps]
    if not shared and [x.op for x in ours] == [x.op for x in candidate.layers]:
        pairs = list(zip(ours, candidate.layers, strict=True))
    else:
        pairs = [(x, theirs.get(x.map.name) or _as_layer(x, candidate.maps)) for x in shared]
    alike = [(a, b) for a, b in pairs if a.map.shape == b.map.shape and a.map.axes == b.map.axes]
    return Pairs(tuple(alike), len(ours) - len(alike))


def _as_layer(layer: Layer, maps: Mapping[str, Map]) -> Layer:
    """A layer whose value another op makes in the candidate, a rescaling Add, say."""
    return Layer(layer.name, layer.op, maps[layer.map.name], layer.apart)


def pair_outputs(original: Anatomy, candidate: Anatomy) -> tuple[tuple[Map, Map] | None, ...]:
    """For each of the original's outputs, itself and the candidate's; None without counterpart.

    By position where shapes agree (a halo's crop has a new name), else by name.
    """
    ours, theirs = original.outputs, candidate.outputs
    if len(ours) == len(theirs) and all(map(_alike, ours, theirs)):
        return tuple(zip(ours, theirs, strict=True))
    found = (candidate.maps.get(m.name) for m in ours)
    return tuple(
        (a, b) if b is not None and _alike(a, b) else None for a, b in zip(ours, found, strict=True)
    )


def _alike(a: Map, b: Map) -> bool:
    return (a.shape, a.axes, a.stride) == (b.shape, b.axes, b.stride)


def groups(layers: Sequence[Layer], limit: int = MAP_BYTES) -> Iterator[tuple[Layer, ...]]:
    """The layers in their order, in groups whose maps fit into `limit` bytes (one at least)."""
    group: list[Layer] = []
    size = 0
    for layer in layers:
        own = map_bytes(layer)
        if group and size + own > limit:
            yield tuple(group)
            group, size = [], 0
        group.append(layer)
        size += own
    if group:
        yield tuple(group)


def thinned(layers: Sequence[Layer], limit: int = MAP_BYTES) -> tuple[Layer, ...]:
    """Layers evenly chosen so that their maps fit into `limit` bytes; the first and last stay."""
    total = sum(map(map_bytes, layers))
    if total <= limit or len(layers) < 2:
        return tuple(layers)
    for count in range(int(len(layers) * limit / total), 1, -1):
        places = np.linspace(0, len(layers) - 1, count).round().astype(int)
        chosen = tuple(layers[i] for i in places)
        if sum(map(map_bytes, chosen)) <= limit:
            return chosen
    return (layers[-1],)


def map_bytes(layer: Layer) -> int:
    """Bytes of a layer's map, counted as float32."""
    return 4 * prod(layer.map.shape)


def _channels(one: Map) -> tuple[int, ...]:
    return tuple(one.shape[axis] for axis in one.channels)


def _reduce(kind: str, one: Map, target: str, opset: int) -> list[NodeProto]:
    """Cast to float32 and reduce over the channels; where they come first, an axis of one stays.

    A mean over an outer axis is a 1×1 convolution with equal weights: engines reduce over such an
    axis slowly, and leave their own layout for it.
    """
    cast, axes = f"{target}.float", list(one.channels)
    nodes = [helper.make_node("Cast", [one.name], [cast], to=TensorProto.FLOAT)]
    if not axes:
        return [*nodes, helper.make_node("Identity", [cast], [target])]
    if _convolves(one):
        return [*nodes, *_convolved(kind, cast, one, target)]
    if opset < 18:
        made = helper.make_node(kind, [cast], [target], axes=axes, keepdims=0)
        return [*nodes, made]
    named = f"{target}.axes"
    value = helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes)
    nodes.append(helper.make_node("Constant", [], [named], value=value))
    return [*nodes, helper.make_node(kind, [cast, named], [target], keepdims=0)]


def _convolves(one: Map) -> bool:
    return one.channels == (1,) and 0 not in one.axes and len(one.shape) > 2


def _convolved(kind: str, source: str, one: Map, target: str) -> list[NodeProto]:
    """The same reduction over axis 1, by a convolution."""
    nodes, count = [], one.shape[1]
    weight = 1.0 / count
    if kind == "ReduceSumSquare":
        weight = 1.0
        nodes.append(helper.make_node("Mul", [source, source], [f"{target}.square"]))
        source = f"{target}.square"
    shape = [1, count, *(1 for _ in one.axes)]
    value = helper.make_tensor("w", TensorProto.FLOAT, shape, [weight] * count)
    nodes.append(helper.make_node("Constant", [], [f"{target}.w"], value=value))
    nodes.append(helper.make_node("Conv", [source, f"{target}.w"], [target]))
    return nodes
