import numpy as np
import pytest

from onnxpad.data.layout import Layout
from onnxpad.errors import UsageError
from onnxpad.tasks.classification import Classification
from onnxpad.tasks.detection import Detection
from onnxpad.tasks.image import ImageToImage
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.tasks.stimulus import Scorer, boxes_at, scorer
from onnxpad.tasks.task import Task
from onnxpad.tasks.view import View

RNG = np.random.default_rng(0)
SOURCE, LAYOUT = (1, 3, 16, 24), Layout(0, 1, (2, 3))
PLACES = boxes_at(np.array([[0, 0], [5, 7], [12, 20]]), (4, 4))[None]


def built(task: Task, outputs: dict, wanted: int | None = None) -> Scorer | None:
    return scorer(task, View(outputs, SOURCE, LAYOUT), wanted)


def test_places_are_rows_and_columns_and_boxes_x_and_y() -> None:
    assert boxes_at(np.array([[5, 7]]), (2, 3)).tolist() == [[7, 5, 10, 7]]


def test_a_class_or_the_highest() -> None:
    outputs = {"y": np.array([[0.1, 0.7, 0.2]])}
    highest, second = (built(Classification("y"), outputs, wanted) for wanted in (None, 2))
    assert highest is not None
    assert second is not None
    assert highest(outputs, PLACES)[0].tolist() == [0.7] * 3
    assert second(outputs, PLACES)[0].tolist() == [0.2] * 3
    assert "probability of the highest class" in highest.told
    shifted = built(Classification("y", offset=1), outputs, 1)
    assert shifted is not None
    assert shifted(outputs, PLACES[:, :1])[0].tolist() == [0.2]
    logits = {"y": np.array([[3.0, -1.0]])}
    one = built(Classification("y"), logits)
    assert one is not None
    assert "as the model gives it" in one.told
    with pytest.raises(UsageError, match="scores 3 classes"):
        built(Classification("y"), outputs, 3)


def test_boxes_of_one_class_and_none_that_are_nan() -> None:
    rows = np.array(
        [[[0, 0, 4, 4, 0.9, 1], [0, 0, 4, 4, 0.6, 2], [5, 3, 11, 11, 0.5, 2],
          [7, 5, 11, 9, np.nan, 2], [20, 12, np.inf, 16, 0.8, 2]]]
    )  # fmt: skip
    outputs = {"y": rows}
    for wanted, known in ((None, [0.9, 0.5, 0]), (1, [0.9, 0, 0]), (2, [0.6, 0.5, 0])):
        one = built(Detection(("y",), "rows"), outputs, wanted)
        assert one is not None
        assert one(outputs, PLACES)[0].tolist() == known


def test_a_map_is_read_under_the_stimulus() -> None:
    outputs = {"y": RNG.normal(size=(1, 5, 8, 12))}
    one = built(Segmentation("y"), outputs, 3)
    assert one is not None
    plane = outputs["y"][0, 3]
    known = [plane[0:2, 0:2].max(), plane[2:5, 3:6].max(), plane[6:8, 10:12].max()]
    assert one(outputs, PLACES)[0].tolist() == known
    with pytest.raises(UsageError, match=r"5 classes a pixel.*--class"):
        built(Segmentation("y"), outputs)
    with pytest.raises(UsageError, match="has 5 channels"):
        built(Segmentation("y"), outputs, 5)


def test_a_map_of_labels_gives_shares() -> None:
    labels = np.zeros((1, 16, 24), np.int64)
    labels[0, 5:7, 7:11] = 4
    one = built(Segmentation("y", None, 6), {"y": labels}, 4)
    assert one is not None
    assert one({"y": labels}, PLACES)[0].tolist() == [0, 0.5, 0]


def test_samples_together_are_scored_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    low = rng.uniform(-2, 20, (6, 40, 2))
    corners = np.concatenate([low, low + rng.uniform(-1, 8, (6, 40, 2))], axis=2)
    corners[rng.random((6, 40)) < 0.05] = np.inf
    corners[3] /= 30  # as shares of the input in one sample, in pixels in the others
    scores = rng.uniform(-0.2, 1, (6, 40, 3))
    scores[4] = np.exp(scores[4]) / np.exp(scores[4]).sum(axis=1, keepdims=True)  # a softmax
    outputs = {"b": corners, "s": scores, "c": scores[:, 0], "m": rng.normal(size=(6, 5, 8, 12))}
    first = {name: array[:1] for name, array in outputs.items()}
    tasks = [(Detection(("b", "s"), "boxes"), wanted) for wanted in (None, 0, 2)]
    found = [built(task, first, wanted) for task, wanted in tasks]
    found += [built(Classification("c"), first), built(Segmentation("m"), first, 3)]
    boxes = boxes_at(rng.integers(0, 12, (18, 2)), (4, 4)).reshape(6, 3, 4)
    for one in found:
        assert one is not None
        together = one(outputs, boxes)
        assert together.shape == (6, 3)
        assert len(np.unique(together)) > 3
        for row in range(6):
            alone = {name: array[row : row + 1] for name, array in outputs.items()}
            assert one(alone, boxes[row : row + 1])[0].tolist() == together[row].tolist()


def test_the_best_box_is_the_one_that_a_plain_search_finds() -> None:
    rng = np.random.default_rng(2)
    low = rng.uniform(-2, 20, (1, 60, 2))
    corners = np.concatenate([low, low + rng.uniform(0, 9, (1, 60, 2))], axis=2)
    scores = rng.uniform(0, 1, (1, 60, 1))
    one = built(Detection(("b", "s"), "boxes"), {"b": corners, "s": scores})
    assert one is not None
    boxes = boxes_at(rng.integers(0, 12, (30, 2)), (4, 4))
    known = []
    for x0, y0, x1, y1 in boxes:
        best = 0.0
        for (a0, b0, a1, b1), (score,) in zip(corners[0], scores[0], strict=True):
            inner = max(0, min(x1, a1) - max(x0, a0)) * max(0, min(y1, b1) - max(y0, b0))
            union = (x1 - x0) * (y1 - y0) + (a1 - a0) * (b1 - b0) - inner
            centred = x0 <= (a0 + a1) / 2 <= x1 and y0 <= (b0 + b1) / 2 <= y1
            if centred or inner / union >= 0.3:
                best = max(best, score)
        known.append(best)
    assert one({"b": corners, "s": scores}, boxes[None])[0].tolist() == known
    assert 0 in known
    assert len(set(known)) > 10


def test_pictures_are_no_scores() -> None:
    picture = {"y": RNG.random((1, 3, 16, 24))}
    assert built(ImageToImage("y", 1, 1.0, 255.0), picture) is None
