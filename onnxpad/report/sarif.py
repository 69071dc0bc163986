"""An audit as SARIF 2.1.0 (OASIS), for code scanning.

Only what the standard and code-scanning services read. All text is printable, and holds neither
the links nor the placeholders of SARIF's messages (sections 3.11.5 and 3.11.6).
"""

import json
import re
from importlib.metadata import version
from math import isfinite
from typing import Any
from urllib.parse import quote

from onnxpad.findings import Audit, Finding, Location, ModelAudit, RuleInfo, Severity
from onnxpad.report.audit_text import (
    advice,
    detail,
    error,
    message,
    paragraphs,
    place,
    rules_found,
    sections,
)
from onnxpad.report.markdown import escape
from onnxpad.text import printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_BASE = "%SRCROOT%"
# Of a rule, in the words of code-scanning services.
_PROBLEM = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "recommendation",
}


def dumps(audit: Audit) -> str:
    """The log; ASCII only; ends in a newline."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(audit)]}
    return json.dumps(log, indent=2, allow_nan=False) + "\n"


def _run(audit: Audit) -> dict[str, Any]:
    known = {rule.code for rule in audit.rules}
    rules = (*audit.rules, *(r for r in rules_found(audit) if r.code not in known))
    places = {rule.code: number for number, rule in enumerate(rules)}
    broken = [model for model in audit.models if model.error]
    return {
        "tool": {
            "driver": {
                "name": "onnxpad",
                "version": version("onnxpad"),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not broken,
                "toolExecutionNotifications": [_notification(model) for model in broken],
            }
        ],
        "originalUriBaseIds": {
            _BASE: {"description": {"text": "The folder that onnxpad was started in."}}
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(audit, model, finding, places[finding.code])
            for model in audit.models
            for finding in model.findings
        ],
    }


def _rule(rule: RuleInfo) -> dict[str, Any]:
    told = sections(rule)
    plain = "\n\n".join("\n".join((f"{title}:", *text)) for title, text in told)
    marked = "\n\n".join("\n\n".join((f"**{title}**", *map(escape, text))) for title, text in told)
    title = printable(rule.title, 1000)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": _text(title),
        "fullDescription": _text(" ".join(paragraphs(rule.finds)) or title),
        "help": _text(plain or title) | {"markdown": _harmless(marked or escape(title))},
        "defaultConfiguration": {"level": str(rule.severity)},
        "properties": {
            "tags": ["padding"],
            "precision": str(rule.confidence),
            "problem.severity": _PROBLEM[rule.severity],
        },
    }


def _result(audit: Audit, model: ModelAudit, finding: Finding, index: int) -> dict[str, Any]:
    told = " ".join(filter(None, (message(finding), advice(finding))))
    related = [
        {"id": number} | _location(model, location)
        for number, location in enumerate(finding.related, start=1)
    ]
    result = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": str(finding.severity),
        "message": _text(told),
        "locations": [_location(model, finding.primary)],
        "relatedLocations": related,
        # The second is the name that code-scanning services look for.
        "partialFingerprints": {
            "onnxpad/place/v1": finding.fingerprint,
            "primaryLocationLineHash": finding.fingerprint,
        },
        "properties": {
            "confidence": str(finding.confidence),
            "measured": finding.measured,
            "facts": {printable(k): _value(v) for k, v in finding.facts.items()},
        },
    }
    if audit.baseline:
        result["baselineState"] = "updated" if finding.accepted else "new"
    return result


def _location(model: ModelAudit, location: Location) -> dict[str, Any]:
    """The file, and the node in it. A model has no lines, but services ask for one."""
    found: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": artifact(model.model),
            "region": {"startLine": 1},
        }
    }
    if location.identity:
        whole = printable(location.identity, 4096)
        found["logicalLocations"] = [
            {"name": whole.rpartition("/")[2] or whole, "fullyQualifiedName": whole, "kind": "node"}
        ]
    told = ": ".join(filter(None, (place(location), detail(location))))
    return found | ({"message": _text(told)} if told else {})


def artifact(path: str) -> dict[str, str]:
    """Where a model is: a percent-encoded URI, against the base where the path is relative."""
    try:
        data = path.encode(errors="surrogateescape")  # the bytes of an undecodable file name
    except UnicodeEncodeError:
        data = path.encode(errors="backslashreplace")
    uri = quote(data, safe="/")
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    if re.match(r"[A-Za-z]:/", path):
        return {"uri": f"file:///{path[:2]}{quote(data[2:], safe='/')}"}
    return {"uri": uri, "uriBaseId": _BASE}


def _notification(model: ModelAudit) -> dict[str, Any]:
    where = {"physicalLocation": {"artifactLocation": artifact(model.model)}}
    return {"level": "error", "message": _text(error(model)), "locations": [where]}


def _text(text: str) -> dict[str, str]:
    return {"text": _harmless(text)}


def _harmless(text: str) -> str:
    """Without ``[text](target)``, which would be a link, and ``{0}``, which would be replaced."""
    return re.sub(r"\{(\d+)\}", r"{{\1}}", text.replace("](", "] ("))


def _value(value: float | int | str) -> float | int | str | None:
    if isinstance(value, str):
        return printable(value, 1000)
    return value if isfinite(value) else None
