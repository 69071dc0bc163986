"""Boxes: overlap, suppression of doubles, and the way back to the picture.

A box is x0, y0, x1, y1 in continuous coordinates; its area is (x1 − x0)·(y1 − y0).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.measure.pair import Array

# Beyond these, a detector's boxes are noise; the bounds keep quadratic work and memory small.
_CANDIDATES = 5000
_KEPT = 300


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector found in one image, best score first after `suppressed`.

    Attributes:
        xyxy: (n, 4) float64. scores: (n,) float64. classes: (n,) int64.
    """

    xyxy: Array
    scores: Array
    classes: Array

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, index: Array) -> "Detections":
        """Those that `index` names, in its order."""
        return Detections(self.xyxy[index], self.scores[index], self.classes[index])


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """What a detector found in several images, as many boxes in each; those of score 0 are none.

    Attributes:
        xyxy: (images, n, 4) float64. scores: (images, n) float64. classes: (images, n) int64.
    """

    xyxy: Array
    scores: Array
    classes: Array

    def __getitem__(self, row: int) -> Detections:
        return Detections(self.xyxy[row], self.scores[row], self.classes[row])


def stack(each: Sequence[Detections]) -> Stack:
    """Detections of several images, filled up to as many in each with boxes of score 0."""
    most = max(len(found) for found in each)
    whole = Stack(
        np.zeros((len(each), most, 4)),
        np.zeros((len(each), most)),
        np.zeros((len(each), most), np.int64),
    )
    for row, found in enumerate(each):
        many = len(found)
        whole.xyxy[row, :many], whole.scores[row, :many] = found.xyxy, found.scores
        whole.classes[row, :many] = found.classes
    return whole


def iou(a: Array, b: Array) -> Array:
    """Intersection / union of all boxes of `a` (…, n, 4) with all of `b` (…, m, 4): (…, n, m).

    0 where both are empty.
    """
    low = np.maximum(a[..., :, None, :2], b[..., None, :, :2])
    sides = np.minimum(a[..., :, None, 2:], b[..., None, :, 2:])
    sides -= low
    np.maximum(sides, 0.0, out=sides)
    inner: Array = sides[..., 0] * sides[..., 1]
    union = area(a)[..., :, None] + area(b)[..., None, :] - inner
    # An empty union has an empty intersection: 0 / tiny = 0.
    return np.asarray(inner / np.maximum(union, np.finfo(np.float64).tiny))


def area(corners: Array) -> Array:
    """Areas of boxes (…, 4); 0 for boxes turned inside out."""
    sides = np.maximum(corners[..., 2:] - corners[..., :2], 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def suppressed(found: Detections, score: float, overlap: float) -> Detections:
    """Non-maximum suppression by class: the greedy one of every detector.

    Keeps boxes with a score above `score`, best first (of equal scores the first), and drops every
    box whose IoU with a better one of its class exceeds `overlap`. At most 300 are kept, of the
    5,000 best. Boxes with NaN or infinite numbers are dropped.
    """
    usable = (found.scores > score) & np.isfinite(found.scores)
    usable &= np.isfinite(found.xyxy).all(axis=1)
    chosen = np.flatnonzero(usable)
    chosen = chosen[np.argsort(-found.scores[chosen], kind="stable")][:_CANDIDATES]
    found = found.take(chosen)
    if not np.isfinite(overlap):
        return found.take(np.arange(min(len(found), _KEPT)))
    # Boxes of two classes are moved too far apart to overlap.
    span = 2 * np.abs(found.xyxy).max(initial=1.0)
    corners = found.xyxy + (span * found.classes)[:, None]
    left, kept = np.arange(len(found)), list[int]()
    while left.size and len(kept) < _KEPT:
        best, rest = left[0], left[1:]
        kept.append(int(best))
        left = rest[iou(corners[best : best + 1], corners[rest])[0] <= overlap]
    return found.take(np.array(kept, np.int64))


def to_picture(corners: Array, geometry: Geometry) -> Array:
    """Boxes in input pixels as boxes in pixels of the picture, cut at its borders."""
    high, wide = geometry.source
    return np.asarray(np.clip(geometry.to_source(corners), 0.0, [wide, high, wide, high]))


def matched(first: Detections, second: Detections, overlap: float) -> int:
    """How many boxes of both show the same: same class, IoU ≥ `overlap`, each box used once.

    Pairs are made greedily, largest IoU first.
    """
    table = iou(first.xyxy, second.xyxy)
    table[first.classes[:, None] != second.classes[None, :]] = 0.0
    pairs, count = np.argsort(-table, axis=None, kind="stable"), 0
    free_first, free_second = np.ones(len(first), bool), np.ones(len(second), bool)
    for i, j in zip(*np.unravel_index(pairs, table.shape), strict=True):
        if table[i, j] < overlap:
            break
        if free_first[i] and free_second[j]:
            free_first[i] = free_second[j] = False
            count += 1
    return count
