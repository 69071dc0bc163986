"""Average precision: detections against boxes, matched by the COCO library.

Detections of a class, best score first, are matched with boxes of that class whose IoU reaches a
threshold; each box once. Along the list, precision = TP / (TP + FP) and recall = TP / boxes. AP is
the mean, over recalls 0, 0.01, … 1, of the best precision at that recall or a higher one, and mean
AP the mean over the classes that have boxes (T.-Y. Lin et al., "Microsoft COCO", ECCV 2014, arXiv
1405.0312). At most 100 detections of an image and a class count.

Matching is pycocotools' own. The curve is taken here, so that a bootstrap can take it again and
again with images weighted by how often they were drawn; tests hold it against the library's.

By size: COCO's areas of boxes, below 32² pixels, below 96², and above. By zone: boxes whose centre
is at a distance of 0–0.1, … 0.4–0.5 of the image's size from the nearest border (Z. Zheng et al.,
"Zone Evaluation: Revealing Spatial Bias in Object Detection", 2023, arXiv 2310.13215). As COCO
does for sizes, boxes outside of the range, and detections matched with them or unmatched and
outside themselves, do not count.
"""

import contextlib
import importlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxpad.data.labels import Boxes
from onnxpad.errors import UsageError
from onnxpad.measure.pair import Array
from onnxpad.tasks.boxes import Detections, area

THRESHOLDS = tuple(i / 100 for i in range(50, 100, 5))
_RECALLS = np.linspace(0.0, 1.0, 101)
_MOST = 100
# Weights of detections held at once: 16 MB of float64.
_HELD = 2_000_000
Range = tuple[str, float, float]
ALL: Range = ("all", 0.0, 1e10)
SIZES: tuple[Range, ...] = (
    ("small", 0.0, 32.0**2),
    ("medium", 32.0**2, 96.0**2),
    ("large", 96.0**2, 1e10),
)
ZONES: tuple[Range, ...] = tuple(
    (f"{i / 10:.1f}–{(i + 1) / 10:.1f}", i / 10, (i + 1) / 10) for i in range(5)
)


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatches:
    """One class's detections in all images, best score first, and what became of them.

    Attributes:
        image: (d,) the image's number. true, false: (thresholds, d) booleans; neither: ignored.
        boxes: (images,) how many boxes of the class each image has.
    """

    image: Array
    true: Array
    false: Array
    boxes: Array


Matches = dict[int, ClassMatches]


def library() -> Any:
    """The modules pycocotools.coco and .cocoeval. Raises UsageError where it is not installed."""
    try:
        coco = importlib.import_module("pycocotools.coco")
        return coco, importlib.import_module("pycocotools.cocoeval")
    except ImportError:
        raise UsageError(
            "average precision needs pycocotools: install onnxpad[detection], or leave out the "
            "labels to compare the boxes of the two models alone"
        ) from None


def match(
    found: Sequence[Detections],
    truth: Sequence[Boxes],
    ranges: Sequence[Range],
    sizes: Sequence[tuple[int, int]] | None = None,
) -> dict[str, Matches]:
    """Match the detections of all images, for each range by its name: classes with boxes only.

    Args:
        ranges: of the areas in pixels; with `sizes`, the images' (height, width), of the centres'
            distance to the border instead.
    """
    coco, cocoeval = library()
    extents = tuple(_extents([one.xyxy for one in side], sizes) for side in (truth, found))
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        evaluation = cocoeval.COCOeval(
            _dataset(coco, truth, extents[0], "iscrowd", [b.crowd.astype(np.int64) for b in truth]),
            _dataset(coco, found, extents[1], "score", [d.scores for d in found]),
            "bbox",
        )
        settings = evaluation.params
        settings.imgIds = list(range(len(truth)))
        settings.catIds = sorted({int(c) for b in truth for c in b.classes})
        settings.iouThrs = np.array(THRESHOLDS)
        settings.areaRng = [[low, high] for _, low, high in ranges]
        settings.areaRngLbl = [name for name, _, _ in ranges]
        settings.maxDets = [_MOST]
        evaluation.evaluate()
    return _collected(evaluation.evalImgs, settings.catIds, ranges, len(truth))


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


def _extents(corners: Sequence[Array], sizes: Sequence[tuple[int, int]] | None) -> list[Array]:
    if sizes is None:
        return [area(c) for c in corners]
    return [_distance(c, size) for c, size in zip(corners, sizes, strict=True)]


def _distance(corners: Array, size: tuple[int, int]) -> Array:
    """Of the centres to the nearest border, as a share of the image's size: 0 to 0.5."""
    centre = (corners[:, :2] + corners[:, 2:]) / 2 / np.array([size[1], size[0]])
    return np.asarray(np.clip(np.minimum(centre, 1 - centre).min(axis=1, initial=0.5), 0.0, 0.5))


def _dataset(
    coco: Any,
    images: Sequence[Boxes | Detections],
    extents: list[Array],
    key: str,
    values: list[Array],
) -> Any:
    """The boxes of all images as the library holds them, each with its value under `key`.

    Numbers start from 1: in the library's records 0 means none.
    """
    made = coco.COCO()
    annotations = [
        {
            "image_id": image,
            "category_id": int(kind),
            "bbox": [x, y, right - x, bottom - y],
            "area": extent,
            key: value,
        }
        for image, boxes in enumerate(images)
        for (x, y, right, bottom), kind, extent, value in zip(
            boxes.xyxy.tolist(),
            boxes.classes.tolist(),
            extents[image].tolist(),
            values[image].tolist(),
            strict=True,
        )
    ]
    made.dataset = {
        "images": [{"id": i} for i in range(len(images))],
        "annotations": [{"id": i + 1, **one} for i, one in enumerate(annotations)],
        "categories": [{"id": kind} for kind in sorted({a["category_id"] for a in annotations})],
    }
    made.createIndex()
    return made


def _collected(
    found: list[Any], classes: list[int], ranges: Sequence[Range], images: int
) -> dict[str, Matches]:
    """The library's records, which run over classes, ranges, images, as matches by range."""
    tables: dict[str, Matches] = {name: {} for name, _, _ in ranges}
    blocks = iter(range(0, len(found), images))
    for kind in classes:
        for name, _, _ in ranges:
            start = next(blocks)
            one = _one_class(found[start : start + images])
            if one.boxes.any():
                tables[name][kind] = one
    return tables


def _one_class(records: list[Any]) -> ClassMatches:
    boxes = np.array([0 if r is None else int((r["gtIgnore"] == 0).sum()) for r in records])
    used = [(i, r) for i, r in enumerate(records) if r is not None and len(r["dtScores"])]
    if not used:
        none = np.zeros((len(THRESHOLDS), 0), bool)
        return ClassMatches(np.zeros(0, np.int64), none, none, boxes)
    scores = np.concatenate([r["dtScores"] for _, r in used])
    order = np.argsort(-scores, kind="mergesort")
    image = np.concatenate([np.full(len(r["dtScores"]), i) for i, r in used])[order]
    hit = np.concatenate([r["dtMatches"] for _, r in used], axis=1)[:, order] > 0
    counts = ~np.concatenate([r["dtIgnore"] for _, r in used], axis=1)[:, order].astype(bool)
    return ClassMatches(image, hit & counts, ~hit & counts, boxes)
