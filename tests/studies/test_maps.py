"""The study of maps on nets whose artifacts are known, and on real models."""

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import onnxpad
from onnxpad.joining.request import Request
from onnxpad.measuring import measure
from onnxpad.studies.each import request
from onnxpad.studies.maps import maps
from onnxpad.study import ModelStudy, Study, Table
from tests.command import onnxpad as command
from tests.data.graphs import FLOAT, model, saved
from tests.measure.nets import chain, noise

FEW = Request(samples=6, provider="cpu", threads=1)


def study(*paths: Path, asked: Request = FEW) -> Study:
    return maps(paths, [asked] * len(paths))


def table(found: ModelStudy, key: str) -> Table:
    return next(t for t in found.tables if t.key == key)


def column(found: Table, head: str) -> list[object]:
    at = found.heads.index(head)
    return [row[at] for row in found.rows]


def test_zeros_show_nothing_after_layer_1_and_a_pixel_more_after_each(tmp_path: Path) -> None:
    path = saved(chain(6, bias=0.5, size=40), tmp_path / "a.onnx")
    (found,) = study(path).models
    zeros = table(found, "zeros")
    for side in ("top px", "bottom px", "left px", "right px"):
        assert column(zeros, side) == [0, 1, 2, 3, 4, 5]
    assert zeros.tones == ("", *["bad"] * 5)
    assert column(zeros, "largest")[0] == 0
    widths = next(c for c in found.charts if c.key == "width")
    assert next(s for s in widths.series if s.name == "zeros").ys == (0, 1, 2, 3, 4, 5)
    # the mean colour is not zero, so that layer 1 shows its border too
    assert column(table(found, "mean-colour"), "top px") == [1, 2, 3, 4, 5, 6]


def test_the_deviation_map_is_what_numpy_makes_of_it(tmp_path: Path) -> None:
    """Two layers by hand: zeros, bias, and a 3×3 kernel whose taps fall off the border."""
    path = saved(chain(2, bias=0.5, size=24, channels=1, relu=False), tmp_path / "a.onnx")
    (found,) = study(path).models
    proto = onnx.load(path)
    weights = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    kernel, bias = weights["w2"][0, 0].astype(float), float(weights["b1"][0])
    padded = np.pad(np.full((24, 24), bias), 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    expected = np.abs((windows * kernel).sum(axis=(2, 3)) - bias * kernel.sum())
    np.testing.assert_allclose(found.arrays["deviation zeros conv2"], expected, atol=1e-6)
    corners = [table(found, "zeros-corners").rows[0][i] for i in range(1, 5)]
    assert len(set(corners)) == 4
    ratio = [c / corners[0] for c in corners]  # type: ignore[operator]
    wanted = expected[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert ratio == pytest.approx(list(wanted / wanted[0]), rel=1e-4)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
def test_copying_modes_leave_nothing(tmp_path: Path, mode: str) -> None:
    path = saved(chain(4, bias=0.5, size=32), tmp_path / "a.onnx")
    onnxpad.rewrite(path, mode).save(tmp_path / "b.onnx")
    before, after = study(path, tmp_path / "b.onnx").models
    assert max(column(table(before, "zeros"), "largest")[1:]) > 1e-2  # type: ignore[type-var]
    for key in ("zeros", "mean-colour"):
        assert max(column(table(after, key), "largest")) <= 1e-6  # type: ignore[type-var]
    assert any("padding leaves nothing" in text for text in after.said)


def test_models_share_a_range_for_each_layer(tmp_path: Path) -> None:
    path = saved(chain(3, size=32), tmp_path / "a.onnx")
    onnxpad.rewrite(path, "reflect").save(tmp_path / "b.onnx")
    found = study(path, tmp_path / "b.onnx")
    first, second = ({p.key: p for p in m.pictures} for m in found.models)
    assert set(first) == set(second)
    assert {"mean conv1", "mean conv3", "zeros conv3"} <= set(first)
    ranges = found.ranges()
    for key in ("mean conv3", "zeros conv3"):
        assert first[key].scale == second[key].scale == key
        both = np.concatenate([first[key].values.ravel(), second[key].values.ravel()])
        assert ranges[key] == (float(both.min()), float(both.max()))


def test_a_planted_line_is_found_and_none_without_padding(tmp_path: Path) -> None:
    """A Pad puts a row of 50 above the last layer, which a 1×1 convolution hands on."""
    proto = chain(2, pad=0, size=64)
    pads = np.array([0, 0, 1, 0, 0, 0, 0, 0], np.int64)
    planted_in = {"pads": pads, "fifty": np.array(50, np.float32),
                  "one": np.eye(3, dtype=np.float32)[:, :, None, None]}  # fmt: skip
    proto.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in planted_in.items())
    del proto.graph.node[-1]
    proto.graph.node.extend(
        [
            helper.make_node("Pad", ["c2", "pads", "fifty"], ["with"]),
            helper.make_node("Conv", ["with", "one"], ["y"], name="after", kernel_shape=[1, 1]),
        ]
    )
    data = tmp_path / "noise.npy"
    np.save(data, np.concatenate(noise(12, 64)))
    asked = Request(data=str(data), samples=12, provider="cpu")
    clean, planted = study(
        saved(chain(2, pad=0, size=64), tmp_path / "clean.onnx"),
        saved(proto, tmp_path / "planted.onnx"),
        asked=asked,
    ).models
    assert clean.said[0].startswith("no line artifact in the mean maps of 2 layers")
    assert not any(t.key == "lines" for t in clean.tables)
    assert all("padding leaves nothing" in text for text in clean.said[1:])
    assert planted.absent == ""
    assert "row 0 from the top of after" in planted.said[0]
    assert table(planted, "lines").rows[0][:4] == ("after", "row", "top", 0)


def test_the_numbers_are_those_of_the_audit(tmp_path: Path) -> None:
    path = saved(chain(3, size=32), tmp_path / "a.onnx")
    (found,) = study(path).models
    audit = measure(path, FEW)
    assert audit.lines is not None
    assert audit.constant is not None
    for one in audit.lines:
        assert np.array_equal(found.arrays[f"mean map {one.layer}"], one.values)
    assert column(table(found, "zeros"), "largest") == [r.relative for r in audit.constant.original]


def test_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    """Python's own allocations while the maps of 8 and of 250 images are averaged."""
    path = saved(chain(3, size=64, channels=8), tmp_path / "a.onnx")
    data = tmp_path / "noise.npy"
    np.save(data, np.random.default_rng(0).random((250, 1, 64, 64), np.float32))
    peaks = []
    for samples in (8, 250):
        asked = Request(data=str(data), samples=samples, provider="cpu", threads=1)
        tracemalloc.start()
        (found,) = study(path, asked=asked).models
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.on[0].startswith(f"mean maps of {samples} images")
    # the maps of one image alone are 3 · 8 · 64² floats, 0.4 MB
    assert peaks[1] < peaks[0] + 0.5 * 3 * 8 * 64**2 * 4


def test_a_normalisation_in_front_is_taken_to_zero(tmp_path: Path) -> None:
    """(x − 0.4) / 0.2 in the graph: the first layer sees zeros where the image is 0.4."""
    proto = chain(3, size=32)
    front = [
        helper.make_node("Sub", ["x", "mean"], ["less"]),
        helper.make_node("Div", ["less", "std"], ["normal"]),
    ]
    nodes = [*front, *proto.graph.node]
    nodes[2].input[0] = "normal"
    weights = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    weights |= {"mean": np.array([0.4], np.float32), "std": np.array([0.2], np.float32)}
    outputs = [("y", FLOAT, [1, 3, "a", "b"])]
    path = saved(
        model(nodes, [("x", FLOAT, (1, 1, 32, 32))], outputs, weights), tmp_path / "n.onnx"
    )
    (found,) = study(path).models
    assert any("which is the colour 0.4" in text for text in found.on)
    assert column(table(found, "zeros"), "top px") == [0, 1, 2]


def test_the_command(tmp_path: Path) -> None:
    path = saved(chain(2, size=32), tmp_path / "m.onnx")
    out = tmp_path / "out"
    done = command("study", "maps", str(path), "--samples", "3", "--save", str(out))
    assert done.code == 0, done.err
    assert "mean maps of 3 images of 32×32" in done.out
    assert (out / "maps" / "mean_conv2.png").is_file()
    with np.load(out / "maps" / "m.npz", allow_pickle=False) as archive:
        assert archive["mean_map_conv2"].shape == (32, 32)


@pytest.mark.zoo
def test_real_models(zoo: Path) -> None:
    """Every kind that runs, and a sentence where the study does not apply."""
    names = ("mnist_cntk_winml", "espcn_x3_core_from_ortext", "facenet_mtcnn_pnet",
             "keras_mlperftiny_resnet8_cifar10", "silero_vad")  # fmt: skip
    paths = [zoo / "models" / f"{name}.onnx" for name in names]
    found = maps(paths, [request(path, samples=2, provider="cpu") for path in paths]).models
    for one in found[:-1]:
        assert not one.absent
        assert one.said
        assert one.pictures
        assert one.arrays
    assert found[-1].absent or found[-1].said
