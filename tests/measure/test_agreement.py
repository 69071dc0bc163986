import numpy as np
import pytest

from onnxpad.measure.agreement import AgreementSums, agreement, class_count


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((1, 1000), 1000),
        ((8, 10), 10),
        ((1, 1000, 1, 1), 1000),
        ((1, 2), 2),
        ((1, 1), None),
        ((1, 1, 1, 1), None),
        ((10,), None),
        ((1, 3, 8, 8), None),
        ((1, 4420, 2), None),
        ((), None),
    ],
)
def test_what_looks_like_class_scores(shape: tuple[int, ...], count: int | None) -> None:
    assert class_count(shape) == count


def test_counts() -> None:
    a = np.array([[1, 2, 3], [3, 2, 1], [0, 9, 0], [5, 4, 5]])
    b = np.array([[1, 2, 9], [1, 2, 3], [0, 1, 0], [6, 4, 7]])
    assert agreement(a, b) == AgreementSums(same=2, total=4)


def test_ties_count_as_their_first_class_on_both_sides() -> None:
    a = np.array([[7, 7, 1]], np.uint8)
    assert agreement(a, np.array([[7, 6, 1]], np.uint8)).same == 1
    assert agreement(a, np.array([[6, 7, 1]], np.uint8)).same == 0


def test_trailing_ones_and_small_types() -> None:
    a = np.zeros((2, 300, 1, 1), np.float16)
    a[:, 299] = 1
    assert agreement(a, a) == AgreementSums(2, 2)


def test_nan_scores_are_left_out() -> None:
    a = np.array([[np.nan, 1.0], [0.0, 1.0], [0.0, 1.0]])
    b = np.array([[0.0, 1.0], [0.0, np.nan], [0.0, 1.0]])
    assert agreement(a, b) == AgreementSums(same=1, total=1, unusable=2)


def test_sums_and_interval() -> None:
    found = (AgreementSums(90, 95, 1) + AgreementSums(5, 5, 0)).result()
    assert (found.same, found.total, found.unusable, found.share) == (95, 100, 1, 0.95)
    # Wilson's interval for 95 of 100, as tables have it
    assert found.low == pytest.approx(0.8882, abs=1e-4)
    assert found.high == pytest.approx(0.9785, abs=1e-4)


def test_intervals_at_the_ends_stay_honest() -> None:
    every = AgreementSums(8, 8).result()
    assert every.high == 1
    assert every.low == pytest.approx(0.6756, abs=1e-4)
    none = AgreementSums(0, 8).result()
    assert none.low == 0
    assert none.high == pytest.approx(0.3244, abs=1e-4)
    empty = AgreementSums().result()
    assert empty.share is None
    assert (empty.low, empty.high) == (0, 1)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="no class scores"):
        agreement(np.zeros((1, 3)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match="no class scores"):
        agreement(np.zeros((1, 3, 4)), np.zeros((1, 3, 4)))
