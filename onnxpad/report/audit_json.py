"""An audit as JSON, for other programs and for judging it again without a model.

audit.schema.json beside this file describes it. Every key is always there; the same audit gives
the same bytes.
"""

import json
from math import isfinite
from typing import Any

from onnxpad.findings import Audit, Finding, Location, Measurement, ModelAudit, RuleInfo, Severity

SCHEMA = "onnxpad.audit/1"


def as_dict(audit: Audit) -> dict[str, Any]:
    """The audit as plain data. Numbers that JSON does not have (infinity) become null."""
    plain = _plain(
        {
            "schema": SCHEMA,
            "fail_on": None if audit.fail_on is None else str(audit.fail_on),
            "failed": audit.failed,
            "baseline": audit.baseline or None,
            "counts": {str(s): audit.count(s) for s in reversed(Severity)},
            "rules": [_rule(rule) for rule in audit.rules],
            "models": [_model(model) for model in audit.models],
        }
    )
    assert isinstance(plain, dict)
    return plain


def dumps(audit: Audit) -> str:
    """The same as text: ASCII only, so no name in it can confuse a terminal; ends in a newline."""
    return json.dumps(as_dict(audit), indent=2, allow_nan=False) + "\n"


def _rule(rule: RuleInfo) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "title": rule.title,
        "severity": str(rule.severity),
        "confidence": str(rule.confidence),
    }


def _model(model: ModelAudit) -> dict[str, Any]:
    return {
        "model": model.model,
        "error": model.error or None,
        "exit_code": model.exit_code,
        "size": model.size,
        "sites": model.sites,
        "window_ops": model.window_ops,
        "suppressed": model.suppressed,
        "measured": [_measurement(one) for one in model.measured],
        "findings": [_finding(finding) for finding in model.findings],
    }


def _measurement(one: Measurement) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "remark": one.remark,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "confidence": str(finding.confidence),
        "message": finding.message,
        "advice": finding.advice or None,
        "measured": finding.measured,
        "facts": finding.facts,
        "fingerprint": finding.fingerprint,
        "accepted": finding.accepted,
        "locations": [_location(location) for location in finding.locations],
    }


def _location(location: Location) -> dict[str, Any]:
    return {
        "identity": location.identity,
        "op": location.op or None,
        "detail": location.detail or None,
    }


def _plain(value: Any) -> Any:
    """Values that every reader of JSON takes: no infinity, no tuple, no lone surrogate.

    Names of files may hold lone surrogates; they become backslash escapes.
    """
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if not hasattr(value, "items") else {k: _plain(v) for k, v in value.items()}
