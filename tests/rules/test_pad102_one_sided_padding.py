import pytest

from onnxpad.findings import Severity
from tests.rules.check import chain, found


def test_fires_once_for_all_sites():
    layer = ("Conv", {"kernel_shape": [3, 3], "pads": [0, 0, 2, 2]})
    (finding,) = found("PAD102", chain(layer, ("Relu", {}), layer))
    assert finding.severity is Severity.NOTE
    assert [place.identity for place in finding.locations] == ["conv0", "conv2"]
    assert finding.facts == {"sites": 2, "odd_kernels": 2}


@pytest.mark.parametrize(
    "layer",
    [
        {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [3, 3]},
        {"kernel_shape": [3, 3], "pads": [0, 0, 1, 1], "strides": [2, 2]},
        {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"},
    ],
)
def test_is_silent_on_centred_and_on_strided_windows(layer):
    assert not found("PAD102", chain(("Conv", layer)))


def test_is_silent_on_causal_padding():
    causal = chain(("Conv", {"kernel_shape": [3], "pads": [2, 0]}), shape=(1, 3, 32))
    assert not found("PAD102", causal)
