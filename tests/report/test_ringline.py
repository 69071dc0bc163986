from itertools import pairwise

import pytest

from onnxpad.measure.rings import RingProfile
from onnxpad.report.ringline import bar, bins


def profile(*rms: float, scale: float = 1.0, count: int = 1) -> RingProfile:
    return RingProfile((count,) * len(rms), rms, rms, rms, scale)


@pytest.mark.parametrize("rings", [1, 2, 4, 5, 7, 31, 33, 500, 5000])
def test_bins_cover_every_ring_once(rings: int) -> None:
    found = bins(profile(*[1.0] * rings), 11)
    assert found[0].first == 0
    assert found[-1].last == rings - 1
    assert all(a.last + 1 == b.first for a, b in pairwise(found))
    assert len(found) <= 11
    assert all(b.value == pytest.approx(1.0) for b in found)


def test_rings_are_pooled_by_their_elements() -> None:
    found = bins(RingProfile((9, 8, 7, 6, 3, 1), (0,) * 6, (0, 0, 0, 0, 2, 4), (0,) * 6, 2.0), 11)
    assert found[-1].label == "4–5"
    assert found[-1].value == pytest.approx(((3 * 4 + 16) / 4) ** 0.5 / 2)


def test_bars() -> None:
    assert bar(0.0, 3) == "   "
    assert bar(1e-9, 2) == "▁▁"
    assert bar(0.5, 2) == "▄▄"
    assert bar(1.0, 1) == "█"
