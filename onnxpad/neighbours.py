"""Padding of one element beside each end, of an axis of any size."""

from collections.abc import Sequence

import numpy as np

from onnxpad.builder import Builder
from onnxpad.modes import Mode

# Where the one element beside each end stands, as slices of slices: clamped at the tensor's ends,
# so that they hold for a size of 1 too. reflect: the last of the first two, the first of the last.
_END = int(np.iinfo(np.int64).max)
NEIGHBOURS = {
    "reflect": (((0, 2), (-1, _END)), ((-2, _END), (0, 1))),
    "wrap": (((-1, _END),), ((0, 1),)),
}


def neighbours(
    build: Builder, tensor: str, axis: int, fixed: tuple[int, int], mode: Mode, output: str
) -> str:
    """Pad an axis of any size by at most one element, without asking for its size."""
    begin, end = (
        _slices(build, tensor, axis, where) if wanted else ""
        for wanted, where in zip(fixed, NEIGHBOURS[mode.name], strict=True)
    )
    parts = [name for name in (begin, tensor, end) if name]
    return build.op("Concat", parts, output=output, axis=axis)


def _slices(build: Builder, tensor: str, axis: int, where: Sequence[tuple[int, int]]) -> str:
    """A slice of a slice ... of a tensor along one axis."""
    for start, stop in where:
        if build.opset < 10:
            tensor = build.op("Slice", [tensor], axes=[axis], starts=[start], ends=[stop])
        else:
            bounds = [build.constant([n]) for n in (start, stop, axis)]
            tensor = build.op("Slice", [tensor, *bounds])
    return tensor
