""".pre-commit-hooks.yaml, tried as a user would: a git repository, its hooks, a commit."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.command import Ran
from tests.features import FEATURES
from tests.pipeline.installed import libraries, program, run, skip_without_index

ROOT = Path(__file__).resolve().parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}

needs_tools = pytest.mark.skipif(
    shutil.which("git") is None or find_spec("pre_commit") is None,
    reason="needs git and pre-commit",
)


class Repository:
    """A git repository of somebody who uses the hook."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        folder.mkdir()
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> str:
        told = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "core.hooksPath=none")
        return subprocess.run(
            ["git", *told, *arguments], cwd=self.folder, env=self.environment,
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    def commit(self) -> str:
        """Commit everything; the commit's name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a state")
        return self.git("rev-parse", "HEAD")

    def uses(self, hook: str, source: "Repository", revision: str, args: list[str]) -> None:
        wanted: dict[str, object] = {"id": hook}
        if args:
            wanted["args"] = args
        config = {"repos": [{"repo": str(source.folder), "rev": revision, "hooks": [wanted]}]}
        (self.folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
        self.git("add", ".pre-commit-config.yaml")

    def add(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.git("add", "--", name)

    def pre_commit(self) -> Ran:
        """Run the hooks on what is staged."""
        command = [sys.executable, "-m", "pre_commit", "run", "--verbose", "--color=never"]
        return run(list(command), self.folder, self.environment)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No configuration of the person who runs the tests, and a cache that goes away."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH": f"{program(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}",
        **{key: value for key, value in os.environ.items() if key.startswith("PIP_")},
    }


@pytest.fixture
def source(tmp_path: Path, environment: dict[str, str]) -> tuple[Repository, str]:
    """This repository's package and hooks as they are now, committed; and the commit's name."""
    copy = Repository(tmp_path / "onnxpad", environment)
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy.folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "onnxpad", copy.folder / "onnxpad", ignore=ignored)
    return copy, copy.commit()


GOOD = FEATURES["conv_plain"]().SerializeToString


def test_hooks_look_at_models_alone() -> None:
    for hook in HOOKS.values():
        assert hook["entry"] == "onnxpad audit"
        assert hook["files"] == r"\.onnx$"
        assert hook["require_serial"] is True
    assert {hook["language"] for hook in HOOKS.values()} == {"python", "system"}


@needs_tools
def test_the_installed_onnxpad(
    tmp_path: Path, source: tuple[Repository, str], environment: dict[str, str]
) -> None:
    """A good model passes, other files are not looked at, a broken model stops the commit."""
    user = Repository(tmp_path / "user", environment)
    user.uses("onnxpad-audit-system", *source, args=[])
    user.add("notes.txt", b"no model")
    skipped = user.pre_commit()
    assert skipped.code == 0
    assert "no files to check" in skipped.out

    user.add("models/a net.onnx", GOOD())
    passed = user.pre_commit()
    assert passed.code == 0, passed.out
    assert "1 model" in passed.out

    user.add("models/broken.onnx", b"this is no model")
    failed = user.pre_commit()
    assert failed.code == 1
    assert "exit code: 3" in failed.out
    assert "broken.onnx" in failed.out
    assert "Traceback" not in failed.out


@needs_tools
def test_args_of_the_user(
    tmp_path: Path, source: tuple[Repository, str], environment: dict[str, str]
) -> None:
    user = Repository(tmp_path / "user", environment)
    user.uses("onnxpad-audit-system", *source, args=["--fail-on", "nonsense"])
    user.add("net.onnx", GOOD())
    ran = user.pre_commit()
    assert ran.code == 1
    assert "exit code: 2" in ran.out


@needs_tools
def test_an_environment_of_its_own(
    tmp_path: Path, source: tuple[Repository, str], environment: dict[str, str]
) -> None:
    """pre-commit installs the package; the libraries stand by in place of 700 MB of downloads."""
    environment["PYTHONPATH"] = str(libraries(tmp_path / "libraries"))
    environment["PATH"] = os.environ["PATH"]
    user = Repository(tmp_path / "user", environment)
    user.uses("onnxpad-audit", *source, args=[])
    user.add("net.onnx", GOOD())
    ran = user.pre_commit()
    skip_without_index(ran)
    assert ran.code == 0, ran.out
    assert "1 model" in ran.out
