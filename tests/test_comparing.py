import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from onnxpad.comparing import compare
from onnxpad.comparison import Comparison
from onnxpad.errors import DataError, ModelError, RunError, UsageError
from tests.conftest import zoo_models
from tests.data.graphs import FLOAT, Value, classifier, conv, model, saved

Array = np.ndarray[Any, Any]

# The package hands out the function under the module's name.
module = import_module("onnxpad.comparing")


@pytest.fixture(autouse=True)
def short_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATENCY_SECONDS", 0.05)


def images(folder: Path, count: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        pixels = rng.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def renamed(source: Path, target: Path, **names: str) -> Path:
    """A copy with other names for its values."""
    proto = onnx.load(source)
    graph = proto.graph
    for node in graph.node:
        for field in (node.input, node.output):
            field[:] = [names.get(n, n) for n in field]
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    return saved(proto, target)


def everything_but_the_run(comparison: Comparison) -> Comparison:
    # arrays do not compare as a whole: mean maps, pictures
    kept = replace(comparison, layers=None, pictures=())
    return replace(kept, run=None)  # type: ignore[arg-type]  # nothing reads it


def drifts(comparison: Comparison) -> object:
    assert comparison.layers is not None
    assert comparison.layers.results is not None
    return comparison.layers.constant, comparison.layers.results.drifts


# the same model


def test_a_model_equals_itself(tmp_path: Path) -> None:
    path = conv(tmp_path / "m.onnx")
    found = compare(path, path)
    (output,) = found.outputs
    assert found.identical
    assert output.difference.max_abs == 0
    assert output.rings is not None
    assert output.rings.depth == 0
    assert output.spatial_axes == (2, 3)
    assert len(output.rings.counts) == 8
    assert found.samples.count == module.SYNTHETIC_SAMPLES
    assert not found.samples.real
    assert found.warnings == ()
    assert found.run.latency.rounds >= 1
    assert found.run.onnxruntime


def test_the_result_does_not_change_from_run_to_run(tmp_path: Path) -> None:
    paths = conv(tmp_path / "a.onnx"), conv(tmp_path / "b.onnx", "reflect")
    first, second, other = (compare(*paths, samples=3, seed=s) for s in (0, 0, 1))
    assert everything_but_the_run(first) == everything_but_the_run(second)
    assert drifts(first) == drifts(second)
    assert first.outputs != other.outputs


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_every_zoo_model_equals_itself(path: Path) -> None:
    found = compare(path, path, samples=1, provider="cpu")
    assert found.identical
    assert found.outputs
    for output in found.outputs:
        assert output.difference.max_abs == 0
        assert output.difference.unlike == 0
        assert output.difference.rms_original > 0
        assert output.rings is None or output.rings.depth == 0
    assert found.warnings == ()


# a changed model


def test_padding_changes_the_border_alone(tmp_path: Path) -> None:
    original, candidate = conv(tmp_path / "a.onnx"), conv(tmp_path / "b.onnx", "reflect")
    (output,) = compare(original, candidate).outputs
    assert output.difference.max_abs > 0.1
    assert output.rings is not None
    assert output.rings.max_abs[0] == output.difference.max_abs
    # the same numbers inside, up to the order in which two kernels may add them
    assert max(output.rings.max_abs[1:]) <= 1e-5 * output.difference.max_original


def test_numbers_equal_those_of_the_two_runs(tmp_path: Path) -> None:
    original, candidate = conv(tmp_path / "a.onnx"), conv(tmp_path / "b.onnx", "edge")
    x = np.random.default_rng(3).random((4, 3, 16, 16), np.float32)
    np.save(tmp_path / "x.npy", x)
    (output,) = compare(original, candidate, data=tmp_path / "x.npy", provider="cpu").outputs
    kernel = onnx.numpy_helper.to_array(onnx.load(original).graph.initializer[0]).astype(float)

    def run(mode: str) -> Array:
        padded = np.pad(x.astype(float), [(0, 0), (0, 0), (1, 1), (1, 1)], mode)  # type: ignore[call-overload]
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        return np.asarray(np.einsum("nchwij,kcij->nkhw", windows, kernel))

    delta = run("edge") - run("constant")
    assert output.difference.count == delta.size
    assert output.difference.max_abs == pytest.approx(np.abs(delta).max(), rel=1e-4)
    assert output.difference.rms == pytest.approx(np.sqrt((delta**2).mean()), rel=1e-4)
    assert output.rings is not None
    outer = np.concatenate(
        [
            delta[..., 0, :].ravel(),
            delta[..., -1, :].ravel(),
            delta[..., 1:-1, 0].ravel(),
            delta[..., 1:-1, -1].ravel(),
        ]
    )
    assert output.rings.rms[0] == pytest.approx(np.sqrt((outer**2).mean()), rel=1e-4)


def test_agreement_needs_real_samples(tmp_path: Path) -> None:
    original = classifier(tmp_path / "a.onnx")
    candidate = classifier(tmp_path / "b.onnx", "wrap")
    (made,) = compare(original, candidate).outputs
    assert made.scores
    assert made.agreement is None
    assert "synthetic" in made.no_agreement
    found = compare(original, candidate, data=images(tmp_path / "images", 12))
    (real,) = found.outputs
    assert real.agreement is not None
    assert real.agreement.total == 12
    assert real.rings is None
    assert real.no_rings
    assert found.samples.origin == "images"
    assert "preprocessing is not declared" in found.warnings[0]


# samples


def test_fixed_batches_count_every_sample_once(tmp_path: Path) -> None:
    shape = (4, 3, 16, 16)
    original = classifier(tmp_path / "a.onnx", shape=shape)
    candidate = classifier(tmp_path / "b.onnx", "edge", shape=shape)
    found = compare(original, candidate, data=images(tmp_path / "images", 10))
    assert found.samples.count == 10
    (output,) = found.outputs
    assert output.agreement is not None
    assert output.agreement.total == 10
    assert output.difference.count == 10 * 5
    assert compare(original, candidate, samples=5).outputs[0].difference.count == 5 * 5


def test_a_number_of_samples(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx")
    data = images(tmp_path / "images", 6)
    assert compare(path, path, samples=3).samples.count == 3
    found = compare(path, path, data=data, samples=4).samples
    assert (found.count, found.total, found.out_of_time) == (4, 6, False)
    assert compare(path, path, data=data, samples=99).samples.count == 6


def test_time_ends_the_walk_when_no_number_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAMPLE_SECONDS", 0.0)
    path = conv(tmp_path / "m.onnx")
    found = compare(path, path).samples
    assert (found.count, found.out_of_time) == (1, True)
    assert compare(path, path, samples=2).samples.count == 2


def test_broken_images_are_counted_and_named(tmp_path: Path) -> None:
    path, data = classifier(tmp_path / "a.onnx"), images(tmp_path / "images", 3)
    (data / "broken.png").write_bytes(b"junk")
    found = compare(path, path, data=data).samples
    assert (found.count, found.total, found.skipped_count) == (3, 4, 1)
    assert found.skipped[0].name == "broken.png"


def test_nothing_but_broken_images(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "broken.png").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"none of 1 samples could be used; .* broken\.png"):
        compare(path, path, data=tmp_path / "images")


def test_free_sizes_are_tried_until_the_original_runs(tmp_path: Path) -> None:
    weights = {"to": np.array([1, 1, 4096], np.int64)}
    node = helper.make_node("Reshape", ["x", "to"], ["y"])
    proto = model([node], [("x", FLOAT, ["N", "T"])], [("y", FLOAT, [1, 1, 4096])], weights)
    path = saved(proto, tmp_path / "m.onnx")
    assert compare(path, path, samples=1).samples.inputs[0].shape == (1, 4096)


def test_two_symbols_of_several_inputs(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "z"], ["y"])
    values: list[Value] = [("x", FLOAT, ["N", 3, "H", "W"]), ("z", FLOAT, ["N", 1, "H", "W"])]
    path = saved(model([node], values, [("y", FLOAT, ["N", 3, "H", "W"])]), tmp_path / "m.onnx")
    np.savez(tmp_path / "d.npz", x=np.ones((3, 3, 9, 8), "f"), z=np.ones((3, 1, 9, 8), "f"))
    found = compare(path, path, data=tmp_path / "d.npz")
    assert [i.shape for i in found.samples.inputs] == [(1, 3, 9, 8), (1, 1, 9, 8)]
    assert found.samples.count == 3


# outputs


def test_nan_outputs_are_counted_and_said(tmp_path: Path) -> None:
    def log(path: Path, shift: float) -> Path:
        nodes = [
            helper.make_node("Sub", ["x", "c"], ["d"]),
            helper.make_node("Log", ["d"], ["y"]),
        ]
        value = [("x", FLOAT, [1, 3, 8, 8])]
        weights = {"c": np.array(shift, np.float32)}
        return saved(model(nodes, value, [("y", FLOAT, [1, 3, 8, 8])], weights), path)

    found = compare(log(tmp_path / "a.onnx", -1), log(tmp_path / "b.onnx", 0.5), samples=2)
    (output,) = found.outputs
    assert output.difference.nonfinite_original == 0
    assert output.difference.nonfinite_candidate == output.difference.unlike > 0
    assert not found.identical
    assert "NaN or infinite values: 0 in the original" in found.warnings[0]


@pytest.mark.parametrize(
    "kind", [TensorProto.UINT8, TensorProto.INT64, TensorProto.BOOL, TensorProto.FLOAT16]
)
def test_outputs_of_every_numeric_type(tmp_path: Path, kind: int) -> None:
    nodes = [
        helper.make_node("Mul", ["x", "c"], ["m"]),
        helper.make_node("Cast", ["m"], ["y"], to=kind),
    ]
    weights = {"c": np.array(200, np.float32)}
    value = [("x", FLOAT, [1, 3, 8, 8])]
    proto = model(nodes, value, [("y", kind, [1, 3, 8, 8])], weights)
    path = saved(proto, tmp_path / "m.onnx")
    assert compare(path, path, samples=1).identical


def test_outputs_that_hold_no_numbers_are_named(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Cast", ["x"], ["text"], to=TensorProto.STRING),
    ]
    outputs = [("y", FLOAT, [1, 4]), ("text", TensorProto.STRING, [1, 4])]
    path = saved(model(nodes, [("x", FLOAT, [1, 4])], outputs), tmp_path / "m.onnx")
    found = compare(path, path, samples=1)
    assert [o.name for o in found.outputs] == ["y"]
    assert "output text was not compared: it is a tensor(string)" in found.warnings[0]
    only = saved(model([nodes[1]], [("x", FLOAT, [1, 4])], [outputs[1]]), tmp_path / "text.onnx")
    with pytest.raises(ModelError, match="no output holds numbers"):
        compare(only, only)


def test_other_output_names_are_paired_by_position(tmp_path: Path) -> None:
    path = conv(tmp_path / "m.onnx")
    found = compare(path, renamed(path, tmp_path / "r.onnx", y="other"))
    assert found.identical
    assert found.outputs[0].name == "y"
    assert "paired by position" in found.warnings[0]


def test_outputs_of_other_shapes_are_said(tmp_path: Path) -> None:
    original, candidate = conv(tmp_path / "a.onnx"), conv(tmp_path / "b.onnx", channels=6)
    found = compare(original, candidate, samples=2)
    assert "on 2 samples the two outputs have other shapes" in found.warnings[0]
    assert found.outputs[0].difference.count == 0
    assert not found.identical


# what cannot be compared


def failing(path: Path, limit: float = -1.0, shape: tuple[int, ...] = (1, 3, 16, 16)) -> Path:
    """Runs as long as max x <= limit: beyond, an index is out of bounds."""
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["top"], keepdims=0),
        helper.make_node("Greater", ["top", "limit"], ["over"]),
        helper.make_node("Cast", ["over"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["one", "index"], ["g"], name="out_of_bounds"),
        helper.make_node("Mul", ["x", "g"], ["y"]),
    ]
    weights = {"limit": np.array(limit, np.float32), "one": np.ones(1, np.float32)}
    return saved(model(nodes, [("x", FLOAT, shape)], [("y", FLOAT, shape)], weights), path)


def test_failures_name_the_model(tmp_path: Path) -> None:
    good, bad = conv(tmp_path / "good.onnx", channels=3), failing(tmp_path / "bad.onnx")
    with pytest.raises(RunError, match=r"^the candidate bad\.onnx fails to run: .*scene 0"):
        compare(good, bad)
    with pytest.raises(RunError, match=r"^the original bad\.onnx .* the candidate does not fail"):
        compare(bad, good)
    with pytest.raises(RunError, match=r"^the original bad\.onnx .* the candidate fails too"):
        compare(bad, bad)


def test_a_failure_in_the_middle_names_the_sample(tmp_path: Path) -> None:
    good, bad = conv(tmp_path / "good.onnx", channels=3), failing(tmp_path / "bad.onnx", 0.5)
    x = np.zeros((5, 3, 16, 16), np.float32)
    x[3] = 1
    np.save(tmp_path / "x.npy", x)
    found = compare(good, bad, data=tmp_path / "x.npy").samples
    assert (found.count, found.skipped_count) == (4, 1)
    assert found.skipped[0].name == "x.npy[3]"
    assert "candidate bad.onnx fails to run" in found.skipped[0].reason
    with pytest.raises(RunError, match=r"candidate bad\.onnx fails to run: .*x\.npy\[3\]"):
        compare(good, bad, data=tmp_path / "x.npy", strict=True)


def test_models_that_do_not_load(tmp_path: Path) -> None:
    good, bad = conv(tmp_path / "good.onnx"), tmp_path / "bad.onnx"
    unknown = onnx.load(good)
    unknown.graph.node[0].op_type = "Mystery"
    onnx.save(unknown, bad)
    with pytest.raises(RunError, match=r"cannot load the candidate bad\.onnx"):
        compare(good, bad)
    with pytest.raises(RunError, match=r"the original bad\.onnx.*the candidate does not fail"):
        compare(bad, good)
    with pytest.raises(RunError, match="the candidate fails too"):
        compare(bad, bad)
    with pytest.raises(ModelError, match=r"candidate gone\.onnx: there is no such file"):
        compare(good, tmp_path / "gone.onnx")
    bad.write_bytes(b"junk")
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ModelError, match=r"bad\.onnx: not an ONNX model"):
            compare(*pair)


def test_no_free_size_runs(tmp_path: Path) -> None:
    weights = {"to": np.array([1, 7], np.int64)}
    node = helper.make_node("Reshape", ["x", "to"], ["y"])
    proto = model([node], [("x", FLOAT, ["N", "T"])], [("y", FLOAT, [1, 7])], weights)
    path = saved(proto, tmp_path / "m.onnx")
    with pytest.raises(RunError, match=r"other choices for the free dimensions fail as well"):
        compare(path, path)


def test_models_with_other_inputs(tmp_path: Path) -> None:
    path = conv(tmp_path / "m.onnx")
    other = renamed(path, tmp_path / "r.onnx", x="picture")
    with pytest.raises(ModelError, match=r"take different inputs: x .* and picture"):
        compare(path, other)


def test_models_without_inputs(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["w"], ["y"])
    proto = model([node], [], [("y", FLOAT, [2])], {"w": np.ones(2, np.float32)})
    path = saved(proto, tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="has no inputs"):
        compare(path, path)


def test_inputs_that_take_no_numbers(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["s"], ["t"])
    text = TensorProto.STRING
    path = saved(model([node], [("s", text, [1])], [("t", text, [1])]), tmp_path / "m.onnx")
    with pytest.raises(RunError, match=r"input s is a tensor\(string\)"):
        compare(path, path)


def test_requests_that_make_no_sense(tmp_path: Path) -> None:
    path = conv(tmp_path / "m.onnx")
    with pytest.raises(UsageError, match="samples"):
        compare(path, path, samples=0)
    with pytest.raises(UsageError, match="provider"):
        compare(path, path, provider="gpu")
    with pytest.raises(UsageError, match="threads"):
        compare(path, path, threads=-1)


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    path = conv(tmp_path / "m.onnx")
    compare(path, path, samples=2, progress=lambda *step: told.append(step))
    assert told[:3] == [("samples", 0, 2), ("samples", 1, 2), ("samples", 2, 2)]
    assert {s for s, _, _ in told[3:]} == {"latency", "probing", "border", "layers"}


# memory


def peak_mib(path: Path, samples: int, data: str | None = None) -> float:
    code = (
        "import resource; from pathlib import Path; from importlib import import_module\n"
        "m = import_module('onnxpad.comparing'); m.LATENCY_SECONDS = 0.0\n"
        f"p = Path({str(path)!r})\n"
        f"m.compare(p, p, data={data!r}, samples={samples}, provider='cpu')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in KiB on Linux alone")
def test_memory_does_not_grow_with_the_samples(tmp_path: Path) -> None:
    path = conv(tmp_path / "m.onnx", shape=(1, 3, 64, 64), channels=32)
    few, many = peak_mib(path, 20), peak_mib(path, 120)
    assert many < few + 20  # keeping the outputs of both models would take 100 MiB more


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in KiB on Linux alone")
def test_ten_thousand_samples_run_in_flat_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "generated.py").write_text(
        "import numpy as np\n"
        "def samples():\n"
        "    random = np.random.default_rng(0)\n"
        "    for _ in range(20_000):\n"
        "        yield {'x': random.random((1, 3, 16, 16), np.float32)}\n"
    )
    rest = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), rest)))
    path = conv(tmp_path / "m.onnx", shape=(1, 3, 16, 16), channels=16)
    # The bootstrap holds at most some MiB of draws at once, and does from about 2,000 samples on.
    few, many = (peak_mib(path, n, "generated:samples") for n in (2_500, 10_000))
    assert many < few + 8  # the outputs of both models, kept, would take 230 MiB more
