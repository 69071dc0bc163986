"""An audit as GitLab's code quality report: a JSON list, one entry for each finding.

GitLab tells new entries from old ones by their fingerprints, which are therefore of a model, a
rule and a place. A model has no lines; all of it is said of its first.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from onnxpad.findings import Audit, Finding, ModelAudit, Severity
from onnxpad.report.audit_text import error, message, others, place

# GitLab knows info, minor, major, critical and blocker.
_LEVELS = {Severity.NOTE: "info", Severity.WARNING: "minor", Severity.ERROR: "major"}
_UNREADABLE = "unreadable"


def dumps(audit: Audit) -> str:
    """The report; ASCII only; ends in a newline."""
    return json.dumps(list(_entries(audit)), indent=2) + "\n"


def _entries(audit: Audit) -> Iterator[dict[str, Any]]:
    for model in audit.models:
        if model.error:
            yield _entry(model, _UNREADABLE, error(model), "critical", _UNREADABLE)
        for finding in model.findings:
            level = _LEVELS[finding.severity]
            yield _entry(model, finding.code, _told(finding), level, finding.fingerprint)


def _told(finding: Finding) -> str:
    where = " ".join(filter(None, (place(finding.primary), others(finding))))
    told = f"{finding.name}: {message(finding)}"
    return f"{told} [{where}]" if where else told


def _entry(model: ModelAudit, check: str, told: str, level: str, mark: str) -> dict[str, Any]:
    # half of a surrogate pair, as odd file names have, becomes an escape
    path = model.model.encode(errors="backslashreplace").decode()
    return {
        "description": told,
        "check_name": check,
        "fingerprint": sha256(f"{path}\0{mark}".encode()).hexdigest()[:32],
        "severity": level,
        "location": {"path": path, "lines": {"begin": 1}},
    }
