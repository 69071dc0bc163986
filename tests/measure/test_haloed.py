"""A halo from outside: what the rewriter builds into the graph, and exact where it must be."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, helper

import onnxpad
from onnxpad.measure.haloed import haloed
from onnxpad.measure.tiles import place_tiles
from onnxpad.measure.tiles_run import seam_sums
from onnxpad.probe.feeding import Feeding
from onnxpad.probe.probe import open_probe
from tests.measure.nets import CPU, chain, probe

Array = np.ndarray[Any, Any]


def channels_last(proto: ModelProto) -> ModelProto:
    """The same net for pictures whose channels come last: a Transpose at both ends."""
    graph = proto.graph
    shape = [1, "h", "w", 1]
    graph.node[0].input[0] = "first"
    graph.node[-1].output[0] = "last"
    graph.node.insert(0, helper.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2]))
    graph.node.append(helper.make_node("Transpose", ["last"], ["y"], perm=[0, 2, 3, 1]))
    graph.input[0].CopyFrom(helper.make_tensor_value_info("x", 1, shape))
    graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 1, [1, "a", "b", 3]))
    return proto


def opened(proto: ModelProto, axes: tuple[int, int], picture: Array) -> Any:
    return open_probe(proto, Feeding("x", axes, None, {"x": picture}), provider=CPU, threads=1)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("last", [False, True], ids=["NCHW", "NHWC"])
@pytest.mark.parametrize("stride", [1, 2])
def test_it_is_what_the_rewriter_builds(mode: str, last: bool, stride: int) -> None:
    proto = chain(2, stride=stride)
    proto, axes = (channels_last(proto), (1, 2)) if last else (proto, (2, 3))
    shape = (1, 24, 32, 1) if last else (1, 1, 24, 32)
    picture = np.random.default_rng(0).random(shape, np.float32)
    net = opened(proto, axes, picture)
    built = onnxpad.rewrite(proto, mode, halo=4)
    assert built.halo is not None
    assert built.halo.pixels == (4, 4)
    theirs = opened(built.model, axes, picture)
    maps = net.anatomy.outputs
    (made,) = haloed(net.runner(maps), maps, axes, (4, 4), mode)(picture)
    (wanted,) = theirs.runner(theirs.anatomy.outputs)(picture)
    assert made is not None
    np.testing.assert_allclose(made, wanted, rtol=1e-6, atol=1e-6)


def plateaus(size: int, tile: int, flat: int) -> Array:
    """g(y) + g(x), g flat within so many pixels of every multiple of `tile`, else rough."""
    rng = np.random.default_rng(0)
    g = rng.random(size)
    for seam in range(0, size + 1, tile):
        near = slice(max(seam - flat, 0), seam + flat)
        g[near] = g[max(seam - flat, 0)]
    return (g[:, None] + g)[None, None].astype(np.float32)


@pytest.mark.parametrize("layers", [1, 3])
def test_it_closes_seams_where_edge_is_the_truth(layers: int) -> None:
    """L convolutions of 3×3 see L px beyond a tile: with L px that are right, nothing is wrong."""
    net = probe(chain(layers, bias=3.0))
    maps, picture = net.anatomy.outputs, plateaus(96, 32, layers)
    place = place_tiles(picture.shape, (2, 3), (32, 32), 0, (1, 1))
    assert place is not None
    run = net.runner(maps)
    halos = {n: haloed(run, maps, (2, 3), (n, n), "edge") for n in range(1, layers + 1)}
    models = {"bare": run} | {str(n): halo for n, halo in halos.items()}
    found = {k: v[0].result(maps[0].stride) for k, v in
             seam_sums(picture, place, maps, run, models).items()}  # fmt: skip
    assert found["bare"].error[0] > 1e-3
    assert max(found[str(layers)].error) < 1e-12
    assert all(max(found[str(n)].error) > 1e-6 for n in range(1, layers))


def test_maps_without_anything_left() -> None:
    net = probe(chain(2, pad=0))
    maps = net.anatomy.outputs
    picture = np.zeros((1, 1, 4, 4), np.float32)
    assert haloed(net.runner(maps), maps, (2, 3), (8, 8), "edge")(picture) == (None,)
