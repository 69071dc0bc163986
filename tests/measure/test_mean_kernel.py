import numpy as np
import pytest

from onnxpad.measure.mean_kernel import mean_kernel


def random(seed, shape=(8, 4, 3, 3)):
    return np.random.default_rng(seed).standard_normal(shape)


def test_mirror_symmetric_kernels_score_zero():
    half = random(0)
    both = half + half[..., ::-1]  # symmetric along x, not along y
    found = mean_kernel(both)
    assert found.axes[1].score == 0
    assert found.axes[1].p == 1
    assert found.axes[0].score > 0


def test_score_is_the_formula():
    weights = np.zeros((1, 1, 3, 3))
    weights[0, 0] = [[1, 2, -3], [4, 5, 6], [7, 8, 9]]
    down, across = mean_kernel(weights, flips=0).axes
    # rows: 1 + 2 - 3 = 0 against 24; columns: 12 against 12; sum of |W| is 45
    assert (down.begin, down.end) == (0, 24)
    assert down.score == pytest.approx(24 / 45)
    assert (across.begin, across.end, across.score) == (12, 12, 0)


def test_the_mean_is_over_all_kernels():
    weights = random(1, (5, 3, 3, 5)).astype(np.float32)
    found = mean_kernel(weights)
    np.testing.assert_allclose(found.mean, weights.astype(float).mean(axis=(0, 1)), rtol=1e-12)
    assert found.kernels == 15


@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_a_planted_asymmetry_is_significant_along_its_axis(size):
    weights = random(2, (16, 8, size, size))
    weights[..., 0] += 0.5
    down, across = mean_kernel(weights).axes
    assert across.p <= 0.005
    assert across.begin > across.end
    assert down.p > 0.05


def test_random_kernels_are_rarely_significant():
    """400 layers of random kernels: p is uniform, so 5 % fall below 0.05 (sd 1.1 %)."""
    found = [a.p for seed in range(200) for a in mean_kernel(random(seed), flips=199).axes]
    rate = np.mean(np.array(found) <= 0.05)
    assert 0.01 < rate < 0.09
    assert 0.4 < np.mean(found) < 0.6


def test_p_is_exact_where_all_flips_can_be_counted():
    # leanings 3, 2, 1: of 8 sign patterns those with |sum| = 6 are two
    weights = np.zeros((3, 1, 1, 3))
    weights[:, 0, 0, 0] = [3, 2, 1]
    p = mean_kernel(weights, flips=20000).axes[1].p
    assert p == pytest.approx(2 / 8, abs=0.015)


def test_one_kernel_proves_nothing():
    weights = np.zeros((1, 1, 3, 3))
    weights[..., 0] = 1
    assert mean_kernel(weights).axes[1].score == 1
    assert mean_kernel(weights).axes[1].p == 1


def test_equal_input_gives_equal_output():
    assert mean_kernel(random(3), seed=5) == mean_kernel(random(3), seed=5)


def test_signals_and_volumes():
    assert len(mean_kernel(random(4, (4, 2, 5))).axes) == 1
    assert len(mean_kernel(random(4, (4, 2, 3, 3, 3))).axes) == 3


@pytest.mark.parametrize(
    "weights", [np.zeros((3, 3)), np.zeros((0, 2, 3, 3)), np.full((1, 1, 3, 3), np.nan)]
)
def test_what_is_no_kernel_is_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        mean_kernel(weights)


def test_many_kernels_are_tested_as_their_flips_would():
    weights = random(7, (40, 25, 3, 3))  # 1000: the flips themselves
    weights[..., 0] += 0.05
    flipped = mean_kernel(weights, flips=20000).axes[1]
    more = mean_kernel(np.concatenate([weights, np.zeros((1, 25, 3, 3))]), flips=99).axes[1]
    assert 0.001 < flipped.p < 0.5
    # kernels of zeros lean nowhere: only the way p is taken changes
    assert more.z == pytest.approx(flipped.z)
    assert more.p == pytest.approx(flipped.p, rel=0.1, abs=0.003)


def test_z_does_not_depend_on_the_number_of_kernels():
    few = [mean_kernel(random(s, (4, 2, 3, 3)), flips=0).axes[0].z ** 2 for s in range(400)]
    many = [mean_kernel(random(s, (32, 16, 3, 3)), flips=0).axes[0].z ** 2 for s in range(400)]
    # squares of what is normal with variance 1: mean 1, of 400 within 0.07 (sd)
    assert np.mean(few) == pytest.approx(1, abs=0.25)
    assert np.mean(many) == pytest.approx(1, abs=0.25)
