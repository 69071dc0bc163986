import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import onnxpad
from onnxpad.data import synthetic
from onnxpad.data.plan import main_input, plans
from onnxpad.errors import RunError
from onnxpad.measure.context import ORIGINAL, Sums, merged, results
from onnxpad.measure.context_run import Contender, context_sums
from onnxpad.measure.crop import place_crop
from onnxpad.measure.layers import LayerTally, constant_responses
from onnxpad.probe.feeding import Feeding
from onnxpad.probe.probe import open_probe, pair_outputs
from onnxpad.runtime import open_session
from tests.conftest import zoo_models
from tests.data.graphs import model
from tests.measure.nets import CPU, chain, noise, probe


def test_original_and_candidate_against_the_same_interior() -> None:
    original = chain(4)
    a, b = probe(original), probe(onnxpad.rewrite(original, "reflect").model)
    found = constant_responses(a, b)
    assert found.first_sees_zero
    assert [r.widths for r in found.original] == [((d, d), (d, d)) for d in range(4)]
    assert all(r is not None and r.clean for r in found.candidate)
    assert not constant_responses(a, None, 0.5).first_sees_zero
    assert constant_responses(a, None).candidate == (None,) * 4


def test_partial_convolution_is_cleaner_than_zeros() -> None:
    original = chain(1, bias=0.0)
    a, b = probe(original), probe(onnxpad.rewrite(original, "partial").model)
    found = constant_responses(a, b, 1.0)
    assert found.candidate[0] is not None
    assert found.candidate[0].largest > 0


def test_preprocessing_inside_the_graph_is_seen() -> None:
    proto = chain(2)
    proto.graph.node[0].input[0] = "shifted"
    half = helper.make_tensor("half", TensorProto.FLOAT, [], [0.5])
    proto.graph.initializer.append(half)
    proto.graph.node.insert(0, helper.make_node("Sub", ["x", "half"], ["shifted"]))
    net = probe(proto)
    assert not constant_responses(net, None, 0.0).first_sees_zero
    found = constant_responses(net, None, 0.5)
    assert found.first_sees_zero
    assert found.original[0].clean


def test_pictures_through_both_models() -> None:
    original = chain(4, bias=2.0)
    a, b = probe(original), probe(onnxpad.rewrite(original, "symmetric").model)
    tally = LayerTally(a, b)
    for image in noise(8, 32):
        tally.add(image)
    found = tally.result()
    assert found.unpaired == 0
    assert [m.images for m in found.original] == [8] * 4
    assert all(m.artifacts for m in found.original[1:])
    assert not any(m.artifacts for m in found.candidate)
    assert [d.depth(1e-6) for d in found.drifts] == [1, 2, 3, 4]


def test_models_without_common_layers() -> None:
    tally = LayerTally(probe(chain(2)), probe(chain(3, pad=0)))
    tally.add(noise(1, 32)[0])
    found = tally.result()
    assert (found.original, found.drifts, found.unpaired) == ((), (), 2)


def test_memory_does_not_grow_with_the_pictures() -> None:
    net = probe(chain(3), (64, 64))
    tally = LayerTally(net, net)
    image = noise(1, 64)[0]
    peaks = []
    tracemalloc.start()
    try:
        for _ in range(3):
            tracemalloc.reset_peak()
            for _ in range(20):
                tally.add(image)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[2] <= 1.1 * peaks[1]


def test_a_quantised_layer_is_measured_in_its_own_steps() -> None:
    nodes = [
        helper.make_node(
            "QLinearConv", ["x", "one", "zero", "w", "one", "wz", "one", "zero"], ["y"],
            pads=[1] * 4, kernel_shape=[3, 3], name="q",
        )
    ]  # fmt: skip
    weights = {
        "w": np.ones((1, 1, 3, 3), np.int8),
        "wz": np.array(0, np.int8),
        "one": np.array(1, np.float32),
        "zero": np.array(0, np.uint8),
    }
    byte = TensorProto.UINT8
    shape = (1, 1, "h", "w")
    proto = model(nodes, [("x", byte, shape)], [("y", byte, shape)], weights)
    x = np.zeros((1, 1, 16, 16), np.uint8)
    net = open_probe(proto, Feeding("x", (2, 3), 1, {"x": x}), provider=CPU)
    (found,) = constant_responses(net, None, 10).original
    assert not found.unsure
    assert found.widths == ((1, 1), (1, 1))
    assert (found.scale, found.largest) == (90, 50)


# real models: nothing crashes, and copying leaves no response where only padding makes one


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_every_zoo_model_against_its_edge_rewrite(path: Path) -> None:
    session = open_session(path, provider=CPU)
    for choice in plans(session.inputs):
        feed = synthetic.feed(choice, 0, 0)
        try:
            session.run(feed)
        except RunError:
            continue
        break
    main = main_input(choice)
    assert main is not None
    assert main.layout is not None
    fed = Feeding(main.info.name, main.layout.spatial, main.layout.channel, feed)
    a = open_probe(path, fed, provider=CPU)
    if not a.anatomy.outputs:
        assert a.anatomy.refused
        return
    # padded where it is read: padding that moved up leaves layers with larger maps, which have
    # no counterpart
    edge = onnxpad.rewrite(path, "edge", place="site").model
    b = open_probe(edge, fed, provider=CPU, label="the candidate")
    constant = constant_responses(a, b)
    assert len(constant.original) == len(a.anatomy.layers)
    for response in constant.candidate:
        assert response is not None
        if not response.apart and not response.unsure:
            assert response.relative is None or response.relative <= 1e-6
    tally = LayerTally(a, b)
    tally.add(feed[main.info.name])
    assert tally.result().unpaired == 0

    stride, maps = a.anatomy.stride, a.anatomy.outputs
    large = tuple(n + 2 * s for n, s in zip(fed.space, stride, strict=True))
    picture = fed.sized(large)[fed.main]
    crop = place_crop(picture.shape, fed.axes, fed.space, stride)
    assert crop is not None
    pairs = pair_outputs(a.anatomy, b.anatomy)
    assert None not in pairs
    edge = Contender(b.some([p[1] if p else None for p in pairs]))
    sums: Sums = merged({}, context_sums(picture, crop, maps, a.runner(maps), {"edge": edge}))
    found = results(sums, maps)
    assert set(found) == {ORIGINAL, "edge"}
    assert all(e.uncompared == 0 and e.images >= 1 for e in found["edge"])
