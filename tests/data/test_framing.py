from itertools import product
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onnxpad.data.framing import Frame, Geometry, Resize, frame, geometry

SIZES = [(1, 1), (7, 13), (13, 7), (64, 64), (480, 640), (641, 33)]
KINDS = [
    Resize(),
    Resize("crop", 1.0),
    Resize("crop", 0.875),
    Resize("short"),
    Resize("short", 40),
    Resize("letterbox", centred=True),
    Resize("letterbox", centred=False),
    Resize("none"),
]


def steps(resize: Resize, source: tuple[int, int], size: tuple[int, int]) -> Frame:
    found = frame(resize, source, size)
    assert isinstance(found, Frame), found
    return found


def test_the_zoo_recipe() -> None:
    found = steps(Resize("crop", 0.875), (288, 373), (224, 224))
    assert found == Frame((18, 60, 270, 312), (224, 224), (0, 0))


def test_the_short_side_is_the_inputs_over_seven_eighths() -> None:
    assert steps(Resize("short"), (480, 640), (224, 224)).resized == (256, 341)
    assert steps(Resize("short", 300), (480, 640), (224, 224)).resized == (300, 400)
    assert steps(Resize("short", 224), (224, 224), (224, 224)) == Frame(
        (0, 0, 224, 224), (224, 224), (0, 0)
    )


def test_oblong_inputs_are_covered() -> None:
    found = steps(Resize("short"), (120, 90), (56, 112))
    assert (found.resized, found.at) == ((171, 128), (-57, -8))


def test_letterbox_keeps_proportions_and_its_corner() -> None:
    corner = steps(Resize("letterbox", centred=False), (480, 640), (416, 416))
    assert (corner.resized, corner.at) == ((312, 416), (0, 0))
    centre = steps(Resize("letterbox", centred=True), (480, 640), (416, 416))
    assert (centre.resized, centre.at) == ((312, 416), (52, 0))


@pytest.mark.parametrize("resize", KINDS, ids=lambda r: f"{r.kind}-{r.amount:g}-{r.centred}")
def test_every_frame_fills_or_lies_within_the_input(resize: Resize) -> None:
    for source, size in product(SIZES, [(32, 32), (24, 56), (1, 1)]):
        found = frame(resize, source, size)
        if isinstance(found, str):
            assert resize.kind in ("none", "short")
            continue
        top, left, bottom, right = found.window
        assert 0 <= top < bottom <= source[0]
        assert 0 <= left < right <= source[1]
        for axis in (0, 1):
            end = found.at[axis] + found.resized[axis]
            if resize.kind == "letterbox":
                assert found.at[axis] >= 0
                assert end <= size[axis]
            else:
                assert found.at[axis] <= 0
                assert end >= size[axis]


def test_too_small_pictures_are_told() -> None:
    assert frame(Resize("none"), (20, 40), (32, 32)) == (
        "40×20 pixels are fewer than the 32×32 to be cut out"
    )
    told = frame(Resize("short", 16), (100, 200), (32, 32))
    assert told == "200×100 pixels, made 32×16, are fewer than the 32×32 to be cut out"


@pytest.mark.parametrize("resize", KINDS, ids=lambda r: f"{r.kind}-{r.amount:g}-{r.centred}")
def test_boxes_there_and_back(resize: Resize) -> None:
    source, size = (120, 90), (32, 36)
    where = geometry(steps(resize, source, size), source, size)
    boxes = np.array([[3.5, 8, 60, 90], [0, 0, 90, 120]], np.float64)
    np.testing.assert_allclose(where.to_source(where.to_input(boxes)), boxes, atol=1e-9)


def test_a_letterboxed_box() -> None:
    where = geometry(
        steps(Resize("letterbox", centred=True), (100, 200), (400, 400)), (100, 200), (400, 400)
    )
    np.testing.assert_allclose(where.to_input(np.array([[10, 20, 30, 40]])), [[20, 140, 60, 180]])


@pytest.mark.parametrize("resize", KINDS[:5], ids=lambda r: f"{r.kind}-{r.amount:g}")
def test_nearest_follows_pillow(resize: Resize) -> None:
    source, size = (37, 53), (25, 27)
    values = np.random.default_rng(0).integers(0, 9, source, np.int32)
    found = steps(resize, source, size)
    top, left, bottom, right = found.window
    whole = Image.fromarray(values).resize(
        found.resized[::-1], Image.Resampling.NEAREST, (left, top, right, bottom)
    )
    y, x = -found.at[0], -found.at[1]
    expected = np.asarray(whole)[y : y + size[0], x : x + size[1]]
    clear = np.ix_(
        *(
            [i for i in range(n) if not _on_a_line(i - at, resized, end - start)]
            for n, at, resized, start, end in zip(
                size, found.at, found.resized, (top, left), (bottom, right), strict=True
            )
        )
    )
    ours = geometry(found, source, size).nearest(values)
    np.testing.assert_array_equal(ours[clear], expected[clear])


def _on_a_line(index: int, resized: int, window: int) -> bool:
    """Whether a centre falls between two pixels, where rounding decides."""
    return (2 * index + 1) * window % (2 * resized) == 0


def test_what_lies_outside_the_picture_has_no_label() -> None:
    where = geometry(steps(Resize("letterbox", centred=True), (2, 4), (4, 4)), (2, 4), (4, 4))
    values: Any = np.arange(8).reshape(2, 4)
    found = where.nearest(values)
    assert found.tolist() == [[-1] * 4, [0, 1, 2, 3], [4, 5, 6, 7], [-1] * 4]
    assert where.nearest(values, (2, 2), outside=9).tolist() == [[1, 3], [9, 9]]


def test_the_window_seen() -> None:
    crop = geometry(steps(Resize("crop", 0.5), (80, 120), (10, 10)), (80, 120), (10, 10))
    assert crop.window() == (40, 20, 80, 60)
    box = Geometry((2, 4), (4, 4), (1.0, 1.0), (1.0, 0.0))
    assert box.window() == (0, 0, 4, 2)
