from time import perf_counter

import pytest

from onnxpad.measure.latency import Round, latency, summarise


def spin(seconds: float) -> None:
    end = perf_counter() + seconds
    while perf_counter() < end:
        pass


def test_ratio_is_the_median_over_rounds() -> None:
    rounds = [Round(1, 2, 1, 2), Round(1, 2.2, 1, 2.2), Round(1, 50, 1, 50)]
    found = summarise(rounds, runs=10)
    assert found.ratio == pytest.approx(2.2)
    assert (found.ratio_low, found.ratio_high) == (2, 50)
    assert (found.floor_low, found.floor_high) == (1, 1)
    assert found.original_ms == pytest.approx(100)
    assert (found.rounds, found.runs) == (3, 10)
    assert not found.within_noise


def test_the_floor_holds_in_both_directions_and_contains_one() -> None:
    found = summarise([Round(1.0, 1.05, 1.1, 1.05)])
    assert found.floor_high == pytest.approx(1.1)
    assert found.floor_low == pytest.approx(1 / 1.1)
    assert found.within_noise


def test_intervals_narrow_with_rounds() -> None:
    noisy = [Round(1, r, 1, r) for r in (1.0, 1.1, 1.2, 1.3, 1.4)]
    few, many = summarise(noisy), summarise(noisy * 12)
    assert (few.ratio_low, few.ratio_high) == (1.0, 1.4)
    assert many.ratio_low >= 1.1
    assert many.ratio_high <= 1.3


def test_a_slowdown_that_hits_both_cancels() -> None:
    assert summarise([Round(1, 1, 1, 1), Round(3, 3, 3, 3)]).ratio == 1


def test_no_rounds() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        summarise([])


def test_real_runs() -> None:
    found = latency(lambda: spin(0.001), lambda: spin(0.003), seconds=0.5)
    assert 1.5 < found.ratio < 6  # 3 on a machine that does nothing else
    assert found.rounds > 3


def test_time_is_bounded_and_told() -> None:
    told: list[tuple[int, int]] = []
    start = perf_counter()
    found = latency(
        lambda: spin(0.02),
        lambda: spin(0.02),
        seconds=0.3,
        progress=lambda done, most: told.append((done, most)),
    )
    assert perf_counter() - start < 2
    steps = [done for done, _ in told]
    assert steps == sorted(set(steps))
    assert steps[-1] == found.rounds


def test_slow_models_get_one_round() -> None:
    assert latency(lambda: spin(0.01), lambda: spin(0.01), seconds=0.0).rounds == 1
