"""The natural floor of agreement: what a shift of the input by one pixel costs a model itself.

A model with strides and pooling is not exactly shift-invariant (R. Zhang, "Making Convolutional
Networks Shift-Invariant Again", ICML 2019, arXiv 1904.11486): the same picture one pixel further
gets another answer now and then. A rewritten model that agrees with the original as often as the
original agrees with itself under such a shift has changed no more than moving the camera would.
"""

from collections.abc import Sequence

import numpy as np

from onnxpad.measure.pair import Array


def shifted(array: Array, axes: Sequence[int], pixels: int = 1) -> Array:
    """The array moved towards the end of each of `axes` by `pixels`; its own border fills the gap.

    out[i] = array[max(i − pixels, 0)] along each axis: the last pixels leave, the first is
    repeated (edge copy), so no value appears that was not there.
    """
    for axis in axes:
        sources = np.maximum(np.arange(array.shape[axis]) - pixels, 0)
        array = np.take(array, sources, axis)
    return array


def overlap(
    original: Array, moved: Array, axes: Sequence[int], sizes: Sequence[int], pixels: int = 1
) -> tuple[Array, Array]:
    """The parts of two spatial outputs that show the same scene.

    Args:
        original: the output for the input as it is. moved: the output for the shifted input.
        axes: spatial axes of the outputs. sizes: the input's sizes along them.
        pixels: of the input by which it was shifted.

    Returns:
        Both outputs cut by the shift in output pixels, rounded: 0 where an output pixel is larger
        than two shifts, so that positions are compared as they are.
    """
    for axis, size in zip(axes, sizes, strict=True):
        length = original.shape[axis]
        step = min(round(pixels * length / size), length - 1) if size else 0
        original = np.take(original, np.arange(length - step), axis)
        moved = np.take(moved, np.arange(step, length), axis)
    return original, moved
