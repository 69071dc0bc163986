from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad.measure.crop import cut, on_grid, place_crop, positions


@given(st.integers(1, 300), st.integers(1, 120), st.integers(1, 32), st.integers(0, 70))
def test_the_crop_lies_on_the_grid(image: int, size: int, stride: int, margin: int) -> None:
    crop = place_crop((1, 1, image, 500), (2, 3), (size, 100), (stride, 1), margin)
    if crop is None:
        spare = image - size
        # half of what is left, less what the grid takes, is below the margin
        assert spare // 2 - stride < max(margin, 1)
        return
    assert crop.begin[0] % stride == 0
    assert crop.large[0] % stride == size % stride
    assert crop.large[0] <= image
    after = crop.large[0] - size - crop.begin[0]
    assert min(crop.begin[0], after) >= max(margin, 1)
    assert abs(crop.begin[0] - after) <= 2 * stride


def test_the_recipe() -> None:
    crop = place_crop((1, 1, 256, 256), (2, 3), (128, 128), (1, 1))
    assert crop is not None
    assert (crop.begin, crop.large) == ((64, 64), (256, 256))
    image = np.arange(256.0)[None, None, :, None] + np.zeros((1, 1, 1, 256))
    assert crop.of(image, (0, 0))[0, 0, [0, -1], 0].tolist() == [64, 191]
    assert crop.of(image, (4, 4)).shape == (1, 1, 136, 136)
    assert crop.of(image, (4, 4))[0, 0, 0, 0] == 60


def test_pixels_and_positions() -> None:
    assert on_grid(5, (1, 4)) == (5, 8)
    assert positions((8, 8), (Fraction(4), Fraction(1, 2))) == (2, 16)
    with pytest.raises(ValueError, match="no whole positions"):
        positions((6,), (Fraction(4),))
    with pytest.raises(ValueError, match="axis 0"):
        cut(np.zeros(4), (0,), (2,), (3,))
