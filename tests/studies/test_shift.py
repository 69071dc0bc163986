"""Shifts of nets whose answer is known: one that cannot notice them, one that must."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from onnxpad.data.framing import Resize
from onnxpad.errors import UsageError
from onnxpad.studies.canvas import larger
from onnxpad.studies.each import request
from onnxpad.studies.shift import shift
from tests.command import onnxpad
from tests.conftest import zoo_models
from tests.measure.nets import chain

FLOAT = TensorProto.FLOAT
SIZE = 28  # room for 4 pixels


def ask(path: Path, **given):
    return request(path, threads=1, **{"samples": 12, **given})


def net(path: Path, nodes, weights, output, shape=(1, 3, SIZE, SIZE)) -> Path:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", FLOAT, list(output))],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()],
    )  # fmt: skip
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def blind(path: Path) -> Path:
    """Scores that do not depend on the picture."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["m"]),
        helper.make_node("Flatten", ["m"], ["f"]),
        helper.make_node("MatMul", ["f", "zero"], ["z"]),
        helper.make_node("Add", ["z", "b"], ["y"]),
    ]
    weights = {"zero": np.zeros((3, 5), np.float32), "b": np.arange(5, dtype=np.float32)}
    return net(path, nodes, weights, (1, 5))


def pixel(path: Path) -> Path:
    """Class = the brightest of ten pixels in a row: it moves with the picture."""
    nodes = [
        helper.make_node("Slice", ["x", "from", "to", "axes"], ["s"]),
        helper.make_node("Flatten", ["s"], ["y"]),
    ]
    weights = {"from": [0, 9, 4], "to": [1, 10, 14], "axes": [1, 2, 3]}
    return net(path, nodes, {k: np.array(v) for k, v in weights.items()}, (1, 10))


def rows(study, model=0):
    table = study.models[model].tables[0]
    return {row[0]: dict(zip(table.heads, row, strict=True)) for row in table.rows}


def test_a_classifier_that_sees_nothing_is_consistent(tmp_path: Path):
    path = blind(tmp_path / "blind.onnx")
    one = shift([path], [ask(path)])
    assert one.models[0].said[0].startswith("consistency under random crops 1 (95 %: 0.7")
    found = rows(one)
    assert list(found) == [1, 2, 3, 4]
    assert {row["diagonal"] for row in found.values()} == {1.0}
    assert any("synthetic scenes" in text for text in one.models[0].said)


def test_the_shares_are_those_of_the_crops(tmp_path: Path):
    """Pictures with one white pixel each: which class every crop has can be said by hand."""
    path = pixel(tmp_path / "pixel.onnx")
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    whites = [(int(rng.integers(9, 12)), int(rng.integers(4, 16))) for _ in range(20)]
    for i, (y, x) in enumerate(whites):
        picture = np.zeros((SIZE + 4, SIZE + 4, 3), np.uint8)
        picture[y, x] = 255
        Image.fromarray(picture).save(folder / f"{i:02}.png")
    given = {"data": folder, "preprocess": "unit,resize=none", "samples": 20, "class_offset": 0}
    found = rows(shift([path], [ask(path, task="classification", **given)]))

    def top(y, x, down, right):
        column = x - right - 4
        return column if y - down == 9 and 0 <= column < 10 else 0

    for pixels, row in found.items():
        for head, step in (("along y", (1, 0)), ("along x", (0, 1)), ("diagonal", (1, 1))):
            same = [top(y, x, 0, 0) == top(y, x, pixels * step[0], pixels * step[1])
                    for y, x in whites]  # fmt: skip
            assert row[head] == pytest.approx(np.mean(same)), (pixels, head)


def test_accuracy_along_the_diagonal_is_that_of_the_crops(tmp_path: Path):
    path = pixel(tmp_path / "pixel.onnx")
    (tmp_path / "images").mkdir()
    table = ["path,label"]
    for i in range(10):
        picture = np.zeros((SIZE + 4, SIZE + 4, 3), np.uint8)
        picture[9, 4 + i] = 255
        Image.fromarray(picture).save(tmp_path / "images" / f"{i}.png")
        table.append(f"{i}.png,{i}")
    (tmp_path / "labels.csv").write_text("\n".join(table))
    given = {
        "data": tmp_path / "images", "labels": f"csv={tmp_path / 'labels.csv'}",
        "preprocess": "unit,resize=none",
    }  # fmt: skip
    one = shift([path], [ask(path, **given)])
    # in the corner every class is right; elsewhere all pixels are 0, and class 0 comes first
    assert {row["top1"] for row in rows(one).values()} == {0.1}
    assert {row["top1 change"] for row in rows(one).values()} == {-0.9}
    accuracy = next(c for c in one.models[0].charts if c.key == "accuracy")
    assert accuracy.series[0].ys == (1.0, 0.1, 0.1, 0.1, 0.1)
    assert "falls most at 1 px, by 0.9" in " ".join(one.models[0].said)


def test_outputs_with_space_are_laid_over_each_other(tmp_path: Path):
    """Without padding and strides a net's map moves with the picture, exactly."""
    bare = tmp_path / "bare.onnx"
    onnx.save(chain(2, pad=0, channels=3, size=SIZE), bare)
    padded = tmp_path / "padded.onnx"
    onnx.save(chain(2, pad=1, channels=3, size=SIZE), padded)
    asked = [ask(p, task="segmentation") for p in (bare, padded)]
    found = shift([bare, padded], asked)
    for row in rows(found).values():
        assert row["diagonal"] > 0.995  # equal sums in another order may decide a tie
    assert all(row["diagonal"] < 1 for row in rows(found, 1).values())
    assert rows(found, 1)[4]["whole output px"] == "yes"
    assert "less consistent than bare.onnx" in " ".join(found.models[1].said)
    assert "on the same crops of 12 samples" in " ".join(found.models[1].said)


def test_only_the_shifts_that_are_asked_for(tmp_path: Path):
    path = blind(tmp_path / "blind.onnx")
    assert list(rows(shift([path], [ask(path)], pixels=[3, 1, 3]))) == [1, 3]
    with pytest.raises(UsageError, match="1 to 4"):
        shift([path], [ask(path)], pixels=[5])


def test_half_a_pixel_of_the_output_is_said(tmp_path: Path):
    path = tmp_path / "step.onnx"
    onnx.save(chain(1, pad=1, stride=2, channels=3, size=SIZE), path)
    found = rows(shift([path], [ask(path, task="tensor", samples=2)]))
    assert [row["whole output px"] for row in found.values()] == ["no", "yes", "no", "yes"]


def test_arrays_are_enlarged_and_scenes_and_seeds_repeat(tmp_path: Path):
    path = pixel(tmp_path / "m.onnx")
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((9, 3, SIZE, SIZE), np.float32))
    given = {"data": tmp_path / "a.npy", "task": "classification"}
    one, again = (shift([path], [ask(path, **given)]).models[0] for _ in range(2))
    assert "enlarged to 32×32" in one.on[0]
    assert one.on[0].startswith("9 samples")
    assert one.tables == again.tables
    other = shift([path], [ask(path, seed=3, **given)]).models[0]
    assert one.arrays["random"].tolist() != other.arrays["random"].tolist()


def test_more_of_a_picture_is_shown_at_the_same_scale():
    size, space = (224, 224), (256, 256)
    assert larger(Resize("crop", 0.875), size, space) == Resize("crop", 1.0)
    assert larger(Resize("short", 256), size, space) == Resize("short", 256)
    assert larger(Resize("short"), size, space) == Resize("short", 256)
    assert larger(Resize("short", 224), size, space).amount == 256
    assert larger(Resize(), size, space) == Resize()


def test_the_command(tmp_path: Path):
    path = blind(tmp_path / "m.onnx")
    done = onnxpad("study", "shift", path, "--samples", "3", "--save", tmp_path / "out")
    assert done.code == 0, done.err
    assert "consistency under random crops 1" in done.out
    assert (tmp_path / "out" / "shift" / "agreement.png").is_file()
    with np.load(tmp_path / "out" / "shift" / "m.npz", allow_pickle=False) as archive:
        assert archive["random"].shape == (3, 2)
    wrong = onnxpad("study", "shift", path, "--labels", "folders")
    assert wrong.code == 2
    assert "synthetic scenes have none" in wrong.error


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_real_models(path: Path):
    one = shift([path], [request(path, samples=1)], pixels=[1]).models[0]
    if path.stem in ("basic_pitch_nmp", "silero_vad"):
        assert "signal" in one.absent
        return
    assert not one.absent
    assert one.said
    assert one.tables[0].rows
