from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from onnxpad.data.preprocess import PRESETS
from onnxpad.errors import DataError, UsageError
from onnxpad.measure.sweep import grid, swept
from onnxpad.studies.each import request
from onnxpad.studies.sweep import Asked, sweep
from onnxpad.study import ModelStudy
from tests.command import assert_refused, onnxpad
from tests.conftest import zoo_models


@pytest.fixture
def stimulus(tmp_path: Path) -> Path:
    """4×4 white pixels."""
    path = tmp_path / "white.png"
    Image.fromarray(np.full((4, 4, 3), 255, np.uint8)).save(path)
    return path


def net(path: Path, nodes: list, weights: dict, shape: tuple, outputs: tuple = ("y",)) -> Path:
    """A model from ``x`` to ``outputs``."""
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in weights.items()],
    )  # fmt: skip
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.save(proto, path)
    return path


def padded(path: Path, mode: str, batch: int | str = 1) -> Path:
    """Two 3×3 convolutions behind Pads of this mode, and the mean of each channel as a score."""
    rng = np.random.default_rng(0)
    node, weights, last = [], {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)}, "x"
    for i in range(2):
        weights[f"w{i}"] = rng.normal(size=(3, 3, 3, 3)).astype(np.float32)
        weights[f"b{i}"] = rng.normal(size=3).astype(np.float32)
        node += [
            helper.make_node("Pad", [last, "pads"], [f"p{i}"], mode=mode),
            helper.make_node("Conv", [f"p{i}", f"w{i}", f"b{i}"], [f"c{i}"]),
            helper.make_node("Relu", [f"c{i}"], [f"r{i}"]),
        ]
        last = f"r{i}"
    node.append(helper.make_node("GlobalAveragePool", [last], ["y"]))
    return net(path, node, weights, (batch, 3, 20, 24))


def seen(model: Path, stimulus: Path, **asked: object) -> ModelStudy:
    given = {"preprocess": PRESETS["unit"], "provider": "cpu", "threads": 1}
    found = sweep([model], Asked(stimulus, **asked), [request(model, **given)])  # type: ignore[arg-type]
    return found.models[0]


def value(one: ModelStudy, name: str) -> float:
    return float(dict(one.tables[0].rows)[name])  # type: ignore[arg-type]


def test_a_net_that_treats_all_places_alike_is_flat(tmp_path: Path, stimulus: Path) -> None:
    flat = seen(padded(tmp_path / "w.onnx", "wrap"), stimulus, step=1, background="grey")
    scores = flat.pictures[0].values
    assert scores.shape == (17, 21)
    assert np.ptp(scores) <= 1e-5 * np.abs(scores).max()
    zero = seen(padded(tmp_path / "z.onnx", "constant"), stimulus, step=1, background="grey")
    scores = zero.pictures[0].values
    assert np.ptp(scores) > 1e-3 * np.abs(scores).max()


def test_a_planted_blind_column_is_found_and_no_other(tmp_path: Path, stimulus: Path) -> None:
    """Columns 20 to 27 are seen by nobody: 4 pixels disappear there from 20 to 24."""
    mask = np.ones((1, 1, 1, 40), np.float32)
    mask[..., 20:28] = 0
    model = net(
        tmp_path / "blind.onnx",
        [
            helper.make_node("Mul", ["x", "m"], ["k"]),
            helper.make_node("GlobalMaxPool", ["k"], ["y"]),
        ],
        {"m": mask}, (1, 3, 16, 40),
    )  # fmt: skip
    one = seen(model, stimulus, step=1, background="black")
    where = grid((16, 40), (4, 4), 1)
    assert [(s.axis, s.first, s.last) for s in swept(one.pictures[0].values, where).strips] == [
        ("x", 20, 24)
    ]
    assert value(one, "blind share") == pytest.approx(5 / 37)
    assert value(one, "worst 1-px change") == 1
    assert any("a blind strip: columns 20 to 24 of 37" in text for text in one.said)
    coarse = seen(model, stimulus, step=5, background="black")
    assert value(coarse, "worst 1-px change") == 1  # found between places 5 pixels apart
    assert any("(19" in t or ", 19)" in t or ", 25)" in t for t in coarse.said)


def detector(path: Path, boxes: np.ndarray) -> Path:
    """Four boxes, each with the brightest pixel of its quarter of 32×32 as its score."""
    return net(
        path,
        [
            helper.make_node("MaxPool", ["x"], ["q"], kernel_shape=[16, 16], strides=[16, 16]),
            helper.make_node("ReduceMax", ["q", "axis"], ["b"], keepdims=0),
            helper.make_node("Reshape", ["b", "shape"], ["scores"]),
            helper.make_node("Identity", ["corners"], ["boxes"]),
        ],
        {
            "axis": np.array([1], np.int64), "shape": np.array([1, 4, 1], np.int64),
            "corners": boxes[None].astype(np.float32),
        },
        (1, 3, 32, 32), ("boxes", "scores"),
    )  # fmt: skip


def test_the_best_box_that_shows_the_stimulus(tmp_path: Path, stimulus: Path) -> None:
    boxes = np.array([[2, 2, 8, 8], [20, 4, 24, 9], [0, 16, 16, 32], [25, 25, 31, 31]], float)
    model = detector(tmp_path / "d.onnx", boxes)
    one = seen(model, stimulus, step=1, background="#333333")
    found = one.pictures[0].values
    for y in range(29):
        for x in range(29):
            best = 0.0
            for number, (x0, y0, x1, y1) in enumerate(boxes):
                top, left = divmod(number, 2)
                touches = (
                    y < 16 * top + 16 and y + 4 > 16 * top
                    and x < 16 * left + 16 and x + 4 > 16 * left
                )  # fmt: skip
                score = 1.0 if touches else 0.2
                centred = x <= (x0 + x1) / 2 <= x + 4 and y <= (y0 + y1) / 2 <= y + 4
                shared = max(min(x1, x + 4) - max(x0, x), 0) * max(min(y1, y + 4) - max(y0, y), 0)
                union = (x1 - x0) * (y1 - y0) + 16 - shared
                if centred or shared / union >= 0.3:
                    best = max(best, score)
            assert found[y, x] == pytest.approx(best), (y, x)
    assert found.max() == 1
    assert (found == 0).any()


def test_free_fixed_and_single_batches_agree(tmp_path: Path, stimulus: Path) -> None:
    maps = []
    for number, batch in enumerate((1, 4, "n")):
        one = seen(padded(tmp_path / f"{number}.onnx", "reflect", batch), stimulus, step=3)
        maps.append(one.pictures[0].values)
    assert any("batches of 64" in text for text in one.on)
    for other in maps[1:]:
        np.testing.assert_allclose(other, maps[0], rtol=1e-5, atol=1e-6)


def test_a_model_whose_samples_see_each_other_runs_one_at_a_time(
    tmp_path: Path, stimulus: Path
) -> None:
    mixing = [
        helper.make_node("GlobalMaxPool", ["x"], ["p"]),
        helper.make_node("ReduceMean", ["p", "axis"], ["m"]),
        helper.make_node("Add", ["p", "m"], ["y"]),
    ]
    model = net(tmp_path / "m.onnx", mixing, {"axis": np.array([0], np.int64)}, ("n", 3, 16, 16))
    one = seen(model, stimulus, step=4, background="black")
    assert any(text.endswith("batches of 1") for text in one.on)
    np.testing.assert_allclose(one.pictures[0].values, 2.0)


def test_a_dense_map_is_read_where_the_stimulus_is(tmp_path: Path, stimulus: Path) -> None:
    """The mean of the colours, averaged over 2×2 pixels: 1 where a stimulus covers a cell."""
    pool = [
        helper.make_node("AveragePool", ["x"], ["a"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("ReduceMean", ["a", "axis"], ["y"]),
    ]
    model = net(tmp_path / "d.onnx", pool, {"axis": np.array([1], np.int64)}, (1, 3, 16, 16))
    one = seen(model, stimulus, step=1, background="black")
    np.testing.assert_allclose(one.pictures[0].values, 1.0)


def test_what_was_asked_wrongly_is_said(tmp_path: Path, stimulus: Path) -> None:
    model = padded(tmp_path / "z.onnx", "constant")
    with pytest.raises(UsageError, match="scores 3 classes"):
        seen(model, stimulus, wanted=3)
    with pytest.raises(UsageError, match="above 0 and at most 1, not 0"):
        Asked(stimulus, tau=0.0)
    with pytest.raises(DataError, match="does not fit"):
        seen(model, stimulus, size=(21, 4))
    small = padded(tmp_path / "ok.onnx", "constant")
    odd = net(tmp_path / "sound.onnx", [helper.make_node("Relu", ["x"], ["y"])], {}, (1, 1, 16000))
    found = sweep([odd, small], Asked(stimulus, step=8)).models
    assert "nothing can be pasted" in found[0].absent
    assert not found[1].absent


def test_the_command(tmp_path: Path, stimulus: Path) -> None:
    model = padded(tmp_path / "m.onnx", "constant")
    out = tmp_path / "out"
    done = onnxpad(
        "study", "sweep", model, "--stimulus", stimulus, "--stride", "4", "--save", out,
        "--class", "1", "--report", f"html:{tmp_path / 'page.html'}", "--preprocess", "unit",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "score as the model gives it of class 1" in " ".join(done.out.split())
    assert (tmp_path / "page.html").stat().st_size > 1000
    with np.load(out / "sweep" / "m.npz", allow_pickle=False) as archive:
        assert archive["scores"].shape == (1, 5, 6)
        assert archive["ys"].tolist() == [0, 4, 8, 12, 16]
    assert (out / "sweep" / "score.png").is_file()
    assert_refused(onnxpad("study", "sweep", model, "--stimulus", tmp_path / "no.png"), 2, "no.png")


# What a sweep cannot apply to, and why.
ABSENT = {
    "basic_pitch_nmp": "nothing can be pasted",
    "silero_vad": "nothing can be pasted",
    "espcn_x3_core_from_ortext": "no scores",
    "keras_upscalerjs_rdn_x2_dynHW": "no scores",
    "fns_candy": "no scores",
    "facenet_mtcnn_pnet": "no scores",
    "deeplab_v3_1_default_1": "--class",
    "road_segmentation_adas_0001": "--class",
}


@pytest.mark.zoo
@pytest.mark.parametrize("model", zoo_models(), ids=lambda path: path.stem)
def test_real_models(model: Path, stimulus: Path) -> None:
    given = request(model, provider="cpu", samples=1)
    try:
        one = sweep([model], Asked(stimulus, step=101), [given]).models[0]
    except (UsageError, DataError) as error:
        why = str(error)
    else:
        why = one.absent
    assert ABSENT.get(model.stem, "") in why
    assert bool(why) == (model.stem in ABSENT)
    if not why:
        assert np.isfinite(one.pictures[0].values).all()
