import numpy as np
import pytest
from onnx import numpy_helper

from onnxpad.findings import Severity
from tests.rules.check import chain, found
from tests.rules.running import run


def _conv(size: int | str, pads: int, dilation: int = 1, **given: object):
    layer = {"kernel_shape": [3, 3], "pads": [pads] * 4, "dilations": [dilation] * 2, **given}
    return chain(("Conv", layer), shape=(1, 3, size, size))


def test_aspp_on_a_small_map():
    (finding,) = found("PAD104", _conv(14, 18, 18))
    assert finding.severity is Severity.WARNING
    assert finding.facts["exceeding"] == 1
    assert finding.facts["dead_taps"] == 8
    assert finding.facts["least_real"] == pytest.approx(1 / 9)


def test_dead_taps_are_dead():
    """A dilated convolution whose padding is as large as the map is its middle tap."""
    made = _conv(6, 6, 6)
    assert found("PAD104", made)[0].facts["dead_taps"] == 8
    kernel = numpy_helper.to_array(made.graph.initializer[0])
    x = np.random.default_rng(0).standard_normal((1, 3, 6, 6)).astype(np.float32)
    expected = np.einsum("oi,nihw->nohw", kernel[:, :, 1, 1], x)
    np.testing.assert_allclose(run(made, x), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "pads", "dilation"), [(14, 12, 12), (2, 1, 1), (1, 1, 1), (9, 8, 8), (5, 4, 2)]
)
def test_the_share_is_what_a_convolution_of_ones_counts(size: int, pads: int, dilation: int):
    """Ones under a kernel of ones, zero padding: each result counts the real elements it read."""
    made = _conv(size, pads, dilation)
    one = np.zeros((3, 3, 3, 3), np.float32)
    one[0, 0] = 1
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(one, "w0"))
    share = run(made, np.ones((1, 3, size, size), np.float32))[0, 0].mean() / 9
    findings = found("PAD104", made)
    if share < 0.5 or pads >= size:
        assert findings[0].facts["least_real"] == pytest.approx(share)
    else:
        assert not findings


@pytest.mark.parametrize(
    "made",
    [
        _conv(32, 1),
        _conv(33, 12, 12),
        _conv(3, 1),
        _conv(4, 1, strides=[2, 2]),
        chain(("MaxPool", {"kernel_shape": [13, 13], "pads": [6] * 4}), shape=(1, 3, 6, 6)),
        _conv("free", 9, 9),
        chain(("Conv", {"kernel_shape": [1, 1]}), shape=(1, 3, 1, 1)),
    ],
)  # fmt: skip
def test_is_silent_on_ordinary_padding(made):
    assert not found("PAD104", made)


def test_a_long_axis_costs_nothing():
    layer = {"kernel_shape": [255], "pads": [127, 127]}
    assert not found("PAD104", chain(("Conv", layer), shape=(1, 3, 10**9)))
