"""Find the models below folders: the project's own, not those of its tools.

Skipped are hidden files and folders (version control among them), virtual environments,
site-packages, node_modules, what git ignores, and what `exclude` names. Links to folders are not
followed, so that no loop can trap the search; a link to a file is taken. A named file is always
taken, and a named folder is looked through even where git ignores it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from onnxpad.errors import UsageError
from onnxpad.globs import Globs
from onnxpad.ignoring import REPOSITORY, Ignored, root_of
from onnxpad.text import printable

SUFFIX = ".onnx"
_NOT_OURS = frozenset(
    ("site-packages", "dist-packages", "node_modules", "__pycache__", "CVS", "_darcs")
)
# What tells a folder to be an environment of Python's or of conda's, whatever its name.
_ENVIRONMENT = frozenset(("pyvenv.cfg", "conda-meta"))

_NOTHING = Globs()


@dataclass(frozen=True, slots=True)
class Found:
    """A model file, or a folder that could not be looked through.

    Attributes:
        name: its path for people, with forward slashes; untrusted.
        error: why the folder cannot be read, "" for a file.
    """

    path: Path
    name: str
    error: str = ""


def find_models(
    paths: Sequence[Path] = (), exclude: Globs = _NOTHING, *, skip: bool = True
) -> tuple[Found, ...]:
    """The models that paths lead to, each once, in the order of their names.

    Args:
        paths: files and folders; the current folder unless given.
        exclude: files and folders below named folders to leave out.
        skip: False takes everything that is called a model, `exclude` and all.

    Raises:
        UsageError: none was found.
    """
    found: dict[Path, Found] = {}
    for path in paths or (Path(),):
        for one in _below(path, exclude, skip=skip) if path.is_dir() else (_named(path),):
            found.setdefault(_whole(one.path), one)
    if not found:
        where = ", ".join(printable(str(path)) for path in paths) or "the current folder"
        lifted = "" if not skip else (
            "; hidden and git-ignored files, virtual environments and excluded paths were passed "
            "over (--no-ignore takes them too)"
        )  # fmt: skip
        raise UsageError(f"no model (*{SUFFIX}) found below {where}{lifted}")
    return tuple(sorted(found.values(), key=lambda one: one.name))


def _named(path: Path) -> Found:
    return Found(path, path.as_posix())


def _below(start: Path, exclude: Globs, *, skip: bool) -> Iterator[Found]:
    """The models below a folder, in no particular order."""
    with ExitStack() as repositories:
        folders = [(start, repositories.enter_context(Ignored(root_of(start))) if skip else None)]
        if _is_named_from_within(start, folders[0][1]):
            folders = [(start, None)]
        while folders:
            folder, ignored = folders.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                yield Found(folder, folder.as_posix(), f"cannot be read: {error.strerror or error}")
                continue
            names = {entry.name for entry in entries}
            if skip and folder != start:
                if names & _ENVIRONMENT:
                    continue
                if REPOSITORY in names:
                    ignored = repositories.enter_context(Ignored(root_of(folder)))
            for entry in filter(_is_looked_at, entries):
                path, inner = folder / entry.name, entry.is_dir(follow_symlinks=False)
                if skip and _is_skipped(path, exclude, ignored, folder=inner):
                    continue
                if inner:
                    folders.append((path, ignored))
                else:
                    yield _named(path)


def _is_named_from_within(start: Path, ignored: Ignored | None) -> bool:
    """Whether a folder that was named lies in what git ignores: then git is not asked below it."""
    if ignored is None:
        return False
    whole = _whole(start)
    return any(
        ignored.holds(at, folder=True)
        for at in (whole, *whole.parents)
        if at.is_relative_to(ignored.root) and at != ignored.root
    )


def _is_looked_at(entry: "os.DirEntry[str]") -> bool:
    """Whether this is a folder, or called a model and no link to a folder."""
    if entry.is_dir(follow_symlinks=False):
        return True
    if not entry.name.lower().endswith(SUFFIX):
        return False
    try:
        return not entry.is_dir()
    except OSError:  # a link to itself: whoever reads it will say so
        return True


def _is_skipped(path: Path, exclude: Globs, ignored: Ignored | None, *, folder: bool) -> bool:
    if path.name.startswith(".") or (folder and path.name in _NOT_OURS) or exclude.cover(path):
        return True
    return ignored is not None and ignored.holds(_whole(path), folder=folder)


def _whole(path: Path) -> Path:
    """Its absolute path, links as they are named: git knows nothing behind them."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() follows links
