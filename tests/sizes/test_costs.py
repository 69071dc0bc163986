"""Cost ratios against multiplications counted by hand."""

import numpy as np
import pytest

from onnxpad.costs import cost_ratio
from onnxpad.indexing import index
from tests.sizes import nets


def ratio(model, before, after):
    axes = (2, 3)
    return cost_ratio(
        index(model)[0], "x", (1, nets.CHANNELS, None, None),
        dict(zip(axes, before, strict=True)), dict(zip(axes, after, strict=True)),
    )  # fmt: skip


def test_same_padding_grows_with_the_area():
    net = nets.Net()
    model = net.model(net.window("x", "Conv", 3, 1, 1), ("h", "w"))
    assert ratio(model, (10, 20), (15, 20)) == 1.5
    assert ratio(model, (10, 20), (20, 10)) == 1


def test_a_chain_is_the_sum_of_its_layers():
    net = nets.Net()
    last = net.window(net.window("x", "Conv", 3, 2, 1), "Conv", 5, 1, 0)
    weight = net.constant(np.ones((nets.CHANNELS, 3, 2, 2)), np.float32)
    model = net.model(net.op("ConvTranspose", last, weight, strides=[2, 2]), ("h", "w"))

    def count(size: int) -> int:
        first, second = (size - 1) // 2 + 1, (size - 1) // 2 + 1 - 4
        return 2 * 2 * 9 * first**2 + 2 * 2 * 25 * second**2 + 2 * 3 * 4 * second**2

    assert ratio(model, (32, 32), (33, 33)) == pytest.approx(count(33) / count(32))


def test_unknown_sizes_and_no_convolution_give_none():
    net = nets.Net()
    strange = net.op("Strange", "x", domain="some.domain")
    assert (
        ratio(net.model(net.window(strange, "Conv", 3, 1, 1), ("h", "w")), (8, 8), (9, 9)) is None
    )
    net = nets.Net()
    assert ratio(net.model(net.op("Relu", "x"), ("h", "w")), (8, 8), (9, 9)) is None
