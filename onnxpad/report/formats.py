"""The formats of reports: name → function from a result to text, loaded when it is called."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxpad.comparison import Comparison
    from onnxpad.findings import Audit
    from onnxpad.gating import Gate
    from onnxpad.report.batch import Batch
    from onnxpad.report.rewriting import Summary

    Result = Comparison | Summary | Batch


def _json(result: "Result") -> str:
    from onnxpad.report import batch, json, rewriting

    if isinstance(result, rewriting.Summary):
        return rewriting.as_json(result)
    return batch.as_json(result) if isinstance(result, batch.Batch) else json.dumps(result)


def _markdown(result: "Result") -> str:
    from onnxpad.report import markdown

    return markdown.dumps(result)


def _html(result: "Result") -> str:
    from onnxpad.report import html

    return html.dumps(result)


FORMATS: dict[str, Callable[["Result"], str]] = {"json": _json, "md": _markdown, "html": _html}


def _audit_json(audit: "Audit") -> str:
    from onnxpad.report import audit_json

    return audit_json.dumps(audit)


def _audit_sarif(audit: "Audit") -> str:
    from onnxpad.report import sarif

    return sarif.dumps(audit)


def _audit_junit(audit: "Audit") -> str:
    from onnxpad.report import junit

    return junit.dumps(audit)


def _audit_github(audit: "Audit") -> str:
    from onnxpad.report import github

    return github.dumps(audit)


def _audit_gitlab(audit: "Audit") -> str:
    from onnxpad.report import gitlab

    return gitlab.dumps(audit)


def _audit_markdown(audit: "Audit") -> str:
    from onnxpad.report import audit_markdown

    return audit_markdown.dumps(audit)


def _audit_html(audit: "Audit") -> str:
    from onnxpad.report import audit_html

    return audit_html.dumps(audit)


AUDIT_FORMATS: dict[str, Callable[["Audit"], str]] = {
    "json": _audit_json,
    "sarif": _audit_sarif,
    "junit": _audit_junit,
    "github": _audit_github,
    "gitlab": _audit_gitlab,
    "md": _audit_markdown,
    "html": _audit_html,
}


def _gate_json(gate: "Gate") -> str:
    from onnxpad.report import gate_json

    return gate_json.dumps(gate)


def _gate_junit(gate: "Gate") -> str:
    from onnxpad.report import gate_junit

    return gate_junit.dumps(gate)


def _gate_github(gate: "Gate") -> str:
    from onnxpad.report import gate_github

    return gate_github.dumps(gate)


def _gate_markdown(gate: "Gate") -> str:
    from onnxpad.report import gate_markdown

    return gate_markdown.dumps(gate)


GATE_FORMATS: dict[str, Callable[["Gate"], str]] = {
    "json": _gate_json,
    "junit": _gate_junit,
    "github": _gate_github,
    "md": _gate_markdown,
}
