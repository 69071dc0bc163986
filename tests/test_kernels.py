"""The reader of weights: what ONNX Runtime computes with them is the truth."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnxpad.kernels import kernels, transposed_kernels
from onnxpad.model import load_model
from onnxpad.subject import subject
from tests.rules.check import chain, model


def read(source):
    looked = subject(load_model(source))
    return list(kernels(looked.scopes, looked.windows, looked.model.folder))


def by_impulses(net, shape):
    """The weights as seen from outside: a unit impulse on each input channel, no padding."""
    _, channels, *space = shape
    session = ort.InferenceSession(net.SerializeToString())
    weights = np.zeros(shape, np.float32)
    for c in range(channels):
        x = np.zeros((1, channels, *(2 * k - 1 for k in space)), np.float32)
        x[(0, c, *(k - 1 for k in space))] = 1
        seen = session.run(None, {"x": x})[0][0]
        weights[:, c] = seen[(slice(None), *(slice(None, None, -1) for _ in space))]
    return weights


def integers(seed, shape):
    return np.random.default_rng(seed).integers(-100, 100, shape).astype(np.int8)


def quantised(scale, zero, axis):
    shape = (2, 3, 3, 3)
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=axis),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    arrays = {"q": integers(0, shape), "s": scale, "z": zero}
    tensors = [numpy_helper.from_array(v, k) for k, v in arrays.items()]
    return model(nodes, tensors, (1, 3, 5, 5)), shape


@pytest.mark.parametrize(
    ("scale", "zero", "axis"),
    [
        (np.float32(0.02), np.int8(3), 0),
        (np.float32([0.02, 0.5]), np.int8([3, -7]), 0),
        (np.float32([0.02, 0.5, 1]), np.int8([3, -7, 0]), 1),
    ],
)
def test_quantised_weights_are_those_that_run(scale, zero, axis):
    net, shape = quantised(np.asarray(scale), np.asarray(zero), axis)
    (found,) = read(net)
    assert found.scaled
    np.testing.assert_allclose(found.weights, by_impulses(net, shape), rtol=1e-6)


def test_qlinear_weights_have_the_scale_of_each_channel():
    whole = integers(1, (2, 3, 3, 3))
    arrays = {
        "xs": np.float32(1), "xz": np.uint8(0), "q": whole, "ws": np.float32([0.5, 2]),
        "wz": np.int8([0, 0]), "ys": np.float32(1), "yz": np.uint8(0),
    }  # fmt: skip
    names = ["x", "xs", "xz", "q", "ws", "wz", "ys", "yz"]
    tensors = [numpy_helper.from_array(np.asarray(v), k) for k, v in arrays.items()]
    net = model(
        [helper.make_node("QLinearConv", names, ["y"])],
        tensors, (1, 3, 5, 5), dtype=TensorProto.UINT8,
    )  # fmt: skip
    (found,) = read(net)
    np.testing.assert_array_equal(found.weights, whole * np.float32([0.5, 2])[:, None, None, None])
    assert found.scaled


def test_integers_without_scales_are_said():
    whole = integers(2, (2, 3, 3, 3))
    net = model(
        [helper.make_node("ConvInteger", ["x", "q", "", "z"], ["y"])],
        [numpy_helper.from_array(whole, "q"), numpy_helper.from_array(np.int8(4), "z")],
        (1, 3, 5, 5), dtype=TensorProto.UINT8,
    )  # fmt: skip
    (found,) = read(net)
    assert not found.scaled
    np.testing.assert_array_equal(found.weights, whole.astype(np.float32) - 4)


def test_half_precision_and_constants():
    half = np.random.default_rng(3).standard_normal((2, 3, 3, 3)).astype(np.float16)
    nodes = [
        helper.make_node("Constant", [], ["h"], value=numpy_helper.from_array(half)),
        helper.make_node("Cast", ["h"], ["w"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    net = model(nodes, (), (1, 3, 5, 5))
    (found,) = read(net)
    np.testing.assert_array_equal(found.weights, half.astype(np.float32))


def test_external_weights_are_read_one_at_a_time_and_not_kept(tmp_path):
    conv = ("Conv", {"kernel_shape": [3, 3]})
    net = chain(conv, conv, channels=16)
    expected = [numpy_helper.to_array(t) for t in net.graph.initializer]
    path = tmp_path / "m.onnx"
    onnx.save(net, path, save_as_external_data=True, size_threshold=0)
    looked = subject(load_model(path))
    found = list(kernels(looked.scopes, looked.windows, looked.model.folder))
    for one, truth in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.weights, truth)
    for tensor in looked.model.proto.graph.initializer:
        assert not tensor.raw_data


def test_weights_that_are_no_constants_are_said():
    net = model([helper.make_node("Conv", ["x", "x"], ["y"], kernel_shape=[3, 3])])
    (found,) = read(net)
    assert found.weights is None
    assert "input" in found.problem


def test_weights_that_are_transposed_are_those_that_run():
    last = np.random.default_rng(4).standard_normal((3, 3, 3, 2)).astype(np.float32)  # HWIO
    nodes = [
        helper.make_node("Transpose", ["k"], ["w"], perm=[3, 2, 0, 1]),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    net = model(nodes, [numpy_helper.from_array(last, "k")], (1, 3, 5, 5))
    (found,) = read(net)
    np.testing.assert_allclose(found.weights, by_impulses(net, (2, 3, 3, 3)), rtol=1e-6)


def test_transposed_convolutions_are_read_apart():
    attributes = {"kernel_shape": [4, 4], "strides": [2, 2]}
    looked = subject(load_model(chain(("ConvTranspose", attributes))))
    (found,) = transposed_kernels(looked.scopes, None)
    assert (found.identity, found.stride) == ("convtranspose0", (2, 2))
    session = ort.InferenceSession(chain(("ConvTranspose", attributes)).SerializeToString())
    impulse = np.zeros((1, 3, 32, 32), np.float32)
    impulse[0, 1, 4, 4] = 1
    seen = session.run(None, {"x": impulse})[0][0, :, 8:12, 8:12]
    np.testing.assert_array_equal(found.weights[1], seen)
    assert not read(chain(("ConvTranspose", attributes)))
