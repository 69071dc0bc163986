import contextlib
import io

import numpy as np
import pytest

pytest.importorskip("pycocotools", reason="the extra detection is not installed")

from onnxpad.data.labels import Boxes
from onnxpad.tasks.average_precision import mean_ap
from onnxpad.tasks.boxes import Detections, iou
from onnxpad.tasks.matching import ALL, SIZES, THRESHOLDS, ZONES, library, match

IMAGES, CLASSES, SIZE = 12, 3, (120, 200)


def scene(seed: int) -> tuple[list[Boxes], list[Detections]]:
    """Boxes, and detections that find most of them, miss some, and invent others."""
    rng = np.random.default_rng(seed)
    truths, founds = [], []
    for image in range(IMAGES):
        n = 0 if image == 3 else int(rng.integers(1, 7))
        low = rng.uniform(0, 80, (n, 2))
        boxes = np.concatenate([low, low + rng.uniform(5, 70, (n, 2))], axis=1)
        classes = rng.integers(0, CLASSES, n)
        kept = rng.random(n) < 0.8
        extra = rng.uniform(0, 60, (5, 2))
        corners = np.concatenate(
            [
                boxes[kept] + rng.normal(0, 3, (int(kept.sum()), 4)),
                np.concatenate([extra, extra + 30], axis=1),
            ]
        )
        kinds = np.concatenate([classes[kept], rng.integers(0, CLASSES + 1, 5)])
        # few different scores: ties
        scores = rng.integers(1, 12, len(corners)) / 12
        truths.append(Boxes.of(boxes, classes))
        founds.append(Detections(corners, scores, kinds))
    return truths, founds


def brute(truths: list[Boxes], founds: list[Detections], threshold: float) -> float:
    """Mean AP at one threshold, in plain loops."""
    values = []
    for kind in range(CLASSES):
        flat = sorted(
            (
                (float(d.scores[i]), image, d.xyxy[i])
                for image, d in enumerate(founds)
                for i in np.flatnonzero(d.classes == kind)
            ),
            key=lambda one: -one[0],
        )
        boxes = {i: b.xyxy[b.classes == kind] for i, b in enumerate(truths)}
        total, taken, hits = sum(map(len, boxes.values())), set(), []
        if not total:
            continue
        for _, image, corners in flat:
            table = iou(corners[None], boxes[image])[0]
            free = [(v, j) for j, v in enumerate(table) if (image, j) not in taken]
            best, j = max(free, default=(0.0, -1))
            hits.append(best >= threshold)
            if best >= threshold:
                taken.add((image, j))
        right = np.cumsum(hits)
        precision, recall = right / np.arange(1, len(hits) + 1), right / total
        curve = [
            max((p for p, r in zip(precision, recall, strict=True) if r >= level), default=0.0)
            for level in np.linspace(0, 1, 101)
        ]
        values.append(np.mean(curve))
    return float(np.mean(values))


@pytest.mark.parametrize("seed", range(6))
def test_against_plain_loops(seed: int) -> None:
    truths, founds = scene(seed)
    matches = match(founds, truths, (ALL,))["all"]
    once = np.ones((1, IMAGES))
    assert mean_ap(matches, once, slice(1))[0] == pytest.approx(
        brute(truths, founds, 0.5), abs=1e-9
    )
    known = np.mean([brute(truths, founds, t) for t in THRESHOLDS])
    assert mean_ap(matches, once)[0] == pytest.approx(known, abs=1e-9)


def test_curves_are_the_librarys() -> None:
    truths, founds = scene(7)
    coco, cocoeval = library()
    made = []
    with contextlib.redirect_stdout(io.StringIO()):
        for side in (truths, founds):
            one = coco.COCO()
            one.dataset = {
                "images": [{"id": i} for i in range(IMAGES)],
                "categories": [{"id": k} for k in range(CLASSES + 1)],
                "annotations": [],
            }
            for image, boxes in enumerate(side):
                for i, (x, y, right, bottom) in enumerate(boxes.xyxy.tolist()):
                    one.dataset["annotations"].append(
                        {
                            "id": len(one.dataset["annotations"]) + 1,
                            "image_id": image,
                            "category_id": int(boxes.classes[i]),
                            "bbox": [x, y, right - x, bottom - y],
                            "area": (right - x) * (bottom - y),
                            "iscrowd": 0,
                            "score": float(boxes.scores[i]) if isinstance(boxes, Detections) else 1,
                        }
                    )
            one.createIndex()
            made.append(one)
        evaluation = cocoeval.COCOeval(*made, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    once = np.ones((1, IMAGES))
    tables = match(founds, truths, (ALL, *SIZES))
    stats = evaluation.stats
    assert mean_ap(tables["all"], once)[0] == pytest.approx(stats[0], abs=1e-12)
    assert mean_ap(tables["all"], once, slice(1))[0] == pytest.approx(stats[1], abs=1e-12)
    for index, name in ((3, "small"), (4, "medium"), (5, "large")):
        value = mean_ap(tables[name], once)[0] if tables[name] else -1
        assert value == pytest.approx(stats[index], abs=1e-12)


def test_weights_are_repeated_images() -> None:
    truths, founds = scene(2)
    drawn = [0, 0, 1, 4, 4, 4, 5, 7, 8, 9, 10, 11]
    weights = np.bincount(drawn, minlength=IMAGES).astype(float)[None]
    found = mean_ap(match(founds, truths, (ALL,))["all"], weights)
    repeated = match([founds[i] for i in drawn], [truths[i] for i in drawn], (ALL,))["all"]
    # Copies of one image have equal scores, and stand in another order among others of that score.
    assert found[0] == pytest.approx(mean_ap(repeated, np.ones((1, len(drawn))))[0], abs=0.05)


def test_weights_are_repeated_images_without_ties() -> None:
    rng = np.random.default_rng(3)
    truths, founds = scene(2)
    founds = [Detections(d.xyxy, rng.random(len(d)), d.classes) for d in founds]
    weights = np.zeros((1, IMAGES))
    weights[0, [1, 5, 8]] = 3
    found = mean_ap(match(founds, truths, (ALL,))["all"], weights)
    three = [1, 5, 8]
    alone = match([founds[i] for i in three], [truths[i] for i in three], (ALL,))["all"]
    # Three copies of every image: precision and recall at the end of each triple are the same.
    assert found[0] == pytest.approx(mean_ap(alone, np.ones((1, 3)))[0], abs=1e-9)


def test_draws_without_a_class_leave_it_out() -> None:
    truths, founds = scene(4)
    weights = np.zeros((2, IMAGES))
    weights[0, 3] = 1  # the image without boxes
    weights[1] = 1
    values = mean_ap(match(founds, truths, (ALL,))["all"], weights)
    assert np.isnan(values[0])
    assert values[1] > 0


def test_many_draws_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    truths, founds = scene(4)
    matches = match(founds, truths, (ALL,))["all"]
    weights = np.random.default_rng(0).integers(0, 3, (50, IMAGES)).astype(float)
    whole = mean_ap(matches, weights)
    monkeypatch.setattr("onnxpad.tasks.average_precision._HELD", 30)
    assert np.array_equal(mean_ap(matches, weights), whole)


def test_zones_count_what_lies_in_them() -> None:
    truths, founds = scene(5)
    tables = match(founds, truths, ZONES, [SIZE] * IMAGES)
    for name, low, high in ZONES:
        expected = 0
        for boxes in truths:
            centre = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2 / [SIZE[1], SIZE[0]]
            distance = np.minimum(centre, 1 - centre).min(axis=1, initial=0.5)
            expected += int(((distance >= low) & (distance <= high)).sum())
        assert sum(int(m.boxes.sum()) for m in tables[name].values()) == expected


def test_perfect_detections() -> None:
    truths, _ = scene(1)
    founds = [Detections(b.xyxy, np.ones(len(b.classes)), b.classes) for b in truths]
    for tables in (match(founds, truths, (ALL,)), match(founds, truths, ZONES, [SIZE] * IMAGES)):
        for matches in tables.values():
            if matches:
                assert mean_ap(matches, np.ones((1, IMAGES)))[0] == pytest.approx(1, abs=1e-9)


def test_crowds_cost_nothing() -> None:
    truth = Boxes.of([[0, 0, 10, 10], [20, 20, 80, 80]], [0, 0], [False, True])
    found = Detections(
        np.array([[0, 0, 10, 10], [25, 25, 50, 50.0]]), np.array([0.5, 0.9]), np.zeros(2, np.int64)
    )
    matches = match([found], [truth], (ALL,))["all"]
    assert matches[0].boxes.tolist() == [1]
    assert mean_ap(matches, np.ones((1, 1)))[0] == pytest.approx(1)


def test_nothing_found_or_nothing_there() -> None:
    truth = Boxes.of([[0, 0, 10, 10]], [0])
    none = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))
    assert mean_ap(match([none], [truth], (ALL,))["all"], np.ones((1, 1)))[0] == 0
    empty = Boxes.of([], [])
    assert match([none], [empty], (ALL,))["all"] == {}
    assert np.isnan(mean_ap({}, np.ones((1, 1)))[0])
