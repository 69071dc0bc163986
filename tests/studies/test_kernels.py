"""Mean kernels of models whose weights are planted: what leans, what does not, and where."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from onnxpad.studies.kernels import kernels
from tests.command import onnxpad
from tests.conftest import zoo_models
from tests.rules.check import chain, model

CONV = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
STEP = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]})


def net(path: Path, weights, strides, shape=(1, 8, 64, 64), pads=1) -> Path:
    """A chain of 8-channel convolutions with these weights."""
    nodes, tensors, last = [], [], "x"
    for i, (weight, stride) in enumerate(zip(weights, strides, strict=True)):
        tensors.append(numpy_helper.from_array(np.asarray(weight, np.float32), f"w{i}"))
        nodes.append(
            helper.make_node(
                "Conv", [last, f"w{i}"], [f"t{i}"], name=f"conv{i}", pads=[pads] * 4,
                strides=[stride] * 2,
            )
        )  # fmt: skip
        last = f"t{i}"
    onnx.save(model(nodes, tensors, shape), path)
    return path


def random(seed: int, lean: float = 0.0):
    """(8, 8, 3, 3) random kernels that lean to the left by so much."""
    found = np.random.default_rng(seed).standard_normal((8, 8, 3, 3))
    found[..., 0] += lean
    return found


def rows(study, key="layers"):
    table = next(t for t in study.models[0].tables if t.key == key)
    return [dict(zip(table.heads, row, strict=True)) for row in table.rows]


def test_mirror_symmetric_kernels_score_nothing(tmp_path: Path):
    half = random(0)
    both = half + half[..., ::-1]
    found = kernels([net(tmp_path / "m.onnx", [both + both[..., ::-1, :]], [1])])
    (row,) = rows(found)
    assert (row["a y"], row["a x"], row["p y"], row["p x"]) == (0, 0, 1, 1)
    assert found.models[0].said[0].startswith("the mean kernels of 0 of 1 layers")


def test_a_planted_lean_is_found_and_random_kernels_are_not(tmp_path: Path):
    path = net(tmp_path / "m.onnx", [random(1), random(2, 0.6), random(3)], [1, 2, 1])
    found = kernels([path])
    first, second, third = rows(found)
    assert second["p x"] < 0.05 < second["p y"]
    assert second["a x"] == pytest.approx(lean(random(2, 0.6)))
    assert min(first["p x"], first["p y"], third["p x"], third["p y"]) > 0.05
    assert (second["padding read"], second["uneven"], second["window"]) == (
        "1+0", "uneven", "3×3/2",
    )  # fmt: skip
    assert found.models[0].tables[0].tones == ("", "bad", "")
    assert found.models[0].said[0].startswith("the mean kernels of 1 of 3 layers")


def lean(weights):
    """The score along x, by its formula."""
    mean = weights.astype(np.float32).astype(float).mean(axis=(0, 1))
    return abs(mean[:, 0].sum() - mean[:, 2].sum()) / np.abs(mean).sum()


def test_a_size_that_is_even_everywhere_changes_the_reading_and_no_kernel(tmp_path: Path):
    path = net(tmp_path / "m.onnx", [random(1), random(2, 0.6)], [1, 2], (1, 8, "h", "w"))
    uneven, even = kernels([path], size=(64, 64)), kernels([path], size=(65, 65))
    assert [r["uneven"] for r in rows(uneven)] == ["", "uneven"]
    assert [r["uneven"] for r in rows(even)] == ["", ""]
    assert "all layers are even" in even.models[0].said[1]
    assert [r["a x"] for r in rows(uneven)] == [r["a x"] for r in rows(even)]


def test_that_uneven_layers_lean_is_said_where_they_do_and_only_there(tmp_path: Path):
    strides = [1, 2] * 6
    leaning = [random(i, 0.5 * (s == 2)) for i, s in enumerate(strides)]
    plain = [random(i) for i in range(12)]
    for name, weights, expected in (
        ("lean.onnx", leaning, "layers that read padding unevenly have more asymmetric"),
        ("even.onnx", plain, "uneven layers do not differ from even ones beyond doubt"),
    ):
        said = kernels([net(tmp_path / name, weights, strides, (1, 8, 256, 256))]).models[0].said
        assert said[1].startswith(expected)
        assert "of 6 uneven and" in said[1]
        assert "of 6 even layers" in said[1]


def test_transposed_convolutions_stand_apart_and_single_taps_are_left_out(tmp_path: Path):
    up = ("ConvTranspose", {"kernel_shape": [4, 4], "strides": [2, 2]})
    one = ("Conv", {"kernel_shape": [1, 1]})
    onnx.save(chain(CONV, one, up), tmp_path / "m.onnx")
    found = kernels([tmp_path / "m.onnx"])
    assert [r["layer"] for r in rows(found)] == ["conv0"]
    (apart,) = rows(found, "transposed")
    assert (apart["window"], apart["kernels"]) == ("4×4/2", 9)
    onnx.save(chain(one), tmp_path / "one.onnx")
    absent = kernels([tmp_path / "one.onnx"]).models[0].absent
    assert "no convolution of more than one tap" in absent


def test_rows_that_no_window_reads_are_not_uneven_padding(tmp_path: Path):
    path = net(tmp_path / "m.onnx", [random(0)], [2], pads=0)  # 64 rows, 63 are read
    (row,) = rows(kernels([path]))
    assert (row["padding read"], row["uneven"]) == ("0+0", "")


def test_depthwise_and_signals(tmp_path: Path):
    weights = np.random.default_rng(0).standard_normal((8, 1, 5)).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="c", group=8, pads=[2, 2])
    tensors = [numpy_helper.from_array(weights, "w")]
    onnx.save(model([node], tensors, (1, 8, 100)), tmp_path / "m.onnx")
    found = kernels([tmp_path / "m.onnx"])
    (row,) = rows(found)
    assert row["kernels"] == 8
    assert {"a x", "p x"} <= row.keys()
    assert "a y" not in row
    picture = found.models[0].pictures[0]
    mean = weights.astype(float).mean(axis=(0, 1))
    np.testing.assert_allclose(picture.values, [mean / np.abs(mean).sum()])
    assert picture.centre == 0
    np.testing.assert_allclose(found.models[0].arrays["mean c"], mean)


def test_the_command(tmp_path: Path):
    onnx.save(chain(CONV, STEP), tmp_path / "m.onnx")
    done = onnxpad("study", "kernels", tmp_path / "m.onnx", "--save", tmp_path / "out")
    assert done.code == 0, done.err
    assert "conv1" in done.out
    assert (tmp_path / "out" / "kernels" / "conv1.png").is_file()
    with np.load(tmp_path / "out" / "kernels" / "m.npz", allow_pickle=False) as archive:
        assert archive["mean_conv1"].shape == (3, 3)
    wrong = onnxpad("study", "kernels", tmp_path / "m.onnx", "--size", "48")
    assert wrong.code == 2
    assert "48" in wrong.error


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_real_models(path: Path):
    one = kernels([path]).models[0]
    if path.stem == "light_densenet121":  # its weights are made up by a ConstantOfShape
        assert "computed (ConstantOfShape)" in one.absent
        return
    assert not one.absent
    assert one.said
    for picture in one.pictures:
        assert np.abs(picture.values).sum() == pytest.approx(1) or not picture.values.any()
