"""What GitLab's documentation asks of a code quality report."""

import json
import re

from onnxpad.findings import Audit, ModelAudit
from onnxpad.report.formats import AUDIT_FORMATS
from tests.report import audits

LEVELS = {"info", "minor", "major", "critical", "blocker"}


def _report(audit: Audit) -> list[dict[str, object]]:
    text = AUDIT_FORMATS["gitlab"](audit)
    assert text.isascii()
    found = json.loads(text)
    assert isinstance(found, list)
    return found


def test_every_entry_has_what_gitlab_reads() -> None:
    audit = audits.whole()
    found = _report(audit)
    assert len(found) == sum(len(model.findings) + bool(model.error) for model in audit.models)
    for entry in found:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in LEVELS
        assert re.fullmatch(r"[0-9a-f]{32}", str(entry["fingerprint"]))
        assert isinstance(entry["location"], dict)
        assert not str(entry["location"]["path"]).startswith(("/", "./"))
        assert entry["location"]["lines"] == {"begin": 1}


def test_severities_keep_their_order() -> None:
    levels = {entry["check_name"]: entry["severity"] for entry in _report(audits.whole())}
    assert levels == {
        "unreadable": "critical",
        "PAD402": "major",
        "PAD101": "minor",
        "PAD301": "info",
    }


def test_fingerprints_tell_models_apart() -> None:
    """The same finding in two models is two entries, and stays itself when others come and go."""
    one = ModelAudit("a.onnx", (audits.uneven(), audits.deep()))
    two = ModelAudit("b.onnx", (audits.deep(),))
    prints = [entry["fingerprint"] for entry in _report(Audit((one, two), audits.RULES))]
    assert len(set(prints)) == 3
    assert [entry["fingerprint"] for entry in _report(Audit((two,), audits.RULES))] == prints[2:]


def test_nothing_found_is_an_empty_list() -> None:
    assert _report(audits.clean()) == []


def test_names_of_odd_files() -> None:
    odd = ModelAudit("\udcff\x1b[31m.onnx", (audits.deep(),))
    (entry,) = _report(Audit((odd,), audits.RULES))
    assert isinstance(entry["location"], dict)
    assert entry["location"]["path"] == "\\udcff\x1b[31m.onnx"
