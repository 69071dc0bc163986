import importlib
import pickle

import numpy as np
import pytest

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Boxes
from onnxpad.errors import DataError, UsageError
from onnxpad.tasks import matching
from onnxpad.tasks.detection import Detection, DetectionTally
from onnxpad.tasks.result import TaskResult

VIEW = Geometry((100, 100), (200, 200), (2.0, 2.0), (0.0, 0.0))
TASK = Detection(("d",), "rows")


@pytest.fixture
def coco() -> None:
    pytest.importorskip("pycocotools", reason="the extra detection is not installed")


def rows(*boxes: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Corners in the picture, score, class, as a model would give them in its input."""
    table = np.array(boxes, np.float32).reshape(1, -1, 6)
    table[..., :4] *= 2
    return {"d": table}


def pictures(count: int) -> list[tuple[Boxes, dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Truth, an original that finds both objects, a candidate that misses one of two at times."""
    made = []
    for i in range(count):
        x = 5.0 + i % 7
        first, second = (x, x, x + 20, x + 20), (60.0, 40.0, 95.0, 80.0)
        truth = Boxes.of([first, second], [0, 1])
        original = rows((*first, 0.9, 0), (*second, 0.8, 1))
        candidate = rows((*first, 0.9, 0)) if i % 2 else original
        made.append((truth, original, candidate))
    return made


def run(samples: list, *, against_itself: bool = False) -> TaskResult:
    tally = TASK.tally()
    for truth, original, candidate in samples:
        tally.add(original, original if against_itself else candidate, truth, VIEW)
    result = tally.result(0)
    assert result is not None
    return result


def test_misses_are_found(coco: None) -> None:
    result = run(pictures(20))
    ap50 = result.metric("mAP50")
    assert ap50 is not None
    assert ap50.original == pytest.approx(1)
    # class 1: precision 1 up to recall 1/2, 51 of 101 levels
    assert ap50.candidate == pytest.approx((1 + 51 / 101) / 2)
    assert ap50.low is not None
    assert ap50.high is not None
    assert ap50.low < ap50.delta < ap50.high < 0
    agreed = result.metric("agreement")
    assert agreed is not None
    assert agreed.candidate == (20 * 2 + 10 * 2) / (20 * 2 + 10 * 2 + 10)
    assert result.labelled == 20
    kinds = {(p.kind, p.label): p for p in result.parts if p.metric == "mAP50"}
    assert kinds["class", "1"].delta == pytest.approx(51 / 101 - 1)
    assert kinds["class", "0"].delta == 0
    assert kinds["size", "small"].n == 20  # 20×20 pixels of the picture
    assert kinds["size", "medium"].n == 20
    # the second object of every picture, and the first of five, whose centre is at 20 or 21 %
    assert kinds["zone", "0.2–0.3"].n == 25


def test_a_model_against_itself(coco: None) -> None:
    result = run(pictures(9), against_itself=True)
    for name in ("mAP50", "mAP"):
        metric = result.metric(name)
        assert metric is not None
        assert (metric.delta, metric.low, metric.high) == (0, 0, 0)
    assert all(part.delta == 0 for part in result.parts)
    agreed = result.metric("agreement")
    assert agreed is not None
    assert (agreed.candidate, agreed.low, agreed.high) == (1, 1, 1)


def test_merging_is_adding_one_after_the_other(coco: None) -> None:
    samples = pictures(8)
    tallies = [TASK.tally(), TASK.tally()]
    for i, (truth, original, candidate) in enumerate(samples):
        tallies[i >= 3].add(original, candidate, truth, VIEW, original)
    sent: list[DetectionTally] = [pickle.loads(pickle.dumps(t)) for t in tallies]
    sent[0].merge(sent[1])
    whole = TASK.tally()
    for truth, original, candidate in samples:
        whole.add(original, candidate, truth, VIEW, original)
    assert sent[0].result(3) == whole.result(3)


def test_without_labels_there_is_agreement_alone() -> None:
    tally = TASK.tally()
    for _, original, candidate in pictures(4):
        tally.add(original, candidate, None, VIEW)
    result = tally.result(0)
    assert result is not None
    assert [m.name for m in result.metrics] == ["agreement"]
    assert (result.labelled, result.samples) == (0, 4)


def test_a_shift_of_the_boxes_is_taken_back() -> None:
    original = rows((10, 10, 14, 14, 0.9, 0))
    moved = {"d": original["d"] + np.array([1, 1, 1, 1, 0, 0], np.float32)}
    tally = TASK.tally()
    tally.add(original, original, None, VIEW, moved)
    result = tally.result(0)
    assert result is not None
    agreed = result.metric("agreement")
    assert agreed is not None
    assert (agreed.floor, agreed.floor_n) == (1.0, 1)


def test_weak_boxes_are_not_shown() -> None:
    tally = TASK.tally()
    tally.add(rows((10, 10, 20, 20, 0.2, 0)), rows(), None, VIEW)
    result = tally.result(0)
    assert result is not None
    assert result.metrics == ()
    assert "no model shows a box" in result.notes[0]


def test_classes_that_never_meet_are_said(coco: None) -> None:
    tally = TASK.tally()
    out = rows((10, 10, 20, 20, 0.9, 3))
    tally.add(out, out, Boxes.of([[10, 10, 20, 20]], [17]), VIEW)
    result = tally.result(0)
    assert result is not None
    assert "count them alike" in result.notes[0]


def test_pictures_without_objects(coco: None) -> None:
    tally = TASK.tally()
    tally.add(rows(), rows(), Boxes.of([], []), VIEW)
    result = tally.result(0)
    assert result is not None
    assert result.metric("mAP50") is None
    assert result.labelled == 1


def test_what_does_not_fit_changes_nothing() -> None:
    tally = TASK.tally()
    with pytest.raises(DataError, match="no detections in an output"):
        tally.add({"d": np.zeros((1, 5))}, rows(), None, VIEW)
    with pytest.raises(DataError, match="where the picture lies"):
        tally.add(rows(), rows(), None, None)
    assert tally.result(0) is None


def test_a_missing_library_is_said_at_the_first_label(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(matching.importlib, "import_module", missing)
    tally = TASK.tally()
    with pytest.raises(UsageError, match=r"install onnxpad\[detection\]"):
        tally.add(rows(), rows(), Boxes.of([], []), VIEW)
    monkeypatch.undo()
    assert importlib.import_module("json")
