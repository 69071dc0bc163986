"""Ridge regression from sums, against numpy's least squares on all samples at once."""

import numpy as np
import pytest

from onnxpad.measure.readout import Readout, Sums, Units, chosen, fit


def data(seed, features=6, samples=400, noise=0.1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((features, samples)) * rng.uniform(0.1, 10, (features, 1)) + 5
    weights = rng.standard_normal((2, features))
    return x, weights @ x + noise * rng.standard_normal((2, samples))


def ridge_by_hand(x, t, ridge):
    """Standardised, with the penalty as rows of a least squares problem of its own."""
    mean, spread = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    z, n = ((x - mean) / spread).T, x.shape[1]
    rows = np.concatenate([z, np.sqrt(ridge * n) * np.eye(len(x))])
    right = np.concatenate([(t - t.mean(axis=1, keepdims=True)).T, np.zeros((len(x), len(t)))])
    w = np.linalg.lstsq(rows, right, rcond=None)[0]
    return lambda new: (((new - mean) / spread).T @ w).T + t.mean(axis=1, keepdims=True)


def sums(units, x, t, pieces=3):
    found = Sums(len(x), len(t))
    for part in np.array_split(np.arange(x.shape[1]), pieces):
        found.add(units.apply(x[:, part]), t[:, part])
    return found


@pytest.mark.parametrize("ridge", [1e-4, 0.1, 10.0])
def test_it_is_the_ridge_regression_of_all_samples(ridge):
    x, t = data(0)
    new, _ = data(1)
    units = Units.of(x[:, :50])
    found = fit(sums(units, x, t), ridge)
    np.testing.assert_allclose(
        found.predict(units.apply(new)), ridge_by_hand(x, t, ridge)(new), rtol=1e-3, atol=1e-2
    )


def test_the_error_follows_from_sums():
    x, t = data(2)
    new, truth = data(3)
    units = Units.of(x)
    found = fit(sums(units, x, t), 0.1)
    direct = np.square(found.predict(units.apply(new)) - truth).sum(axis=1)
    assert found.squared_error(sums(units, new, truth)) == pytest.approx(direct, rel=1e-4)


def test_the_penalty_is_the_one_that_errs_least_on_the_second_part():
    rng = np.random.default_rng(4)
    x, t = rng.standard_normal((40, 60)), rng.standard_normal((2, 60))
    other, truth = rng.standard_normal((40, 60)), rng.standard_normal((2, 60))
    units = Units.of(x)
    first, second = sums(units, x, t), sums(units, other, truth)
    grid = (1e-3, 1.0, 1e3)
    errors = [np.square(ridge_by_hand(x, t, g)(other) - truth).sum() for g in grid]
    (found,) = chosen(first, second, [slice(None)], grid)
    assert found.ridge == grid[int(np.argmin(errors))] == 1e3  # nothing to be read: forbid it
    both = ridge_by_hand(np.concatenate([x, other], 1), np.concatenate([t, truth], 1), found.ridge)
    np.testing.assert_allclose(found.predict(units.apply(x)), both(x), atol=1e-4)


def test_parts_of_the_targets_and_sums_of_sums():
    x, t = data(5)
    units = Units.of(x)
    whole = sums(units, x, t)
    one = sums(units, x[:, :100], t[:, :100]) + sums(units, x[:, 100:], t[:, 100:])
    np.testing.assert_allclose(one.products, whole.products, rtol=1e-5, atol=1e-3)
    assert whole.count == pytest.approx(400)
    alone = fit(sums(units, x, t[1:]), 0.1)
    np.testing.assert_allclose(fit(whole.of(slice(1, 2)), 0.1).weights, alone.weights, rtol=1e-6)


def test_features_that_never_vary_carry_nothing():
    x, t = data(6)
    dead = np.concatenate([x, np.full((1, 400), 3.0), np.zeros((1, 400))])
    units = Units.of(dead)
    found = fit(sums(units, dead, t), 0.1)
    assert isinstance(found, Readout)
    np.testing.assert_array_equal(found.weights[:, 6:8], 0)
    plain = fit(sums(Units.of(x), x, t), 0.1)
    np.testing.assert_allclose(
        found.predict(units.apply(dead)), plain.predict(Units.of(x).apply(x)), rtol=1e-3, atol=1e-3
    )


def test_a_feature_that_wakes_up_later_stays_finite():
    x, t = data(7)
    x[0, :100] = 0
    units = Units.of(x[:, :100])
    found = fit(sums(units, x, t), 0.1)
    assert np.isfinite(found.weights).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        Sums(3, 2).add(np.zeros((2, 5)), np.zeros((2, 5)))
    with pytest.raises(ValueError, match="no samples"):
        fit(Sums(3, 2), 1.0)
