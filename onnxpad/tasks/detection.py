"""Detectors: average precision against boxes, and how many boxes two models share.

Outputs are decoded (onnxpad.tasks.decoders), doubles suppressed, and boxes taken back to pixels of
the original image, where the truth is. Average precision is onnxpad.tasks.average_precision's.

Agreement needs no truth: of the a and b boxes that the two models show (score ≥ 0.25), m pairs
have the same class and IoU ≥ 0.5; agreement = Σ 2m / Σ (a + b) over all images.
"""

from dataclasses import dataclass, field
from math import inf

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Boxes, Label
from onnxpad.errors import DataError
from onnxpad.measure.pair import Array
from onnxpad.measure.paired import bootstrap, share_interval
from onnxpad.tasks.average_precision import mean_ap
from onnxpad.tasks.boxes import Detections, matched, suppressed, to_picture
from onnxpad.tasks.decoders import decoder
from onnxpad.tasks.matching import ALL, SIZES, ZONES, Matches, library, match
from onnxpad.tasks.result import Metric, Part, TaskResult, against_truth, between
from onnxpad.tasks.task import Merging, Outputs

_SHOWN = 0.25
_ALIKE = 0.5
_DRAWS = (200, 1000)
# Draws × detections × thresholds: some seconds of arithmetic.
_WORK = 200_000_000


@dataclass(frozen=True, slots=True)
class Detection:
    """The task.

    Attributes:
        outputs: what the decoder reads, in its order; () for a user's own, which gets all.
        decoder: one of onnxpad.tasks.decoders.NAMES, or module:function.
        score: boxes must score higher. overlap: the IoU above which the weaker of two boxes of a
            class is dropped; not applied where the decoder has removed doubles itself.
    """

    outputs: tuple[str, ...]
    decoder: str
    score: float = 0.01
    overlap: float = 0.45
    name: str = "detection"

    def tally(self) -> "DetectionTally":
        """An empty tally. Raises UsageError where the decoder does not exist."""
        decoder(self.decoder, self.outputs)
        return DetectionTally(self)

    def found(self, outputs: Outputs, geometry: Geometry | None) -> Detections:
        """One sample's boxes in pixels of the model's input, best first."""
        if geometry is None:
            raise DataError("detection needs to know where the picture lies in the model's input")
        decode = decoder(self.decoder, self.outputs)
        finished = self.decoder == "rows" or ":" in self.decoder
        return suppressed(
            decode(outputs, geometry.size), self.score, inf if finished else self.overlap
        )


@dataclass(slots=True)
class DetectionTally(Merging):
    """The boxes of every image with truth, and of all images how many both models share."""

    task: Detection
    original: list[Detections] = field(default_factory=list)
    candidate: list[Detections] = field(default_factory=list)
    truth: list[Boxes] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    shared_shifted: list[int] = field(default_factory=list)
    shown_shifted: list[int] = field(default_factory=list)

    state = (
        "original",
        "candidate",
        "truth",
        "sizes",
        "shared",
        "shown",
        "shared_shifted",
        "shown_shifted",
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
        ours, theirs = self.task.found(original, geometry), self.task.found(candidate, geometry)
        again = None if moved is None else self.task.found(moved, geometry)
        if isinstance(truth, Boxes) and geometry is not None:
            library()  # to say at the first sample, not at the end, that it is missing
            self.original.append(_kept(ours, geometry))
            self.candidate.append(_kept(theirs, geometry))
            self.truth.append(truth)
            self.sizes.append(geometry.source)
        shared, shown = both_show(ours, theirs)
        self.shared.append(shared)
        self.shown.append(shown)
        if again is not None:
            back = Detections(again.xyxy - 1.0, again.scores, again.classes)
            shared, shown = both_show(ours, back)
            self.shared_shifted.append(shared)
            self.shown_shifted.append(shown)

    def result(self, seed: int) -> TaskResult | None:
        """The record."""
        if not self.shown:
            return None
        metrics: list[Metric] = []
        parts: list[Part] = []
        notes: list[str] = []
        if self.truth:
            metrics, parts = self._against_truth(seed)
            notes = self._notes()
        total, shifted = sum(self.shown), sum(self.shown_shifted)
        if total:
            metrics.append(
                between(
                    "agreement",
                    sum(self.shared) / total,
                    share_interval(np.array(self.shared), np.array(self.shown), seed),
                    len(self.shown),
                    (sum(self.shared_shifted) / shifted, len(self.shown_shifted))
                    if shifted
                    else None,
                )
            )
        else:
            notes.append(f"no model shows a box with a score of {_SHOWN} or more")
        return TaskResult(
            self.task.name,
            len(self.truth),
            len(self.shown),
            tuple(metrics),
            tuple(parts),
            None,
            tuple(notes),
        )

    def _against_truth(self, seed: int) -> tuple[list[Metric], list[Part]]:
        sides = [match(d, self.truth, (ALL, *SIZES)) for d in (self.original, self.candidate)]
        zoned = [match(d, self.truth, ZONES, self.sizes) for d in (self.original, self.candidate)]
        everything = sides[0]["all"], sides[1]["all"]
        if not everything[0]:  # not a box in any image
            return [], []
        metrics = _metrics(*everything, len(self.truth), seed)
        parts = []
        for kind, ranges, (ours, theirs) in (("size", SIZES, sides), ("zone", ZONES, zoned)):
            for name, _, _ in ranges:
                if ours[name]:
                    parts += _parts(kind, name, ours[name], theirs[name], len(self.truth))
        for number in everything[0]:
            one, other = ({number: side[number]} for side in everything)
            parts += _parts("class", str(number), one, other, len(self.truth))
        return metrics, parts

    def _notes(self) -> list[str]:
        known = {int(c) for boxes in self.truth for c in boxes.classes}
        named = {int(c) for d in (*self.original, *self.candidate) for c in d.classes}
        if known and named and not known & named:
            return [
                "no class the models name is among the labels' classes: do both count them alike?"
            ]
        return []


def _metrics(ours: Matches, theirs: Matches, images: int, seed: int) -> list[Metric]:
    once = np.ones((1, images))
    metrics = []
    for name, thresholds in (("mAP50", slice(1)), ("mAP", slice(None))):
        detections = sum(m.image.size for side in (ours, theirs) for m in side.values())
        least, most = _DRAWS
        work = max(detections, 1) * (1 if name == "mAP50" else 10)

        def delta(w: Array, thresholds: slice = thresholds) -> Array:
            return mean_ap(theirs, w, thresholds) - mean_ap(ours, w, thresholds)

        interval = bootstrap(delta, images, seed, int(np.clip(_WORK // work, least, most)))
        first, second = (float(mean_ap(side, once, thresholds)[0]) for side in (ours, theirs))
        metrics.append(against_truth(name, first, second, interval, images))
    return metrics


def _parts(kind: str, label: str, ours: Matches, theirs: Matches, images: int) -> list[Part]:
    once = np.ones((1, images))
    boxes = sum(int(one.boxes.sum()) for one in ours.values())
    return [
        Part(
            kind,
            label,
            name,
            float(mean_ap(ours, once, thresholds)[0]),
            float(mean_ap(theirs, once, thresholds)[0]),
            boxes,
        )
        for name, thresholds in (("mAP50", slice(1)), ("mAP", slice(None)))
    ]


def _kept(found: Detections, geometry: Geometry) -> Detections:
    """In pixels of the picture, and half the memory: these are kept until the end."""
    return Detections(
        to_picture(found.xyxy, geometry).astype(np.float32),
        found.scores.astype(np.float32),
        found.classes.astype(np.int32),
    )


def both_show(first: Detections, second: Detections) -> tuple[int, int]:
    """(2m, a + b): of the a and b boxes that score 0.25 or more, m pairs show the same."""
    first, second = (d.take(np.flatnonzero(d.scores >= _SHOWN)) for d in (first, second))
    return 2 * matched(first, second, _ALIKE), len(first) + len(second)
