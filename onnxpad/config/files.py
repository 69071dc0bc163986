"""Find, read and check the configuration file."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from onnxpad.config.settings import KEYS, Config, Entry
from onnxpad.config.values import is_function, read_value
from onnxpad.errors import UsageError
from onnxpad.text import one_line, printable

FILE, PYPROJECT = "onnxpad.toml", "pyproject.toml"
MAX_BYTES = 2**20


_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Table(BaseModel):
    """What a table may hold; texts with a syntax of their own are read afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: str | None = None
    labels: str | None = None
    preprocess: str | None = None
    task: str | None = None
    size: str | None = None
    output: str | None = None
    decoder: str | None = None
    class_offset: int | None = None
    classes: Annotated[int, Field(ge=1)] | None = None
    peak: _Positive | None = None
    score: Annotated[float, Field(ge=0, le=1)] | None = None
    budget: str | None = None
    samples: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    provider: str | None = None
    threads: Annotated[int, Field(ge=1)] | None = None
    strict: bool | None = None


class _Models(_Table):
    match: str | list[str]


class _File(_Table):
    models: list[_Models] = []


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
        found = _File.model_validate({} if tables is None else tables)
    except ValidationError as error:
        raise UsageError(f"{printable(path.name)}: {_told(error)}") from None
    entries = [Entry((), _read(found, path, path.name), printable(path.name))]
    for number, table in enumerate(found.models, start=1):
        globs = (table.match,) if isinstance(table.match, str) else tuple(table.match)
        title = f"{printable(path.name)} [[models]] {number}"
        if not globs or not all(globs):
            raise UsageError(f"{title}: match is empty; expected a glob such as models/*.onnx")
        shown = f"{title} ({printable(', '.join(globs), 60)})"
        entries.append(Entry(globs, _read(table, path, title), shown))
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
        known = ", ".join((*KEYS, "match") if len(problem["loc"]) > 1 else (*KEYS, "models"))
        return f"{shown} is not known; expected one of {known}"
    found = printable(repr(problem.get("input")), 40)
    return f"{shown}{': ' if shown else ''}{one_line(problem['msg'])}, found {found}"


def _read(table: _Table, path: Path, where: str) -> dict[str, Any]:
    """Values of a table that were given, with paths of the file's folder."""
    given = table.model_dump(exclude_none=True, exclude={"match", "models"})
    found = {}
    for key, value in given.items():
        read = read_value(key, value, f"{printable(where)}: {key}")
        if key == "labels":
            read = read.within(path.parent)
        elif key == "data" and not is_function(read):
            read = str(path.parent / read)
        found[key] = read
    return found
