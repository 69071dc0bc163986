"""Records of settings, and which of them wins for a model."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Generic, TypeVar

from onnxpad.config.values import read_value
from onnxpad.data.framing import Size
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.preprocess import Preprocess

DEFAULT = "default"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Setting(Generic[_T]):
    """A value and where it comes from.

    Attributes:
        origin: printable: "default", "onnxpad.toml", "onnxpad.toml [[models]] 2 (*.onnx)",
            "environment ONNXPAD_DATA", "flag --data".
    """

    value: _T
    origin: str = DEFAULT


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force for one model.

    Attributes:
        data: a path or `module:function`; None: synthetic scenes.
        size: height, width.
        task, output, decoder, class_offset, classes, peak, score: what a task is told, checked
            where it is built; None: guessed.
        budget: in its own syntax, read where it is judged.
    """

    data: Setting[str | None] = Setting(None)
    labels: Setting[LabelSpec | None] = Setting(None)
    preprocess: Setting[Preprocess | None] = Setting(None)
    size: Setting[Size | None] = Setting(None)
    task: Setting[str | None] = Setting(None)
    output: Setting[str | None] = Setting(None)
    decoder: Setting[str | None] = Setting(None)
    class_offset: Setting[int | None] = Setting(None)
    classes: Setting[int | None] = Setting(None)
    peak: Setting[float | None] = Setting(None)
    score: Setting[float | None] = Setting(None)
    budget: Setting[str | None] = Setting(None)
    samples: Setting[int | None] = Setting(None)
    seed: Setting[int] = Setting(0)
    provider: Setting[str] = Setting("auto")
    threads: Setting[int | None] = Setting(None)
    strict: Setting[bool] = Setting(value=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the file.

    Attributes:
        match: globs; () for the top of the file, which serves all models.
        values: by key, read and with paths of the file's folder.
        origin: the table's name for people, printable.
    """

    match: tuple[str, ...]
    values: Mapping[str, Any]
    origin: str


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file, read and checked; without a file `path` is None."""

    path: Path | None = None
    entries: tuple[Entry, ...] = ()

    def matching(self, model: Path) -> tuple[Entry, ...]:
        """The entries that serve a model, in the file's order."""
        if self.path is None:
            return ()
        below = Path(os.path.relpath(model.resolve(), self.path.parent.resolve())).as_posix()
        return tuple(e for e in self.entries if not e.match or _matches(e.match, below))


def _matches(globs: Iterable[str], below: str) -> bool:
    name = below.rpartition("/")[2]
    return any(fnmatchcase(below if "/" in glob else name, glob) for glob in globs)


KEYS = tuple(f.name for f in fields(Settings))


def settings_for(
    model: Path,
    config: Config,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """What is in force for a model.

    Args:
        model: its path, which `match` is held against.
        config: of the file.
        flags: values given on the command line by key; None where one was not given. Texts are
            read as in the file, but their paths are those of the current folder.
        environment: os.environ unless given.

    Raises:
        UsageError: a value of a flag or of the environment is not understood.
    """
    found: dict[str, Setting[Any]] = {}
    for entry in config.matching(model):
        found |= {key: Setting(value, entry.origin) for key, value in entry.values.items()}
    for key, text in _environment(os.environ if environment is None else environment).items():
        origin = f"environment ONNXPAD_{key.upper()}"
        found[key] = Setting(read_value(key, text, origin), origin)
    for key, given in (flags or {}).items():
        if given is not None:
            origin = f"flag --{key.replace('_', '-')}"
            found[key] = Setting(
                read_value(key, os.fspath(given) if key == "data" else given, origin), origin
            )
    return Settings(**found)


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    wanted = {key: f"ONNXPAD_{key.upper()}" for key in KEYS}
    return {key: variables[name] for key, name in wanted.items() if variables.get(name)}
