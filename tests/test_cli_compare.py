"""``onnxpad compare``, and ``rewrite`` where it ends with one: words, files and exit codes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import onnxpad as library
from tests.command import Ran, assert_refused, listing, onnxpad
from tests.data.graphs import classifier
from tests.features import FILES

# most of the time that a process takes would be latency's
QUICK = (
    "from importlib import import_module\nimport_module('onnxpad.comparing').LATENCY_SECONDS = 0.05"
)
FEW = ("--samples", "2", "--provider", "cpu")


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, Path]:
    """A classifier and its reflect rewrite."""
    original = classifier(tmp_path / "a.onnx")
    candidate = tmp_path / "b.onnx"
    library.rewrite(original, "reflect").save(candidate)
    return original, candidate


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for i in range(4):
            pixels = rng.integers(0, 256, (40, 40, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def compare(*arguments: str | Path, cwd: Path | None = None) -> Ran:
    return onnxpad("compare", *arguments, cwd=cwd, before=QUICK)


def result(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_two_models(models: tuple[Path, Path], tmp_path: Path) -> None:
    ran = compare(*models, *FEW, "--report", f"json:{tmp_path / 'r.json'}")
    assert ran.code == 0, ran.err
    assert "unknown" in ran.out
    assert result(tmp_path / "r.json")["identical"] is False


def test_data_labels_and_preprocessing(models: tuple[Path, Path], pictures: Path) -> None:
    ran = compare(
        *models, "--data", pictures, "--labels", "folders", "--preprocess", "raw,mean=127,std=64",
        "--samples", "8", "--report", "json:-",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["task"]["task"] == "classification"
    assert found["samples"]["count"] == 8
    assert found["warnings"] == []


def test_quiet_says_nothing(models: tuple[Path, Path]) -> None:
    ran = compare(*models, *FEW, "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        (("--budget", "difference<=1e9"), 0),
        (("--budget", "difference<=0"), 1),
        (("--budget", "difference<=0", "--exit-zero"), 0),
        (("--budget", "agreement>=0.1"), 1),
        (("--budget", "nonsense>=1"), 2),
        (("--overlap", "4"), 2),
        (("--tile", "8", "--overlap", "8"), 2),
        (("--task", "painting", "--data", "pictures"), 2),
        (("--labels", "folders"), 2),
        (("--config", "gone.toml"), 2),
        (("--report", "pdf:x"), 2),
    ],
    ids=lambda v: v[0] if isinstance(v, tuple) else None,
)
def test_exit_codes(
    models: tuple[Path, Path], pictures: Path, tmp_path: Path, extra: tuple[str, ...], code: int
) -> None:
    del pictures
    ran = compare(*models, *FEW, *extra, cwd=tmp_path)
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    if code == 2:
        assert_refused(ran, code)


def test_inconclusive_budgets_fail_under_strict(models: tuple[Path, Path], pictures: Path) -> None:
    whole = (*models, "--data", pictures, "--samples", "8", "--budget", "agreement>=0.7")
    found = json.loads(compare(*whole, "--report", "json:-").out)
    agreed = found["task"]["metrics"][0]
    assert agreed["low"] < agreed["high"]
    limit = f"agreement>={(agreed['low'] + agreed['high']) / 2:g}"
    assert compare(*whole[:-1], limit).code == 0
    assert compare(*whole[:-1], limit, "--strict").code == 1


def test_strict_leaves_no_sample_out(models: tuple[Path, Path], pictures: Path) -> None:
    (pictures / "a" / "broken.png").write_bytes(b"junk")
    ran = compare(*models, "--data", pictures, "--samples", "99")
    assert ran.code == 0
    assert "broken.png" in ran.out
    assert_refused(compare(*models, "--data", pictures, "--samples", "99", "--strict"), 2, "broken")


def test_settings_come_from_flags_then_environment_then_file(
    models: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onnxpad.toml").write_text(
        'samples = 5\n[[models]]\nmatch = "a.onnx"\nsamples = 4\nbudget = "difference<=0"\n'
    )

    def count(*extra: str) -> tuple[int, int]:
        ran = compare(*models, "--report", "json:-", *extra, cwd=tmp_path)
        return json.loads(ran.out)["samples"]["count"], ran.code

    assert count() == (4, 1)
    monkeypatch.setenv("ONNXPAD_SAMPLES", "3")
    assert count() == (3, 1)
    assert count("--samples", "2", "--budget", "difference<=1e9") == (2, 0)


def test_folders_are_paired_by_path(models: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    for folder, model in ((first, models[0]), (second, models[1])):
        (folder / "deep").mkdir(parents=True)
        shutil.copy(model, folder / "deep" / "m.onnx")
        shutil.copy(models[0], folder / "same.onnx")
    (first / "broken.onnx").write_bytes(b"junk")
    (second / "broken.onnx").write_bytes(b"junk")
    shutil.copy(models[0], first / "alone.onnx")
    ran = compare(first, second, *FEW, "--report", f"json:{tmp_path / 'r.json'}")
    assert ran.code == 3, ran.err
    lines = ran.out.splitlines()
    assert lines[0].startswith("broken.onnx: ")
    assert "not an ONNX model" in lines[0]
    assert lines[1].startswith("deep/m.onnx: unknown")
    assert lines[2].startswith("same.onnx: no difference")
    assert "alone.onnx: in one of the folders only" in lines[3]
    found = json.loads((tmp_path / "r.json").read_text())
    assert len(found["comparisons"]) == 2
    assert found["unpaired"] == ["alone.onnx"]
    assert [f["model"] for f in found["failed"]] == ["broken.onnx"]


def test_folders_without_pairs(models: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert_refused(compare(tmp_path / "one", tmp_path / "two"), 2, "no two models")
    assert_refused(compare(tmp_path / "one", models[0]), 2, "one is a folder")


# rewrite ends with the same comparison


def rewrite(model: Path, out: Path, *arguments: str | Path) -> Ran:
    return onnxpad("rewrite", model, "--mode", "edge", "-o", out, *FEW, *arguments, before=QUICK)


def test_a_budget_that_is_missed_leaves_nothing(models: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.onnx"
    out.parent.mkdir()
    ran = rewrite(models[0], out, "--budget", "difference<=0")
    assert ran.code == 1
    assert "nothing was written" in ran.err
    assert "Nothing was written: the budget is missed." in ran.out
    assert "Dry run" not in ran.out
    assert listing(out.parent) == {}
    assert rewrite(models[0], out, "--budget", "difference<=0", "--exit-zero").code == 0
    assert listing(out.parent) == {}
    ran = rewrite(models[0], out, "--budget", "difference<=1e9")
    assert ran.code == 0, ran.err
    assert set(listing(out.parent)) == {"out.onnx"}
    before = out.read_bytes()
    assert rewrite(models[0], out, "--budget", "difference<=0").code == 1
    assert out.read_bytes() == before


def test_a_budget_needs_the_comparison(models: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    assert_refused(
        rewrite(models[0], out, "--budget", "latency<=2", "--no-compare"), 2, "--no-compare"
    )
    assert not out.exists()


def test_a_budget_of_a_file_is_said_to_be_left_unjudged(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "onnxpad.toml").write_text('budget = "difference<=0"\n')
    line = ("rewrite", models[0], "--mode", "edge", "--no-compare")
    ran = onnxpad(*line, "-o", "out.onnx", "-q", cwd=tmp_path)
    assert ran.code == 0
    assert ran.err == (
        "not judged: the budget difference<=0 (onnxpad.toml), because of --no-compare\n"
    )
    assert (tmp_path / "out.onnx").exists()
    ran = onnxpad(*line, "-o", "strict.onnx", "--strict", cwd=tmp_path)
    assert_refused(ran, 2, "difference<=0", "--no-compare")
    assert not (tmp_path / "strict.onnx").exists()


@pytest.mark.parametrize("theirs", [False, True], ids=["nothing there", "--force"])
def test_a_missed_budget_leaves_no_data_either(tmp_path: Path, theirs: bool) -> None:
    """With --self-contained, neither new data files nor changed ones."""
    here, there = tmp_path / "models", tmp_path / "other"
    here.mkdir()
    there.mkdir()
    model = FILES["external_weights"](here)
    if theirs:
        (there / "external_weights.onnx.data").write_bytes(b"somebody's")
    before = listing(there)
    line = (model, there / "out.onnx", "--self-contained", "--force")
    assert rewrite(*line, "--budget", "latency<=0").code == 1
    assert listing(there) == before
    ran = rewrite(*line, "--budget", "latency<=1e9")
    assert ran.code == 0, ran.err
    assert set(listing(there)) == {"out.onnx", "external_weights.onnx.data"}
    data = "external_weights.onnx.data"
    assert (there / data).read_bytes() == (here / data).read_bytes()


def test_rewrite_takes_labels_and_tasks(
    models: tuple[Path, Path], pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.onnx"
    ran = rewrite(
        models[0], out, "--data", pictures, "--labels", "folders", "--preprocess", "raw",
        "--class-offset", "1", "--report", "json:-",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)["comparison"]
    assert found["task"]["metrics"][0]["name"] == "top1"
    assert found["candidate"] == str(out)
