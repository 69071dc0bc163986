"""Outputs of two crops laid over each other: ramps, boxes and labels that say where they are."""

import numpy as np
import pytest

from onnxpad.data.layout import Layout
from onnxpad.tasks.classification import Classification
from onnxpad.tasks.detection import Detection
from onnxpad.tasks.image import CAP, ImageToImage
from onnxpad.tasks.moved import Alike, aligned, alike, whole_pixels
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.tasks.tensor import Tensors
from onnxpad.tasks.view import View

HIGH, WIDE = 24, 40
RNG = np.random.default_rng(0)
SCENE = RNG.random((1, 3, 64, 64))


def view(**outputs):
    return View(outputs, (1, 3, HIGH, WIDE), Layout(0, 1, (2, 3)))


def crop(array, down, right, scale=1.0):
    """What a map of this scale shows of a crop that begins `down` and `right` pixels in."""
    y, x, h, w = (round(n * scale) for n in (down, right, HIGH, WIDE))
    return array[..., y : y + h, x : x + w]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    ("first", "second"), [((0, 0), (4, 2)), ((6, 2), (2, 8)), ((4, 4), (4, 0))]
)
def test_what_both_show_is_equal(first, second, scale):
    scene = RNG.random((1, 3, 128, 128))
    offset = tuple(b - a for a, b in zip(first, second, strict=True))
    a, b = (crop(scene, *corner, scale) for corner in (first, second))
    ours, theirs = aligned(a, b, (2, 3), (HIGH, WIDE), offset)
    np.testing.assert_array_equal(ours, theirs)
    lost = [round(abs(step) * scale) for step in offset]
    assert ours.shape[2:] == (a.shape[2] - lost[0], a.shape[3] - lost[1])


def test_pictures_maps_and_tensors_that_move_along_agree():
    a, b = {"y": crop(SCENE, 0, 0)}, {"y": crop(SCENE, 3, 5)}
    seen = view(**a)
    assert alike(ImageToImage("y"), seen, a, b, (3, 5)) == Alike(CAP, 1.0)
    assert alike(ImageToImage("y"), seen, a, b, (3, 4)).part < 15
    found = alike(Segmentation("y"), seen, a, b, (3, 5))
    assert found == Alike((HIGH - 3) * (WIDE - 5), (HIGH - 3) * (WIDE - 5))
    assert alike(Tensors(("y",)), seen, a, b, (3, 5)).part == 1
    assert alike(Tensors(("y",)), seen, a, b, (0, 0)).part < 0.99


def test_top_classes():
    task, seen = Classification("y"), view(y=np.zeros((1, 3)))
    one, other = {"y": np.array([[0.0, 2, 1]])}, {"y": np.array([[5.0, 9, 1]])}
    assert alike(task, seen, one, other, (1, 1)) == Alike(1, 1)
    assert alike(task, seen, one, {"y": np.array([[1.0, 0, 0]])}, (1, 1)) == Alike(0, 1)
    nothing = {"y": np.full((1, 3), np.nan)}
    assert alike(task, seen, nothing, nothing, (1, 1)) is None


def boxes(*rows):
    return {"y": np.array([rows], np.float32).reshape(1, -1, 6)}


def test_boxes_are_moved_back_and_those_that_one_crop_cannot_show_are_left_out():
    task = Detection(("y",), "rows")
    far, near = [20, 10, 30, 18, 0.9, 1], [0, 0, 4, 4, 0.9, 2]
    moved = [15, 6, 25, 14, 0.8, 1]  # the same object, seen from 4 down and 5 to the right
    seen = view(**boxes(far))
    assert alike(task, seen, boxes(far, near), boxes(moved), (4, 5)) == Alike(2, 2)
    assert alike(task, seen, boxes(far), boxes(far), (4, 5)).part == 0
    assert alike(task, seen, boxes(near), boxes(), (4, 5)) is None
    late = [36, 20, 39, 23, 0.9, 1]  # beyond the first crop
    assert alike(task, seen, boxes(far), boxes(moved, late), (4, 5)) == Alike(2, 2)


def test_whole_pixels():
    seen = view(y=np.zeros((1, 3, HIGH // 4, WIDE // 4)), z=np.zeros((1, 5)))
    assert [whole_pixels(seen, Segmentation("y"), d) for d in (1, 2, 4, 6, 8)] == [
        False, False, True, False, True,
    ]  # fmt: skip
    assert whole_pixels(seen, Classification("z"), 3)
