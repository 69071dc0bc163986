import numpy as np
import pytest

from onnxpad.data.labels import ClassLabel, Kind, LabelFacts, Reference
from onnxpad.data.layout import Layout
from onnxpad.errors import UsageError
from onnxpad.tasks.classification import Classification
from onnxpad.tasks.detection import Detection
from onnxpad.tasks.guess import Choice, TaskOptions, View, choose
from onnxpad.tasks.image import ImageToImage
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.tasks.tensor import Tensors

NCHW, NHWC = Layout(0, 1, (2, 3)), Layout(0, 3, (1, 2))


def facts(kind: Kind, names: int = 0, highest: int | None = None) -> LabelFacts:
    return LabelFacts(kind, "a test", 5, tuple(f"class {i}" for i in range(names)), highest)


def guess(
    *shapes: tuple[int, ...],
    source: tuple[int, ...] | None = (1, 3, 64, 64),
    layout: Layout | None = NCHW,
    labels: LabelFacts | None = None,
    dtype: str = "float32",
    **options: object,
) -> Choice:
    names = "abcdef"
    outputs = {names[i]: np.full(s, 0.5).astype(dtype) for i, s in enumerate(shapes)}
    declared = TaskOptions(**options)  # type: ignore[arg-type]
    return choose(View(outputs, source, layout, labels, declared))


@pytest.mark.parametrize(
    ("shape", "task"),
    [
        ((1, 1000), Classification("a")),
        ((1, 1000, 1, 1), Classification("a")),
        ((1, 2), Classification("a")),
        ((1, 1001), Classification("a", offset=1)),
        ((1, 512), Tensors(("a",))),
        ((1, 1), Tensors(("a",))),
        ((1, 21, 64, 64), Segmentation("a", 1)),
        ((1, 19, 16, 16), Segmentation("a", 1)),
        ((1, 3, 64, 64), ImageToImage("a", 1)),
        ((1, 3, 128, 128), ImageToImage("a", 1)),
        ((1, 1, 64, 64), Tensors(("a",))),
        ((1, 84, 85), Detection(("a",), "yolox")),
        ((1, 252, 85), Detection(("a",), "yolov5")),
        ((1, 84, 84), Detection(("a",), "yolox")),
        ((1, 20, 84), Detection(("a",), "yolov8")),
        ((1, 300, 6), Detection(("a",), "rows")),
        ((1, 50, 7), Tensors(("a",))),
        ((5,), Tensors(("a",))),
    ],
)
def test_by_shape(shape: tuple[int, ...], task: object) -> None:
    found = guess(shape)
    assert found.task == task
    assert "a (" in found.sentence or "a has" in found.sentence or "embedding" in found.sentence
    assert "declare" in found.sentence


def test_channels_last() -> None:
    found = guess((1, 64, 64, 21), source=(1, 64, 64, 3), layout=NHWC)
    assert found.task == Segmentation("a", 3)
    found = guess((1, 64, 64, 3), source=(1, 64, 64, 3), layout=NHWC)
    assert found.task == ImageToImage("a", 3)


def test_two_outputs() -> None:
    assert guess((1, 4420, 2), (1, 4420, 4)).task == Detection(("b", "a"), "boxes")
    assert guess((1, 2, 32, 32), (1, 4, 32, 32)).task == Tensors(("a", "b"))
    assert guess((1, 1000), (1, 512)).task == Classification("a")


def test_signals_are_tensors() -> None:
    audio = Layout(0, None, (1,))
    assert guess((1, 16000), source=(1, 16000), layout=audio).task == Tensors(("a",))
    assert guess((1, 10), source=(1, 16000), layout=audio).task == Classification("a")
    assert guess((1, 172, 88), source=None, layout=None).task == Tensors(("a",))


def test_labels_decide() -> None:
    found = guess((1, 512), labels=facts("class", 512, 511))
    assert found.task == Classification("a")
    assert "because the labels are for it" in found.sentence
    assert "declare" not in found.sentence
    assert guess((1, 3, 64, 64), labels=facts("mask")).task == Segmentation("a", 1)
    assert guess((1, 1, 64, 64), labels=facts("mask")).task == Segmentation("a", 1)
    assert guess((1, 1, 64, 64), labels=facts("reference")).task == ImageToImage("a", 1)


def test_maps_of_labels_need_a_number_of_classes() -> None:
    found = guess((1, 64, 64), labels=facts("mask", highest=20), dtype="int64")
    assert found.task == Segmentation("a", None, 21)
    found = guess((1, 1, 64, 64), labels=facts("mask", names=7), dtype="int32")
    assert found.task == Segmentation("a", None, 7)
    with pytest.raises(UsageError, match="segmentation, as the labels ask, does not fit"):
        guess((1, 64, 64), labels=facts("mask"), dtype="int64")
    found = guess((1, 64, 64), labels=facts("mask"), dtype="int64", classes=4)
    assert found.task == Segmentation("a", None, 4)


def test_offsets_are_said() -> None:
    found = guess((1, 1001), labels=facts("class", 1000, 999))
    assert found.task == Classification("a", 1)
    assert "background" in found.sentence
    assert guess((1, 1001), labels=facts("class", 1001, 1000)).task == Classification("a")
    assert guess((1, 1001), class_offset=0).task == Classification("a")
    found = guess((1, 10), labels=facts("class", 4, 3))
    assert found.task == Classification("a")
    assert "the labels know 4 classes" in found.sentence


def test_declared() -> None:
    found = guess((1, 3, 64, 64), task="segmentation")
    assert found.task == Segmentation("a", 1)
    assert "as declared" in found.sentence
    assert guess((1, 21, 64, 64), task="tensor", labels=facts("mask")).task == Tensors(("a",))
    assert guess((1, 1000), (1, 10), output="b").task == Classification("b")
    assert guess((1, 84, 85), decoder="yolov5").task == Detection(("a",), "yolov5")
    found = guess((1, 84, 85), decoder="yolox", score=0.3, overlap=0.6)
    assert found.task == Detection(("a",), "yolox", 0.3, 0.6)
    assert guess((1, 9), (2,), decoder="json:loads").task == Detection(("a", "b"), "json:loads")


def test_declarations_that_do_not_fit() -> None:
    with pytest.raises(UsageError, match=r"unknown task 'pose': choose one of classification"):
        guess((1, 10), task="pose")
    with pytest.raises(UsageError, match="the task is detection, but the labels are for class"):
        guess((1, 10), task="detection", labels=facts("class"))
    with pytest.raises(UsageError, match=r"detection, as declared, does not fit.*a decoder"):
        guess((1, 10), task="detection")
    with pytest.raises(UsageError, match="has no output z; it has a, b"):
        guess((1, 10), (1, 2), output="z")
    with pytest.raises(UsageError, match="unknown decoder"):
        guess((1, 10, 9), decoder="ssd")
    with pytest.raises(UsageError, match="classification, as the labels ask, does not fit"):
        guess((1, 3, 64, 64), labels=facts("class"))


def test_white_is_seen_in_the_first_sample() -> None:
    shape = (1, 3, 64, 64)

    def white(output: np.ndarray, truth: Reference | ClassLabel | None = None) -> ImageToImage:
        view = View({"a": output}, shape, NCHW, None, TaskOptions(), truth)
        task = choose(view).task
        assert isinstance(task, ImageToImage)
        return task

    assert white(np.full(shape, 0.9)).peak == 1
    assert white(np.full(shape, 200.0)).peak == 255
    assert white(np.full(shape, 1, np.uint8)).peak == 255
    assert white(np.full(shape, 1.0), Reference(np.ones((64, 64, 3)))).reference_peak == 1
    bytes_ = Reference(np.ones((64, 64, 3), np.uint8))
    assert white(np.full(shape, 1.0), bytes_).reference_peak == 255
    assert white(np.full(shape, 0.5), ClassLabel(1)).reference_peak == 255


def test_names_are_made_printable() -> None:
    outputs = {"evil\x1b[31m": np.zeros((1, 1000))}
    found = choose(View(outputs, (1, 3, 64, 64), NCHW))
    assert "\x1b" not in found.sentence
