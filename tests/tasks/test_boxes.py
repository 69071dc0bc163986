import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad.data.framing import Geometry
from onnxpad.tasks.boxes import Detections, area, iou, matched, suppressed, to_picture


def some(count: int, classes: int, seed: int) -> Detections:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 20, (count, 2))
    corners = np.concatenate([low, low + rng.integers(1, 15, (count, 2))], axis=1)
    # few different scores: ties
    scores = rng.integers(1, 9, count) / 10
    return Detections(corners.astype(np.float64), scores, rng.integers(0, classes, count))


def test_iou_counts_cells() -> None:
    found = some(12, 1, 0)
    table = iou(found.xyxy, found.xyxy[:5])
    for i in range(12):
        for j in range(5):
            cells = [
                {(x, y) for x in range(int(b[0]), int(b[2])) for y in range(int(b[1]), int(b[3]))}
                for b in (found.xyxy[i], found.xyxy[j])
            ]
            known = len(cells[0] & cells[1]) / len(cells[0] | cells[1])
            assert table[i, j] == pytest.approx(known, abs=1e-12)


def test_empty_and_inverted_boxes() -> None:
    boxes = np.array([[3, 3, 3, 3], [5, 5, 2, 2], [0, 0, 4, 4]], np.float64)
    assert area(boxes).tolist() == [0, 0, 16]
    assert iou(boxes, boxes)[:2].max() == 0
    assert iou(boxes[:0], boxes).shape == (0, 3)


@given(st.integers(0, 40), st.integers(1, 4), st.integers(0, 10**6))
def test_suppression_is_the_greedy_one(count: int, classes: int, seed: int) -> None:
    found = some(count, classes, seed)
    kept: list[int] = []
    for i in sorted(range(count), key=lambda i: -found.scores[i]):
        doubles = [
            j
            for j in kept
            if found.classes[i] == found.classes[j]
            and iou(found.xyxy[[i]], found.xyxy[[j]])[0, 0] > 0.45
        ]
        if found.scores[i] > 0.2 and not doubles:
            kept.append(i)
    result = suppressed(found, 0.2, 0.45)
    assert np.array_equal(result.xyxy, found.xyxy[kept])
    assert np.array_equal(result.classes, found.classes[kept])


def test_boxes_that_are_no_numbers_are_dropped() -> None:
    corners = np.array([[0, 0, 1, 1], [0, 0, np.inf, 1], [0, np.nan, 1, 1], [5, 5, 6, 6]])
    found = Detections(corners, np.array([0.5, 0.9, 0.9, np.nan]), np.zeros(4, np.int64))
    assert suppressed(found, 0.01, 0.45).scores.tolist() == [0.5]


def test_no_more_than_300_are_kept() -> None:
    corners = np.arange(400)[:, None] * 10 + np.array([0, 0, 5, 5])
    found = Detections(corners.astype(float), np.linspace(0.1, 1, 400), np.zeros(400, np.int64))
    for overlap in (0.45, float("inf")):
        kept = suppressed(found, 0.01, overlap)
        assert len(kept) == 300
        assert kept.scores[0] == 1


def test_back_to_the_picture_and_cut_there() -> None:
    # 200×100 halved into a letterbox, 10 px from the top
    geometry = Geometry((100, 200), (120, 120), (0.5, 0.5), (10.0, 0.0))
    boxes = np.array([[5.0, 15.0, 50.0, 40.0], [-9.0, 0.0, 119.0, 119.0]])
    assert to_picture(boxes, geometry).tolist() == [[10, 10, 100, 60], [0, 0, 200, 100]]


def test_pairs_are_made_once_and_within_a_class() -> None:
    corners = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], np.float64)
    first = Detections(corners, np.ones(3), np.array([0, 0, 1]))
    assert matched(first, first, 0.5) == 3
    second = Detections(corners[[0, 2]], np.ones(2), np.array([0, 2]))
    assert matched(first, second, 0.5) == 1
    assert matched(first, second.take(np.array([], np.int64)), 0.5) == 0
