"""Detections against boxes, class by class and image by image, by the COCO library.

The library's loops are in Python. They run once over all images, and the bootstrap draws from what
they found; even so they take 10 to 30 ms an image for both models and all ranges (62 classes, 32
detections an image), as long as a small detector takes to run.

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
_MOST = 100
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
    """One class in one range, from the library's records by image."""
    boxes = np.array([0 if r is None else int((r["gtIgnore"] == 0).sum()) for r in records])
    used = [(i, r) for i, r in enumerate(records) if r is not None]
    none = np.zeros((len(THRESHOLDS), 0), bool)
    scores = np.concatenate([np.zeros(0), *(r["dtScores"] for _, r in used)])
    image = np.repeat([i for i, _ in used], [len(r["dtScores"]) for _, r in used]).astype(np.int64)
    hit = np.concatenate([none, *(r["dtMatches"] > 0 for _, r in used)], axis=1)
    ignored = np.concatenate([none, *(r["dtIgnore"].astype(bool) for _, r in used)], axis=1)
    order = np.argsort(-scores, kind="stable")  # of equal scores the first image, as the library
    hit, counts = hit[:, order], ~ignored[:, order]
    return ClassMatches(image[order], hit & counts, ~hit & counts, boxes)
