"""Paths per pixel of one layer: the tables of "Mind the Pad" (arXiv 2010.02178), by hand."""

import numpy as np
import pytest

from onnxpad.geometry import Window
from onnxpad.measure.foveation import foveation, layer_matrix, pad_matrix

# From the border inwards: windows of 3, 5, 7 that keep the size.
TABLE = {
    "zero": [(2, 3, 3), (3, 4, 5, 5), (4, 5, 6, 7)],
    "symmetric": [(3, 3, 3), (5, 5, 5), (7, 7, 7)],
    "reflect": [(2, 4, 3), (3, 6, 6, 5), (4, 8, 8, 8, 7)],
    "edge": [(3, 3, 3), (6, 4, 5, 5), (10, 5, 6, 7)],
    "wrap": [(3, 3, 3), (5, 5, 5), (7, 7, 7)],
}


@pytest.mark.parametrize("mode", TABLE)
@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_one_layer(mode: str, kernel: int):
    pad = kernel // 2
    wanted = TABLE[mode][kernel // 2 - 1]
    paths = layer_matrix(20, Window(kernel), pad, pad, 20, mode).sum(axis=0)
    np.testing.assert_array_equal(paths[: len(wanted)], wanted)
    np.testing.assert_array_equal(paths, paths[::-1])


def test_partial_weighs_each_window_with_its_valid_cells():
    paths = layer_matrix(20, Window(3), 1, 1, 20, "partial").sum(axis=0)
    np.testing.assert_allclose(paths[:4], [2.5, 3.5, 3, 3], rtol=1e-15)


def test_full_zero_padding_is_uniform():
    for kernel in (3, 5, 7):
        paths = layer_matrix(20, Window(kernel), kernel - 1, kernel - 1, 20 + kernel - 1)
        np.testing.assert_array_equal(paths.sum(axis=0), np.full(20, kernel))


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap", "linear", "zero"])
def test_padding_is_what_numpy_pads(mode: str):
    row = np.random.default_rng(0).standard_normal(9)
    how = {"zero": ("constant", {}), "linear": ("reflect", {"reflect_type": "odd"})}
    name, given = how.get(mode, (mode, {}))
    np.testing.assert_allclose(
        pad_matrix(9, 3, 2, mode) @ row, np.pad(row, (3, 2), name, **given), rtol=0, atol=1e-14
    )


def test_ratios_of_a_known_map():
    paths = np.array([[1.0, 2, 1], [2, 4, 2], [3, 6, 3]])
    found = foveation(paths)
    assert (found.corner, found.edge) == (
        (0.25 + 0.25 + 0.75 + 0.75) / 4,
        (0.5 + 0.5 + 0.5 + 1.5) / 4,
    )
    assert (found.highest, found.lowest) == (1.5, 0.25)
    assert found.left_right == 1.0
    assert found.top_bottom == pytest.approx(4 / 12)
    assert found.uniform == pytest.approx(1 / 9)


def test_the_centre_of_even_sizes_is_four_pixels():
    assert foveation(np.full((4, 6), 7.0)).uniform == 1.0


def test_no_path_from_the_centre_has_no_ratios():
    assert np.isnan(foveation(np.zeros((3, 3))).corner)


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match="height, width"):
        foveation(np.zeros(3))
