"""Positions read from nets that cannot know them, that must, and from pictures that tell."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnxpad.errors import DataError
from onnxpad.studies.each import request
from onnxpad.studies.position import position
from tests.command import onnxpad
from tests.conftest import zoo_models
from tests.measure.nets import chain

FLOAT = TensorProto.FLOAT


def saved(path: Path, net) -> Path:
    onnx.save(net, path)
    return path


def rows(study, model=0):
    table = study.models[model].tables[0]
    return {row[0]: dict(zip(table.heads, row, strict=True)) for row in table.rows}


def ask(path: Path, **given):
    return request(path, samples=40, threads=1, **given)


def test_a_net_without_padding_knows_nothing_and_a_padded_one_does(tmp_path: Path):
    bare = saved(tmp_path / "bare.onnx", chain(4, pad=0, channels=8, size=32))
    padded = saved(tmp_path / "padded.onnx", chain(4, pad=1, channels=8, size=32))
    found = position([bare, padded], [ask(bare), ask(padded)])
    nothing, much = rows(found), rows(found, 1)
    assert max(abs(row["R²"]) for row in nothing.values()) <= 0.05
    assert abs(much["input"]["R²"]) <= 0.05
    assert much["conv4"]["R²"] > 0.1
    assert min(much["conv4"]["Spearman y"], much["conv4"]["Spearman x"]) > 0.3
    assert max(abs(r["shuffled"]) for r in (*nothing.values(), *much.values())) <= 0.05
    assert found.models[0].said[0].startswith("no layer tells where it is")
    assert "layers tell where they are" in found.models[1].said[0]
    assert "stationary 1/f noise" in found.models[0].on[0]
    # beside each other: one chart of both, one scale of colours
    assert found.models[0].charts[0].key == found.models[1].charts[0].key
    assert found.models[1].pictures[0].values.shape == (32, 32)


def test_location_leaks_no_further_than_the_receptive_field(tmp_path: Path):
    """Four 3×3 layers reach 4 px: behind them nothing of the border is left (Kayhan 2020)."""
    padded = saved(tmp_path / "padded.onnx", chain(4, pad=1, channels=8, size=48))
    found = position([padded], [ask(padded)], margin=4)
    assert max(abs(row["R²"]) for row in rows(found).values()) <= 0.05
    assert "at least 4 px" in " ".join(found.models[0].on)
    assert np.isnan(found.models[0].arrays["read conv4"][:, 3, :]).all()
    assert np.isfinite(found.models[0].arrays["read conv4"][:, 4, 4:-4]).all()


def test_pictures_that_tell_are_said_to(tmp_path: Path):
    """A ramp along y in every sample: the pixel itself is the coordinate, and x is not in it."""
    bare = saved(tmp_path / "bare.onnx", chain(1, pad=0, channels=2, size=24))
    ramp = np.linspace(0, 1, 24, dtype=np.float32)[None, None, :, None]
    noise = np.random.default_rng(0).random((40, 1, 24, 24), np.float32)
    np.save(tmp_path / "ramp.npy", ramp + 0.01 * noise)
    found = position([bare], [ask(bare, data=tmp_path / "ramp.npy")])
    row = rows(found)["input"]
    assert row["R² y"] > 0.99
    assert row["Spearman y"] > 0.99
    assert abs(row["R² x"]) < 0.05
    assert any("photographs have the sky up" in text for text in found.models[0].said)
    read = found.models[0].pictures[0]
    assert (read.key, read.values.shape) == ("best-y", (22, 22))
    assert read.values[0].mean() == pytest.approx(-1 + 1 / 22, abs=0.1)


def test_equal_input_gives_equal_output(tmp_path: Path):
    model = saved(tmp_path / "m.onnx", chain(2, channels=4, size=16))
    first, second = (position([model], [ask(model)]) for _ in range(2))
    assert first.models[0].tables == second.models[0].tables
    other = position([model], [ask(model, seed=7)])
    assert first.models[0].tables != other.models[0].tables


def test_memory_does_not_grow_with_the_images(tmp_path: Path):
    """Sums alone are kept: of every layer as much after 12 images as after 40."""
    from onnxpad.measure.position import Places, Reading
    from onnxpad.probe.anatomy import Layer, Map

    one = Map("m", (2, 3), (1, 1), (1, 5, 8, 8))
    where = Places.of((8, 8), (1, 1), 0)
    reading = Reading(Layer("l", "Conv", one, ()), where)
    rng = np.random.default_rng(0)
    sizes = []
    for i in range(40):
        reading.add(rng.random((5, 64), np.float32), rng, judge=i % 3 == 2)
        sizes.append(reading.fitted.products.nbytes + reading.judge.targets.nbytes)
    assert len(set(sizes)) == 1


def test_too_few_images(tmp_path: Path):
    model = saved(tmp_path / "m.onnx", chain(1, size=16))
    np.save(tmp_path / "few.npy", np.zeros((5, 1, 16, 16), np.float32))
    with pytest.raises(DataError, match="at least 8 images"):
        position([model], [ask(model, data=tmp_path / "few.npy")])


def test_where_it_does_not_apply(tmp_path: Path):
    def one(shapes, nodes, weights=()):
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info(n, FLOAT, s) for n, s in shapes.items()],
            [helper.make_tensor_value_info("y", FLOAT, None)], list(weights),
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    kernel = numpy_helper.from_array(np.ones((1, 1, 3), np.float32), "w")
    sound = one({"x": [1, 1, 512]}, [helper.make_node("Conv", ["x", "w"], ["y"])], [kernel])
    two = one({"a": [1, 3, 16, 16], "b": [1, 3, 16, 16]}, [helper.make_node("Add", "ab", ["y"])])
    flat = one({"x": [1, 3, 16, 16]}, [helper.make_node("GlobalMaxPool", ["x"], ["y"])])
    for name, net, words in (
        ("sound", sound, "signal"),
        ("two", two, "several pictures"),
        ("flat", flat, "layers cannot be seen"),
    ):
        path = saved(tmp_path / f"{name}.onnx", net)
        assert words in position([path], [ask(path)]).models[0].absent


def test_the_command(tmp_path: Path):
    model = saved(tmp_path / "m.onnx", chain(2, channels=4, size=16))
    done = onnxpad(
        "study", "position", model, "--samples", "16", "--margin", "1", "--save", tmp_path / "out"
    )
    assert done.code == 0, done.err
    assert "16 images of 16×16" in done.out
    folder = tmp_path / "out" / "position"
    assert (folder / "r2.png").is_file()
    with np.load(folder / "m.npz", allow_pickle=False) as archive:
        assert archive["r2"].shape == (3, 2)
        assert archive["read_conv2"].shape == (2, 16, 16)
    wrong = onnxpad("study", "position", model, "--data", tmp_path / "nothing")
    assert wrong.code == 2
    assert "no such file" in wrong.error


@pytest.mark.zoo
def test_a_real_net_without_padding_knows_nothing_and_one_with_zeros_does(zoo: Path):
    bare = zoo / "models" / "facenet_mtcnn_pnet.onnx"
    padded = zoo / "models" / "winml_cifar_ImageClassifier.onnx"
    found = position([bare, padded], [request(bare, samples=24), request(padded)])
    assert max(abs(row["R²"]) for row in rows(found).values()) <= 0.05
    assert rows(found, 1)["Conv_7"]["R²"] > 0.15


def test_of_many_layers_some_are_read_the_first_and_the_last_among_them(tmp_path: Path):
    deep = saved(tmp_path / "deep.onnx", chain(9, pad=1, channels=4, size=24))
    found = position([deep], [ask(deep)], layers=4)
    assert list(rows(found)) == ["input", "conv3", "conv6", "conv9"]
    assert any("6 layers between" in text for text in found.models[0].on)


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_real_models(path: Path):
    one = position([path], [request(path, samples=8)], layers=4).models[0]
    if path.stem in ("basic_pitch_nmp", "silero_vad"):
        assert "signal" in one.absent
        return
    assert not one.absent
    assert one.said
