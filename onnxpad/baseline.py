"""A baseline: the findings that are accepted today, so that only new ones count tomorrow.

What is accepted is a rule at a place of a model, up to a severity. A finding keeps those of its
places that are new and goes when none is; places that are gone need no attention. The file holds
paths relative to its own folder, sorted, one place on a line: it is made to be committed.
"""

import json
import os.path
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onnxpad.errors import UsageError
from onnxpad.files import give_name, temporary_beside, write_bytes
from onnxpad.findings import Audit, Finding, ModelAudit, Severity
from onnxpad.text import one_line, printable

SCHEMA = "onnxpad.baseline/1"
MOST_BYTES = 16 << 20

# Model's path relative to the baseline's folder, rule's code, place's identity.
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is accepted.

    Attributes:
        path: of the file; models are relative to its folder.
        accepted: the highest severity that is accepted at each place.
    """

    path: Path
    accepted: dict[Key, Severity]


def write(audit: Audit, path: Path) -> int:
    """Accept all that an audit found; returns how many places that are.

    Models that could not be audited are not accepted.

    Raises:
        WriteError: the file cannot be written.
    """
    accepted: dict[Key, Severity] = {}
    for model in audit.models:
        name = _relative(model.model, path)
        for finding in model.findings:
            for key in _keys(name, finding):
                accepted[key] = max(accepted.get(key, Severity.NOTE), finding.severity)
    models: dict[str, Any] = {}
    for (name, code, identity), severity in sorted(accepted.items()):
        places = models.setdefault(name, {}).setdefault(code, {}).setdefault(str(severity), [])
        places.append(identity)
    text = json.dumps({"schema": SCHEMA, "models": models}, indent=1, sort_keys=True) + "\n"
    with temporary_beside(path) as temporary:
        write_bytes(temporary, text.encode(), path)
        give_name(temporary, path)
    return len(accepted)


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        UsageError: no such file, too large, or not what ``write`` writes; with the place in it.
    """
    shown = printable(str(path))
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{shown}: the baseline cannot be read: {reason}; "
            "onnxpad audit --write-baseline FILE makes one"
        ) from None
    if len(data) > MOST_BYTES:
        raise UsageError(f"{shown}: more than {MOST_BYTES >> 20} MiB: this is no baseline")
    try:
        return Baseline(path, dict(_entries(json.loads(data))))
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{shown}: no baseline of onnxpad: {one_line(str(error))}; "
            "onnxpad audit --write-baseline FILE makes one"
        ) from None


def _entries(found: object) -> Iterator[tuple[Key, Severity]]:
    """Every accepted place. Raises ValueError, which says what is wrong where."""
    document = _mapping(found, "the file")
    if document.get("schema") != SCHEMA:
        raise ValueError(f"expected schema {SCHEMA!r}, found {document.get('schema')!r:.80}")
    words = {str(severity): severity for severity in Severity}
    seen: dict[Key, Severity] = {}
    for name, codes in _mapping(document.get("models"), "models").items():
        for code, levels in _mapping(codes, f"models, {name!r}").items():
            for word, places in _mapping(levels, f"{name!r}, {code!r}").items():
                if word not in words:
                    raise ValueError(f"{name!r}, {code!r}: no severity: {word!r:.80}")
                if not isinstance(places, list) or not all(isinstance(p, str) for p in places):
                    raise ValueError(f"{name!r}, {code!r}, {word!r}: expected a list of names")
                for identity in places:
                    key = (name, code, identity)
                    seen[key] = max(seen.get(key, Severity.NOTE), words[word])
    yield from seen.items()


def _mapping(found: object, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError(f"{where}: expected an object, found {type(found).__name__}")
    return found


def apply(audit: Audit, baseline: Baseline) -> Audit:
    """The audit without what the baseline accepts, with counts of what was left out."""
    models = tuple(_left(model, baseline) for model in audit.models)
    return replace(audit, models=models, baseline=baseline.path.as_posix())


def _left(model: ModelAudit, baseline: Baseline) -> ModelAudit:
    name = _relative(model.model, baseline.path)
    found = [_new(name, finding, baseline) for finding in model.findings]
    kept = tuple(finding for finding in found if finding is not None)
    lost = len(model.findings) - len(kept)
    return replace(model, findings=kept, suppressed=model.suppressed + lost)


def _new(name: str, finding: Finding, baseline: Baseline) -> Finding | None:
    """The finding with its new places alone; None where none is new."""
    kept = [
        location
        for key, location in zip(_keys(name, finding), finding.locations, strict=True)
        if baseline.accepted.get(key, 0) < finding.severity
    ]
    if not kept:
        return None
    accepted = finding.accepted + len(finding.locations) - len(kept)
    return replace(finding, primary=kept[0], related=tuple(kept[1:]), accepted=accepted)


def _keys(name: str, finding: Finding) -> Iterator[Key]:
    return ((name, finding.code, _valid(location.identity)) for location in finding.locations)


def _relative(model: str, baseline: Path) -> str:
    """A model's path from the baseline's folder, with forward slashes."""
    try:
        found = os.path.relpath(model, baseline.parent)
    except ValueError:  # another drive, or a zero byte
        found = model
    return _valid(Path(found).as_posix())


def _valid(text: str) -> str:
    """Text that JSON can hold: halves of surrogate pairs, as in odd file names, as escapes."""
    return text.encode(errors="backslashreplace").decode()
