"""What git ignores: asked of git itself, else read from the .gitignore files.

git alone knows all it needs to: files that are tracked although a pattern covers them (models are
often added by force), the user's own excludes, submodules. Where git is not installed, or refuses
the repository, or there is none, pathspec reads the .gitignore files; tracked files and excludes
outside the tree are unknown then.
"""

import os
import shutil
import subprocess
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pathspec import GitIgnoreSpec

REPOSITORY = ".git"
_GITIGNORE = ".gitignore"
# What a hook that runs us may have set; it speaks of the hook's own repository.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
# source, line, pattern, path: what git answers to one path, each with a zero byte behind it
_FIELDS = 4


class Ignored:
    """The ignored paths below a folder. To be used as a context: git runs until its end.

    Attributes:
        root: the folder; paths are asked about with it in front.
    """

    def __init__(self, root: Path) -> None:
        """Start git in a repository's root; elsewhere, or without git, read files."""
        self.root = root
        self._git = _start(root) if (root / REPOSITORY).exists() else None
        self._spec = lru_cache(maxsize=None)(_read)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Let git end."""
        if self._git is not None:
            self._stop(self._git)

    def holds(self, path: Path, *, folder: bool) -> bool:
        """Whether a path is ignored, given that the folders between it and the root are not."""
        below = path.relative_to(self.root)
        if self._git is not None:
            answer = _ask(self._git, below)
            if answer is not None:
                return answer
            self._stop(self._git)
        return self._told_by_files(below, folder=folder)

    def _told_by_files(self, below: Path, *, folder: bool) -> bool:
        """The nearest .gitignore that has a pattern for it decides."""
        for above in below.parents:
            spec = self._spec(self.root / above)
            if spec is None:
                continue
            asked = below.relative_to(above).as_posix() + ("/" if folder else "")
            found = spec.check_file(asked).include
            if found is not None:
                return found
        return False

    def _stop(self, git: "subprocess.Popen[bytes]") -> None:
        self._git = None
        with suppress(OSError):
            _stream(git.stdin).close()
        _stream(git.stdout).close()
        git.wait()


def root_of(folder: Path) -> Path:
    """The root of the repository a folder lies in; the folder itself where it lies in none."""
    whole = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay: names below must stay too
    return next((at for at in (whole, *whole.parents) if (at / REPOSITORY).exists()), whole)


def _start(root: Path) -> "subprocess.Popen[bytes] | None":
    """A git that answers path by path; None where it is not installed."""
    git = shutil.which("git")
    if git is None:
        return None
    arguments = [
        # a stranger's repository may name a program as its fsmonitor
        git, "-c", "core.fsmonitor=false", "-C", str(root),
        "check-ignore", "--stdin", "-z", "--verbose", "--non-matching",
    ]  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    try:
        return subprocess.Popen(  # noqa: S603 - found on the user's own path, no shell
            arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return None


def _ask(git: "subprocess.Popen[bytes]", below: Path) -> bool | None:
    """Whether git ignores a path; None once it has ended, as it does where it refuses."""
    question, answer = _stream(git.stdin), _stream(git.stdout)
    try:
        question.write(os.fsencode(f"./{below.as_posix()}") + b"\0")
        question.flush()
    except OSError:
        return None
    found = b""
    while found.count(b"\0") < _FIELDS:
        more = os.read(answer.fileno(), 1 << 16)
        if not more:
            return None
        found += more
    pattern = found.split(b"\0")[2]
    return bool(pattern) and not pattern.startswith(b"!")


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "opened as a pipe"
    return stream


def _read(folder: Path) -> GitIgnoreSpec | None:
    """A folder's own .gitignore; None without one that can be read."""
    try:
        text = (folder / _GITIGNORE).read_text("utf-8", errors="surrogateescape")
    except OSError:
        return None
    return GitIgnoreSpec.from_lines(filter(_is_pattern, text.splitlines()))


def _is_pattern(line: str) -> bool:
    """Whether pathspec takes it; git passes over in silence what is no pattern."""
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
