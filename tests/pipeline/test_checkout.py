"""What ``onnxpad audit`` without arguments finds in this repository: its own models."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import onnxpad

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh clone of what is committed, and what `make demo` leaves beside it."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folder = tmp_path / "onnxpad"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True, capture_output=True)
    model = (ROOT / "sample_models" / "digits_keras.onnx").read_bytes()
    for left in (
        ".venv/lib/python3/site-packages/onnx/test.onnx",
        "build/demo/model.reflect.onnx",
        ".hidden/model.onnx",
    ):
        (folder / left).parent.mkdir(parents=True)
        (folder / left).write_bytes(model)
    (folder / ".venv" / "pyvenv.cfg").touch()
    return folder


def test_own_models_alone(checkout: Path) -> None:
    ran = onnxpad("audit", "--report", "json:-", cwd=checkout)
    assert ran.code == 0, ran.out + ran.err
    committed = subprocess.run(
        ["git", "ls-files", "*.onnx"], cwd=checkout, check=True, capture_output=True, text=True
    ).stdout.split()
    assert len(committed) >= 8
    found = json.loads(ran.out)["models"]
    assert [model["model"] for model in found] == sorted(committed)
    assert not any(model["error"] for model in found)


def test_without_ignoring(checkout: Path) -> None:
    """The test above has a subject: what is passed over is there."""
    ran = onnxpad("audit", "--no-ignore", "--report", "json:-", cwd=checkout)
    names = [model["model"] for model in json.loads(ran.out)["models"]]
    assert ".venv/lib/python3/site-packages/onnx/test.onnx" in names
    assert "build/demo/model.reflect.onnx" in names
