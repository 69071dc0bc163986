"""How alike a model's outputs are for two crops of one picture, in the terms of its task.

A convolutional network should see the same things wherever the crop begins (R. Zhang, "Making
Convolutional Networks Shift-Invariant Again", arXiv 1904.11486). Outputs with space are laid over
each other first: one input pixel of shift is length / size output pixels, rounded. Where that is no
whole number, the outputs cannot lie exactly on each other, and what differs is partly that.
"""

from dataclasses import dataclass

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.measure.agreement_shift import overlap
from onnxpad.measure.pair import Array, pair
from onnxpad.tasks.boxes import Detections
from onnxpad.tasks.classification import NO_CLASS, Classification, class_scores, top_class
from onnxpad.tasks.confusion import NO_LABEL
from onnxpad.tasks.detection import Detection, both_show
from onnxpad.tasks.image import ImageToImage, psnr
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.tasks.task import Outputs, Task
from onnxpad.tasks.tensor import cosine
from onnxpad.tasks.view import View

_WORDS = {
    "classification": ("share of equal top classes", ""),
    "segmentation": ("share of equal pixels where the crops overlap", ""),
    "detection": ("share of boxes found in both crops, 2m / (a + b)", ""),
    "image": ("PSNR of the outputs where the crops overlap", "dB"),
    "tensor": ("cosine of the outputs", ""),
}


@dataclass(frozen=True, slots=True)
class Alike:
    """One pair of crops; over many the measure is Σ part / Σ whole."""

    part: float
    whole: float


def words(task: Task) -> tuple[str, str]:
    """What is measured, and its unit."""
    return _WORDS[task.name]


def alike(
    task: Task, view: View, first: Outputs, second: Outputs, offset: tuple[int, ...]
) -> Alike | None:
    """Compare the outputs of two crops.

    Args:
        view: of the model, for the axes of its outputs.
        first, second: one sample's outputs, a batch axis of 1 in front.
        offset: input pixels, along each spatial axis, from the first crop to the second.

    Returns None where there is nothing to compare: no box, NaN in both. Raises DataError for
    outputs that do not fit the task.
    """
    sizes = _sizes(view)
    if isinstance(task, Classification):
        a, b = (top_class(class_scores(one[task.output])) for one in (first, second))
        return None if a == b == NO_CLASS else Alike(float(a == b), 1.0)
    if isinstance(task, Segmentation):
        maps = [task.labels(one[task.output])[0] for one in (first, second)]
        return _same_pixels(*aligned(maps[0], maps[1], (0, 1), sizes, offset))
    if isinstance(task, ImageToImage):
        pictures = task.picture(first), task.picture(second)
        a_, b_ = aligned(*pictures, (0, 1), sizes, offset)
        return Alike(psnr(float(np.square(a_ - b_).mean())), 1.0)
    if isinstance(task, Detection):
        return _same_boxes(task, view, first, second, offset)
    worst = 1.0
    for name in task.outputs:
        a_, b_ = first[name], second[name]
        axes = view.spatial(name)
        if axes is not None and a_.shape == b_.shape:
            a_, b_ = aligned(a_, b_, axes, sizes, offset)
        worst = min(worst, cosine(pair(a_, b_)))
    return Alike(worst, 1.0)


def whole_pixels(view: View, task: Task, pixels: int) -> bool:
    """Whether a shift by so many input pixels is one by whole pixels of every spatial output."""
    for name in task.outputs:
        axes = view.spatial(name)
        for axis, size in zip(axes or (), _sizes(view), strict=False):
            if pixels * view.outputs[name].shape[axis] % size:
                return False
    return True


def aligned(
    first: Array,
    second: Array,
    axes: tuple[int, ...],
    sizes: tuple[int, ...],
    offset: tuple[int, ...],
) -> tuple[Array, Array]:
    """The parts of two spatial outputs that show the same of the picture."""
    for axis, size, step in zip(axes, sizes, offset, strict=True):
        if step > 0:
            second, first = overlap(second, first, (axis,), (size,), step)
        elif step < 0:
            first, second = overlap(first, second, (axis,), (size,), -step)
    return first, second


def _sizes(view: View) -> tuple[int, ...]:
    """The input's spatial sizes."""
    if view.layout is None or view.source is None:
        return ()
    return tuple(view.source[axis] for axis in view.layout.spatial)


def _same_pixels(first: Array, second: Array) -> Alike | None:
    known = (first != NO_LABEL) | (second != NO_LABEL)
    total = float(known.sum())
    return Alike(float(((first == second) & known).sum()), total) if total else None


def _same_boxes(
    task: Detection, view: View, first: Outputs, second: Outputs, offset: tuple[int, ...]
) -> Alike | None:
    """Boxes whose centre both crops show, those of the second moved back."""
    size = view.size
    if size is None:
        return None
    place = Geometry(size, size, (1.0, 1.0), (0.0, 0.0))
    ours, theirs = task.found(first, place), task.found(second, place)
    down, right = offset
    theirs = Detections(
        theirs.xyxy + np.array([right, down, right, down]), theirs.scores, theirs.classes
    )
    low = np.maximum([right, down], 0)
    high = np.minimum([size[1] + right, size[0] + down], [size[1], size[0]])
    both = []
    for one in (ours, theirs):
        centre = (one.xyxy[:, :2] + one.xyxy[:, 2:]) / 2
        both.append(one.take(np.flatnonzero(((centre >= low) & (centre <= high)).all(axis=1))))
    found, shown = both_show(both[0], both[1])
    return Alike(float(found), float(shown)) if shown else None
