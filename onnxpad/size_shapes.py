"""The shapes that a main graph has at one input size, those that onnx's inference misses too."""

from collections.abc import Mapping
from dataclasses import replace

from onnxpad.scopes import Scope, Shape, TensorInfo
from onnxpad.size_values import Dims
from onnxpad.size_walk import follow_sizes


def with_sizes(scope: Scope, given: Mapping[str, Dims]) -> Scope:
    """The same main graph, knowing more shapes.

    onnx's inference stops at sizes that are computed in ways it does not follow, and at operators
    it does not know. Where it knows a size, that stands.

    Args:
        given: a number for each axis of the inputs, None where it is free.
    """
    state = follow_sizes(scope, given, 1)
    infos = dict(scope.infos)
    for name in [*given, *(name for node in scope.nodes for name in node.output if name)]:
        known = scope.info(name)
        found = state.maybe(name)
        if found is not None:
            infos[name] = TensorInfo(known.dtype, _filled(known.shape, found))
    return replace(scope, infos=infos)


def _filled(known: Shape | None, found: Dims) -> Shape:
    """What is known, with what was found in its gaps."""
    sizes = [size if isinstance(size, int) else None for size in found]
    if known is None or len(known) != len(sizes):
        return tuple(sizes)
    pairs = zip(known, sizes, strict=True)
    return tuple(old if isinstance(old, int) or new is None else new for old, new in pairs)
