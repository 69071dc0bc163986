from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad.measure.pair import pair
from onnxpad.measure.rings import RingSums, ring_index, rings

Array = np.ndarray[Any, Any]


def test_ring_index_of_a_picture() -> None:
    assert ring_index((4, 5)).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]
    assert ring_index((5,)).tolist() == [0, 1, 2, 1, 0]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3))
def test_ring_index_is_the_distance_to_the_nearest_border(space: list[int]) -> None:
    index = ring_index(tuple(space))
    for position in product(*map(range, space)):
        assert index[position] == min(
            min(i, n - 1 - i) for i, n in zip(position, space, strict=True)
        )


@given(
    st.sampled_from([(2, 3), (1, 2), (2,), (1,), (2, 3, 4), (1, 2, 3), (0, 1)]),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_against_brute_force(axes: tuple[int, ...], seed: int, holes: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, max(axes) + 2 if max(axes) < 2 else max(axes) + 1))
    a, b = rng.standard_normal((2, *shape))
    if holes:
        a[rng.random(shape) < 0.2] = np.nan
    found = rings(pair(a, b), axes).result()
    rows: dict[int, list[float]] = {}
    for at in product(*map(range, shape)):
        ring = min(min(at[i], shape[i] - 1 - at[i]) for i in axes)
        rows.setdefault(ring, [])
        if np.isfinite(a[at]):
            rows[ring].append(b[at] - a[at])
    assert len(found.counts) == len(rows)
    for ring, deltas in rows.items():
        some = np.abs(deltas) if deltas else np.zeros(1)
        assert found.counts[ring] == len(deltas)
        assert found.mean_abs[ring] == pytest.approx(some.mean())
        assert found.rms[ring] == pytest.approx(np.sqrt((some**2).mean()))
        assert found.max_abs[ring] == pytest.approx(some.max())
    kept = a[np.isfinite(a)]
    assert found.scale == pytest.approx(np.sqrt((kept**2).mean()) if kept.size else 0.0)


def test_a_change_of_known_depth() -> None:
    a = np.ones((1, 2, 9, 9))
    b = a.copy()
    b[:, :, 0, :] += 3
    b[:, :, 1, 1:-1] += 1
    found = rings(pair(a, b), (2, 3)).result()
    assert found.depth == 2
    assert list(found.max_abs) == [3, 1, 0, 0, 0]
    assert found.mean_abs[0] == pytest.approx(3 * 9 / 32)
    assert found.relative == found.rms  # the original's RMS is 1


def test_channels_last_give_the_same_profile() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 1, 3, 6, 8))
    first = rings(pair(a, b), (2, 3)).result()
    last = rings(pair(a.transpose(0, 2, 3, 1), b.transpose(0, 2, 3, 1)), (1, 2)).result()
    assert first.counts == last.counts
    np.testing.assert_allclose(first.rms, last.rms, rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_parts_add_up_to_the_whole(seed: int) -> None:
    a, b = np.random.default_rng(seed).standard_normal((2, 5, 2, 6, 7))
    whole = rings(pair(a, b), (2, 3)).result()
    parts = RingSums()
    for i in range(5):
        parts += rings(pair(a[i : i + 1], b[i : i + 1]), (2, 3))
    found = parts.result()
    assert found.counts == whole.counts
    assert found.max_abs == whole.max_abs
    np.testing.assert_allclose(found.rms, whole.rms, rtol=1e-12)
    np.testing.assert_allclose(found.mean_abs, whole.mean_abs, rtol=1e-12)
    assert found.scale == pytest.approx(whole.scale)


def test_samples_of_different_sizes_add_up_by_distance() -> None:
    small, large = np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 7, 7))
    both = rings(pair(small, small), (2, 3)) + rings(pair(large, large + 1), (2, 3))
    assert both.result().counts == (8 + 24, 1 + 16, 8, 1)
    assert both.result().mean_abs == (24 / 32, 16 / 17, 1, 1)


def test_zero_original() -> None:
    found = rings(pair(np.zeros((1, 4, 4)), np.ones((1, 4, 4))), (1, 2)).result()
    assert found.relative is None
    assert found.scale == 0


@pytest.mark.parametrize("axes", [(), (2,), (1, 0), (1, 1), (-1,)])
def test_axes_that_are_not_there(axes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no spatial axes"):
        rings(pair(np.zeros((3, 3)), np.zeros((3, 3))), axes)
