"""Settings written as they are read: what stands in force, in the words of the file."""

from collections.abc import Callable
from os import fspath
from pathlib import Path
from typing import Any

from onnxpad.data.framing import Resize
from onnxpad.data.label_spec import LabelSpec, ValueMap
from onnxpad.data.labels import IGNORED
from onnxpad.data.preprocess import PRESETS, Preprocess
from onnxpad.globs import Globs


def written(key: str, value: Any) -> Any:
    """A setting's value as text, number, truth, list or table; read again it is the same."""
    if value is None:
        return None
    if key in _WRITERS:
        return _WRITERS[key](value)
    if isinstance(value, Path):
        return fspath(value)
    return [_item(one) for one in value] if isinstance(value, tuple) else value


def _item(one: Any) -> Any:
    return fspath(one) if isinstance(one, Path) else one


def _size(value: tuple[int, int]) -> str:
    return f"{value[0]}x{value[1]}"


def _labels(spec: LabelSpec) -> str:
    head = f"{spec.form}={spec.path}" if spec.path else spec.form
    if spec.form == "folders":
        return f"folders={spec.names}" if spec.names else head
    names = f",names={spec.names}" if spec.names else ""
    return head + names + (f",map={_map(spec.values)}" if spec.values else "")


def _map(values: ValueMap) -> str:
    pairs = [*values.pairs, *((("*", values.other),) if values.other is not None else ())]
    return ",".join(f"{n}:{'ignore' if c == IGNORED else c}" for n, c in pairs)


def _preprocess(found: Preprocess) -> str:
    """The preset it started from, and what differs from it."""
    base = PRESETS.get(found.name, Preprocess())
    items = [found.name] if found.name else []
    items += [found.colour] if found.colour != base.colour else []
    items += [f"resize={_resize(found.resize)}"] if found.resize != base.resize else []
    items += [f"filter={found.filter}"] if found.filter != base.filter else []
    items += [f"scale={found.scale!r}"] if found.scale != base.scale else []
    items += [f"mean={_numbers(found.mean)}"] if found.mean != base.mean else []
    items += [f"std={_numbers(found.std)}"] if found.std != base.std else []
    return ",".join(items) or f"resize={_resize(found.resize)}"


def _resize(resize: Resize) -> str:
    if resize.kind == "letterbox":
        return f"letterbox:{'centre' if resize.centred else 'topleft'}:{resize.fill:g}"
    return f"{resize.kind}:{resize.amount:g}" if resize.amount else resize.kind


def _numbers(values: tuple[float, ...]) -> str:
    return ":".join(repr(value) for value in values)


def _table(rows: tuple[tuple[Globs | str, tuple[str, ...]], ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for glob, codes in rows:
        key = glob.patterns[0] if isinstance(glob, Globs) else glob
        found[key] = [*found.get(key, ()), *codes]
    return found


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "size": _size,
    "labels": _labels,
    "preprocess": _preprocess,
    "exclude": lambda globs: list(globs.patterns),
    "per_file_ignores": _table,
    "per_node_ignores": _table,
}
