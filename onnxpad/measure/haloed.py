"""A model with a halo: the picture is padded before it runs, and the maps are cropped again.

What `rewrite --halo` builds into a graph, done from outside: numpy.pad invents the pixels.
"""

from collections.abc import Sequence

import numpy as np

from onnxpad.measure.crop import cut, positions
from onnxpad.measure.pair import Array
from onnxpad.probe.anatomy import Map
from onnxpad.probe.probe import Runner, SomeRunner


def haloed(
    run: Runner, maps: Sequence[Map], axes: Sequence[int], pixels: Sequence[int], mode: str
) -> SomeRunner:
    """A runner that pads every picture first.

    Args:
        run: from a picture to `maps`. axes: the picture's spatial axes.
        pixels: per side along each axis, multiples of the total stride.
        mode: numpy.pad's word, which is ours for the copying modes.

    Maps of which nothing would be left become None.
    """
    around = dict(zip(axes, pixels, strict=True))

    def padded(picture: Array) -> tuple[Array | None, ...]:
        pads = [(around.get(axis, 0),) * 2 for axis in range(picture.ndim)]
        values = run(np.pad(picture, pads, mode=mode))  # type: ignore[call-overload]
        return tuple(_cropped(v, one, pixels) for v, one in zip(values, maps, strict=True))

    return padded


def _cropped(value: Array, one: Map, pixels: Sequence[int]) -> Array | None:
    begin = positions(pixels, one.stride)
    size = [value.shape[axis] - 2 * b for axis, b in zip(one.axes, begin, strict=True)]
    return cut(value, one.axes, begin, size) if min(size) > 0 else None
