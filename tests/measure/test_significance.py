"""Rank tests against brute force over all deals, and formulas for values without ties."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad.measure.significance import holm, rank_test, ranks, spearman

VALUES = st.lists(st.integers(-5, 5), min_size=1, max_size=12)


@given(VALUES)
def test_a_rank_is_the_mean_place_of_its_equals(values):
    given_ = np.array(values)
    ordered = sorted(values)
    places = [np.mean([i + 1 for i, w in enumerate(ordered) if w == v]) for v in values]
    np.testing.assert_allclose(ranks(given_), places)


@given(VALUES, VALUES)
def test_larger_counts_all_pairs(first, second):
    found = rank_test(first, second, deals=9)
    pairs = [(a > b) + (a == b) / 2 for a in first for b in second]
    assert found.larger == pytest.approx(np.mean(pairs))
    assert found.sizes == (len(first), len(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [([5, 7, 9], [1, 2, 3, 4]), ([1, 5, 6], [2, 3, 4, 7]), ([1, 1, 2], [1, 2, 2, 3])],
)
def test_p_is_that_of_all_deals(first, second):
    whole = ranks(np.array([*first, *second]))
    middle = len(first) * (len(whole) + 1) / 2
    far = abs(whole[: len(first)].sum() - middle)
    deals = [abs(sum(d) - middle) for d in combinations(whole, len(first))]
    exact = np.mean([d >= far - 1e-9 for d in deals])
    assert rank_test(first, second, deals=20000).p == pytest.approx(exact, abs=0.012)


def test_without_a_group_nothing_is_claimed():
    assert rank_test([], [1.0, 2.0]).p == 1
    assert rank_test([1.0], []).larger == 0.5


def test_groups_alike_are_rarely_told_apart():
    rng = np.random.default_rng(0)
    found = [rank_test(rng.random(8), rng.random(12), deals=199).p for _ in range(300)]
    assert np.mean(np.array(found) <= 0.05) < 0.1
    assert 0.4 < np.mean(found) < 0.6


def test_spearman_is_the_formula_without_ties():
    rng = np.random.default_rng(1)
    a, b = rng.permutation(20), rng.permutation(20)
    d = ranks(a) - ranks(b)
    assert spearman(a, b) == pytest.approx(1 - 6 * (d @ d) / (20 * (400 - 1)))
    assert spearman(a, a**3) == pytest.approx(1)
    assert spearman(a, np.zeros(20)) is None
    with pytest.raises(ValueError, match="paired"):
        spearman(a, b[:3])


def test_holm_by_hand():
    # sorted 0.01·4, 0.015·3, 0.03·2, 0.6·1; never below one before it
    assert holm([0.03, 0.01, 0.6, 0.015]) == pytest.approx((0.06, 0.04, 0.6, 0.045))
    assert holm([0.01, 0.011]) == pytest.approx((0.02, 0.02))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()
