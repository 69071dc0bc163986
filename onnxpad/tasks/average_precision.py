"""Average precision: detections against boxes, matched by the COCO library.

Detections of a class, best score first, are matched with boxes of that class whose IoU reaches a
threshold; each box once. Along the list, precision = TP / (TP + FP) and recall = TP / boxes. AP is
the mean, over recalls 0, 0.01, … 1, of the best precision at that recall or a higher one, and mean
AP the mean over the classes that have boxes (T.-Y. Lin et al., "Microsoft COCO", ECCV 2014, arXiv
1405.0312). At most 100 detections of an image and a class count.

The curve is taken here, not by the library, so that a bootstrap can take it again and again with
images weighted by how often they were drawn; tests hold it against the library's.
"""

import numpy as np

from onnxpad.measure.pair import Array
from onnxpad.tasks.matching import Matches

_RECALLS = np.linspace(0.0, 1.0, 101)
# Weights of detections held at once: 16 MB of float64.
_HELD = 2_000_000


def mean_ap(matches: Matches, weights: Array, thresholds: slice = slice(None)) -> Array:
    """Mean AP over thresholds and classes for every row of weights (rows, images): (rows,).

    Classes without a box in a row are left out of its mean; NaN where none is left. Weights of
    one row of ones give the plain value.
    """
    total, number = np.zeros(len(weights)), np.zeros(len(weights))
    for one in matches.values():
        boxes = weights @ one.boxes.astype(np.float64)
        value = np.zeros(len(weights))
        true, false = one.true[thresholds], one.false[thresholds]
        for t in range(len(true)):
            value += _ap(one.image, true[t], false[t], boxes, weights)
        total += np.where(boxes > 0, value / max(len(true), 1), 0.0)
        number += boxes > 0
    means = np.full(len(weights), np.nan)
    np.divide(total, number, out=means, where=number > 0)
    return means


def _ap(image: Array, true: Array, false: Array, boxes: Array, weights: Array) -> Array:
    """AP of one class and threshold for every row of weights."""
    hits = np.flatnonzero(true)
    if not hits.size:
        return np.zeros(len(weights))
    end = hits[-1] + 1  # what comes after the last hit changes no precision that counts
    rows = max(1, _HELD // end)
    if len(weights) > rows:
        pieces = range(0, len(weights), rows)
        each = [_ap(image, true, false, boxes[i : i + rows], weights[i : i + rows]) for i in pieces]
        return np.concatenate(each)
    drawn = weights[:, image[:end]]
    right = (drawn * true[:end]).cumsum(axis=1)[:, hits]
    wrong = (drawn * false[:end]).cumsum(axis=1)[:, hits]
    recall = right / np.maximum(boxes, 1.0)[:, None]
    precision = right / (right + wrong + np.spacing(1))
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # How many of the 101 recalls each hit is the first to reach; the others have precision 0.
    reached = np.searchsorted(_RECALLS, recall, side="right")
    new = np.diff(reached, axis=1, prepend=0)
    return np.asarray((best * new).sum(axis=1) / len(_RECALLS))
