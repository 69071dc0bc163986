import sys
from pathlib import Path

import numpy as np
import pytest

from onnxpad.errors import DataError, UsageError
from onnxpad.tasks.boxes import stack
from onnxpad.tasks.decoders import (
    boxes_and_scores,
    cells,
    decoder,
    rows,
    stack_decoder,
    yolov5,
    yolov8,
    yolox,
)

SIZE = (64, 96)


def test_yolox_by_the_formula() -> None:
    rng = np.random.default_rng(0)
    count = 8 * 12 + 4 * 6 + 2 * 3
    assert cells(SIZE, (8, 16, 32)) == count
    output = rng.normal(size=(1, count, 5 + 3)).astype(np.float32)
    output[..., 4:] = rng.random((1, count, 4))
    found = yolox(output, SIZE)[0]
    at = 0
    for stride in (8, 16, 32):
        for y in range(64 // stride):
            for x in range(96 // stride):
                t = output[0, at].astype(np.float64)
                cx, cy = (t[0] + x) * stride, (t[1] + y) * stride
                w, h = np.exp(t[2]) * stride, np.exp(t[3]) * stride
                known = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
                assert found.xyxy[at] == pytest.approx(known, rel=1e-6)
                assert found.scores[at] == pytest.approx(t[4] * t[5:].max(), rel=1e-6)
                assert found.classes[at] == t[5:].argmax()
                at += 1
    assert at == count


def test_yolox_of_another_size_says_so() -> None:
    with pytest.raises(DataError, match=r"100 rows are no YOLOX head on an input of 64×96.*yolov5"):
        yolox(np.zeros((1, 100, 85)), SIZE)


def test_yolov5_and_yolov8_read_the_same_boxes() -> None:
    v5 = np.array([[[30, 20, 10, 8, 0.5, 0.2, 0.8]]])
    v8 = np.array([[[30], [20], [10], [8], [0.1], [0.4]]])
    for found in (yolov5(v5, SIZE)[0], yolov8(v8, SIZE)[0]):
        assert found.xyxy.tolist() == [[25, 16, 35, 24]]
        assert found.scores == pytest.approx([0.4])
        assert found.classes.tolist() == [1]


def test_finished_rows() -> None:
    found = rows(np.array([[[1, 2, 3, 4, 0.9, 7]]], np.float32), SIZE)[0]
    assert found.xyxy.tolist() == [[1, 2, 3, 4]]
    assert (found.scores[0], found.classes[0]) == (np.float32(0.9), 7)


def test_boxes_and_scores() -> None:
    corners = np.array([[[0.25, 0.5, 0.5, 1.0]]])
    found = boxes_and_scores(corners, np.array([[[0.3, 0.7]]]), SIZE)[0]  # softmax: no background
    assert found.xyxy.tolist() == [[24, 32, 48, 64]]
    assert (found.scores[0], found.classes[0]) == (0.7, 0)
    found = boxes_and_scores(corners * 90, np.array([[[0.3, 0.8]]]), SIZE)[0]  # pixels, sigmoids
    assert found.xyxy.tolist() == [[22.5, 45, 45, 90]]
    assert (found.scores[0], found.classes[0]) == (0.8, 1)
    with pytest.raises(DataError, match="no boxes and scores"):
        boxes_and_scores(corners, np.zeros((1, 2, 2)), SIZE)


@pytest.mark.parametrize("shape", [(85,), (2, 10, 85), (1, 10, 5), (1, 3, 10, 85)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="no detections"):
        decoder("yolov5", ("x",))({"x": np.zeros(shape)}, SIZE)


def test_names() -> None:
    with pytest.raises(UsageError, match="unknown decoder 'ssd': choose one of yolox, yolov5"):
        decoder("ssd", ("a",))
    with pytest.raises(UsageError, match="reads 2 outputs, and 1 were named"):
        decoder("boxes", ("a",))
    found = decoder("boxes", ("b", "s"))(
        {"s": np.array([[[0.9]]]), "b": np.array([[[0.0, 0.0, 1.0, 1.0]]])}, SIZE
    )
    assert found.xyxy.tolist() == [[0, 0, 96, 64]]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    text = """
import numpy as np

def good(outputs, size):
    assert size == (64, 96)
    assert len(outputs["x"]) == 1
    return outputs["x"][0, :, :4], outputs["x"][0, :, 4], [2] * len(outputs["x"][0])

def wrong(outputs, size):
    return np.zeros((3, 4)), np.zeros(2), np.zeros(3)

def failing(outputs, size):
    raise KeyError("nothing\\x1b[31m here")
"""
    name = "decoder_of_a_user"
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_a_users_own(module: str) -> None:
    found = decoder(f"{module}:good", ())({"x": np.ones((1, 2, 5), np.float32)}, SIZE)
    assert found.xyxy.shape == (2, 4)
    assert found.xyxy.dtype == np.float64
    assert found.classes.tolist() == [2, 2]


def test_a_users_own_sees_one_sample_at_a_time(module: str) -> None:
    outputs = {"x": np.arange(30, dtype=np.float32).reshape(3, 2, 5)}
    found = stack_decoder(f"{module}:good", (), 3)(outputs, SIZE)
    assert found.xyxy.tolist() == outputs["x"][..., :4].tolist()
    assert found[2].scores.tolist() == [24, 29]
    assert found.classes.tolist() == [[2, 2]] * 3


def test_samples_with_fewer_boxes_are_filled_up_with_none() -> None:
    few = decoder("rows", ("x",))({"x": np.array([[[1, 2, 3, 4, 0.9, 7]]])}, SIZE)
    none = few.take(np.array([], np.int64))
    found = stack([few, none])
    assert found[0].scores.tolist() == [0.9]
    assert found[1].scores.tolist() == [0]
    assert len(stack([none, none])[0]) == 0


def test_a_users_own_that_does_not_work(module: str) -> None:
    with pytest.raises(DataError, match=r"expected \(n, 4\), \(n,\) and \(n,\)"):
        decoder(f"{module}:wrong", ())({}, SIZE)
    with pytest.raises(DataError, match="failed: KeyError") as caught:
        decoder(f"{module}:failing", ())({}, SIZE)
    assert "\x1b" not in str(caught.value)
    with pytest.raises(UsageError, match="has no attribute 'missing'"):
        decoder(f"{module}:missing", ())
    with pytest.raises(UsageError, match="No module named 'no_such_module_here'"):
        decoder("no_such_module_here:f", ())
    with pytest.raises(UsageError, match="decoder"):
        decoder(":f", ())
