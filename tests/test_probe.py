from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

import onnxpad
from onnxpad.data import synthetic
from onnxpad.data.plan import main_input, plans
from onnxpad.errors import RunError
from onnxpad.probe.anatomy import Layer, Map
from onnxpad.probe.feeding import Feeding
from onnxpad.probe.probe import groups, map_bytes, open_probe, pair_layers, pair_outputs, thinned
from onnxpad.runtime import open_session
from tests.conftest import zoo_models
from tests.data.graphs import FLOAT, classifier, model, saved
from tests.measure.nets import CPU, chain, feeding, probe

Array = np.ndarray[Any, Any]


def conv(source: str, target: str, **attributes: Any) -> onnx.NodeProto:
    given = {"pads": [1] * 4, "kernel_shape": [3, 3], **attributes}
    return helper.make_node("Conv", [source, "w"], [target], name=target, **given)


def square(nodes: list[onnx.NodeProto], size: int | None = None, **weights: Array) -> ModelProto:
    """A model of two channels from x to y around these nodes."""
    w = np.random.default_rng(0).standard_normal((2, 2, 3, 3)).astype(np.float32)
    shape = (1, 2, size or "h", size or "w")
    return model(nodes, [("x", FLOAT, shape)], [("y", FLOAT, None)], {"w": w, **weights})  # type: ignore[list-item]  # a value of no declared shape


# what is a map


def test_strides_are_measured() -> None:
    scales = np.array([1, 1, 4, 4], np.float32)
    nodes = [
        conv("x", "a", strides=[2, 2]),
        conv("a", "b", strides=[1, 2]),
        helper.make_node("Resize", ["b", "", "scales"], ["u"], mode="nearest"),
        helper.make_node("Transpose", ["u"], ["y"], perm=[0, 2, 3, 1]),
    ]
    found = probe(square(nodes, scales=scales), (32, 48), channels=2).anatomy
    assert found.maps["a"].stride == (2, 2)
    assert found.maps["b"].stride == (2, 4)
    assert found.maps["u"].stride == (Fraction(1, 2), 1)
    assert found.maps["y"].axes == (1, 2)
    assert found.maps["y"].channels == (3,)
    assert found.maps["b"].shape == (1, 2, 16, 12)
    assert found.stride == (2, 4)
    assert [m.name for m in found.outputs] == ["y"]
    assert not found.deepest
    assert [layer.name for layer in found.layers] == ["a", "b"]


def test_stride_three() -> None:
    nodes = [
        conv("x", "a", strides=[3, 3]),
        helper.make_node("MaxPool", ["a"], ["y"], kernel_shape=[2, 2], strides=[2, 2], name="p"),
    ]
    assert probe(square(nodes), (36, 36), channels=2).anatomy.stride == (6, 6)


def test_sound() -> None:
    w = np.ones((2, 1, 9), np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[256], pads=[4, 4])
    proto = model([node], [("x", FLOAT, (1, 1, 16000))], [("y", FLOAT, (1, 2, 63))], {"w": w})
    found = probe(proto, (16000,)).anatomy
    assert found.stride == (256,)
    assert found.outputs[0].axes == (2,)


def test_a_fixed_size_is_freed_and_the_file_is_left_alone(tmp_path: Path) -> None:
    path = saved(chain(3, size=20), tmp_path / "m.onnx")
    before = path.read_bytes()
    tmp_path.chmod(0o500)
    try:
        opened = probe(path, (20, 20))
        names = [p.name for p in tmp_path.iterdir()]
    finally:
        tmp_path.chmod(0o700)
    assert names == ["m.onnx"]
    assert path.read_bytes() == before
    run = opened.runner([opened.anatomy.maps["c2"], *opened.anatomy.outputs])
    c2, y = run(np.zeros((1, 1, 37, 29), np.float32))
    assert c2.shape == y.shape == (1, 3, 37, 29)


def test_weights_stay_in_their_file(tmp_path: Path) -> None:
    proto = chain(3, channels=16)
    path = tmp_path / "m.onnx"
    onnx.save_model(proto, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    opened = probe(path)
    assert opened.copy.folder == tmp_path
    data = opened.copy.part(["y"])
    assert len(data) < 4000
    x = opened.feeding.arrays["x"]
    want = open_session(path, provider=CPU).run({"x": x})["y"]
    np.testing.assert_array_equal(opened.runner(opened.anatomy.outputs)(x)[0], want)


@pytest.mark.parametrize("shape", [[1, -1], [1, 2 * 16 * 16]])
def test_the_deepest_map_stands_for_an_output_without_space(shape: list[int]) -> None:
    nodes = [
        conv("x", "a"),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Reshape", ["r", "shape"], ["f"], name="flat"),
        helper.make_node("MatMul", ["f", "m"], ["y"], name="head"),
    ]
    rng = np.random.default_rng(1)
    weights = {
        "shape": np.array(shape, np.int64),
        "m": rng.random((512, 5)).astype(np.float32),
    }
    found = probe(square(nodes, 16, **weights), (16, 16), channels=2).anatomy
    assert [m.name for m in found.outputs] == ["r"]
    assert found.deepest
    assert found.blocked == (("flat",) if shape[1] > 0 else ("head",))
    assert not found.global_ops


def test_a_pooled_head_is_no_part_of_the_context(tmp_path: Path) -> None:
    found = probe(classifier(tmp_path / "m.onnx"), (16, 16), channels=3).anatomy
    assert [m.name for m in found.outputs] == ["r"]
    assert found.label == ""


def test_what_follows_no_size_is_said() -> None:
    nodes = [
        helper.make_node("Reshape", ["x", "s"], ["f"], name="first"),
        helper.make_node("Relu", ["f"], ["y"]),
    ]
    found = probe(square(nodes, 16, s=np.array([512], np.int64)), (16, 16), channels=2).anatomy
    assert not found.outputs
    assert found.blocked == ("first",)
    assert "first" in found.refused


def test_layers_inside_local_functions_are_seen() -> None:
    node = helper.make_node("Twice", ["x", "w"], ["y"], domain="mine")
    body = [
        helper.make_node("Conv", ["a", "k"], ["b"], pads=[1] * 4),
        helper.make_node("Conv", ["b", "k"], ["c"], pads=[1] * 4),
    ]
    function = helper.make_function(
        "mine", "Twice", ["a", "k"], ["c"], body, [helper.make_opsetid("", 17)]
    )
    w = np.ones((1, 1, 3, 3), np.float32)
    proto = model([node], [("x", FLOAT, (1, 1, 8, 8))], [("y", FLOAT, (1, 1, 8, 8))], {"w": w},
                  domains=["mine"])  # fmt: skip
    proto.functions.append(function)
    assert len(probe(proto, (16, 16)).anatomy.layers) == 2


def test_layers_in_branches_are_counted_as_unseen() -> None:
    then = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["t"], pads=[1] * 4)], "then", [],
        [helper.make_tensor_value_info("t", FLOAT, None)],
    )  # fmt: skip
    other = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["e"])], "else", [],
        [helper.make_tensor_value_info("e", FLOAT, None)],
    )  # fmt: skip
    nodes = [helper.make_node("If", ["yes"], ["y"], then_branch=then, else_branch=other, name="if")]
    found = probe(square(nodes, yes=np.array(True)), (16, 16), channels=2).anatomy
    assert [m.name for m in found.outputs] == ["y"]


# operators that read the whole space

SQUEEZE = [
    conv("x", "a"),
    helper.make_node("GlobalAveragePool", ["a"], ["g"], name="pool"),
    helper.make_node("Mul", ["a", "g"], ["y"]),
]
REDUCE = [
    conv("x", "a"),
    helper.make_node("ReduceMean", ["a"], ["g"], axes=[2, 3], name="mean"),
    helper.make_node("Sub", ["a", "g"], ["y"]),
]
NORM = [helper.make_node("InstanceNormalization", ["x", "two", "two"], ["y"], name="norm")]
SOFTMAX = [helper.make_node("Softmax", ["x"], ["y"], axis=3, name="soft")]
CHANNELS = [helper.make_node("Softmax", ["x"], ["y"], axis=1)]
ATTENTION = [
    helper.make_node("Shape", ["x"], ["s"]),
    helper.make_node("Reshape", ["x", "flat"], ["f"]),
    helper.make_node("Transpose", ["f"], ["t"], perm=[0, 2, 1]),
    helper.make_node("MatMul", ["t", "f"], ["q"]),
    helper.make_node("MatMul", ["f", "q"], ["v"], name="attend"),
    helper.make_node("Reshape", ["v", "s"], ["y"]),
]


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        (SQUEEZE, ("pool",)),
        (REDUCE, ("mean",)),
        (NORM, ("norm",)),
        (SOFTMAX, ("soft",)),
        (CHANNELS, ()),
        (ATTENTION, ("attend",)),
    ],
)
def test_global_ops(nodes: list[onnx.NodeProto], names: tuple[str, ...]) -> None:
    weights = {"two": np.ones(2, np.float32), "flat": np.array([1, 2, -1], np.int64)}
    found = probe(square(nodes, **weights), (16, 16), channels=2).anatomy
    assert found.global_ops == names
    assert found.label == ("mixed" if names else "")


@pytest.mark.parametrize("mode", ["align_corners", "half_pixel"])
def test_align_corners_is_refused(mode: str) -> None:
    node = helper.make_node(
        "Resize", ["x", "", "s"], ["y"], mode="linear", name="up",
        coordinate_transformation_mode=mode,
    )  # fmt: skip
    proto = square([node], s=np.array([1, 1, 2, 2], np.float32))
    found = probe(proto, (16, 16), channels=2).anatomy
    assert bool(found.refused) == (mode == "align_corners")
    assert not found.refused or ("up" in found.refused and mode in found.refused)


def test_layers_behind_operators_with_borders_of_their_own() -> None:
    weights = {"k": np.ones((2, 2, 2, 2), np.float32)}
    nodes = [
        conv("x", "a"),
        helper.make_node("ConvTranspose", ["a", "k"], ["t"], strides=[2, 2], name="t"),
        helper.make_node(
            "AveragePool", ["t"], ["p"], kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1,
            name="p",
        ),
        conv("p", "y"),
    ]  # fmt: skip
    found = probe(square(nodes, **weights), (16, 16), channels=2).anatomy
    assert {layer.name: layer.apart for layer in found.layers} == {
        "a": (),
        "t": ("ConvTranspose",),
        "p": ("ConvTranspose", "counted AveragePool"),
        "y": ("ConvTranspose", "counted AveragePool"),
    }


# outputs and reductions


@pytest.mark.parametrize("opset", [13, 18])
def test_reductions_inside_the_graph(opset: int) -> None:
    proto = chain(3, channels=5)
    proto.opset_import[0].version = opset
    opened = probe(proto)
    layers = opened.anatomy.layers
    x = opened.feeding.arrays["x"]
    maps = opened.runner([layer.map for layer in layers])(x)
    found = opened.means(layers, squares=True)(x)
    assert len(found) == 6
    for value, mean, mean_square in zip(maps, found[:3], found[3:], strict=True):
        wide = value.astype(np.float64)
        np.testing.assert_allclose(mean, wide.mean(axis=1), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(mean_square, (wide**2).mean(axis=1), rtol=1e-5, atol=1e-6)
    assert len(opened.means(layers)(x)) == 3


def test_reductions_of_other_layouts() -> None:
    nodes = [
        conv("x", "a"),
        helper.make_node("Transpose", ["a"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMax", ["a"], ["none"], axes=[1], keepdims=0),
        helper.make_node("Identity", ["last"], ["y"]),
    ]
    opened = probe(square(nodes), (16, 12), channels=2)
    layers = [
        Layer(name, "", Map(name, axes, (Fraction(1),) * 2, shape), ())
        for name, axes, shape in (("last", (1, 2), (1, 16, 12, 2)), ("none", (1, 2), (1, 16, 12)))
    ]
    x = opened.feeding.arrays["x"]
    last, none = opened.runner([layer.map for layer in layers])(x)
    means = opened.means(layers)(x)
    np.testing.assert_allclose(means[0], last.mean(axis=3), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(means[1], none)


def test_groups_and_thinning_keep_within_memory() -> None:
    layers = probe(chain(7)).anatomy.layers
    size = map_bytes(layers[0])
    assert [len(g) for g in groups(layers, 3 * size)] == [3, 3, 1]
    assert [len(g) for g in groups(layers, 1)] == [1] * 7
    assert thinned(layers, 7 * size) == layers
    assert [x.name for x in thinned(layers, 3 * size)] == ["conv1", "conv4", "conv7"]
    assert [x.name for x in thinned(layers, 1)] == ["conv7"]


def test_feeds_of_other_sizes_and_colours() -> None:
    fed = Feeding("x", (1, 2), 3, {"x": np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)})
    assert fed.space == (2, 4)
    assert fed.sized((3, 2))["x"][0, :, :, 0].tolist() == [[0, 3], [12, 15], [0, 3]]
    colour = fed.constant((1, 2, 3))["x"]
    assert colour.dtype == np.uint8
    assert (colour == [1, 2, 3]).all()
    assert (fed.constant(7)["x"] == 7).all()


# two models


def test_pairs_of_a_rewritten_model() -> None:
    original = chain(4)
    a, b = probe(original), probe(onnxpad.rewrite(original, "reflect").model)
    pairs = pair_layers(a.anatomy, b.anatomy)
    assert [(x.name, y.name) for x, y in pairs.layers] == [(f"conv{i}",) * 2 for i in range(1, 5)]
    assert pairs.unpaired == 0
    assert [p[1].name for p in pair_outputs(a.anatomy, b.anatomy) if p] == ["y"]


def test_pairs_of_a_copy_with_other_names() -> None:
    original = chain(3)
    copy = ModelProto()
    copy.CopyFrom(original)
    for node in copy.graph.node:
        node.name = ""
        for field in (node.input, node.output):
            field[:] = [f"other_{n}" if n[0] in "cr" else n for n in field]
    a, b = probe(original), probe(copy)
    pairs = pair_layers(a.anatomy, b.anatomy)
    assert [(x.map.name, y.map.name) for x, y in pairs.layers] == [
        (f"c{i}", f"other_c{i}") for i in range(1, 4)
    ]


def test_layers_of_another_size_have_no_counterpart() -> None:
    pairs = pair_layers(probe(chain(3)).anatomy, probe(chain(3, pad=0)).anatomy)
    assert not pairs.layers
    assert pairs.unpaired == 3


def test_a_map_that_the_candidate_lacks() -> None:
    opened = probe(chain(2))
    first = opened.anatomy.maps["c1"]
    values = opened.some([None, first, None])(opened.feeding.arrays["x"])
    assert [v is None for v in values] == [True, False, True]


def test_a_model_that_fails_is_named() -> None:
    proto = chain(1)
    proto.graph.node[0].op_type = "NoSuchOp"
    with pytest.raises(RunError, match="the model"):
        probe(proto).session(["y"])


def test_float16() -> None:
    w = np.ones((1, 1, 3, 3), np.float16)
    half = TensorProto.FLOAT16
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)
    proto = model([node], [("x", half, (1, 1, "h", "w"))], [("y", half, (1, 1, "h", "w"))],
                  {"w": w})  # fmt: skip
    x = np.ones((1, 1, 16, 16), np.float16)
    opened = open_probe(proto, Feeding("x", (2, 3), 1, {"x": x}), provider=CPU)
    (mean,) = opened.means(opened.anatomy.layers)(x)
    assert mean.dtype == np.float32
    assert mean[0, 5, 5] == 9
    assert feeding().space == (32, 32)


# real models

WITHOUT_MAPS = {"basic_pitch_nmp", "silero_vad"}
MIXED = {"ch_PP-OCRv4_det_infer", "fns_candy"}


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_every_zoo_model_shows_its_maps(path: Path) -> None:
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
    found = open_probe(path, fed, provider=CPU).anatomy
    if path.stem in WITHOUT_MAPS:
        assert found.refused
        return
    assert found.layers
    assert found.outputs
    assert not found.refused
    assert found.label == ("mixed" if path.stem in MIXED else "")
    for one in found.outputs:
        assert min(one.space) >= 3
