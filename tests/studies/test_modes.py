"""The study of modes: the numbers of a comparison, bad news first, every way to pad once."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

import onnxpad
from onnxpad.comparing import compare_as
from onnxpad.errors import ModelError
from onnxpad.joining.quantities import quantities
from onnxpad.joining.request import Request
from onnxpad.joining.together import Once
from onnxpad.runtime import choose_provider, open_session
from onnxpad.studies.each import request
from onnxpad.studies.modes import modes
from onnxpad.study import ModelStudy, Table
from tests.command import onnxpad as command
from tests.data.graphs import FLOAT, classifier, model, saved
from tests.measure.nets import chain
from tests.test_comparing_parts import photographs

run = import_module("onnxpad.studies.modes_run")
comparing = import_module("onnxpad.comparing")
FEW = Request(samples=4, provider="cpu", threads=1)


@pytest.fixture(autouse=True)
def short_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LATENCY_SECONDS", 0.02)
    monkeypatch.setattr(comparing, "LATENCY_SECONDS", 0.02)


def one(path: Path, *chosen: str, asked: Request = FEW, halo: int = 4) -> ModelStudy:
    (found,) = modes([path], chosen, halo, [asked]).models
    return found


def table(found: ModelStudy, key: str = "modes") -> Table:
    return next(t for t in found.tables if t.key == key)


def rows(found: ModelStudy, key: str = "modes") -> dict[object, dict[str, object]]:
    one = table(found, key)
    return {row[0]: dict(zip(one.heads, row, strict=True)) for row in one.rows}


def corner(layers: int, size: int) -> float:
    """Paths from a corner / from the centre through 3×3 layers with zeros around them."""
    taps = np.eye(size) + np.eye(size, k=1) + np.eye(size, k=-1)
    counts = np.linalg.matrix_power(taps, layers).sum(axis=0)
    return float((counts[0] / counts[size // 2]) ** 2)


def test_the_table_has_what_is_known_of_a_chain(tmp_path: Path) -> None:
    """Three 3×3 layers: 2 px after layer 3, none where padding copies; paths by counting."""
    path = saved(chain(3, bias=0.5, size=48), tmp_path / "a.onnx")
    found = rows(one(path, "edge", "wrap", "zero", "halo"))
    assert list(found) == ["as it is", "edge", "wrap", "halo 4 edge", "halo 4 reflect"]
    assert found["as it is"]["px"] == 2
    assert found["as it is"]["corner"] == pytest.approx(corner(3, 48))
    for mode in ("edge", "wrap"):
        assert found[mode]["px"] == 0
        assert found[mode]["rms"] < 1e-6  # type: ignore[operator]
    assert found["wrap"]["corner"] == pytest.approx(1)
    assert found["as it is"]["context"] == 1


def test_the_numbers_are_those_of_a_comparison(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx", shape=("N", 3, 32, 32))
    data = photographs(tmp_path / "p", 8, 96)
    asked = Request(data=str(data), samples=8, provider="cpu", threads=1)
    found = one(path, "edge", "reflect", asked=asked)
    for mode in ("edge", "reflect"):
        onnxpad.rewrite(path, mode).save(tmp_path / f"{mode}.onnx")
        comparison = compare_as(path, tmp_path / f"{mode}.onnx", asked)
        wanted = quantities(comparison)
        row = rows(found)[mode]
        assert row["agreement"] == wanted["agreement"].value
        assert row["context"] == wanted["context_error"].value
        assert comparison.task is not None
        assert row["floor"] == comparison.task.metrics[0].floor
        assert comparison.verdict is not None
        assert row["verdict"] == comparison.verdict.word
    assert "8 samples of 32×32, the same for every mode" in found.on[0]


def test_bad_news_come_first_and_nothing_is_recommended(tmp_path: Path) -> None:
    path = saved(chain(3, bias=3.0, size=48), tmp_path / "a.onnx")
    found = one(path, "edge", "linear")
    assert found.said[0] == "none of 2 modes is better, by border and task together"
    assert any("no accuracy" in text for text in found.on)
    verdicts = [row["verdict"] for row in rows(found).values()]
    tones = {None: "", "worse": "bad", "better": "good"}
    assert table(found).tones == tuple(tones.get(v, "") for v in verdicts)  # type: ignore[arg-type]


def test_a_model_of_reflect_padding_is_changed_from_it(tmp_path: Path) -> None:
    path = saved(chain(3, bias=0.5, size=48), tmp_path / "zero.onnx")
    onnxpad.rewrite(path, "reflect").save(tmp_path / "a.onnx")
    found = rows(one(tmp_path / "a.onnx", "edge", "reflect", "zero"))
    assert list(found) == ["as it is", "edge", "zero"]
    assert found["as it is"]["px"] == 0
    assert found["zero"]["px"] == 2
    assert found["zero"]["corner"] == pytest.approx(corner(3, 48))


def test_what_is_refused_is_told(tmp_path: Path) -> None:
    """A halo cannot be cropped away where the whole map is flattened."""
    weights = {"w": np.ones((2, 1, 3, 3), np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="c", pads=[1] * 4),
        helper.make_node("Flatten", ["c"], ["y"]),
    ]
    proto = model(nodes, [("x", FLOAT, (1, 1, 16, 16))], [("y", FLOAT, (1, 512))], weights)
    found = one(saved(proto, tmp_path / "a.onnx"), "edge", "halo")
    assert list(rows(found)) == ["as it is", "edge"]
    told = rows(found, "refused")
    assert list(told) == ["halo 4 edge", "halo 4 reflect"]
    assert all("no halo can be cropped away" in str(row["why"]) for row in told.values())


def test_no_padding_is_said(tmp_path: Path) -> None:
    path = saved(chain(2, pad=0, size=32), tmp_path / "a.onnx")
    assert one(path, "edge").absent == ("no convolution of it pads: there is nothing to change")
    with pytest.raises(ModelError):
        modes([tmp_path / "none.onnx"])


def test_the_original_runs_once_for_all(tmp_path: Path) -> None:
    path = saved(chain(2, size=16), tmp_path / "a.onnx")
    once = Once(open_session(path, provider=choose_provider("cpu"), threads=1))
    first = np.zeros((1, 1, 16, 16), np.float32)
    for picture in (first, first.copy(), first + 1, first, first + 2, first):
        want = open_session(path, provider=choose_provider("cpu"), threads=1).run({"x": picture})
        assert np.array_equal(once.run({"x": picture})["y"], want["y"])
    assert once.runs == 4


def test_the_command(tmp_path: Path) -> None:
    path = saved(chain(2, size=32), tmp_path / "m.onnx")
    done = command("study", "modes", str(path), "--mode", "edge", "--samples", "2")
    assert done.code == 0, done.err
    assert "none of 1 mode is better" in done.out
    assert "context: the border's error against real surroundings" in done.out
    wrong = command("study", "modes", str(path), "--mode", "mirror")
    assert wrong.code == 2
    assert "expected edge, reflect" in wrong.error


@pytest.mark.zoo
def test_real_models(zoo: Path) -> None:
    names = ("keras_mlperftiny_resnet8_cifar10", "espcn_x3_core_from_ortext", "mnist_cntk_winml",
             "silero_vad")  # fmt: skip
    paths = [zoo / "models" / f"{name}.onnx" for name in names]
    asked = [request(path, samples=2, provider="cpu") for path in paths]
    found = modes(paths, ("edge", "partial", "halo"), 4, asked).models
    for each in found[:3]:
        assert not each.absent
        assert {"as it is", "edge"} <= set(rows(each))
        assert all(row["latency"] for row in rows(each).values())
    assert found[3].absent
