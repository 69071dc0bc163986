"""Space folded into the batch in phases, as dilated convolutions were once built."""

from collections.abc import Sequence

from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope, Shape
from onnxpad.values import attributes

_WANTED = ("Reshape", "Transpose", "Reshape")  # from the convolution backwards
_STEPS = 8
_BETWEEN = ops.UNARY | ops.PER_CHANNEL | {"Conv"}


def in_phases(scope: Scope, name: str) -> bool:
    """Whether every second, third, ... position of this tensor's image lies in one batch entry.

    There a border of the tensor is not the border of the image: its neighbours lie in other
    entries of the batch. Windows of an image in the batch are no phases: a convolution of a
    window pads the window, and whoever changes its padding means just that. Nor is an image put
    together again from windows.
    """
    seen: list[NodeProto] = []
    for _ in range(_STEPS):
        node = scope.producer(name)
        if node is None or not node.input:
            return False
        if node.op_type == _WANTED[len(seen)]:
            seen.append(node)
            if len(seen) == len(_WANTED):
                return _moves_phases(scope, seen)
        elif seen or node.op_type not in _BETWEEN:
            return False
        name = node.input[0]
    return False


def _moves_phases(scope: Scope, seen: Sequence[NodeProto]) -> bool:
    last, transpose, first = seen
    before, middle = scope.info(first.input[0]).shape, scope.info(transpose.input[0]).shape
    after = scope.info(last.output[0]).shape
    if before is None or middle is None or after is None or len(middle) <= len(after):
        return False
    if before[0] == after[0] or not isinstance(after[0], int) or after[0] == 1:
        return False
    perm = attributes(transpose).get("perm") or list(range(len(middle)))[::-1]
    kept, batch = perm[1 - len(after) :], set(perm[: 1 - len(after)])
    origins = _origins(before, middle)
    if origins is None:
        return True  # as far as anyone can see
    if [middle[axis] for axis in kept] != list(after[1:]):
        return False
    # Of an axis cut in two, the outer part stays and the inner one went to the batch.
    return any(a + 1 in batch and origins[a] == origins[a + 1] for a in kept)


def _origins(before: Shape, after: Shape) -> list[int] | None:
    """For each axis of a reshaped tensor the one it was cut from; None where that is unclear."""
    origins: list[int] = []
    rest = list(after)
    for axis, size in enumerate(before):
        if rest and rest[0] == size:
            rest.pop(0)
            origins.append(axis)
            continue
        product = 1
        while product != size:
            part = rest.pop(0) if rest else None
            if not isinstance(part, int) or not isinstance(size, int) or product * part > size:
                return None
            product *= part
            origins.append(axis)
    return None if any(size != 1 for size in rest) else origins + [len(before) - 1] * len(rest)
