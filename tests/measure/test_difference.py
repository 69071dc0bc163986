from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onnxpad.measure.difference import Difference, DifferenceSums, difference
from onnxpad.measure.pair import pair

Array = np.ndarray[Any, Any]


def compared(a: Array, b: Array) -> Difference:
    return difference(pair(a, b)).result()


def test_against_numpy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 4, 5, 6)).astype(np.float32)
    found = compared(a, b)
    delta = b.astype(float) - a
    assert found.count == a.size
    assert found.max_abs == np.abs(delta).max()
    assert found.mean_abs == pytest.approx(np.abs(delta).mean(), rel=1e-12)
    assert found.rms == pytest.approx(np.sqrt((delta**2).mean()), rel=1e-12)
    assert found.max_original == np.abs(a).max()
    assert found.rms_original == pytest.approx(np.sqrt((a.astype(float) ** 2).mean()), rel=1e-12)
    assert found.relative_max == found.max_abs / found.max_original
    assert found.relative_rms == found.rms / found.rms_original
    assert not found.identical


def test_equal_outputs() -> None:
    a = np.array([1.5, -np.inf, np.nan, 0.0])
    found = compared(a, a.copy())
    assert found.identical
    assert (found.count, found.max_abs, found.unlike) == (2, 0, 0)
    assert (found.nonfinite_original, found.nonfinite_candidate) == (2, 2)


def test_not_finite_values_are_counted_and_left_out() -> None:
    a = np.array([1.0, np.nan, np.inf, np.inf, 2.0, np.nan])
    b = np.array([1.0, 1.0, -np.inf, np.inf, np.inf, np.nan])
    found = compared(a, b)
    assert (found.nonfinite_original, found.nonfinite_candidate, found.unlike) == (4, 4, 3)
    assert found.count == 1
    assert found.max_abs == 0
    assert not found.identical


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool", "float16", "int64", "uint64"])
def test_every_numeric_type_without_wrapping(dtype: str) -> None:
    low, high = np.zeros(3, dtype), np.ones(3, dtype)
    assert compared(high, low).max_abs == 1
    assert compared(low, high).max_abs == 1
    assert compared(low, high).relative_max is None


def test_original_of_zeros_has_no_relative_difference() -> None:
    found = compared(np.zeros(2), np.ones(2))
    assert found.relative_max is None
    assert found.relative_rms is None


def test_nothing_at_all() -> None:
    found = compared(np.zeros((0, 3)), np.zeros((0, 3)))
    assert found == Difference(0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert DifferenceSums().result() == found


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        pair(np.zeros(2), np.zeros((1, 2)))


def test_outputs_are_not_changed() -> None:
    a, b = np.array([np.nan, 1.0]), np.array([1.0, 2.0])
    compared(a, b)
    np.testing.assert_array_equal(a, [np.nan, 1])
    np.testing.assert_array_equal(b, [1, 2])


values = hnp.arrays(
    np.float64,
    st.integers(0, 30),
    elements=st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


@given(values, st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_parts_add_up_to_the_whole(a: Array, cut: int, seed: int) -> None:
    b = np.random.default_rng(seed).permutation(a)
    whole = difference(pair(a, b))
    parts = difference(pair(a[:cut], b[:cut])) + difference(pair(a[cut:], b[cut:]))
    for name in Difference.__dataclass_fields__:
        ours, theirs = getattr(whole.result(), name), getattr(parts.result(), name)
        assert ours == pytest.approx(theirs, rel=1e-9), name
