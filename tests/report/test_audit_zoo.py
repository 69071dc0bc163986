"""Real audits in every format, and through a baseline and back."""

import json
from pathlib import Path

import pytest
import xmlschema
from jsonschema import Draft202012Validator
from junitparser import JUnitXml

from onnxpad import baseline
from onnxpad.auditing import audit_file
from onnxpad.findings import Audit, Severity
from onnxpad.report import audit_terminal
from onnxpad.report.formats import AUDIT_FORMATS
from onnxpad.rules import RULES
from tests.conftest import zoo_models
from tests.report.test_audit_formats import HERE, OWN, SARIF

pytestmark = pytest.mark.zoo


@pytest.fixture(scope="module")
def audit() -> Audit:
    models = tuple(audit_file(path, f"models/{path.name}", RULES) for path in zoo_models())
    return Audit(models, tuple(rule.info for rule in RULES), Severity.NOTE)


def test_every_rule_documents_itself(audit: Audit) -> None:
    for rule in audit.rules:
        assert rule.title
        assert all((rule.finds, rule.why, rule.example, rule.advice)), rule.code


def test_formats_are_valid(audit: Audit) -> None:
    Draft202012Validator(OWN).validate(json.loads(AUDIT_FORMATS["json"](audit)))
    log = json.loads(AUDIT_FORMATS["sarif"](audit))
    Draft202012Validator(SARIF).validate(log)
    junit = AUDIT_FORMATS["junit"](audit)
    xmlschema.XMLSchema(str(HERE / "schemas" / "junit-10.xsd")).validate(junit)
    findings = [finding for model in audit.models for finding in model.findings]
    broken = [model for model in audit.models if model.error]
    assert findings
    assert len(log["runs"][0]["results"]) == len(findings)
    assert JUnitXml.fromstring(junit).failures == len(findings)
    assert len(AUDIT_FORMATS["github"](audit).splitlines()) == len(findings) + len(broken) + 1


def test_fingerprints_are_one_for_each_finding_of_a_model(audit: Audit) -> None:
    """Two results of a file with one fingerprint would become one alert."""
    for model in audit.models:
        prints = [finding.fingerprint for finding in model.findings]
        assert len(set(prints)) == len(prints), model.model


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit(audit: Audit, width: int) -> None:
    shown = audit_terminal.text(audit, width)
    assert max(map(len, shown.splitlines())) <= width
    assert all(line == line.rstrip() for line in shown.splitlines())
    for model in audit.models:
        assert (model.model in shown) == bool(model.findings or model.error)


def test_a_baseline_accepts_all_of_today(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("baseline.json")
    baseline.write(audit, path)
    left = baseline.apply(audit, baseline.read(path))
    assert audit.failed
    assert not left.failed
    for before, after in zip(audit.models, left.models, strict=True):
        assert after.suppressed == len(before.findings)
        assert after.error == before.error
