import numpy as np
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from tests.rules.check import chain, found


def net(kernel, stride, dilation=1, **more):
    given = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "dilations": [dilation] * 2}
    return chain(("ConvTranspose", given | more), shape=(1, 3, 30, 30))


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6])
def test_fires_where_a_constant_image_becomes_a_pattern(kernel, stride, dilation):
    model = net(kernel, stride, dilation)
    ones = np.ones((3, 3, kernel, kernel), np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(ones, "w0"))
    session = ort.InferenceSession(model.SerializeToString())
    result = session.run(None, {"x": np.ones((1, 3, 30, 30), np.float32)})[0]
    edge = (kernel - 1) * dilation + 1
    inside = result[..., edge:-edge, edge:-edge]
    assert bool(found("PAD501", model)) == (inside.max() > inside.min())


def test_says_how_uneven_it_is():
    (finding,) = found("PAD501", net(3, 2))
    assert finding.primary.identity == "convtranspose0"
    assert finding.primary.detail == "kernel 3, stride 2: 1 to 2 products"


def test_one_uneven_axis_is_enough():
    given = {"kernel_shape": [4, 3], "strides": [2, 2]}
    (finding,) = found("PAD501", chain(("ConvTranspose", given)))
    assert finding.facts == {"sites": 1}


def test_is_silent_on_ordinary_convolutions():
    assert not found("PAD501", chain(("Conv", {"kernel_shape": [3, 3], "strides": [2, 2]})))
