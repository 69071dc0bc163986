"""What score a stimulus gets, by what the model's outputs are.

| task | score |
|---|---|
| classification | of one class, or the highest of all: as the model gives it, a logit or a probability |
| detection | of the best box that shows the stimulus: its centre lies in the stimulus, or IoU ≥ 0.3; 0 without one; of one class, or of any |
| segmentation | the highest value of one class on the stimulus; of maps of labels the share of it that has the class |
| one map of scores | its highest value on the stimulus |
"""  # noqa: E501  (a table's row is one line)

from dataclasses import dataclass
from math import ceil, floor
from typing import Protocol

import numpy as np

from onnxpad.errors import DataError, UsageError
from onnxpad.measure.pair import Array
from onnxpad.tasks.boxes import iou
from onnxpad.tasks.classification import Classification, class_scores
from onnxpad.tasks.decoders import decoder
from onnxpad.tasks.detection import Detection
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.tasks.task import Outputs, Task
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
        """The scores of stimuli at `boxes` (n, 4), x0, y0, x1, y1 in input pixels: (n,) float64.

        `outputs` are one sample's. Raises DataError where they are not what they should be.
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
        scores = class_scores(outputs[self.output])
        found = scores.max() if self.wanted is None else scores[self.wanted]
        return np.full(len(boxes), found, np.float64)


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
        found = decoder(self.task.decoder, self.task.outputs)(outputs, self.size)
        usable = np.isfinite(found.xyxy).all(axis=1) & np.isfinite(found.scores)
        if self.wanted is not None:
            usable &= found.classes == self.wanted
        found = found.take(np.flatnonzero(usable))
        many = max(1, _PAIRS // max(len(found), 1))
        parts = [
            _best(found.xyxy, found.scores, boxes[at : at + many])
            for at in range(0, len(boxes), many)
        ]
        return np.concatenate(parts)


def _best(corners: Array, scores: Array, boxes: Array) -> Array:
    """For each of `boxes` the highest score of the corners that show it, 0 without one."""
    centre = (corners[:, None, :2] + corners[:, None, 2:]) / 2
    inside = ((centre >= boxes[:, :2]) & (centre <= boxes[:, 2:])).all(axis=2)
    near = inside | (iou(corners, boxes) >= _OVERLAP)
    best: Array = np.where(near, scores[:, None], 0.0).max(axis=0, initial=0.0)
    return best


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
        plane = self._plane(outputs[self.output])
        down, along = (n / s for n, s in zip(plane.shape, self.size, strict=True))
        found = []
        for x0, y0, x1, y1 in boxes:
            rows = slice(floor(y0 * down), max(ceil(y1 * down), floor(y0 * down) + 1))
            columns = slice(floor(x0 * along), max(ceil(x1 * along), floor(x0 * along) + 1))
            part = plane[rows, columns]
            found.append((part == self.wanted).mean() if self.labels else part.max())
        return np.array(found, np.float64)

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
