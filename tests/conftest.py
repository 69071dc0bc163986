"""What every test shares: the real models' folder, hypothesis profiles, a quiet environment."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.features import FEATURES

# Deadlines fail on busy machines and say nothing about the code. The number of examples suits
# every commit; ONNXPAD_EXAMPLES raises it for a night's run.
settings.register_profile(
    "onnxpad",
    deadline=None,
    max_examples=int(os.environ.get("ONNXPAD_EXAMPLES", "50")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("onnxpad")


def zoo_folder() -> Path | None:
    """The folder named by ONNXPAD_ZOO, or None where it is not set.

    A name that leads nowhere is an error: tests that were asked for must not be skipped in silence.
    """
    name = os.environ.get("ONNXPAD_ZOO")
    if not name:
        return None
    folder = Path(name)
    if not (folder / "models").is_dir():
        raise pytest.UsageError(f"ONNXPAD_ZOO is {name!r}, which has no folder models/")
    return folder


def zoo_models() -> list[Path]:
    """The real models, for ``pytest.mark.parametrize``; empty without ONNXPAD_ZOO."""
    folder = zoo_folder()
    return sorted((folder / "models").glob("*.onnx")) if folder else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked zoo where there is none."""
    if zoo_folder() is not None:
        return
    skip = pytest.mark.skip(reason="ONNXPAD_ZOO is not set")
    for item in items:
        if item.get_closest_marker("zoo"):
            item.add_marker(skip)


@pytest.fixture
def zoo() -> Path:
    """The folder of real models and images; the test is skipped without it."""
    folder = zoo_folder()
    if folder is None:
        pytest.skip("ONNXPAD_ZOO is not set")
    return folder


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colours, a fixed width, no settings of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith("ONNXPAD_") and name not in {"ONNXPAD_ZOO", "ONNXPAD_EXAMPLES"}:
            monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A model that can be rewritten, alone in its folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "good.onnx"
    path.write_bytes(FEATURES["conv_plain"]().SerializeToString())
    return path
