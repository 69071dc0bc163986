"""Settings of audits: those of the run, and those that differ from model to model."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from onnxpad.config.settings import AuditSettings, Config, Setting, outside
from onnxpad.globs import Globs

AUDIT_KEYS = tuple(f.name for f in fields(AuditSettings))
# Tables have no place in a variable.
_IN_FILES_ONLY = ("per_node_ignores", "per_file_ignores")


def audit_settings_for(
    model: Path | None,
    config: Config,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AuditSettings:
    """What is in force for a model, or with None for the run as a whole.

    Whoever selects starts afresh: what weaker places ignore or select besides no longer holds.

    Raises:
        UsageError: a value of a flag or of the environment is not understood.
    """
    found: dict[str, Setting[Any]] = {}
    for entry in config.matching(model):
        origin = f"{entry.origin} [audit]"
        _overlay(found, {key: Setting(value, origin) for key, value in entry.audit.items()})
    keys = [key for key in AUDIT_KEYS if key not in _IN_FILES_ONLY]
    for source in outside(keys, flags or {}, environment):
        _overlay(
            found, {k: Setting(placed(k, s.value, Path()), s.origin) for k, s in source.items()}
        )
    return AuditSettings(**found)


def placed(key: str, value: Any, folder: Path) -> Any:
    """A value as it was written, with its paths and globs starting at a folder."""
    if key == "baseline":
        return folder / value
    if key == "paths":
        return tuple(folder / one for one in value)
    if key == "exclude":
        return Globs(tuple(value), folder)
    if key == "per_file_ignores":
        return tuple((Globs((glob,), folder), tuple(codes)) for glob, codes in value.items())
    if key == "per_node_ignores":
        return tuple((glob, tuple(codes)) for glob, codes in value.items())
    return tuple(value) if isinstance(value, list) else value


def _overlay(found: dict[str, Setting[Any]], stronger: Mapping[str, Setting[Any]]) -> None:
    if "select" in stronger:
        found.pop("ignore", None)
        found.pop("extend_select", None)
    found.update(stronger)
