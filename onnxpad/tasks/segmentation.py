"""Segmentation: the class of every pixel against a mask.

mIoU and pixel accuracy as in onnxpad.tasks.confusion, counted over all samples before dividing;
by class, and by ring: the same over the output pixels at distance d from the border.

Predictions are compared at the output's own size: the mask is sampled there, nearest pixel, at the
place of the image that an output pixel shows. Output pixels that show no part of the image (the
fill of a letterbox) are left out, as are pixels whose label is the ignored one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import IGNORED, Label, Mask
from onnxpad.errors import DataError
from onnxpad.measure.agreement_shift import overlap
from onnxpad.measure.pair import Array
from onnxpad.measure.paired import bootstrap, share_interval
from onnxpad.measure.rings import ring_index
from onnxpad.tasks.confusion import (
    NO_LABEL,
    check_labels,
    counts,
    iou,
    mask_at,
    mean_iou,
    pixel_accuracy,
)
from onnxpad.tasks.result import Metric, Part, TaskResult, against_truth, between
from onnxpad.tasks.task import Merging, Outputs, of_same_shape

# Deeper rings are counted with the last one.
_RINGS = 128


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The task.

    Attributes:
        output: the map's name, one sample of it: (1, C, H, W), (1, H, W, C), or labels (1, H, W).
        channel: the axis of the class scores; None where the output holds labels.
        classes: how many there are where the output does not tell (labels): else None.
    """

    output: str
    channel: int | None = 1
    classes: int | None = None
    name: str = "segmentation"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The map."""
        return (self.output,)

    def tally(self) -> "SegmentationTally":
        """An empty tally."""
        return SegmentationTally(self)

    def labels(self, output: Array) -> tuple[Array, int]:
        """The class of every output pixel, (H, W) integers, and the number of classes.

        The first of the highest scores; with one channel, class 1 where a probability exceeds 0.5,
        or a logit 0 (values outside 0 to 1 are logits). NO_LABEL where a score is NaN. Raises
        DataError for shapes that are no map of one sample.
        """
        axis = self.channel
        if axis is None:
            return self._label_map(output)
        if output.ndim != 4 or output.shape[0] != 1 or axis not in (1, 3):
            raise DataError(f"no map of class scores in an output of shape {output.shape}")
        scores, axis = output[0], axis - 1
        count = scores.shape[axis]
        if count == 1:
            inside = bool(((scores >= 0) & (scores <= 1) | np.isnan(scores)).all())
            found = np.squeeze(scores > (0.5 if inside else 0.0), axis).astype(np.int64)
        else:
            found = scores.argmax(axis=axis)
        if np.isnan(scores.max(initial=0)):
            found = np.where(np.isnan(scores).any(axis=axis), NO_LABEL, found)
        return found, max(count, 2)

    def _label_map(self, output: Array) -> tuple[Array, int]:
        sizes = output.shape[1:]
        space = tuple(s for i, s in enumerate(sizes) if len(sizes) == 2 or i != sizes.index(1))
        if len(space) != 2 or output.shape[0] != 1 or self.classes is None:
            raise DataError(f"no map of labels in an output of shape {output.shape}")
        found = output.reshape(space).astype(np.int64)
        return np.where((found >= 0) & (found < self.classes), found, NO_LABEL), self.classes


@dataclass(slots=True)
class SegmentationTally(Merging):
    """Counts per class: of every sample for the interval, and of every ring over all samples."""

    task: Segmentation
    original: list[Array] = field(default_factory=list)
    candidate: list[Array] = field(default_factory=list)
    original_rings: Array | int = 0
    candidate_rings: Array | int = 0
    same: list[int] = field(default_factory=list)
    pixels: list[int] = field(default_factory=list)
    same_shifted: int = 0
    pixels_shifted: int = 0
    shifted: int = 0
    resampled: str = ""

    state = (
        "original",
        "candidate",
        "original_rings",
        "candidate_rings",
        "same",
        "pixels",
        "same_shifted",
        "pixels_shifted",
        "shifted",
    )

    def add(
        self,
        original: Outputs,
        candidate: Outputs,
        truth: Label | None,
        geometry: Geometry | None,
        moved: Outputs | None = None,
    ) -> None:
        """Take in one sample; see onnxpad.tasks.task."""
        of_same_shape(original[self.task.output], candidate[self.task.output])
        ours, classes = self.task.labels(original[self.task.output])
        theirs, _ = self.task.labels(candidate[self.task.output])
        again = None if moved is None else self.task.labels(moved[self.task.output])[0]
        if isinstance(truth, Mask):
            self._add_truth(ours, theirs, classes, truth.array, geometry)
        known = (ours != NO_LABEL) | (theirs != NO_LABEL)
        self.same.append(int(((ours == theirs) & known).sum()))
        self.pixels.append(int(known.sum()))
        if again is not None:
            sizes = geometry.size if geometry else ours.shape
            ours, again = overlap(ours, again, (0, 1), sizes)
            self.same_shifted += int((ours == again).sum())
            self.pixels_shifted += ours.size
            self.shifted += 1

    def merge(self, other: "SegmentationTally") -> None:
        """Take in another tally, whose samples come after these."""
        Merging.merge(self, other)
        self.resampled = self.resampled or other.resampled

    def result(self, seed: int) -> TaskResult | None:
        """The record."""
        if not self.pixels:
            return None
        metrics, parts = [], []
        if self.original:
            ours, theirs = np.stack(self.original), np.stack(self.candidate)
            metrics += _metrics(ours, theirs, seed)
            parts += _classes(ours.sum(axis=0), theirs.sum(axis=0))
            parts += _rings(np.asarray(self.original_rings), np.asarray(self.candidate_rings))
        if sum(self.pixels):
            metrics.append(
                between(
                    "agreement",
                    sum(self.same) / sum(self.pixels),
                    share_interval(np.array(self.same), np.array(self.pixels), seed),
                    len(self.pixels),
                    (self.same_shifted / self.pixels_shifted, self.shifted)
                    if self.pixels_shifted
                    else None,
                )
            )
        notes = (self.resampled,) if self.resampled else ()
        return TaskResult(
            self.task.name,
            len(self.original),
            len(self.pixels),
            tuple(metrics),
            tuple(parts),
            None,
            notes,
        )

    def _add_truth(
        self, ours: Array, theirs: Array, classes: int, mask: Array, geometry: Geometry | None
    ) -> None:
        size = (ours.shape[0], ours.shape[1])
        truth = mask_at(mask, size, geometry)
        if mask.shape != size:
            self.resampled = (
                "masks are compared at the output's size: the nearest of their pixels counts"
            )
        check_labels(truth, classes)
        first, second = (_by_ring(truth, found, classes) for found in (ours, theirs))
        self.original.append(first.sum(axis=0))
        self.candidate.append(second.sum(axis=0))
        self.original_rings = self.original_rings + first
        self.candidate_rings = self.candidate_rings + second


def _metrics(ours: Array, theirs: Array, seed: int) -> list[Metric]:
    """The metrics from counts of shape (samples, 3, K)."""
    table: tuple[tuple[str, Callable[[Array], Array]], ...] = (
        ("mIoU", mean_iou),
        ("pixel_accuracy", pixel_accuracy),
    )
    found = []
    for name, measure in table:

        def delta(w: Array, measure: Callable[[Array], Array] = measure) -> Array:
            return measure(_drawn(w, theirs)) - measure(_drawn(w, ours))

        first, second = (float(measure(side.sum(axis=0))) for side in (ours, theirs))
        if not np.isnan(first):  # no labelled pixel at all
            interval = bootstrap(delta, len(ours), seed)
            found.append(against_truth(name, first, second, interval, len(ours)))
    return found


def _drawn(w: Array, samples: Array) -> Array:
    """Weighted sums (rows, 3, K) of counts (samples, 3, K); whole numbers, hence exact."""
    flat = samples.reshape(len(samples), -1).astype(np.float64)
    return (w @ flat).reshape(len(w), *samples.shape[1:])


def _by_ring(truth: Array, found: Array, classes: int) -> Array:
    """Counts of shape (_RINGS, 3, classes): each ring's classes are numbers of their own."""
    start = classes * np.minimum(ring_index(truth.shape), _RINGS - 1)
    unlabelled = truth == IGNORED
    counted = counts(
        np.where(unlabelled, IGNORED, truth + start),
        np.where(found == NO_LABEL, NO_LABEL, found + start),
        classes * _RINGS,
    )
    return counted.reshape(3, _RINGS, classes).transpose(1, 0, 2)


def _classes(ours: Array, theirs: Array) -> list[Part]:
    first, second = iou(ours), iou(theirs)
    return [
        Part("class", str(k), "IoU", float(first[k]), float(second[k]), int(ours[1, k]))
        for k in np.flatnonzero(ours[1])
    ]


def _rings(ours: Array, theirs: Array) -> list[Part]:
    """Both metrics of every ring that holds labelled pixels."""
    found = []
    for name, measure in (("mIoU", mean_iou), ("pixel_accuracy", pixel_accuracy)):
        first, second = measure(ours), measure(theirs)
        pixels = ours[:, 1].sum(axis=1)
        found += [
            Part("ring", str(d), name, float(first[d]), float(second[d]), int(pixels[d]))
            for d in np.flatnonzero(pixels)
        ]
    return found
