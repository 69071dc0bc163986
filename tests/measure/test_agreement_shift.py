import numpy as np
import pytest

from onnxpad.measure.agreement_shift import overlap, shifted


def test_shift_repeats_the_edge() -> None:
    array = np.arange(12).reshape(1, 3, 4)
    assert shifted(array, (2,)).tolist() == [[[0, 0, 1, 2], [4, 4, 5, 6], [8, 8, 9, 10]]]
    both = shifted(array, (1, 2))
    assert both.tolist() == [[[0, 0, 1, 2], [0, 0, 1, 2], [4, 4, 5, 6]]]
    assert shifted(array, (2,), 9).tolist() == [[[0] * 4, [4] * 4, [8] * 4]]
    assert array[0, 0, 0] == 0
    assert shifted(array.astype(np.uint8), (1,)).dtype == np.uint8


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_overlap_shows_the_same_scene(scale: int) -> None:
    picture = np.random.default_rng(0).random((9, 7))
    moved = shifted(picture, (0, 1))
    large = (np.kron(p, np.ones((scale, scale))) for p in (picture, moved))
    first, second = overlap(*large, (0, 1), picture.shape)
    assert np.array_equal(first, second)
    assert first.shape == (8 * scale, 6 * scale)


def test_overlap_of_coarse_maps_is_the_map() -> None:
    a, b = np.zeros((4, 4)), np.ones((4, 4))
    first, second = overlap(a, b, (0, 1), (32, 32))
    assert np.array_equal(first, a)
    assert np.array_equal(second, b)
    assert overlap(np.zeros((1, 1)), np.zeros((1, 1)), (0, 1), (1, 1))[0].size == 1
