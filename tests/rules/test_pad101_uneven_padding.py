"""Uneven padding: the table of arXiv 2010.02178 and models whose truth is known."""

import numpy as np
import pytest

from onnxpad.errors import UsageError
from onnxpad.findings import Severity
from tests.rules.check import chain, found
from tests.sizes import nets


@pytest.mark.parametrize(
    ("steps", "uneven"),
    [(nets.RESNET, 5), (nets.MOBILENET, 5), (nets.DENSENET, 2)],
    ids=["ResNet", "MobileNet", "DenseNet"],
)
def test_fires_once_at_224_and_names_the_even_sizes(steps, uneven):
    (finding,) = found("PAD101", nets.architecture(steps, (224, 224)))
    assert finding.severity is Severity.WARNING
    assert len(finding.locations) == uneven
    assert finding.facts["uneven"] == finding.facts["more_at_begin"] == uneven
    assert finding.facts["strided"] == 5
    even = "221x221" if steps is nets.DENSENET else "225x225"
    assert finding.facts["nearest_even"] == even
    assert even.replace("x", "×") in finding.advice


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        (nets.RESNET, 225),
        (nets.MOBILENET, 225),
        (nets.VGG, 224),
        (nets.VGG, 225),  # rows are dropped, but nothing is padded
        (nets.CONVNEXT, 224),
        (nets.DENSENET, 221),
    ],
)
def test_is_silent_on_even_padding_and_on_none(steps, size):
    assert not found("PAD101", nets.architecture(steps, (size, size)))


def test_looks_at_the_size_asked_about():
    model = nets.architecture(nets.RESNET, (224, 224))
    assert not found("PAD101", model, size=(225, 225))
    (finding,) = found("PAD101", model, size=(225, 224))
    assert finding.facts["size"] == "225x224"
    free = nets.architecture(nets.RESNET)
    assert not found("PAD101", free)
    (finding,) = found("PAD101", free, size=(224, 224))
    assert finding.facts["uneven"] == 5


def test_tensorflows_same_errs_at_the_other_side():
    layer = ("Conv", {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]})
    (finding,) = found("PAD101", chain(layer))
    assert finding.facts["more_at_end"] == 1
    assert finding.facts["more_at_begin"] == 0
    assert finding.primary.detail == "size 32 reads 0+1 of 0+1 pads (begin+end)"


def test_tells_of_real_rows_that_nothing_reads():
    layer = {"kernel_shape": [2, 2], "strides": [4, 4], "pads": [1, 1, 0, 0]}
    (finding,) = found("PAD101", chain(("Conv", layer)))
    assert finding.facts["unread_real"] == 1
    # windows at -1, 3, ... 27: elements 29, 30 and 31 are behind the last one
    assert "3 real unread" in finding.primary.detail


def test_sees_a_pad_in_front_of_a_transpose():
    net = nets.Net()
    padded = net.op("Pad", "x", net.constant([0, 0, 0, 0, 0, 1, 0, 0]))
    first = net.op("Transpose", padded, perm=[0, 3, 1, 2])
    weight = net.constant(np.ones((nets.CHANNELS, nets.CHANNELS, 3, 3)), np.float32)
    model = net.model(net.op("Conv", first, weight, strides=[2, 2]), (33, nets.CHANNELS))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 32
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 33
    (finding,) = found("PAD101", model)
    # height 32 is padded at the bottom alone, width 33 not at all
    assert finding.primary.detail == "size 32 reads 0+1 of 0+1 pads (begin+end)"
    assert finding.facts["nearest_even"] == "33x33"


def test_pools_alone_are_a_note():
    pool = ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]})
    (finding,) = found("PAD101", chain(pool))
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    "layer",
    [
        {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [3, 3], "pads": [0, 0, 2, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2]},
        {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [1, 1], "strides": [2, 2]},
        {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"},
        {"kernel_shape": [3, 3], "auto_pad": "VALID", "strides": [2, 2]},
    ],
)
def test_is_silent_on_stride_1_valid_and_centred_windows(layer):
    assert not found("PAD101", chain(("Conv", layer)))


@pytest.mark.parametrize(
    ("size", "words"),
    [((225,), "takes HxW"), ((0, 3), "positive"), ((3, 3, 3), "takes HxW")],
)
def test_a_size_that_does_not_fit_is_refused_in_a_sentence(size, words):
    with pytest.raises(UsageError, match=words):
        found("PAD101", nets.architecture(nets.RESNET, (224, 224)), size=size)


def test_a_size_the_graph_cannot_take_is_refused_with_the_node():
    net = nets.Net()
    last = net.window("x", "Conv", 3, 2, 1)
    shape = net.constant([1, nets.CHANNELS * 16 * 16])
    model = net.model(net.op("Reshape", last, shape), (32, 32))
    (finding,) = found("PAD101", model, size=(32, 32))
    assert finding.facts["nearest_even"] == "31x31"
    with pytest.raises(UsageError, match=r"64x64: the Reshape 'n1' reshapes maps of one size"):
        found("PAD101", model, size=(64, 64))


# (strided ops, uneven ones, fact that counts the side) of real models, from their exporters' pads.
REAL = {
    "efficientnet_lite0_torchscript_op13": (5, 5, "more_at_end"),
    "efficientnet_lite0_ortquant_qdq": (5, 5, "more_at_end"),
    "tflite_mobilenet_v2_1.0_224_quant": (5, 5, "more_at_end"),
    "yolox_nano": (6, 6, "more_at_begin"),
    "light_densenet121": (5, 2, "more_at_begin"),
}
SILENT = (
    "facenet_mtcnn_pnet", "deeplab_v3_1_default_1", "SqueezeNet_fp16_winml", "fns_candy",
    "espcn_x3_core_from_ortext", "winml_cifar_ImageClassifier",
)  # fmt: skip


@pytest.mark.zoo
@pytest.mark.parametrize("name", REAL)
def test_real_models(zoo, name):
    strided, uneven, side = REAL[name]
    (finding,) = found("PAD101", zoo / "models" / f"{name}.onnx")
    assert finding.facts["strided"] == strided
    assert finding.facts["uneven"] == finding.facts[side] == uneven


@pytest.mark.zoo
@pytest.mark.parametrize("name", SILENT)
def test_real_models_without(zoo, name):
    assert not found("PAD101", zoo / "models" / f"{name}.onnx")
