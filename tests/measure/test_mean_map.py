from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import onnxpad
from onnxpad.measure.mean_map import MeanMap, MeanMapSums, border_lines, mean_map
from onnxpad.probe.probe import Probe
from tests.measure.nets import chain, noise, probe

Array = np.ndarray[Any, Any]


def maps(net: Probe, images: list[Array]) -> list[MeanMap]:
    layers = net.anatomy.layers
    run = net.means(layers)
    sums = [MeanMapSums()] * len(layers)
    for image in images:
        sums = [s + mean_map(m, x) for s, m, x in zip(sums, run(image), layers, strict=True)]
    return [s.result(x) for s, x in zip(sums, layers, strict=True)]


def judged(values: Array) -> list[tuple[int, str, int]]:
    lines, unjudged = border_lines(values)
    assert not unjudged
    return [(line.axis, line.side, line.distance) for line in lines if line.artifact]


def test_planted_lines_are_found() -> None:
    values = np.random.default_rng(0).random((40, 48))
    assert judged(values) == []
    values[0] += 1.0
    assert judged(values) == [(0, "begin", 0)]
    values[:, -2] -= 1.0
    assert judged(values) == [(0, "begin", 0), (1, "end", 1)]
    # a line in the middle is no matter of the border
    inside = np.random.default_rng(0).random((40, 48))
    inside[20] += 1.0
    assert judged(inside) == []


@given(st.integers(0, 2**32 - 1))
def test_z_is_what_it_says(seed: int) -> None:
    values = np.random.default_rng(seed).random((16, 24))
    lines, _ = border_lines(values)
    assert len(lines) == 2 * 2 * 2
    rows = values[:, 2:-2].mean(axis=1)
    want = (rows[-1] - rows[2:-2].mean()) / rows[2:-2].std()
    found = next(x for x in lines if (x.axis, x.side, x.distance) == (0, "end", 0))
    assert found.z == pytest.approx(want)
    inner = rows[2:-2]
    apart = inner[2:] - inner[:-2]
    assert found.step == pytest.approx((rows[-1] - rows[-3]) / np.sqrt((apart**2).mean()))


def test_a_slow_swing_is_no_line() -> None:
    swing = np.zeros((100, 40)) + np.clip(1 - np.arange(100) / 20, 0, 1)[:, None]
    lines, _ = border_lines(swing)
    assert max(abs(line.z) for line in lines) > 3
    assert judged(swing) == []


def test_a_border_of_a_flat_interior() -> None:
    values = np.ones((16, 16))
    assert judged(values) == []
    values[:, 0] = 1.1
    assert judged(values) == [(1, "begin", 0)]


def test_small_maps_are_not_judged() -> None:
    lines, why = border_lines(np.ones((7, 30)))
    assert lines == ()
    assert "8" in why


def test_padding_draws_lines_and_its_absence_does_not() -> None:
    images = noise(12, 48)
    padded = maps(probe(chain(3, bias=2.0), (48, 48)), images)
    sides = {(line.axis, line.side) for one in padded[1:] for line in one.artifacts}
    assert sides == {(0, "begin"), (0, "end"), (1, "begin"), (1, "end")}
    for found in maps(probe(chain(3, pad=0, bias=2.0), (48, 48)), images):
        assert found.artifacts == ()
        assert found.images == 12


def test_mirrors_remove_them() -> None:
    images = noise(12, 48)
    net = probe(onnxpad.rewrite(chain(3, bias=2.0), "symmetric").model, (48, 48))
    worst = max(abs(line.z) for one in maps(net, images) for line in one.lines)
    zero = probe(chain(3, bias=2.0), (48, 48))
    assert worst < 0.2 * max(abs(line.z) for one in maps(zero, images) for line in one.lines)


def test_sums_merge_and_leave_out_what_is_no_number() -> None:
    layer = probe(chain(1), (16, 16)).anatomy.layers[0]
    values = np.random.default_rng(0).random((5, 16, 16)).astype(np.float32)
    whole = mean_map(values, layer).result(layer)
    split = (mean_map(values[:2], layer) + mean_map(values[2:], layer)).result(layer)
    np.testing.assert_allclose(whole.values, split.values)
    assert whole.lines == split.lines
    np.testing.assert_allclose(whole.values, values.astype(float).mean(axis=0))
    assert mean_map(values, layer, count=3).images == 3
    values[1, 4, 4] = np.nan
    left = mean_map(values, layer).result(layer)
    assert (left.images, left.nonfinite) == (4, 1)
    np.testing.assert_allclose(left.values, values[[0, 2, 3, 4]].astype(float).mean(axis=0))
    empty = MeanMapSums().result(layer)
    assert (empty.images, empty.lines, bool(empty.unjudged)) == (0, (), True)
    with pytest.raises(ValueError, match="maps of"):
        _ = mean_map(values, layer) + mean_map(values[:, :8], layer)
