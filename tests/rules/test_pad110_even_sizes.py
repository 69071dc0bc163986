"""Even sizes of models whose input size is free."""

import pytest

from tests.rules.check import chain, found
from tests.sizes import nets

STRIDED = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}


def test_tells_the_even_sizes_and_their_period():
    (finding,) = found("PAD110", nets.architecture(nets.RESNET))
    assert "193, 225, 257 (1 modulo 32 from 64 to 384)" in finding.message
    assert finding.facts["even_height"] == finding.facts["even_width"] == "193,225,257"
    assert finding.facts["strided_height"] == 5
    assert "225×225" in finding.advice


def test_one_free_axis():
    (finding,) = found("PAD110", nets.architecture(nets.MOBILENET, (129, "w")))
    assert "width: 193, 225, 257" in finding.message


def test_says_where_no_even_size_runs():
    (finding,) = found("PAD110", nets.u_net(3, down=("Conv", 3, 2, 1)))
    assert "no size from 64 to 384 is even and runs" in finding.message
    assert not finding.advice


def test_says_where_nothing_can_be_told():
    net = nets.Net()
    strange = net.op("Strange", "x", domain="some.domain")
    (finding,) = found("PAD110", net.model(net.window(strange, "Conv", 3, 2, 1), ("h", "w")))
    assert "unknown, because the some.domain::Strange 'n0'" in finding.message


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (STRIDED, (1, 3, 32, 32)),
        ({**STRIDED, "strides": [1, 1]}, (1, 3, "h", "w")),
        ({**STRIDED, "pads": [0, 0, 0, 0]}, (1, 3, "h", "w")),
        ({**STRIDED, "kernel_shape": [1, 1], "pads": [0, 0, 0, 0]}, (1, 3, "h", "w")),
    ],
)
def test_is_silent_on_fixed_sizes_and_without_strided_padding(layer, shape):
    assert not found("PAD110", chain(("Conv", layer), shape=shape))


def test_is_silent_when_a_size_was_asked_about():
    assert not found("PAD110", nets.architecture(nets.RESNET), size=(224, 224))


@pytest.mark.zoo
@pytest.mark.parametrize("name", ["facenet_mtcnn_pnet", "espcn_x3_core_from_ortext"])
def test_real_models_without(zoo, name):
    assert not found("PAD110", zoo / "models" / f"{name}.onnx")
