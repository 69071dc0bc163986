"""Noise without a place: every position has the statistics of every other."""

import numpy as np

from onnxpad.data.plan import plans
from onnxpad.data.preprocess import PRESETS
from onnxpad.data.stationary import stationary
from onnxpad.runtime import TensorInfo


def plan(shape, dtype="float32"):
    return next(plans((TensorInfo("x", dtype, shape),)))[0]


def drawn(count=1500, shape=(1, 3, 12, 16)):
    one = plan(shape)
    return np.stack([stationary(one, 0, i)[0] for i in range(count)])


def test_mean_and_spread_are_alike_at_every_position():
    values = drawn().astype(np.float64)
    mean, spread = values.mean(axis=(0, 1)), values.std(axis=(0, 1))
    # of 4500 values, three channels alike by 0.64: about 2000 independent ones, sd 0.2 / 45
    assert np.abs(mean - 0.5).max() < 0.025
    assert np.abs(spread / spread.mean() - 1).max() < 0.1
    border = np.ones(mean.shape, bool)
    border[2:-2, 2:-2] = False
    assert abs(spread[border].mean() / spread[~border].mean() - 1) < 0.03


def test_neighbours_are_as_alike_at_the_border_as_inside():
    values = drawn().mean(axis=1)
    steps = np.square(np.diff(values, axis=2)).mean(axis=0)
    assert abs(steps[:, 0].mean() / steps[:, 7].mean() - 1) < 0.1
    # but not across the border: wrap padding gets no help
    across = np.square(values[:, :, 0] - values[:, :, -1]).mean()
    assert across > 2 * steps.mean()


def test_ranges_and_repetition():
    one = plan((2, 8, 8, 3))
    found = stationary(one, 3, 5)
    assert found.shape == (2, 8, 8, 3)
    assert 0 <= found.min() < found.max() <= 1
    np.testing.assert_array_equal(found, stationary(one, 3, 5))
    np.testing.assert_array_equal(found[1], stationary(one, 3, 6)[0])
    declared = stationary(one, 3, 5, PRESETS["tf"])
    np.testing.assert_allclose(declared, 2 * found - 1, atol=1e-6)
    assert stationary(plan((1, 8, 8, 3), "uint8"), 3, 5).dtype == np.uint8
