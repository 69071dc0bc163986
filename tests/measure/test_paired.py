from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad.measure.paired import (
    Flips,
    Interval,
    bootstrap,
    flips,
    mcnemar,
    mean_interval,
    share_interval,
    weights,
)


@given(gained=st.integers(0, 300), lost=st.integers(0, 300))
def test_mcnemar_is_the_binomial_sum(gained: int, lost: int) -> None:
    n = gained + lost
    tail = sum(Fraction(comb(n, i), 2**n) for i in range(min(gained, lost) + 1))
    assert mcnemar(gained, lost) == float(min(Fraction(1), 2 * tail))


def test_mcnemar_as_tables_have_it() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1
    assert mcnemar(0, 5) == 0.0625
    assert mcnemar(2, 10) == pytest.approx(0.03857421875, abs=1e-15)
    assert mcnemar(2, 10) == mcnemar(10, 2)


def test_mcnemar_of_many_flips() -> None:
    assert 0 < mcnemar(4000, 5000) < 1e-20
    assert mcnemar(0, 3000) == 0.0  # below the smallest float


def test_mcnemar_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for gained, lost in [(1, 7), (12, 30), (40, 44), (0, 1)]:
        known = stats.binomtest(gained, gained + lost, 0.5).pvalue
        assert mcnemar(gained, lost) == pytest.approx(known, rel=1e-10)


def test_flips_count_both_ways() -> None:
    ours = np.array([1, 1, 0, 0, 0], bool)
    theirs = np.array([1, 0, 1, 1, 0], bool)
    found = flips(ours, theirs)
    assert found == Flips(both=1, gained=2, lost=1, neither=1)
    assert found.total == 5
    assert found.p == 1
    assert found + Flips(lost=9) == Flips(1, 2, 10, 1)
    with pytest.raises(ValueError, match="not paired"):
        flips(ours, theirs[:4])


@pytest.mark.parametrize(("count", "draws"), [(1, 3), (7, 100), (5000, 1500)])
def test_every_draw_has_as_many_samples_as_there_are(count: int, draws: int) -> None:
    blocks = list(weights(count, 3, draws))
    whole = np.concatenate(blocks)
    assert whole.shape == (draws, count)
    assert (whole.sum(axis=1) == count).all()
    assert np.array_equal(whole, np.concatenate(list(weights(count, 3, draws))))
    assert max(b.size for b in blocks) <= 4_000_000


def test_seeds_differ() -> None:
    first, second = (next(weights(20, seed, 10)) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_weights_are_those_of_drawing_with_replacement() -> None:
    drawn = np.concatenate(list(weights(6, 0, 20000)))
    # binomial(6, 1/6): mean 1, variance 5/6, nothing at all (5/6)^6
    assert drawn.mean() == 1
    assert drawn.var() == pytest.approx(5 / 6, abs=0.02)
    assert (drawn == 0).mean() == pytest.approx((5 / 6) ** 6, abs=0.01)


def test_interval_of_a_mean_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(5).normal(3.0, 2.0, 400)
    found = mean_interval(values, 0, 4000)
    assert found is not None
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_interval_of_a_share_weighs_samples_by_their_size() -> None:
    parts, wholes = np.array([1, 90, 8]), np.array([10, 100, 10])
    found = share_interval(parts, wholes, 0)
    rows = np.concatenate(list(weights(3, 0)))
    known = np.percentile((rows @ parts) / (rows @ wholes), (2.5, 97.5))
    assert found == Interval(float(known[0]), float(known[1]))
    with pytest.raises(ValueError, match="not paired"):
        share_interval(parts, wholes[:2], 0)


def test_equal_models_have_the_interval_zero() -> None:
    values = np.random.default_rng(0).random(37)
    assert mean_interval(values - values, 0) == Interval(0.0, 0.0)


def test_too_little_gives_no_interval() -> None:
    assert mean_interval(np.array([0.3]), 0) is None
    assert mean_interval(np.array([]), 0) is None
    assert share_interval(np.zeros(4), np.zeros(4), 0) is None


def test_draws_without_a_value_are_left_out() -> None:
    found = bootstrap(lambda w: np.where(w[:, 0] > 0, w[:, 0], np.nan), 5, 0)
    assert found is not None
    assert found.low == 1
