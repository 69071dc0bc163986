import numpy as np
import pytest

from onnxpad.measure.sweep import Grid, Strip, grid, steepest, swept, worst_step


def test_a_grid_holds_both_borders_and_is_odd() -> None:
    where = grid((128, 192), (19, 8))
    assert where.step % 2 == 1
    assert len(where.places()) <= 1500
    assert (where.ys[0], where.ys[-1], where.xs[0], where.xs[-1]) == (0, 109, 0, 184)
    assert grid((10, 12), (4, 4), 4) == Grid((0, 4, 6), (0, 4, 8), 4)
    assert grid((5, 5), (5, 5)).places() == [(0, 0)]
    with pytest.raises(ValueError, match="does not fit"):
        grid((5, 5), (6, 1))


def test_statistics_by_hand() -> None:
    scores = np.array(
        [[0.2, 0.8, 0.8, 0.1], [0.2, 1.0, 0.6, 0.1], [0.2, 0.8, 0.8, 0.1], [0.2, 0.8, 0.8, 0.1]]
    )
    found = swept(scores, Grid((0, 2, 4, 6), (0, 3, 6, 7), 3))
    assert found.median == pytest.approx(np.median(scores))
    assert found.median == pytest.approx(0.4)
    assert found.blind == 4 / 16  # 0.1 alone is below 0.2
    assert found.sides == pytest.approx((0.475, 0.475, 0.2, 0.1))
    ring = (sum(scores[0]) + sum(scores[3]) + 0.2 + 0.1 + 0.2 + 0.1) / 12
    assert found.border_drop == pytest.approx(1 - ring / 0.8)
    assert found.along_x == pytest.approx(scores.mean(axis=0))
    assert found.along_y == pytest.approx(scores.mean(axis=1))
    assert found.strips == (Strip("x", 7, 7),)


def test_neighbouring_blind_lines_are_one_strip() -> None:
    scores = np.ones((9, 9))
    scores[[2, 3, 7]] = 0.1
    where = grid((9, 9), (1, 1), 1)
    assert swept(scores, where).strips == (Strip("y", 2, 3), Strip("y", 7, 7))
    assert swept(scores, where, tau=0.05).strips == ()


def test_places_without_a_score_are_left_out_and_counted() -> None:
    scores = np.ones((4, 4))
    scores[0, 0], scores[1, 1] = np.nan, np.inf
    found = swept(scores, grid((4, 4), (1, 1), 1))
    assert (found.unscored, found.blind, found.median) == (2, 0.0, 1.0)
    with pytest.raises(ValueError, match="no place"):
        swept(np.full((4, 4), np.nan), grid((4, 4), (1, 1), 1))


def test_nothing_is_blind_where_the_median_is_not_positive() -> None:
    found = swept(np.full((4, 4), -2.0), grid((4, 4), (1, 1), 1))
    assert (found.blind, found.border_drop, found.strips) == (None, None, ())


def test_the_worst_step_is_that_of_a_sweep_of_every_pixel() -> None:
    """A surface with one cliff: the coarse grid leads to it."""
    ys, xs = np.mgrid[:41, :61]
    fine = np.sin(ys / 9) * 0.1 + xs * 0.002 + (xs > 33) * 0.7
    coarse = grid((41, 61), (1, 1), 5)
    lines = steepest(fine[np.ix_(coarse.ys, coarse.xs)], coarse)
    found = worst_step(lines, [fine[tuple(np.array(line).T)] for line in lines])
    assert found is not None
    change = max(np.abs(np.diff(fine, axis=axis)).max() for axis in (0, 1))
    assert found.change == pytest.approx(change)
    assert [place[1] for place in found.places] == [33, 34]
    assert worst_step([], []) is None
