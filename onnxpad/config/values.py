"""Settings as text, read: one syntax in files, in the environment and on the command line."""

import re
from collections.abc import Callable, Mapping
from math import inf, nan
from typing import Any, Literal, TypeAlias, get_args

from onnxpad.data.framing import Size
from onnxpad.data.label_spec import parse_labels
from onnxpad.data.preprocess_syntax import parse_preprocess
from onnxpad.errors import UsageError
from onnxpad.text import printable

_MOST_PIXELS = 16384

Target: TypeAlias = Literal["cuda", "tensorrt", "openvino", "coreml"]
FailOn: TypeAlias = Literal["error", "warning", "note", "never"]
TARGETS, FAIL_ON = get_args(Target), get_args(FailOn)


def is_function(data: str) -> bool:
    """Whether this names `module:function` and no path."""
    return re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", data) is not None


def read_value(key: str, given: Any, where: str) -> Any:
    """A value from its text; what is no text is taken as it is. Raises UsageError."""
    if not isinstance(given, str):
        return given
    if key not in _READERS:
        return given
    try:
        return _READERS[key](given)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    except ValueError as error:
        raise UsageError(f"{where}: {error}, found '{printable(given, 40)}'") from None


def budget_text(table: Mapping[str, str | Mapping[str, str]]) -> str:
    """A table of limits as one text: {agreement: ">=0.98", latency: {warn: "<=1.1"}} and so on."""
    limits = []
    for name, given in table.items():
        levels = {"fail": given} if isinstance(given, str) else given
        limits += [f"{'warn:' * (k == 'warn')}{name}{limit}" for k, limit in levels.items()]
    return ",".join(limits)


def parse_size(text: str) -> Size:
    """HxW, as in 512x896. Raises UsageError."""
    matched = re.fullmatch(r"\s*(\d{1,5})\s*[x×X]\s*(\d{1,5})\s*", text)
    size = (int(matched[1]), int(matched[2])) if matched else (0, 0)
    if not all(0 < n <= _MOST_PIXELS for n in size):
        raise UsageError(
            f"size '{printable(text, 40)}': expected height x width, such as 512x896, each 1 to "
            f"{_MOST_PIXELS}"
        )
    return size


def _whole(least: int | None) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("expected a whole number") from None
        if least is not None and number < least:
            raise ValueError(f"expected a whole number of at least {least}")
        return number

    return read


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not 0 < number < inf:
        raise ValueError("expected a number above 0")
    return number


def _truth(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.strip().lower() not in words:
        raise ValueError("expected true or false")
    return words[text.strip().lower()]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _targets(text: str) -> list[str]:
    found = _words(text.lower())
    if not set(found) <= set(TARGETS):
        raise ValueError(f"expected {', '.join(TARGETS)}, with commas between")
    return found


def _fail_on(text: str) -> str:
    word = text.strip().lower()
    if word not in FAIL_ON:
        raise ValueError(f"expected one of {', '.join(FAIL_ON)}")
    return word


_READERS: dict[str, Callable[[str], Any]] = {
    "select": _words,
    "ignore": _words,
    "extend_select": _words,
    "paths": _words,
    "exclude": _words,
    "target": _targets,
    "fail_on": _fail_on,
    "jobs": _whole(1),
    "labels": parse_labels,
    "preprocess": parse_preprocess,
    "size": parse_size,
    "class_offset": _whole(None),
    "classes": _whole(1),
    "peak": _positive,
    "score": _positive,
    "samples": _whole(1),
    "seed": _whole(0),
    "threads": _whole(1),
    "strict": _truth,
}
