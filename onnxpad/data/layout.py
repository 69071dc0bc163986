"""Which axis of a tensor is what, guessed from its shape. Integers only.

ONNX does not say which axis holds channels. These guesses follow the conventions of exporters;
a wrong one costs realism of the samples or a ring profile, never exactness.
"""

from dataclasses import dataclass

Dim = int | str | None

IMAGE_CHANNELS = (3, 1, 4)
# Fewer positions than this along an axis are no picture and no signal, unless nothing fits better.
_SHORT = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Axis numbers: of the batch, of the channels (None where there is none), of space or time."""

    batch: int | None
    channel: int | None
    spatial: tuple[int, ...]


def guess(shape: tuple[Dim, ...]) -> Layout | None:
    """The layout of a data input of this declared shape, None for fewer than two axes."""
    rank = len(shape)
    if rank < 2:
        return None
    if rank == 2:
        return Layout(0, None, (1,))
    if rank == 3:
        return _guess_three(shape)
    last = tuple(range(1, rank - 1))
    first = tuple(range(2, rank))
    return Layout(0, rank - 1, last) if _channels_last(shape) else Layout(0, 1, first)


def _guess_three(shape: tuple[Dim, ...]) -> Layout:
    a, b, c = shape
    if c in IMAGE_CHANNELS and _long(b):
        # (H, W, C) without a batch, else (N, T, C)
        return Layout(None, 2, (0, 1)) if isinstance(a, int) and _long(a) else Layout(0, 2, (1,))
    if a in (3, 4) and _long(b) and _long(c):
        return Layout(None, 0, (1, 2))
    return Layout(0, 2, (1,)) if isinstance(c, int) and not isinstance(b, int) else _TIME_LAST


_TIME_LAST = Layout(0, 1, (2,))


def _channels_last(shape: tuple[Dim, ...]) -> bool:
    first, last = shape[1], shape[-1]
    if (first in IMAGE_CHANNELS) != (last in IMAGE_CHANNELS):
        return last in IMAGE_CHANNELS
    if not (isinstance(first, int) and isinstance(last, int)):
        return isinstance(last, int) and not isinstance(first, int)
    inner = shape[1:-1]
    if shape[2:].count(last) == len(inner):  # 64, 56, 56: the last axes are alike
        return False
    return inner.count(first) == len(inner) or last < first


def _long(dim: Dim) -> bool:
    return not isinstance(dim, int) or dim >= _SHORT


def output_axes(
    shape: tuple[int, ...], source: tuple[int, ...], layout: Layout
) -> tuple[int, ...] | None:
    """The spatial axes of an output of `shape`, for a data input of shape `source`.

    An output is spatial when it has an axis for each of the input's and their sizes follow the
    input's proportions. With one axis there are no proportions: frames beside channels count,
    and without channels only a signal as long as the input. None when it is not spatial: class
    scores, lists of boxes, states.
    """
    for axes in _candidates(shape, source, layout):
        sizes = [shape[i] for i in axes]
        if min(sizes) < 3:  # no inside to compare a border with
            continue
        scales = [out / source[i] for out, i in zip(sizes, layout.spatial, strict=True)]
        # VALID convolutions take as many pixels from a short side as from a long one.
        if max(scales) > 1.15 * min(scales):
            continue
        bare_signal = len(axes) == 1 and len(shape) < 3
        if not bare_signal or scales[0] == 1:
            return axes
    return None


def _candidates(
    shape: tuple[int, ...], source: tuple[int, ...], layout: Layout
) -> list[tuple[int, ...]]:
    """Axes that may be spatial, likeliest first."""
    count, rank = len(layout.spatial), len(shape)
    batch = 0 if layout.batch is None else 1
    if batch and rank and shape[0] != source[0]:  # a state, a list of whatever length
        return []
    if rank == batch + count:
        return [tuple(range(batch, rank))]
    if rank != batch + count + 1:
        return []
    last = tuple(range(batch, rank - 1))
    first = tuple(range(batch + 1, rank))
    if layout.channel is None:  # the input does not tell: time is the longer axis
        return [first, last] if shape[-1] > shape[batch] else [last, first]
    return [last, first] if layout.channel == len(source) - 1 else [first, last]
