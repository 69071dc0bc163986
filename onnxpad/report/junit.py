"""An audit as JUnit XML: a suite for each model, a case for each finding, one for a clean model."""

from collections.abc import Sequence

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from onnxpad.findings import Audit, Finding, ModelAudit
from onnxpad.report.audit_text import (
    advice,
    detail,
    error,
    message,
    name,
    paragraphs,
    place,
)


def dumps(audit: Audit) -> str:
    """The XML; ends in a newline. What does not fail the audit passes and is said in its output.

    All text is printable, so it holds no character that XML forbids.
    """
    known = {rule.code: rule.advice for rule in audit.rules}
    return document("onnxpad audit", [_suite(audit, model, known) for model in audit.models])


def document(title: str, suites: Sequence[TestSuite]) -> str:
    """Suites as XML, with the counts of them all; ends in a newline."""
    root = JUnitXml(title)
    for suite in suites:
        suite.update_statistics()
    root.extend(suites)
    # not by update_statistics: it also writes `skipped`, which Jenkins' schema does not know here
    root.tests = sum(suite.tests for suite in suites)
    root.failures = sum(suite.failures for suite in suites)
    root.errors = sum(suite.errors for suite in suites)
    text: str = root.tostring().decode()
    return text.rstrip() + "\n"


def _suite(audit: Audit, model: ModelAudit, known: dict[str, str]) -> TestSuite:
    suite = TestSuite(name(model))
    if model.error:
        broken = _case(model, "can be audited")
        broken.result = [Error(error(model), "unreadable")]
        suite.append(broken)
    elif not model.findings:
        suite.append(_case(model, "no findings"))
    for finding in model.findings:
        case = _case(model, f"{finding.code} {finding.name}: {place(finding.primary) or 'model'}")
        text = _text(finding, known.get(finding.code, ""))
        if audit.fails(finding):
            failure = Failure(message(finding), finding.code)
            failure.text = text
            case.result = [failure]
        else:
            case.system_out = f"{finding.severity}: {message(finding)}\n{text}"
        suite.append(case)
    return suite


def _case(model: ModelAudit, title: str) -> TestCase:
    return TestCase(title, name(model), 0.0)


def _text(finding: Finding, general: str) -> str:
    places = [": ".join(filter(None, (place(at), detail(at)))) for at in finding.locations]
    advised = (advice(finding),) if finding.advice else paragraphs(general)
    lines = [f"confidence {finding.confidence}", *filter(None, places), *advised]
    return "\n".join(lines)
