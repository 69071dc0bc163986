"""Find, read and check the configuration file."""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from onnxpad.config.audit import placed
from onnxpad.config.layout import AuditTable, File, ModelAuditTable, ModelsTable, Table
from onnxpad.config.settings import Config, Entry
from onnxpad.config.values import budget_text, is_function, read_value
from onnxpad.errors import UsageError
from onnxpad.text import one_line, printable

FILE, PYPROJECT = "onnxpad.toml", "pyproject.toml"
MAX_BYTES = 2**20


def find_config(folder: Path) -> Path | None:
    """The configuration file nearest to a folder, upwards. Raises UsageError."""
    start = folder.resolve()
    for at in (start, *start.parents):
        if (at / FILE).is_file():
            return at / FILE
        if (at / PYPROJECT).is_file() and _own_table(at / PYPROJECT) is not None:
            return at / PYPROJECT
    return None


def load_config(path: Path | None) -> Config:
    """Read a configuration file; None gives an empty one.

    Raises UsageError that names the file and the key.
    """
    if path is None:
        return Config()
    tables = _own_table(path) if path.name == PYPROJECT else _tables(path)
    try:
        found = File.model_validate({} if tables is None else tables)
    except ValidationError as error:
        raise UsageError(f"{printable(path.name)}: {_told(error)}") from None
    shown = printable(path.name)
    entries = [Entry((), _read(found, path, shown), shown, _read_audit(found.audit, path, shown))]
    for number, table in enumerate(found.models, start=1):
        globs = (table.match,) if isinstance(table.match, str) else tuple(table.match)
        title = f"{printable(path.name)} [[models]] {number}"
        if not globs or not all(globs):
            raise UsageError(f"{title}: match is empty; expected a glob such as models/*.onnx")
        shown = f"{title} ({printable(', '.join(globs), 60)})"
        audit = _read_audit(table.audit, path, title)
        entries.append(Entry(globs, _read(table, path, title), shown, audit))
    return Config(path, tuple(entries))


def _own_table(path: Path) -> Any:
    """[tool.onnxpad] of a pyproject.toml, None without one. Raises UsageError."""
    tools = _tables(path).get("tool")
    return tools.get("onnxpad") if isinstance(tools, dict) else None


def _tables(path: Path) -> dict[str, Any]:
    """The file as TOML. Raises UsageError."""
    name = printable(path.name)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{name}: larger than {MAX_BYTES // 2**20} MiB: no configuration")
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name}: this is no TOML: {one_line(str(error))}") from None


def _told(error: ValidationError) -> str:
    """The first problem of a table: its key and what was expected."""
    problem = error.errors(include_url=False)[0]
    place = ""
    for part in problem["loc"]:
        place += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if place else part
    shown = printable(place, 80)
    if problem["type"] == "extra_forbidden":
        return f"{shown} is not known; {_known(problem['loc'])}"
    found = printable(repr(problem.get("input")), 40)
    return f"{shown}{': ' if shown else ''}{one_line(problem['msg'])}, found {found}"


def _known(place: tuple[int | str, ...]) -> str:
    """What could have been meant by the last part of a place, else all that may stand there."""
    above = place[0] if len(place) > 1 else ""
    table: type[BaseModel] = File
    if above == "audit":
        table = AuditTable
    elif above == "models":
        table = ModelAuditTable if "audit" in place[1:-1] else ModelsTable
    close = get_close_matches(str(place[-1]).replace("-", "_"), table.model_fields, 1)
    if close:
        return f"did you mean {close[0]}?"
    return f"expected one of {', '.join(table.model_fields)}"


def _read(table: Table, path: Path, where: str) -> dict[str, Any]:
    """Values of a table that were given, with paths of the file's folder."""
    given = table.model_dump(exclude_none=True, exclude={"match", "models", "audit"})
    found = {}
    for key, value in given.items():
        written = budget_text(value) if key == "budget" and isinstance(value, dict) else value
        read = read_value(key, written, f"{printable(where)}: {key}")
        if key == "labels":
            read = read.within(path.parent)
        elif key == "data" and not is_function(read):
            read = str(path.parent / read)
        found[key] = read
    return found


def _read_audit(table: ModelAuditTable | None, path: Path, where: str) -> dict[str, Any]:
    """The same for a table on audits."""
    given = {} if table is None else table.model_dump(exclude_none=True)
    return {
        key: placed(key, read_value(key, value, f"{where} [audit]: {key}"), path.parent)
        for key, value in given.items()
    }
