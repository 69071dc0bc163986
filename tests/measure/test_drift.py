from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import onnxpad
from onnxpad.measure.drift import DriftSums, drift
from onnxpad.measure.rings import ring_index
from onnxpad.probe.anatomy import Layer
from onnxpad.probe.probe import pair_layers
from tests.measure.nets import chain, noise, probe

Array = np.ndarray[Any, Any]


def layer() -> Layer:
    return probe(chain(1), (16, 16)).anatomy.layers[0]


@given(st.integers(0, 2**32 - 1))
def test_against_the_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 3, 4, 9, 7)).astype(np.float32)
    found = (drift(a[:1], b[:1], layer()) + drift(a[1:], b[1:], layer())).result(layer())
    wide, delta = a.astype(float), b.astype(float) - a
    index = ring_index((9, 7))
    for ring, value in enumerate(found.rings):
        square = (delta[..., index == ring] ** 2).mean()
        assert value == pytest.approx(np.sqrt(square / (wide**2).mean()), rel=1e-5)
    assert found.whole == pytest.approx(np.sqrt((delta**2).mean() / (wide**2).mean()), rel=1e-5)
    assert found.scale == pytest.approx(np.sqrt((wide**2).mean()), rel=1e-5)
    assert found.images == 3


def test_a_change_of_padding_starts_at_the_border_and_moves_in() -> None:
    original = chain(5)
    a, b = probe(original), probe(onnxpad.rewrite(original, "edge").model)
    pairs = pair_layers(a.anatomy, b.anatomy).layers
    ours = a.runner([x.map for x, _ in pairs])
    theirs = b.runner([x.map for _, x in pairs])
    sums = [DriftSums()] * len(pairs)
    for image in noise(3, 32):
        values = zip(sums, ours(image), theirs(image), pairs, strict=True)
        sums = [s + drift(x, y, pair[0]) for s, x, y, pair in values]
    found = [s.result(one) for s, (one, _) in zip(sums, pairs, strict=True)]
    for number, one in enumerate(found, start=1):
        assert one.depth(1e-6) <= number
        assert one.rings[0] == max(one.rings)
        assert one.rings[0] > 0.01
    assert found[4].depth(1e-6) > found[0].depth(1e-6)


def test_nothing_drifts_from_itself() -> None:
    values = noise(1, 16)[0]
    found = drift(values, values, layer()).result(layer())
    assert set(found.rings) == {0.0}
    assert found.whole == 0


def test_zeros_and_nan_and_shapes() -> None:
    zeros = np.zeros((1, 3, 8, 8), np.float32)
    found = drift(zeros, zeros + 1, layer()).result(layer())
    assert (found.rings, found.whole, found.scale) == ((), None, 0)
    values = np.ones((3, 3, 8, 8), np.float32)
    broken = values.copy()
    broken[1, 0, 0, 0] = np.inf
    some = drift(values, broken, layer()).result(layer())
    assert (some.images, some.nonfinite, some.whole) == (2, 1, 0)
    assert drift(values, values, layer(), count=2).images == 2
    with pytest.raises(ValueError, match="maps of"):
        drift(values, values[:, :1], layer())


def test_quantised_and_half_maps() -> None:
    a = np.full((1, 1, 8, 8), 200, np.uint8)
    b = np.full((1, 1, 8, 8), 100, np.uint8)
    assert drift(a, b, layer()).result(layer()).whole == pytest.approx(0.5)
    wide = a.astype(np.float16) * 100
    assert drift(wide, wide / 2, layer()).result(layer()).whole == pytest.approx(0.5)
