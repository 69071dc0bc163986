"""All settings in force, one after the other, each with where it comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias

from onnxpad.config.audit import audit_settings_for
from onnxpad.config.settings import AuditSettings, Config, Settings, settings_for
from onnxpad.config.spelling import written

# The table a setting stands in ("" for the top of the file), its key, its value as it would be
# written in the file, and where it comes from.
Line: TypeAlias = tuple[str, str, Any, str]


def in_force(
    model: Path | None, config: Config, environment: Mapping[str, str] | None = None
) -> tuple[Line, ...]:
    """What holds for a model, or with None for those that no entry serves. Raises UsageError."""
    return tuple(_each(model, config, environment))


def _each(
    model: Path | None, config: Config, environment: Mapping[str, str] | None
) -> Iterator[Line]:
    tables: dict[str, Settings | AuditSettings] = {
        "": settings_for(model, config, environment=environment),
        "audit": audit_settings_for(model, config, environment=environment),
    }
    for table, settings in tables.items():
        for field in fields(settings):
            setting = getattr(settings, field.name)
            yield table, field.name, written(field.name, setting.value), setting.origin
