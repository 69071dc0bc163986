"""SARIF, JUnit, JSON, GitHub annotations: valid by schemas that others wrote, and what they say."""

import json
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
import xmlschema
from jsonschema import Draft202012Validator
from junitparser import JUnitXml

from onnxpad.cli.options import parse_reports
from onnxpad.errors import UsageError
from onnxpad.findings import Audit, Finding, ModelAudit, Severity
from onnxpad.report.formats import AUDIT_FORMATS, FORMATS
from tests.report import audits
from tests.report.refresh_audits import SCHEMA

HERE = Path(__file__).parent
OWN = json.loads(SCHEMA.read_text(encoding="utf-8"))
SARIF = json.loads((HERE / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
# What would do something somewhere: a terminal, a workflow log, XML, JSON, SARIF, a file system.
EVILS = {
    "ansi": "\x1b[31mred\x1b]8;;x\x07",
    "bidi": "\u202egnp.exe\u2066",
    "lines": "a\r\n::error file=x::injected\n::set-output name=a::b\u2028::warning::c",
    "command": "::error file=x,title=y::z %0A::error::z %25",
    "html": "</td></script><script>alert(1)</script><img src=x onerror=alert(2)>\"' &lt;",
    "markdown": "# h\n| a | `b` | **c** [x](y) ![i](z) @octocat #12 <!-- --> ~~s~~ www.evil.x",
    "xml": "]]><x/>&#0;\x00\x08\x0b\ufffe\uffff",
    "surrogate": "a\ud800b\udc80",
    "sarif": "{0} {{1}} [text](0)",
    "jinja": "{{ 7*7 }} {% raw %}",
    "path": "../a b/%2e%2e/c:d?e#f\\g",
    "rich": "[bold]x[/bold] [link=x]y[/link] :smile:",
}
MADE = {"whole": audits.whole(), "clean": audits.clean(), "empty": audits.empty()} | {
    name: audits.hostile(evil) for name, evil in EVILS.items()
}


def test_formats_are_named() -> None:
    assert set(AUDIT_FORMATS) >= {"json", "sarif", "junit", "github", "md", "html"}
    assert set(FORMATS) < set(AUDIT_FORMATS)


@pytest.mark.parametrize("form", sorted({"sarif", "junit", "github"}))
def test_a_comparison_says_whose_format_that_is(form: str) -> None:
    with pytest.raises(UsageError, match=f"{form} is for audits; expected .* json, md, html"):
        parse_reports([f"{form}:x"])
    assert parse_reports([f"{form}:x"], AUDIT_FORMATS)[0].form == form


def test_asking_for_formats_is_light() -> None:
    code = (
        "import sys, onnxpad.report.formats\n"
        "assert not {'jinja2', 'junitparser', 'numpy', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("form", AUDIT_FORMATS)
@pytest.mark.parametrize("made", MADE)
def test_every_audit_has_every_format(form: str, made: str) -> None:
    shown = AUDIT_FORMATS[form](MADE[made])
    assert shown == AUDIT_FORMATS[form](MADE[made])
    assert shown.endswith("\n")
    assert shown.encode()  # no lone surrogate
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066\ufffe\uffff]", shown
    )


@pytest.mark.parametrize("made", MADE)
def test_json_is_valid(made: str) -> None:
    text = AUDIT_FORMATS["json"](MADE[made])
    assert text.isascii()
    Draft202012Validator(OWN).validate(json.loads(text, parse_constant=pytest.fail))


def test_the_schema_knows_every_key_and_no_other() -> None:
    Draft202012Validator.check_schema(OWN)
    for name, found in {"document": OWN, **OWN["$defs"]}.items():
        assert found["additionalProperties"] is False, name
        assert found["required"] == list(found["properties"]), name


def test_json_holds_every_field() -> None:
    document = json.loads(AUDIT_FORMATS["json"](audits.whole()))
    model = next(m for m in document["models"] if m["findings"])
    assert set(model) == {f.name for f in fields(ModelAudit)}
    told = {f.name for f in fields(Finding)} - {"primary", "related"}
    assert set(model["findings"][0]) == told | {"fingerprint", "locations"}
    assert {f.name for f in fields(Audit)} <= set(document)
    assert document["counts"] == {"error": 1, "warning": 1, "note": 3}
    assert document["failed"] is True


def test_a_number_that_json_has_not_is_null() -> None:
    model = json.loads(AUDIT_FORMATS["json"](audits.hostile("x")))["models"][0]
    assert model["measured"][0]["value"] is None


@pytest.mark.parametrize("made", MADE)
def test_sarif_is_valid(made: str) -> None:
    text = AUDIT_FORMATS["sarif"](MADE[made])
    assert text.isascii()
    Draft202012Validator(SARIF).validate(json.loads(text, parse_constant=pytest.fail))


def run(audit: Audit) -> dict:
    return json.loads(AUDIT_FORMATS["sarif"](audit))["runs"][0]


def test_sarif_says_what_was_found() -> None:
    found = run(audits.whole())
    rules = found["tool"]["driver"]["rules"]
    assert [r["id"] for r in rules] == ["PAD101", "PAD301", "PAD402"]
    uneven = next(r for r in found["results"] if r["ruleId"] == "PAD101")
    assert rules[uneven["ruleIndex"]]["id"] == "PAD101"
    assert uneven["level"] == "warning"
    assert uneven["message"]["text"].endswith("Feed 225×225 instead of 224×224.")
    where = uneven["locations"][0]
    assert where["physicalLocation"]["artifactLocation"] == {
        "uri": "models/resnet18.onnx",
        "uriBaseId": "%SRCROOT%",
    }
    assert where["logicalLocations"][0] == {
        "name": "Conv",
        "fullyQualifiedName": "/layer1/layer1.0/conv1/Conv",
        "kind": "node",
    }
    assert [one["id"] for one in uneven["relatedLocations"]] == [1, 2, 3, 4]
    assert uneven["partialFingerprints"]["primaryLocationLineHash"] == audits.uneven().fingerprint
    assert uneven["properties"]["facts"]["share"] == 0.25
    assert "baselineState" not in uneven
    invocation = found["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert "cut off" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_sarif_tells_new_from_updated_where_a_baseline_is() -> None:
    some, new = replace(audits.uneven(), accepted=2), audits.deep()
    found = run(Audit((ModelAudit("a.onnx", (some, new)),), baseline="b.json"))
    assert [r["baselineState"] for r in found["results"]] == ["updated", "new"]
    assert "5 new, 2 places accepted before" in found["results"][0]["message"]["text"]


def test_sarif_knows_the_rule_of_a_finding_without_documentation() -> None:
    found = run(Audit((ModelAudit("a.onnx", (audits.uneven(),)),)))
    assert found["tool"]["driver"]["rules"][0]["id"] == "PAD101"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("models/a b%.onnx", "models/a%20b%25.onnx"),
        ("ä#?.onnx", "%C3%A4%23%3F.onnx"),
        ("../up.onnx", "../up.onnx"),
        ("a:b.onnx", "a%3Ab.onnx"),
        ("/abs/x.onnx", "file:///abs/x.onnx"),
        ("C:/a b.onnx", "file:///C:/a%20b.onnx"),
        ("raw\udcff.onnx", "raw%FF.onnx"),
    ],
)
def test_uris(path: str, uri: str) -> None:
    found = run(Audit((ModelAudit(path, (audits.deep(),)),)))
    place = found["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == uri
    assert ("uriBaseId" in place) == (not uri.startswith("file:"))
    parts = urlsplit(uri)
    if not parts.scheme:
        assert unquote_to_bytes(uri) == path.encode(errors="surrogateescape")


@pytest.mark.parametrize("evil", EVILS.values(), ids=EVILS)
def test_sarif_messages_hold_no_link_and_no_placeholder(evil: str) -> None:
    def texts(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from [inner] if key in ("text", "markdown") else texts(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from texts(inner)

    for text in texts(run(audits.hostile(evil))):
        assert "](" not in text
        assert not re.search(r"(?<!\{)\{\d+\}(?!\})", text)


@pytest.mark.parametrize("made", MADE)
def test_junit_is_valid_and_reads_back(made: str) -> None:
    text, audit = AUDIT_FORMATS["junit"](MADE[made]), MADE[made]
    xmlschema.XMLSchema(str(HERE / "schemas" / "junit-10.xsd")).validate(text)
    suites = list(JUnitXml.fromstring(text))
    assert len(suites) == len(audit.models)
    for suite, model in zip(suites, audit.models, strict=True):
        assert suite.tests == max(len(model.findings), 1)
        assert suite.failures == sum(map(audit.fails, model.findings))
        assert suite.errors == bool(model.error)


@pytest.mark.parametrize(
    ("fail_on", "failures"),
    [(None, 0), (Severity.ERROR, 1), (Severity.WARNING, 2), (Severity.NOTE, 5)],
)
def test_junit_fails_what_fails_the_audit(fail_on: Severity | None, failures: int) -> None:
    audit = replace(audits.whole(), fail_on=fail_on)
    assert JUnitXml.fromstring(AUDIT_FORMATS["junit"](audit)).failures == failures
    assert audit.failed == bool(failures)


@pytest.mark.parametrize("made", MADE)
def test_github_has_a_line_for_each_finding_and_no_other_command(made: str) -> None:
    audit = MADE[made]
    *commands, last = AUDIT_FORMATS["github"](audit).splitlines()
    wanted = sum(len(m.findings) + bool(m.error) for m in audit.models)
    assert len(commands) == wanted
    for line in commands:
        found = re.fullmatch(r"::(error|warning|notice) file=([^:,]*),title=([^:,]*)::(.*)", line)
        assert found, line
        assert not re.search("%(?!25|0A|0D|3A|2C)", line)
    assert not last.startswith("::")


def test_github_lists_the_worst_first() -> None:
    lines = AUDIT_FORMATS["github"](audits.whole()).splitlines()[:-1]
    assert [line.split()[0] for line in lines] == [
        "::error", "::error", "::warning", "::notice", "::notice", "::notice",
    ]  # fmt: skip
