from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnxpad.studies.foveation import foveation
from tests.command import onnxpad
from tests.conftest import zoo_models
from tests.rules.check import chain
from tests.sizes import nets

CONV = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
STEP = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]})


def saved(path: Path, *layers, shape=(1, 3, 64, 64)) -> Path:
    onnx.save(chain(*layers, shape=shape), path)
    return path


def test_models_stand_beside_each_other_on_one_scale(tmp_path: Path):
    deep = saved(tmp_path / "deep.onnx", *[CONV] * 8)
    flat = saved(tmp_path / "flat.onnx", CONV)
    found = foveation([deep, flat])
    corner = [
        dict(zip(t.heads, t.rows[0], strict=True))["corner"] for m in found.models for t in m.tables
    ]
    assert corner[0] < corner[1]
    assert corner[1] == pytest.approx(4 / 9)
    ((low, high),) = found.ranges().values()
    assert low <= corner[0] < 1 <= high


def test_wrap_is_uniform_and_uneven_padding_is_said(tmp_path: Path):
    found = foveation([saved(tmp_path / "m.onnx", STEP, CONV)]).models[0]
    assert any("the left half counts" in text for text in found.said)
    even = foveation([saved(tmp_path / "e.onnx", STEP, CONV)], size=(65, 65)).models[0]
    assert not any("half counts" in text for text in even.said)
    wrapped = next(
        p
        for p in foveation([saved(tmp_path / "c.onnx", CONV)]).models[0].pictures
        if p.key == "wrap"
    )
    np.testing.assert_allclose(wrapped.values, 1.0, rtol=1e-14)


def test_a_free_size_gets_one(tmp_path: Path):
    model = saved(tmp_path / "free.onnx", CONV, shape=(1, 3, "h", "w"))
    assert "at 224×224" in foveation([model]).models[0].on[0]
    assert "at 40×56" in foveation([model], size=(40, 56)).models[0].on[0]


def test_sizes_that_shape_inference_misses(tmp_path: Path):
    # a map doubled by a computed size: onnx's inference stops there, the count does not
    net = nets.Net()
    up = net.op("Relu", nets.doubled(net, net.window("x", "Conv", 3, 2, 1), "", "floor"))
    path = tmp_path / "m.onnx"
    onnx.save(net.model(net.window(up, "Conv", 3, 1, 1), (16, 24)), path)
    shown = foveation([path]).models[0]
    assert not shown.absent
    assert shown.pictures[0].values.shape == (16, 24)


def test_crop_takes_the_border_away(tmp_path: Path):
    graph = helper.make_graph(
        [
            helper.make_node("Crop", ["x"], ["c"], border=[1, 2, 3, 0]),
            helper.make_node("Conv", ["c", "w"], ["y"], kernel_shape=[1, 1]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 8, 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 6, 5])],
        [helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 1, 1], [1.0])],
    )
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 7)]), path)
    expected = np.zeros((8, 9))
    expected[2:, 1:6] = 1.0
    np.testing.assert_array_equal(foveation([path]).models[0].pictures[0].values, expected)


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_every_zoo_model(path: Path):
    shown = foveation([path], modes=["reflect"]).models[0]
    if path.stem in {"basic_pitch_nmp", "silero_vad"}:
        assert "no convolution or pool reads its input as a map" in shown.absent
        return
    assert shown.absent == ""
    values = shown.pictures[0].values
    assert np.isfinite(values).all()
    assert values.max() > 0


def test_the_command(tmp_path: Path):
    model = saved(tmp_path / "m.onnx", CONV, CONV)
    done = onnxpad(
        "study", "foveation", str(model), "--mode", "reflect", "--save", str(tmp_path / "out")
    )
    assert done.code == 0, done.err
    assert "reflect" in done.out
    assert (tmp_path / "out" / "foveation" / "reflect.png").is_file()
    with np.load(tmp_path / "out" / "foveation" / "m.npz", allow_pickle=False) as archive:
        assert archive["reflect"].shape == (64, 64)
    wrong = onnxpad("study", "foveation", model, "--mode", "mirror")
    assert wrong.code == 2
    assert "expected zero, edge" in wrong.error


def test_a_missing_model_among_others_is_told_and_sets_the_exit_code(tmp_path: Path):
    model = saved(tmp_path / "m.onnx", CONV)
    done = onnxpad("study", "foveation", model, tmp_path / "gone.onnx")
    assert done.code == 3
    assert "failed: " in done.out
    assert "corners count" in done.out
    assert onnxpad("study", "foveation", tmp_path / "a.onnx", tmp_path / "b.onnx").code == 3
