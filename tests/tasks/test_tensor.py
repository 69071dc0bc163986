from math import log10

import numpy as np
import pytest

from onnxpad.errors import DataError
from onnxpad.measure.pair import pair
from onnxpad.tasks.tensor import CAP, Tensors, cosine, snr_db


def test_formulas() -> None:
    rng = np.random.default_rng(0)
    y, other = rng.normal(size=(2, 1, 5, 7))
    found = pair(y, other)
    known = (y * other).sum() / np.linalg.norm(y) / np.linalg.norm(other)
    assert cosine(found) == pytest.approx(known)
    noise = np.square(other - y).sum()
    assert snr_db(found) == pytest.approx(10 * log10(np.square(y).sum() / noise))


def test_ends_have_numbers() -> None:
    y, zero = np.array([[3.0, 4.0]]), np.zeros((1, 2))
    assert (cosine(pair(y, y)), snr_db(pair(y, y))) == (1, CAP)
    assert (cosine(pair(zero, zero)), snr_db(pair(zero, zero))) == (1, CAP)
    assert (cosine(pair(zero, y)), snr_db(pair(zero, y))) == (0, -CAP)
    assert (cosine(pair(y, zero)), snr_db(pair(y, zero))) == (0, 0)
    assert cosine(pair(y, -y)) == -1
    tiny = np.full((1, 2), 1e-200)
    assert snr_db(pair(y, y + tiny)) == CAP


def test_a_sample_counts_with_its_worst_output() -> None:
    good, bad = np.ones((1, 4)), np.array([[1.0, -1, 1, 1]])
    tally = Tensors(("a", "b")).tally()
    for _ in range(3):
        tally.add({"a": good, "b": good}, {"a": good, "b": bad}, None, None)
    result = tally.result(0)
    assert result is not None
    assert [m.name for m in result.metrics] == ["cosine", "snr_db"]
    assert result.metrics[0].candidate == 0.5
    assert (result.metrics[0].low, result.metrics[0].high) == (0.5, 0.5)
    assert result.metrics[1].candidate == 0


def test_merging_and_what_does_not_fit() -> None:
    rng = np.random.default_rng(0)
    whole, first, second = (Tensors(("a",)).tally() for _ in range(3))
    for i in range(5):
        ours, theirs = ({"a": rng.normal(size=(1, 6))} for _ in range(2))
        for tally in (whole, first if i < 3 else second):
            tally.add(ours, theirs, None, None)
    first.merge(second)
    assert first.result(0) == whole.result(0)
    with pytest.raises(DataError, match="other shapes"):
        first.add({"a": np.zeros((1, 2))}, {"a": np.zeros((1, 3))}, None, None)
    assert first.result(0) == whole.result(0)
    assert Tensors(("a",)).tally().result(0) is None


def test_nan_on_one_side_is_left_out() -> None:
    y = np.array([[1.0, 2.0, np.nan]])
    other = np.array([[1.0, 2.0, 9.0]])
    tally = Tensors(("a",)).tally()
    tally.add({"a": y}, {"a": other}, None, None)
    result = tally.result(0)
    assert result is not None
    assert result.metrics[0].candidate == 1
