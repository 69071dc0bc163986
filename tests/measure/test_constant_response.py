from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, helper

import onnxpad
from onnxpad.measure.constant_response import (
    ConstantResponse,
    constant_response,
    interior_value,
)
from onnxpad.probe.anatomy import Layer, Map
from onnxpad.probe.probe import Probe
from tests.data.graphs import FLOAT, model
from tests.measure.nets import chain, probe

Array = np.ndarray[Any, Any]
COPYING = ("edge", "reflect", "symmetric", "wrap")


def responses(
    net: Probe, original: Probe | None = None, value: float = 0.0
) -> list[ConstantResponse]:
    """Every layer's response to a constant, held against the interior of the original."""
    original = original or net
    colour = net.feeding.constant(value)["x"]
    layers = original.anatomy.layers
    inside = original.interior(layers)(colour)
    found = []
    for layer, flat, padded in zip(
        layers, inside, net.runner([x.map for x in net.anatomy.layers])(colour), strict=True
    ):
        found.append(constant_response(padded, *_turned(interior_value(flat, layer), layer)))
    return found


def _turned(value: tuple[Array, str], layer: Layer) -> tuple[Array, Layer, str]:
    return value[0], layer, value[1]


def layer(name: str = "c", size: tuple[int, ...] = (9, 9), stride: int = 1) -> Layer:
    from fractions import Fraction

    axes = tuple(range(2, 2 + len(size)))
    return Layer(name, "Conv", Map(name, axes, (Fraction(stride),) * len(size), (1, 2, *size)), ())


# truth


def test_zeros_show_nothing_after_the_first_layer_and_a_pixel_more_after_each() -> None:
    found = responses(probe(chain(5), (24, 24)))
    assert [r.widths for r in found] == [((d, d), (d, d)) for d in range(5)]
    assert found[0].clean
    assert found[0].largest == 0
    for depth, response in enumerate(found[1:], start=1):
        assert response.relative is not None
        assert response.relative > 1e-3
        assert response.rings[depth] <= response.tolerance
        assert not response.unsure
    # kernels are not symmetric: neither are the corners
    assert len(set(found[3].corners)) == 4


def test_a_grey_image_shows_the_first_layer_too() -> None:
    found = responses(probe(chain(3), (24, 24)), value=0.5)
    assert [r.widths for r in found] == [((d, d), (d, d)) for d in (1, 2, 3)]


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("value", [0.0, 0.7])
def test_copying_modes_leave_nothing(mode: str, value: float) -> None:
    original = chain(6)
    net = probe(onnxpad.rewrite(original, mode).model, (24, 24))
    for response in responses(net, probe(original, (24, 24)), value):
        assert response.relative is not None
        assert response.relative <= 1e-6
        assert response.clean
        assert response.widths == ((0, 0), (0, 0))


def test_a_strided_net_in_input_pixels() -> None:
    found = responses(probe(chain(3, stride=2), (64, 64)), value=0.5)
    assert [r.stride for r in found] == [(2, 2), (4, 4), (8, 8)]
    # at even sizes a strided window reads no padding at the end
    assert found[0].widths == ((1, 0), (1, 0))
    assert found[0].widths_px == ((2, 0), (2, 0))


def test_no_clean_middle_remains_where_padding_reaches_everything() -> None:
    found = responses(probe(chain(6), (8, 8)))
    assert found[1].widths == ((1, 1), (1, 1))
    assert found[5].widths is None
    assert found[5].widths_px is None
    assert found[5].share == 1


def test_the_interior_is_what_a_large_image_has_in_its_middle() -> None:
    net = probe(chain(4), (12, 12))
    inside = net.interior(net.anatomy.layers)(net.feeding.constant(0.3)["x"])
    large = net.runner([x.map for x in net.anatomy.layers])(np.full((1, 1, 60, 60), 0.3, "f"))
    for one, whole, kept in zip(net.anatomy.layers, large, inside, strict=True):
        value, unsure = interior_value(kept, one)
        assert not unsure
        np.testing.assert_allclose(value, whole[0, :, 30, 30], rtol=1e-6)


def explicit(pads: list[int], **attributes: Any) -> ModelProto:
    """Pad and a VALID convolution, or a convolution that pads itself."""
    w = np.random.default_rng(0).standard_normal((2, 1, 3, 3)).astype(np.float32)
    weights = {"w": w, "p": np.array(pads, np.int64), "b": np.ones(2, np.float32)}
    nodes = [
        helper.make_node("Pad", ["x", "p"], ["q"]),
        helper.make_node("Conv", ["q", "w", "b"], ["y"], kernel_shape=[3, 3], **attributes),
    ]
    return model(nodes, [("x", FLOAT, (1, 1, "h", "w"))], [("y", FLOAT, [1, 2, "a", "c"])], weights)


@pytest.mark.parametrize(
    "proto",
    [
        explicit([0, 0, 1, 1, 0, 0, 1, 1]),
        explicit([0] * 8, auto_pad="SAME_UPPER"),
        explicit([0] * 8, auto_pad="SAME_LOWER"),
        explicit([0] * 8, auto_pad="SAME_UPPER", strides=[2, 2]),
    ],
)
def test_every_way_to_pad_has_its_interior(proto: ModelProto) -> None:
    (found,) = responses(probe(proto, (16, 16)), value=1.0)
    assert not found.unsure
    assert found.widths is not None
    assert 1 <= sum(found.widths[0]) <= 2


def test_no_scale_is_said_and_not_divided_by() -> None:
    found = responses(probe(chain(2, bias=0.0), (16, 16)))
    assert found[0].scale == 0
    assert found[0].relative is None


def test_an_interior_that_is_not_constant_is_doubted() -> None:
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.standard_normal((1, 1, 3, 3)).astype(np.float32),
        "map": rng.random((1, 1, 16, 16)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Add", ["x", "map"], ["a"]),
        helper.make_node("Conv", ["a", "w"], ["y"], pads=[1] * 4),
    ]
    proto = model(nodes, [("x", FLOAT, (1, 1, 16, 16))], [("y", FLOAT, (1, 1, 16, 16))], weights)
    net = probe(proto, (16, 16))
    # the positional map runs at no other size, so no layer has a map at all
    assert not net.anatomy.layers
    value, unsure = interior_value(rng.random((1, 2, 9, 9)).astype(np.float32), layer())
    assert value.shape == (2,)
    assert "not constant" in unsure


def test_transposed_convolutions_are_told_apart() -> None:
    weights = {"w": np.ones((1, 1, 3, 3), np.float32)}
    nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], name="up")]
    proto = model(
        nodes, [("x", FLOAT, (1, 1, "h", "w"))], [("y", FLOAT, [1, 1, "a", "b"])], weights
    )
    (found,) = responses(probe(proto, (16, 16)), value=1.0)
    assert found.apart == ("ConvTranspose",)
    # its checkerboard is no interior
    assert found.unsure


# arrays


def test_sides_and_corners() -> None:
    padded = np.zeros((1, 2, 9, 9), np.float32)
    padded[..., :2, :] += 1.0  # two rows at the top
    padded[..., :, -1] += 3.0  # a column on the right
    found = constant_response(padded + 1, np.ones(2), layer(stride=4))
    assert found.widths == ((2, 0), (0, 1))
    assert found.widths_px == ((8, 0), (0, 4))
    assert found.corners == (1, 4, 0, 3)
    assert found.largest == 4
    assert found.scale == 1
    assert found.share == pytest.approx((2 * 9 + 9 - 2) / 81)


def test_channels_last_and_integers() -> None:
    from fractions import Fraction

    nhwc = Layer("c", "Conv", Map("c", (1, 2), (Fraction(1),) * 2, (1, 9, 9, 2)), ())
    padded = np.full((1, 9, 9, 2), 7, np.uint8)
    padded[:, 0] = 9
    found = constant_response(padded, np.array([7.0, 7.0]), nhwc)
    assert found.widths == ((1, 0), (0, 0))
    assert found.tolerance == 0.5
    with pytest.raises(ValueError, match="2 channels, and 3"):
        constant_response(padded, np.ones(3), nhwc)


def test_sound_has_two_ends() -> None:
    padded = np.ones((1, 2, 20), np.float32)
    padded[..., :3] = 0
    found = constant_response(padded, np.ones(2), layer(size=(20,)))
    assert found.widths == ((3, 0),)
    assert found.corners == (1, 0)
