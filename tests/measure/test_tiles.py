from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import onnxpad
from onnxpad.measure.tiles import Seams, SeamSums, Tiling, place_tiles
from onnxpad.measure.tiles_run import seam_distance, seam_sums, stitch
from onnxpad.probe.anatomy import Map
from onnxpad.probe.probe import Probe
from tests.measure.nets import chain, noise, probe

Array = np.ndarray[Any, Any]
IDENTITY = Map("y", (2, 3), (Fraction(1),) * 2, (1, 1, 16, 16))


def tiling(image: Array, tile: int, overlap: int, stride: int = 1) -> Tiling:
    found = place_tiles(image.shape, (2, 3), (tile, tile), overlap, (stride, stride))
    assert found is not None
    return found


def seams(
    net: Probe, images: list[Array], tile: int, overlap: int, **models: Probe
) -> dict[str, Seams]:
    maps = net.anatomy.outputs
    runs = {"original": net.some(maps), **{k: v.some(maps) for k, v in models.items()}}
    total = dict.fromkeys(runs, SeamSums())
    for image in images:
        place = tiling(image, tile, overlap, net.anatomy.stride[0])
        found = seam_sums(image, place, maps, net.runner(maps), runs)
        total = {k: total[k] + found[k][0] for k in runs}
    return {k: v.result(maps[0].stride) for k, v in total.items()}


@given(
    st.integers(8, 60), st.integers(8, 40), st.integers(0, 12), st.sampled_from([1, 2, 4])
)  # fmt: skip
def test_tiles_cover_the_image(image: int, tile: int, overlap: int, stride: int) -> None:
    if tile - overlap < stride:
        with pytest.raises(ValueError, match="cannot overlap"):
            place_tiles((1, 1, image, image), (2, 3), (tile, tile), overlap, (stride, stride))
        return
    found = place_tiles((1, 1, image, image), (2, 3), (tile, tile), overlap, (stride, stride))
    if found is None:
        assert image < tile + (tile - overlap) // stride * stride
        return
    assert found.large[0] <= image
    assert found.large[0] + found.step[0] > image
    assert found.step[0] % stride == 0
    assert overlap <= found.overlap[0] < overlap + stride
    x = np.random.default_rng(0).random((1, 1, image, image))
    whole = x[:, :, : found.large[0], : found.large[1]]
    (joined,) = stitch(x, found, [IDENTITY], lambda v: (v,), [whole.shape])
    assert joined is not None
    np.testing.assert_array_equal(joined.values, whole)
    assert len(joined.seams[0]) == found.count[0] - 1


def test_cost() -> None:
    assert Tiling((2, 3), (128, 128), (64, 64), (3, 3)).cost == 4
    assert Tiling((2, 3), (128, 128), (128, 128), (3, 3)).cost == 1


def test_distance_to_the_nearest_seam() -> None:
    assert seam_distance((6,), [(3,)]).tolist() == [2, 1, 0, 0, 1, 2]
    found = seam_distance((4, 6), [(), (2, 5)])
    assert (found == [[1, 0, 0, 1, 0, 0]]).all()


def test_a_net_without_padding_has_no_seams() -> None:
    net = probe(chain(2, pad=0))
    found = seams(net, noise(2, 60), 24, 4)["original"]
    assert found.images == 2
    assert max(found.error) < 1e-12
    assert found.visibility == pytest.approx(1, abs=1e-4)
    assert found.discard(1e-6) == 0


def test_without_overlap_its_tiles_do_not_fill_the_image() -> None:
    net = probe(chain(2, pad=0))
    found = seams(net, noise(2, 60), 24, 0)["original"]
    assert (found.images, found.uncompared) == (0, 2)


@pytest.mark.parametrize("stride", [1, 2])
def test_overlap_closes_the_seams_of_a_chain(stride: int) -> None:
    net = probe(chain(2, stride=stride, bias=3.0))
    total = net.anatomy.stride[0]
    reach = 2 * total  # 1 px at stride 1 and 1 at stride 2 of each layer, rounded up to the grid
    open_ = seams(net, noise(3, 96), 32, 0)["original"]
    closed = seams(net, noise(3, 96), 32, 2 * reach)["original"]
    assert open_.error[0] > 1e-3
    assert open_.visibility is not None
    assert open_.visibility > 1.5
    assert max(closed.error) < 1e-12
    assert closed.visibility == pytest.approx(1, abs=1e-4)
    assert open_.discard(1e-9) in range(1, reach + 1)


def test_a_candidate_is_held_against_the_original() -> None:
    original = chain(3, bias=3.0)
    net, edge = probe(original), probe(onnxpad.rewrite(original, "edge").model)
    found = seams(net, noise(3, 96), 32, 0, edge=edge)
    assert found["edge"].error[0] < 0.5 * found["original"].error[0]
    assert found["edge"].jump_whole == found["original"].jump_whole
    # away from the seams, and from the border of the image, both compute the same
    assert max(found["edge"].error[3:]) < 1e-12


def test_known_steps_and_errors() -> None:
    image = np.zeros((1, 1, 8, 8), np.float32) + np.arange(8, dtype=np.float32)

    def lifted(x: Array) -> tuple[Array, ...]:
        y = x.copy()
        y[..., 0] += 1  # the left border of every tile
        return (y,)

    place = place_tiles(image.shape, (2, 3), (8, 4), 0, (1, 1))
    assert place is not None
    assert place.count == (1, 2)
    found = seam_sums(image, place, [IDENTITY], lambda x: (x,), {"lifted": lifted})
    result = found["lifted"][0].result(IDENTITY.stride)
    variance = float(np.arange(8).var())
    # column 4 at the seam; column 0 is the border of the image itself
    assert result.error == pytest.approx([0.5 / variance, 0, 0])
    assert result.counts == (8, 8, 8)
    assert (result.jump_whole, result.jump) == (1, 2)
    assert result.visibility == 2
    assert result.discard(1e-3) == 1


def test_classes_that_change_at_the_seam() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((1, 3, 16, 16)).astype(np.float32)
    scores = Map("y", (2, 3), (Fraction(1),) * 2, (1, 3, 16, 16))

    def wrong(x: Array) -> tuple[Array, ...]:
        y = x.copy()
        y[:, 1, :, -1] = 9  # the right border of every tile is class 1
        return (y,)

    place = place_tiles(image.shape, (2, 3), (16, 8), 0, (1, 1))
    assert place is not None
    models = {"wrong": wrong, "none": lambda _: (None,)}
    found = seam_sums(image, place, [scores], lambda x: (x,), models, classes=1)
    result = found["wrong"][0].result(scores.stride)
    other = image.argmax(axis=1) != 1
    assert result.changed[0] == pytest.approx(other[:, 4:-4, 7].mean() / 2)
    assert result.changed[1:] == (0,) * 5
    assert found["none"][0].uncompared == 1
    labels = seam_sums(
        image.argmax(axis=1)[:, None], place, [scores], lambda x: (x,),
        {"same": lambda x: (x,)},
    )  # fmt: skip
    assert set(labels["same"][0].result(scores.stride).changed) == {0.0}
