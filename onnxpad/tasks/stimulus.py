"""What score a stimulus gets, by what the model's outputs are.

| task | score |
|---|---|
| classification | of one class, or the highest of all: as the model gives it, a logit or a probability |
| detection | of the best box that shows the stimulus: its centre lies in the stimulus, or IoU ≥ 0.3; 0 without one; of one class, or of any |
| segmentation | the highest value of one class on the stimulus; of maps of labels the share of it that has the class |
| one map of scores | its highest value on the stimulus |
"""  # noqa: E501  (a table's row is one line)

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import Protocol

import numpy as np

from onnxpad.errors import DataError, UsageError
from onnxpad.measure.pair import Array
from onnxpad.tasks.boxes import iou
from onnxpad.tasks.classification import Classification, class_scores
from onnxpad.tasks.decoders import stack_decoder
from onnxpad.tasks.detection import Detection
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.tasks.task import Outputs, Task, one_sample
from onnxpad.tasks.tensor import Tensors
from onnxpad.tasks.view import View
from onnxpad.text import printable

_OVERLAP = 0.3
# Pairs of boxes compared at a time: 16 MiB for each of the arrays that takes.
_PAIRS = 2**21


class Scorer(Protocol):
    """How a stimulus is scored."""

    @property
    def told(self) -> str:
        """What the score is, in words."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """What it reads; () for all outputs."""
        ...

    def __call__(self, outputs: Outputs, boxes: Array) -> Array:
        """The scores of stimuli in b samples, n in each: (b, n) float64.

        Args:
            outputs: of the b samples, a batch axis in front.
            boxes: (b, n, 4), where the stimuli are: x0, y0, x1, y1 in input pixels.

        Raises DataError where the outputs are not what they should be.
        """
        ...


def scorer(task: Task, view: View, wanted: int | None) -> Scorer | None:
    """How this task scores a stimulus; None where its outputs are no scores.

    Args:
        wanted: the class. Raises UsageError where there must be one, or it is none of the model's.
    """
    if isinstance(task, Classification):
        return _classes(task, view, wanted)
    if isinstance(task, Detection) and view.size is not None:
        return BoxScore(task, view.size, wanted)
    if isinstance(task, Segmentation):
        count = _channels(view, task.output)
        if wanted is None and count > 1:
            raise UsageError(
                f"{view.shape(task.output)} scores {count} classes a pixel: say which one the "
                "stimulus is with --class"
            )
        return _map(view, task.output, wanted)
    if isinstance(task, Tensors):
        maps = [name for name in task.outputs if view.image_axes(name)]
        if len(maps) == 1 and len(view.outputs) == 1:
            count = _channels(view, maps[0])
            return _map(view, maps[0], wanted) if count == 1 or wanted is not None else None
    return None


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Of a classifier; the same wherever the stimulus is said to be."""

    output: str
    wanted: int | None
    told: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """The class scores."""
        return (self.output,)

    def __call__(self, outputs: Outputs, boxes: Array) -> Array:
        """See Scorer."""
        found = np.empty(boxes.shape[:2])
        for row in range(len(boxes)):
            scores = class_scores(one_sample(outputs, row, len(boxes))[self.output])
            found[row] = scores.max() if self.wanted is None else scores[self.wanted]
        return found


@dataclass(frozen=True, slots=True)
class BoxScore:
    """Of a detector."""

    task: Detection
    size: tuple[int, int]
    wanted: int | None

    @property
    def told(self) -> str:
        """What the score is, in words."""
        kind = "any class" if self.wanted is None else f"class {self.wanted}"
        return f"score of the best box of {kind} centred in the stimulus or with IoU ≥ {_OVERLAP:g}"

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the decoder reads."""
        return self.task.outputs

    def __call__(self, outputs: Outputs, boxes: Array) -> Array:
        """See Scorer."""
        samples, many = boxes.shape[:2]
        decode = stack_decoder(self.task.decoder, self.task.outputs, samples)
        found = decode(outputs, self.size)
        if len(found.scores) != samples:
            raise DataError(f"detections of {len(found.scores)} samples where {samples} were run")
        usable = np.isfinite(found.xyxy).all(axis=2) & np.isfinite(found.scores)
        if self.wanted is not None:
            usable &= found.classes == self.wanted
        corners = np.where(usable[..., None], found.xyxy, 0.0)
        scores = np.where(usable, found.scores, 0.0)
        best = np.empty((samples, many))
        for rows, columns in _blocks(scores.shape, many):
            best[rows, columns] = _best(corners[rows], scores[rows], boxes[rows, columns])
        return best


def _blocks(found: tuple[int, ...], many: int) -> Iterator[tuple[slice, slice]]:
    """Samples and stimuli that are looked at together: as many pairs as memory allows."""
    samples, each = found
    columns = min(many, max(1, _PAIRS // max(each, 1)))
    rows = max(1, _PAIRS // max(each * columns, 1))
    for row in range(0, samples, rows):
        for column in range(0, many, columns):
            yield slice(row, row + rows), slice(column, column + columns)


def _best(corners: Array, scores: Array, boxes: Array) -> Array:
    """For each of `boxes` (b, n, 4) the highest score of corners that show it, 0 without one."""
    best = np.zeros(boxes.shape[:2])
    sample, found, at = np.nonzero(_touching(corners, boxes))
    corner, box = corners[sample, found], boxes[sample, at]
    centre = (corner[:, :2] + corner[:, 2:]) / 2
    inside = ((centre >= box[:, :2]) & (centre <= box[:, 2:])).all(axis=1)
    near = inside | (iou(corner[:, None], box[:, None])[:, 0, 0] >= _OVERLAP)
    np.maximum.at(best, (sample[near], at[near]), scores[sample[near], found[near]])
    return best


def _touching(corners: Array, boxes: Array) -> Array:
    """Which boxes meet at all, (b, corners, boxes): few do, and only they are looked at closely."""
    met = np.ones((*corners.shape[:2], boxes.shape[1]), bool)
    for axis in (0, 1):
        one, other = corners[..., axis], corners[..., axis + 2]
        met &= np.minimum(one, other)[..., None] <= boxes[:, None, :, axis + 2]
        met &= np.maximum(one, other)[..., None] >= boxes[:, None, :, axis]
    return met


@dataclass(frozen=True, slots=True)
class MapScore:
    """Of a map of scores or labels.

    Attributes:
        axes: of height and width. channel: the axis of classes, None where there is none.
        labels: whether it holds labels in place of scores.
    """

    output: str
    axes: tuple[int, int]
    channel: int | None
    size: tuple[int, int]
    wanted: int
    labels: bool

    @property
    def told(self) -> str:
        """What the score is, in words."""
        name = printable(self.output, 40)
        if self.labels:
            return f"share of the stimulus with label {self.wanted} in {name}"
        which = "" if self.channel is None else f", channel {self.wanted}"
        return f"highest value of {name} on the stimulus{which}"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The map."""
        return (self.output,)

    def __call__(self, outputs: Outputs, boxes: Array) -> Array:
        """See Scorer."""
        found = np.empty(boxes.shape[:2])
        for row, of_sample in enumerate(boxes):
            plane = self._plane(one_sample(outputs, row, len(boxes))[self.output])
            down, along = (n / s for n, s in zip(plane.shape, self.size, strict=True))
            for at, (x0, y0, x1, y1) in enumerate(of_sample):
                high = slice(floor(y0 * down), max(ceil(y1 * down), floor(y0 * down) + 1))
                wide = slice(floor(x0 * along), max(ceil(x1 * along), floor(x0 * along) + 1))
                part = plane[high, wide]
                found[row, at] = (part == self.wanted).mean() if self.labels else part.max()
        return found

    def _plane(self, output: Array) -> Array:
        order = [axis for axis in range(output.ndim) if axis not in self.axes]
        planes = np.transpose(output, (*order, *self.axes)).reshape(-1, *self._space(output))
        found: Array = planes[0 if self.labels or len(planes) == 1 else self.wanted]
        return found

    def _space(self, output: Array) -> tuple[int, int]:
        if output.ndim <= max(self.axes):
            raise DataError(f"no map in an output of shape {output.shape}")
        return output.shape[self.axes[0]], output.shape[self.axes[1]]


def _classes(task: Classification, view: View, wanted: int | None) -> ClassScore:
    scores = class_scores(view.outputs[task.output])
    at = None if wanted is None else wanted + task.offset
    if at is not None and not 0 <= at < len(scores):
        raise UsageError(f"class {wanted}: {view.shape(task.output)} scores {len(scores)} classes")
    shares = scores.min() >= 0 and abs(scores.sum() - 1) < 0.01
    kind = "probability" if shares else "score as the model gives it"
    which = "of the highest class" if wanted is None else f"of class {wanted}"
    return ClassScore(task.output, at, f"{kind} {which}")


def _map(view: View, name: str, wanted: int | None) -> MapScore:
    axes = view.image_axes(name)
    assert axes is not None
    assert view.size is not None
    output = view.outputs[name]
    count = _channels(view, name)
    labels = np.issubdtype(output.dtype, np.integer) and count == 1 and wanted is not None
    if wanted is not None and not labels and wanted >= count:
        raise UsageError(f"class {wanted}: {view.shape(name)} has {count} channels")
    return MapScore(
        name, (axes[0], axes[1]), view.channel(name), view.size, wanted or 0, bool(labels)
    )


def _channels(view: View, name: str) -> int:
    channel = view.channel(name)
    return 1 if channel is None else int(view.outputs[name].shape[channel])


def boxes_at(places: Array, size: tuple[int, int]) -> Array:
    """(n, 4) boxes of stimuli of (height, width) with upper left corners at places (n, 2) y, x."""
    low = places[:, ::-1].astype(np.float64)
    return np.concatenate([low, low + np.array([size[1], size[0]])], axis=1)
