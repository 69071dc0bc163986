"""Which models an audit looks at: real folders, real repositories, real links."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from onnxpad.errors import UsageError
from onnxpad.globs import Globs
from onnxpad.walking import find_models

GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.invalid")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def without_git(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert shutil.which("git") is None


def names(*paths: str, exclude: tuple[str, ...] = (), skip: bool = True) -> list[str]:
    found = find_models([Path(path) for path in paths], Globs(exclude), skip=skip)
    return [one.name for one in found]


# what is found


def test_below_the_current_folder_in_the_order_of_names(here: Path) -> None:
    touch(here, "b.onnx", "a/z.onnx", "a/b/c.ONNX", "a.onnx", "notes.txt", "onnx", "a/x.onnx.data")
    assert names() == ["a.onnx", "a/b/c.ONNX", "a/z.onnx", "b.onnx"]


def test_files_and_folders_that_are_named_each_once(here: Path) -> None:
    touch(here, "m/a.onnx", "m/b.onnx", "c.bin")
    assert names("m", "m/a.onnx", "./m/../m", "c.bin") == ["c.bin", "m/a.onnx", "m/b.onnx"]


def test_a_named_file_that_is_not_there_is_left_to_the_reader(here: Path) -> None:
    assert names("gone.onnx") == ["gone.onnx"]


@pytest.mark.parametrize("paths", [(), ("empty",)])
def test_no_model_is_an_error_that_says_where_it_looked(here: Path, paths: tuple[str]) -> None:
    (here / "empty").mkdir()
    touch(here, ".hidden/a.onnx")
    where = "empty" if paths else "the current folder"
    with pytest.raises(UsageError, match=rf"no model \(\*\.onnx\) found below {where}.*--no-ign"):
        names(*paths)


# what is passed over


def test_what_belongs_to_tools_is_passed_over(here: Path) -> None:
    touch(
        here, "a.onnx", ".hidden.onnx", ".git/x.onnx", ".venv/x.onnx", "env/pyvenv.cfg",
        "env/lib/x.onnx", "conda/conda-meta/history", "conda/x.onnx", "lib/site-packages/p/x.onnx",
        "node_modules/p/x.onnx", "__pycache__/x.onnx", "sub/.tox/x.onnx",
    )  # fmt: skip
    assert names() == ["a.onnx"]
    assert len(names(skip=False)) == 10


def test_a_named_folder_is_looked_through_whatever_it_is_called(here: Path) -> None:
    touch(here, ".cache/x.onnx", "env/pyvenv.cfg", "env/x.onnx")
    assert names(".cache", "env", ".cache/x.onnx") == [".cache/x.onnx", "env/x.onnx"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("legacy", ["a.int8.onnx", "a.onnx", "new/legacy.onnx", "new/old.onnx"]),
        ("legacy/", ["a.int8.onnx", "a.onnx", "new/legacy.onnx", "new/old.onnx"]),
        ("*.int8.onnx", ["a.onnx", "legacy/b.onnx", "new/legacy.onnx", "new/old.onnx"]),
        ("new/*", ["a.int8.onnx", "a.onnx", "legacy/b.onnx"]),
        ("new/old.onnx", ["a.int8.onnx", "a.onnx", "legacy/b.onnx", "new/legacy.onnx"]),
        ("a", ["a.int8.onnx", "a.onnx", "legacy/b.onnx", "new/legacy.onnx", "new/old.onnx"]),
    ],
)
def test_exclude(here: Path, pattern: str, left: list[str]) -> None:
    touch(here, "a.onnx", "a.int8.onnx", "legacy/b.onnx", "new/old.onnx", "new/legacy.onnx")
    assert names(exclude=(pattern,)) == left
    assert len(names(exclude=(pattern,), skip=False)) == 5


def test_a_named_file_is_taken_although_excluded(here: Path) -> None:
    touch(here, "a.onnx", "b.onnx")
    assert names("a.onnx", exclude=("*.onnx",)) == ["a.onnx"]


# links


def test_links_to_folders_are_not_followed_and_links_to_files_are_taken(here: Path) -> None:
    touch(here, "real/a.onnx")
    (here / "real" / "loop").symlink_to(here, target_is_directory=True)
    (here / "other").symlink_to(here / "real", target_is_directory=True)
    (here / "link.onnx").symlink_to(here / "real" / "a.onnx")
    (here / "broken.onnx").symlink_to(here / "gone")
    (here / "self.onnx").symlink_to(here / "self.onnx")
    (here / "folder.onnx").symlink_to(here / "real", target_is_directory=True)
    assert names() == ["broken.onnx", "link.onnx", "real/a.onnx", "self.onnx"]
    assert names(skip=False) == names()
    assert names("other") == ["other/a.onnx"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_an_entry(here: Path) -> None:
    touch(here, "a.onnx", "shut/b.onnx")
    (here / "shut").chmod(0)
    try:
        found = find_models()
    finally:
        (here / "shut").chmod(0o700)
    assert [(one.name, one.error) for one in found] == [
        ("a.onnx", ""),
        ("shut", "cannot be read: Permission denied"),
    ]


def test_a_folder_that_vanishes_is_an_entry(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(here, "a.onnx", "gone/b.onnx")
    scan = os.scandir

    def vanishing(path: Path) -> object:
        if Path(path).name == "gone":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr("onnxpad.walking.os.scandir", vanishing)
    assert [(one.name, one.error) for one in find_models()] == [
        ("a.onnx", ""),
        ("gone", "cannot be read: Permission denied"),
    ]


def test_many_levels(here: Path) -> None:
    deep = "/".join(["d"] * 200)
    touch(here, f"{deep}/m.onnx")
    assert names() == [f"{deep}/m.onnx"]


# git


REPOSITORY = ("a.onnx", "build/x.onnx", "sub/keep.onnx", "sub/drop.onnx", "[w]?.onnx", "é\n.onnx")
IGNORES = "/build/\ndrop.onnx\n*.data\n"
KEPT = ["[w]?.onnx", "a.onnx", "sub/keep.onnx", "é\n.onnx"]


@pytest.fixture
def repository(here: Path) -> Path:
    touch(here, *REPOSITORY)
    (here / ".gitignore").write_text(IGNORES)
    if shutil.which("git"):
        git(here, "init", "-q")
    return here


@pytest.mark.parametrize("installed", [pytest.param(True, marks=GIT), False])
class TestIgnored:
    """With git, and from the files alone: the same wherever git's index has no say."""

    @pytest.fixture(autouse=True)
    def _git(
        self, installed: bool, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if shutil.which("git") is None:
            (repository / ".git").mkdir()
        if not installed:
            without_git(monkeypatch, tmp_path)

    @pytest.mark.usefixtures("repository")
    def test_ignored_paths_are_passed_over(self) -> None:
        assert names() == KEPT
        assert names(skip=False) == sorted(REPOSITORY)

    def test_from_a_folder_inside(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(repository / "sub")
        assert names() == ["keep.onnx"]
        assert names("..") == [f"../{name}" for name in KEPT]

    @pytest.mark.usefixtures("repository")
    def test_a_named_ignored_folder_or_file_is_taken(self) -> None:
        assert names("build", "sub/drop.onnx") == ["build/x.onnx", "sub/drop.onnx"]

    def test_a_folder_below_an_ignored_one_is_taken(self, repository: Path) -> None:
        touch(repository, "build/deep/er/y.onnx")
        assert names("build/deep") == ["build/deep/er/y.onnx"]

    def test_the_nearest_file_decides(self, repository: Path) -> None:
        (repository / "sub" / ".gitignore").write_text("!drop.onnx\nkeep.*\n")
        assert names("sub") == ["sub/drop.onnx"]

    def test_nothing_below_an_ignored_folder_comes_back(self, repository: Path) -> None:
        (repository / "build" / ".gitignore").write_text("!x.onnx\n")
        assert names() == KEPT

    def test_a_broken_pattern_does_not_stop_the_search(self, repository: Path) -> None:
        (repository / ".gitignore").write_bytes(b"/build/\n\xff[\n!\n[z\n")
        assert "a.onnx" in names()
        assert "build/x.onnx" not in names()


def test_ignore_files_count_without_a_repository(here: Path) -> None:
    touch(here, *REPOSITORY)
    (here / ".gitignore").write_text(IGNORES)
    assert names() == KEPT


@GIT
def test_tracked_files_are_the_projects_own_although_ignored(repository: Path) -> None:
    git(repository, "add", "-f", "build/x.onnx")
    touch(repository, "build/y.onnx")
    assert names() == sorted([*KEPT, "build/x.onnx"])


@GIT
def test_a_submodule_has_its_own_ignores_and_an_ignored_clone_stays_out(repository: Path) -> None:
    for name in ("module", "build/clone"):
        touch(repository, f"{name}/m.onnx", f"{name}/out/n.onnx", f"{name}/drop.onnx")
        (repository / name / ".gitignore").write_text("out/\n")
        git(repository / name, "init", "-q")
        git(repository / name, "add", ".")
        git(repository / name, "commit", "-qm", "x")
    git(repository, "add", "module")
    assert names() == sorted([*KEPT, "module/m.onnx", "module/drop.onnx"])


@GIT
def test_inside_a_hook_of_another_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "outer")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "outer" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "outer" / ".git" / "index"))
    assert names() == KEPT


@GIT
def test_a_git_that_refuses_leaves_it_to_the_files(repository: Path) -> None:
    (repository / ".git" / "config").write_text("[broken\n")
    assert names() == KEPT


@GIT
def test_a_repository_cannot_name_a_program(repository: Path, tmp_path: Path) -> None:
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    git(repository, "add", "a.onnx")
    git(repository, "config", "core.fsmonitor", str(program))
    assert names() == KEPT
    assert not (tmp_path / "ran").exists()
