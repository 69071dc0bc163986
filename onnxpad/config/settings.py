"""Records of settings, and which of them wins for a model."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from onnxpad.config.values import read_value
from onnxpad.data.framing import Size
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.preprocess import Preprocess
from onnxpad.globs import Globs, below, matches_below

DEFAULT, FLAG = "default", "flag "

_T = TypeVar("_T")
Codes: TypeAlias = tuple[str, ...]
_NO_GLOBS = Globs()


@dataclass(frozen=True, slots=True)
class Setting(Generic[_T]):
    """A value and where it comes from.

    Attributes:
        origin: printable: "default", "onnxpad.toml", "onnxpad.toml [[models]] 2 (*.onnx)",
            "environment ONNXPAD_DATA", "flag --data".
    """

    value: _T
    origin: str = DEFAULT

    @property
    def shared(self) -> bool:
        """Whether it was written for other commands, too: in a file or the environment."""
        return self.origin != DEFAULT and not self.origin.startswith(FLAG)


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
class AuditSettings:
    """What is in force for an audit.

    Attributes:
        select, ignore, extend_select: codes or their beginnings; None: what is on by default.
        target: runtimes.
        per_node_ignores: globs of node names, and the codes that do not hold there.
        paths: looked at where none are named; None: the current folder.
        exclude: files and folders that are passed over.
        per_file_ignores: globs of files, and the codes that do not hold there.
        fail_on: the word for the lowest severity that fails, or "never".
        baseline: a file of accepted findings.
        jobs: worker processes; None: as many as the work is worth.
    """

    select: Setting[Codes | None] = Setting(None)
    ignore: Setting[Codes] = Setting(())
    extend_select: Setting[Codes] = Setting(())
    target: Setting[tuple[str, ...]] = Setting(())
    per_node_ignores: Setting[tuple[tuple[str, Codes], ...]] = Setting(())
    paths: Setting[tuple[Path, ...] | None] = Setting(None)
    exclude: Setting[Globs] = Setting(_NO_GLOBS)
    per_file_ignores: Setting[tuple[tuple[Globs, Codes], ...]] = Setting(())
    fail_on: Setting[str] = Setting("error")
    baseline: Setting[Path | None] = Setting(None)
    jobs: Setting[int | None] = Setting(None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the file.

    Attributes:
        match: globs; () for the top of the file, which serves all models.
        values: by key, read and with paths of the file's folder.
        origin: the table's name for people, printable.
        audit: the same of its table on audits.
    """

    match: tuple[str, ...]
    values: Mapping[str, Any]
    origin: str
    audit: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file, read and checked; without a file `path` is None."""

    path: Path | None = None
    entries: tuple[Entry, ...] = ()

    def matching(self, model: Path | None) -> tuple[Entry, ...]:
        """The entries that serve a model, in the file's order; None: those that serve all."""
        if self.path is None:
            return ()
        path = "" if model is None else below(model, self.path.parent)
        return tuple(e for e in self.entries if not e.match or matches_below(e.match, path))


KEYS = tuple(f.name for f in fields(Settings))


def settings_for(
    model: Path | None,
    config: Config,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """What is in force for a model.

    Args:
        model: its path, which `match` is held against; None: what holds for all.
        config: of the file.
        flags: values given on the command line by key; None where one was not given, others than
            KEYS are another's. Texts are read as in the file, but their paths are those of the
            current folder.
        environment: os.environ unless given.

    Raises:
        UsageError: a value of a flag or of the environment is not understood.
    """
    found: dict[str, Setting[Any]] = {}
    for entry in config.matching(model):
        found |= {key: Setting(value, entry.origin) for key, value in entry.values.items()}
    for source in outside(KEYS, flags or {}, environment):
        found |= source
    return Settings(**found)


def outside(
    keys: Collection[str], flags: Mapping[str, Any], environment: Mapping[str, str] | None
) -> Iterator[dict[str, Setting[Any]]]:
    """What the environment says, then what flags say; see `settings_for`. Raises UsageError."""
    variables = os.environ if environment is None else environment
    names = {key: f"ONNXPAD_{key.upper()}" for key in keys}
    given = {key: variables[name] for key, name in names.items() if variables.get(name)}
    yield _said(given, {key: f"environment {names[key]}" for key in given})
    given = {key: flags[key] for key in keys if flags.get(key) is not None}
    yield _said(given, {key: f"{FLAG}--{key.replace('_', '-')}" for key in given})


def _said(given: Mapping[str, Any], origins: Mapping[str, str]) -> dict[str, Setting[Any]]:
    texts = {key: os.fspath(v) if isinstance(v, os.PathLike) else v for key, v in given.items()}
    return {
        key: Setting(read_value(key, v, origins[key]), origins[key]) for key, v in texts.items()
    }
