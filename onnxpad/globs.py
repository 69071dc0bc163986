"""Globs that name files: with a slash the path below a folder is matched, without one a name."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns as they stand in a file or on the command line, where * also stands for slashes.

    Attributes:
        patterns: such as `*.int8.onnx` or `legacy/*`.
        folder: that patterns with a slash start at: the configuration file's, or the current one.
    """

    patterns: tuple[str, ...] = ()
    folder: Path = Path()

    def match(self, path: Path) -> bool:
        """Whether a file is one of them."""
        return bool(self.patterns) and matches_below(self.patterns, below(path, self.folder))

    def cover(self, path: Path) -> bool:
        """Whether a file or folder, or a folder above it, is one of them."""
        if not self.patterns:
            return False
        parts = below(path, self.folder).split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        patterns = [pattern.removesuffix("/") for pattern in self.patterns]
        return any(matches_below(patterns, one) for one in above)


def below(path: Path, folder: Path) -> str:
    """A path as seen from a folder, with forward slashes; links in the folders are followed."""
    seen = path.parent.resolve() / path.name
    try:
        return Path(os.path.relpath(seen, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return seen.as_posix()


def matches_below(patterns: Iterable[str], path: str) -> bool:
    """Whether a path with forward slashes, or its last name, matches a pattern."""
    name = path.rpartition("/")[2]
    return any(fnmatchcase(path if "/" in glob else name, glob) for glob in patterns)
