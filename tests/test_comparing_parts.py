"""Border, layers, tiles and task of a comparison, each with its reason where it does not apply."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from PIL import Image

import onnxpad
from onnxpad.comparing import compare
from onnxpad.comparison import Comparison
from onnxpad.errors import DataError, UsageError
from onnxpad.joining.quantities import quantities
from tests.data.graphs import FLOAT, classifier, conv, model, saved
from tests.measure.nets import chain
from tests.test_comparing import renamed

module = import_module("onnxpad.comparing")


@pytest.fixture(autouse=True)
def short_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATENCY_SECONDS", 0.02)


def photographs(folder: Path, count: int, size: int, channels: int = 3) -> Path:
    """Smooth noise in class folders a and b, named by their numbers."""
    rng = np.random.default_rng(0)
    for i in range(count):
        rough = rng.integers(0, 256, (size // 4, size // 4, 3), np.uint8)
        picture = Image.fromarray(rough).resize((size, size), Image.Resampling.BICUBIC)
        path = folder / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        (picture.convert("L") if channels == 1 else picture).save(path)
    return folder


def nets(folder: Path, mode: str = "edge", **options: object) -> tuple[Path, Path]:
    """A chain of convolutions and its rewrite."""
    original = saved(chain(3, **options), folder / "a.onnx")  # type: ignore[arg-type]
    onnxpad.rewrite(original, mode).save(folder / "b.onnx")
    return original, folder / "b.onnx"


def no_deltas(found: Comparison) -> None:
    assert found.identical
    assert found.verdict is not None
    assert found.verdict.word == "no difference"
    assert found.border is not None
    for one in found.border.outputs:
        assert one.candidate.error == one.original.error
    assert found.layers is not None
    assert found.layers.results is not None
    assert found.layers.results.unpaired == 0
    assert all(drift.whole == 0 for drift in found.layers.results.drifts)
    assert found.layers.constant is not None
    assert all(a == b for _, a, b in found.sites)
    measured = quantities(found)
    assert measured["difference"].value == 0
    if found.task is not None:
        deltas = [q for name, q in measured.items() if name.endswith("_delta")]
        assert all((q.value, q.low, q.high) == (0, 0, 0) for q in deltas)


# the same model


def test_a_model_and_itself(tmp_path: Path) -> None:
    path = nets(tmp_path)[0]
    no_deltas(compare(path, path, samples=2))


def test_a_copy_with_other_names(tmp_path: Path) -> None:
    path = nets(tmp_path)[0]
    names = {f"{kind}{i}": f"other{kind}{i}" for kind in "cr" for i in range(1, 4)}
    copy = renamed(path, tmp_path / "copy.onnx", **names)
    found = compare(path, copy, samples=2)
    no_deltas(found)
    assert [(a, b) for _, a, b in found.sites] == [("zero", "zero")] * 3


def test_a_labelled_classifier_and_itself(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx", shape=("N", 3, 32, 32))
    data = photographs(tmp_path / "p", 6, 64)
    found = compare(path, path, data=data, labels="folders", preprocess="unit")
    no_deltas(found)
    assert found.task is not None
    assert found.task.labelled == 6
    assert found.border is not None
    assert found.border.real


# border


def test_a_net_without_padding_has_no_border(tmp_path: Path) -> None:
    path = saved(chain(3, pad=0), tmp_path / "m.onnx")
    found = compare(path, path, samples=2, tile=64, overlap=8)
    assert found.border is not None
    (one,) = found.border.outputs
    assert one.original.depth() == one.candidate.depth() == 0
    assert found.tiles is not None
    assert all(pixels == 0 for _, pixels, _ in found.tiles.discard)


def test_the_border_reaches_as_far_as_the_layers(tmp_path: Path) -> None:
    found = compare(*nets(tmp_path, bias=3.0), samples=3)
    assert found.border is not None
    (one,) = found.border.outputs
    assert 1 <= one.original.depth() <= 3
    assert one.candidate.ratio is not None
    assert one.candidate.ratio.high is not None
    assert one.candidate.ratio.high < 1
    assert not found.border.real
    assert not found.border.mixed
    # 4 px of real surroundings are more than three layers see
    pixels, healed = one.overlap[0]
    assert pixels == 4
    assert healed.depth() == 0
    assert found.verdict is not None
    assert found.verdict.word == "unknown"
    assert [m for _, *m in found.sites] == [["zero", "edge"]] * 3


def test_images_are_their_own_surroundings(tmp_path: Path) -> None:
    data = photographs(tmp_path / "p", 4, 64, channels=1)
    Image.new("L", (40, 40)).save(data / "small.png")
    paths = nets(tmp_path, size=32)
    found = compare(*paths, data=data, preprocess="unit")
    assert found.border is not None
    assert found.border.real
    assert found.border.crop == (32, 32)
    assert (found.border.images, found.border.skipped) == (4, 1)
    small = photographs(tmp_path / "s", 4, 32, channels=1)
    found = compare(*paths, data=small, preprocess="unit")
    assert found.border is not None
    assert not found.border.real


def test_arrays_surround_a_smaller_crop(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((3, 1, 48, 48), np.float32)
    np.save(tmp_path / "x.npy", x)
    found = compare(*nets(tmp_path), data=tmp_path / "x.npy")
    assert found.border is not None
    assert (found.border.real, found.border.large, found.border.crop) == (True, (48, 48), (24, 24))


def test_global_operators_are_told(tmp_path: Path) -> None:
    proto = chain(2)
    proto.graph.node[-1].CopyFrom(
        helper.make_node("InstanceNormalization", ["c2", "s", "s"], ["y"], name="norm")
    )
    proto.graph.initializer.append(helper.make_tensor("s", FLOAT, [3], [1.0] * 3))
    path = saved(proto, tmp_path / "m.onnx")
    onnxpad.rewrite(path, "edge").save(tmp_path / "e.onnx")
    found = compare(path, tmp_path / "e.onnx", samples=2)
    assert found.border is not None
    assert found.border.mixed == ("norm",)
    assert found.verdict is not None
    assert any("mixed" in reason for reason in found.verdict.reasons)


def test_reasons_where_there_is_no_space(tmp_path: Path) -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    weights = {"w": np.ones((6, 3), np.float32)}
    proto = model([node], [("x", FLOAT, [1, 6])], [("y", FLOAT, [1, 3])], weights)
    path = saved(proto, tmp_path / "m.onnx")
    found = compare(path, path, samples=1, tile=4)
    assert found.border is found.layers is found.tiles is None
    assert found.no_border
    assert found.no_layers
    assert found.no_tiles


# tiles


def test_tiles(tmp_path: Path) -> None:
    paths = nets(tmp_path, bias=3.0)
    bare = compare(*paths, samples=2, tile=32).tiles
    shared = compare(*paths, samples=2, tile=32, overlap=8).tiles
    assert bare is not None
    assert shared is not None
    (rough,), (smooth,) = bare.outputs, shared.outputs
    assert (bare.tile, bare.overlap, shared.overlap) == (32, 0, 8)
    assert (rough.original.visibility or 0) > (rough.candidate.visibility or 0) > 1
    assert max(smooth.original.error) == pytest.approx(0, abs=1e-9)
    errors = [error for error, _, _ in bare.discard]
    assert errors == sorted(errors, reverse=True)
    assert all(p is not None and p <= 3 and c is not None and c >= 1 for _, p, c in bare.discard)


def test_tiles_of_a_classifier_make_no_sense(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx", shape=("N", 3, 32, 32))
    found = compare(path, path, samples=1, tile=16)
    assert found.tiles is None
    assert "not spatial" in found.no_tiles


# the task


def test_agreement_stands_beside_its_floor(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx")
    data = photographs(tmp_path / "p", 10, 32)
    onnxpad.rewrite(path, "wrap").save(tmp_path / "b.onnx")
    found = compare(path, tmp_path / "b.onnx", data=data, preprocess="unit")
    assert found.task is not None
    (agreed,) = (m for m in found.task.metrics if m.name == "agreement")
    assert (agreed.n, agreed.floor_n) == (10, 10)
    assert "guessed" in found.task.notes[0]
    assert quantities(found)["agreement"].value == agreed.candidate


def test_no_accuracy_is_claimed_on_scenes(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx")
    found = compare(path, path, samples=1)
    assert found.task is None
    assert "synthetic" in found.no_task


def test_labels_that_no_class_has_are_counted_and_named(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx", classes=3)
    data = photographs(tmp_path / "p", 6, 32)
    options = {"data": data, "labels": "folders", "preprocess": "unit"}
    found = compare(path, path, class_offset=2, **options)
    assert found.task is not None
    assert (found.task.labelled, found.samples.skipped_count) == (3, 3)
    assert "left out of the accuracy: label 1" in found.samples.skipped[0].reason
    found = compare(path, path, class_offset=9, **options)
    assert found.task is None
    assert "no sample fits it" in found.no_task
    assert found.outputs[0].difference.count
    with pytest.raises(DataError, match="strict"):
        compare(path, path, class_offset=9, strict=True, **options)


def test_a_task_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx")
    data = photographs(tmp_path / "p", 2, 32)
    with pytest.raises(UsageError, match="segmentation, as declared, does not fit"):
        compare(path, path, data=data, task="segmentation")
    with pytest.raises(UsageError, match="takes no colour"):
        compare(path, path, colour="red")


def test_nan_scores_are_counted(tmp_path: Path) -> None:
    good = classifier(tmp_path / "a.onnx")
    proto = onnxpad.rewrite(good, "edge").model
    last = proto.graph.node[-1].output[0]
    proto.graph.node[-1].output[0] = "before"
    proto.graph.node.append(helper.make_node("Log", ["minus"], ["nan"]))
    proto.graph.initializer.append(helper.make_tensor("minus", FLOAT, [1], [-1.0]))
    proto.graph.node.append(helper.make_node("Add", ["before", "nan"], [last]))
    data = photographs(tmp_path / "p", 4, 32)
    found = compare(good, saved(proto, tmp_path / "b.onnx"), data=data, labels="folders")
    assert found.task is not None
    assert "the candidate gave NaN scores on 4 samples: counted as wrong" in found.task.notes
    assert any("NaN or infinite" in warning for warning in found.warnings)
    assert found.verdict is not None
    assert found.verdict.word == "worse"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_maps_without_a_number(tmp_path: Path, value: float) -> None:
    shape = [1, 3, 16, 16]
    node = helper.make_node("Add", ["x", "c"], ["y"])
    weights = {"c": np.array(value, np.float32)}
    proto = model([node], [("x", FLOAT, shape)], [("y", FLOAT, shape)], weights)
    path, good = saved(proto, tmp_path / "m.onnx"), conv(tmp_path / "good.onnx", channels=3)
    found = compare(path, path, samples=1)
    assert found.identical
    assert any("NaN or infinite" in warning for warning in found.warnings)
    found = compare(good, path, samples=1)
    assert found.verdict is not None
    assert found.verdict.word == "worse"


# budgets


def test_everything_measured_has_its_name(tmp_path: Path) -> None:
    budget = "context_error<=1,seams<=1.05,difference<=9,latency<=99,agreement>=0.5"
    found = compare(*nets(tmp_path, bias=3.0), samples=2, tile=32, budget=budget)
    outcomes = {one.limit.name: one.outcome for one in found.judged}
    assert outcomes == {
        "context_error": "pass",
        "seams": "pass",
        "difference": "pass",
        "latency": "pass",
        "agreement": "not measured",
    }


def test_unknown_quantities_stop_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing called speed"):
        compare(tmp_path / "gone.onnx", tmp_path / "gone.onnx", budget="speed>=1")


def test_fixed_shapes_without_a_batch_axis(tmp_path: Path) -> None:
    path = conv(tmp_path / "m.onnx", shape=(2, 3, 16, 16))
    no_deltas(compare(path, path, samples=4))


def test_class_counts_that_disagree(tmp_path: Path) -> None:
    """Nothing to compare the scores by: counted, named, and the rest goes on, unless strict."""
    ours = classifier(tmp_path / "a.onnx", classes=5)
    theirs = classifier(tmp_path / "b.onnx", classes=3)
    options = {"data": photographs(tmp_path / "p", 4, 32), "labels": "folders"}
    found = compare(ours, theirs, preprocess="unit", **options)
    assert found.outputs[0].uncompared == 4
    assert found.task is None
    assert "5" in found.no_task
    assert "3" in found.no_task
    assert found.samples.skipped_count == 4
    assert found.layers is not None
    assert found.verdict is not None
    assert found.verdict.word != "better"
    with pytest.raises(DataError, match="strict"):
        compare(ours, theirs, preprocess="unit", strict=True, **options)
