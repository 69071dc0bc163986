"""Read results that commands wrote as JSON, as far as budgets go. They are untrusted input."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, nan
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from onnxpad.budget import Quantity
from onnxpad.errors import DataError
from onnxpad.findings import Measurement, ModelAudit
from onnxpad.joining.quantities import audit_quantities
from onnxpad.measures import AUDITED, COMPARED
from onnxpad.text import one_line, printable

MAX_BYTES = 256 * 2**20
COMPARISON, AUDIT = "a comparison", "an audit"
NAMES_OF: Mapping[str, tuple[str, ...]] = {COMPARISON: COMPARED, AUDIT: AUDITED}

_Number = Annotated[float, Field(allow_inf_nan=False)] | None


@dataclass(frozen=True, slots=True)
class Saved:
    """What one comparison, or the audit of one model, measured.

    Attributes:
        kind: COMPARISON or AUDIT. title: what it is of; model: the path that settings are matched
            with. Both are untrusted.
        quantities: by their names in budgets; names that are missing were not measured.
        budget: the one it was judged by when it was written, "" without one.
        reasons: why a quantity was not measured, untrusted, by name.
        failed: why there is nothing to judge, untrusted, "" where there is.
    """

    kind: str
    title: str
    model: str
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    budget: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _Quantity(_Part):
    value: _Number
    low: _Number
    high: _Number


class _Judged(_Part):
    limit: str


class _Run(_Part):
    quantities: dict[str, _Quantity]
    budget: list[_Judged]


class _Comparison(_Part):
    original: str
    candidate: str
    quantities: dict[str, _Quantity]
    budget: list[_Judged]
    run: _Run


class _Rewrite(_Part):
    model: str
    comparison: _Comparison | None


class _Failed(_Part):
    model: str
    reason: str


class _Comparisons(_Part):
    comparisons: list[_Comparison]
    failed: list[_Failed]


class _Finding(_Part):
    severity: Literal["error", "warning", "note"]


class _Measurement(_Quantity):
    name: str
    remark: str | None


class _ModelAudit(_Part):
    model: str
    error: str | None
    findings: list[_Finding]
    measured: list[_Measurement]


class _Audit(_Part):
    models: list[_ModelAudit]


def read_saved(path: Path) -> tuple[Saved, ...]:
    """The results in a file.

    Raises:
        DataError: it cannot be read, is no result of this tool, or holds none; says which.
    """
    name = printable(str(path))
    document = _document(path, name)
    schema = document.get("schema")
    if not isinstance(schema, str) or schema not in _READERS:
        shown = printable(str(schema), 60) if schema is not None else "none"
        raise DataError(
            f"{name}: expected one of the layouts {', '.join(_READERS)}, found {shown}; write it "
            "with --report json:PATH of compare, rewrite or audit, of this version"
        )
    layout, read = _READERS[schema]
    try:
        found = read(layout.model_validate(document))
    except ValidationError as error:
        raise DataError(f"{name}: {_told(error)}") from None
    if not found:
        raise DataError(f"{name}: it holds no result, so there is nothing to judge")
    return found


def _document(path: Path, name: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise DataError(f"{name}: larger than {MAX_BYTES // 2**20} MiB: no result of this tool")
    try:
        found = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: this is no JSON: {one_line(str(error), 120)}") from None
    if not isinstance(found, dict):
        raise DataError(f"{name}: expected a JSON object, found {type(found).__name__}")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _comparison(found: _Comparison) -> tuple[Saved, ...]:
    measured = found.quantities | found.run.quantities
    texts = [one.limit for one in (*found.budget, *found.run.budget)]
    return (
        Saved(
            COMPARISON,
            f"{found.original} → {found.candidate}",
            found.original,
            {name: _quantity(one) for name, one in measured.items()},
            ",".join(texts),
        ),
    )


def _quantity(found: _Quantity) -> Quantity:
    """JSON has no infinity: null is what is not finite, an interval's open end above all."""
    return Quantity(
        nan if found.value is None else found.value,
        -inf if found.low is None else found.low,
        inf if found.high is None else found.high,
    )


def _rewrite(found: _Rewrite) -> tuple[Saved, ...]:
    if found.comparison is not None:
        return _comparison(found.comparison)
    why = "the rewrite was not compared with its original"
    return (Saved(COMPARISON, found.model, found.model, failed=why),)


def _comparisons(found: _Comparisons) -> tuple[Saved, ...]:
    """Pairs that could not be compared are held against what the others were."""
    done = [one for each in found.comparisons for one in _comparison(each)]
    budget = ",".join(dict.fromkeys(one.budget for one in done if one.budget))
    lost = [Saved(COMPARISON, f.model, f.model, {}, budget, {}, f.reason) for f in found.failed]
    return (*lost, *done)


def _audit(found: _Audit) -> tuple[Saved, ...]:
    return tuple(map(_model_audit, found.models))


def _model_audit(found: _ModelAudit) -> Saved:
    measured = [Measurement(m.name, m.value, m.low, m.high, m.remark or "") for m in found.measured]
    severities = [one.severity for one in found.findings]
    return _of_audit(found.model, found.error or "", severities, measured)


def as_saved(audit: ModelAudit) -> Saved:
    """The audit of one model as it would be read back."""
    severities = [str(one.severity) for one in audit.findings]
    return _of_audit(audit.model, audit.error, severities, audit.measured)


def _of_audit(
    model: str, error: str, severities: Sequence[str], measured: Sequence[Measurement]
) -> Saved:
    if error:
        return Saved(AUDIT, model, model, failed=error)
    reasons = {m.name: m.remark for m in measured if m.value is None}
    return Saved(AUDIT, model, model, audit_quantities(severities, measured), reasons=reasons)


_READERS: Mapping[str, tuple[type[_Part], Callable[[Any], tuple[Saved, ...]]]] = {
    "onnxpad.comparison/2": (_Comparison, _comparison),
    "onnxpad.comparisons/1": (_Comparisons, _comparisons),
    "onnxpad.rewrite/1": (_Rewrite, _rewrite),
    "onnxpad.audit/1": (_Audit, _audit),
}


def _told(error: ValidationError) -> str:
    """The first problem: its place, what was expected, what stands there."""
    problem = error.errors(include_url=False)[0]
    place = printable(".".join(map(str, problem["loc"])), 80)
    if problem["type"] == "missing":
        return (
            f"{place} is missing: the file is cut short, or from an onnxpad whose results could "
            "not be judged again; write it anew"
        )
    found = printable(repr(problem.get("input")), 40)
    return f"{place}: {one_line(problem['msg'])}, found {found}"
