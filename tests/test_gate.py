"""Saved results are judged as they were live; what is no result is refused in one sentence."""

import json
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import junitparser
import pytest

from onnxpad.budget import Quantity, judge, missed, parse_budget
from onnxpad.comparison import Comparison
from onnxpad.config.files import load_config
from onnxpad.config.settings import Config
from onnxpad.findings import Audit, Confidence, Finding, Location, Measurement, ModelAudit, Severity
from onnxpad.gating import gate, gate_audit
from onnxpad.joining.quantities import quantities
from onnxpad.measures import COMPARED
from onnxpad.report import audit_json
from onnxpad.report import json as comparison_json
from onnxpad.report.formats import FORMATS, GATE_FORMATS
from onnxpad.saved import read_saved
from tests.command import Ran, assert_refused, onnxpad
from tests.report import whole
from tests.report.summaries import summary

NONE = Config()
MADE = (whole.full, whole.bare, whole.mixed, whole.many)


def saved(folder: Path, text: str, name: str = "result.json") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def same(a: Quantity, b: Quantity) -> bool:
    """What is not finite is not measured, whether it is NaN or infinite."""
    finite = abs(a.value) < inf
    return a == b if finite else not abs(b.value) < inf


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_a_saved_comparison_holds_what_was_measured(tmp_path: Path, make: Any) -> None:
    live = quantities(make())
    (read,) = read_saved(saved(tmp_path, comparison_json.dumps(make())))
    assert set(read.quantities) == set(live) <= set(COMPARED)
    assert all(same(live[name], read.quantities[name]) for name in live)


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_every_limit_has_the_outcome_it_had_live(tmp_path: Path, make: Any) -> None:
    """At, inside and outside of every interval's ends, both ways."""
    live = quantities(make())
    bounds = {
        name: {b for b in (q.value, q.low, q.high) if abs(b) < inf} | {-1.0, 0.0, 1.0, 1e9}
        for name, q in live.items()
    }
    bounds |= {name: {0.0} for name in COMPARED if name not in live}
    texts = [f"{n}{s}{b!r}" for n, each in bounds.items() for b in each for s in ("<=", ">=")]
    limits = parse_budget(",".join(texts))
    path = saved(tmp_path, comparison_json.dumps(make()))
    (found,) = gate([path], NONE, ",".join(texts)).results
    assert [one.outcome for one in found.judged] == [one.outcome for one in judge(limits, live)]


def test_open_intervals_and_nan() -> None:
    limits = parse_budget("context_error<=2,context_error>=0.5,psnr>=1")
    live = {"context_error": Quantity(1, 0, inf), "psnr": Quantity(nan, nan, nan)}
    outcomes = [one.outcome for one in judge(limits, live)]
    assert outcomes == ["inconclusive", "inconclusive", "not measured"]


def judged(make: Comparison, text: str) -> Comparison:
    return replace(make, judged=judge(parse_budget(text), quantities(make)))


def test_without_a_budget_the_saved_one_holds(tmp_path: Path) -> None:
    made = judged(whole.full(), "latency<=9,warn:agreement>=0.999,difference<=0.1")
    (found,) = gate([saved(tmp_path, comparison_json.dumps(made))], NONE).results
    assert sorted(map(str, (one.limit for one in found.judged))) == [
        "difference<=0.1", "latency<=9", "warn:agreement>=0.999",
    ]  # fmt: skip
    assert {one.limit: one.outcome for one in found.judged} == {
        one.limit: one.outcome for one in made.judged
    }


def test_a_rewrite_is_judged_by_its_comparison(tmp_path: Path) -> None:
    path = saved(tmp_path, FORMATS["json"](summary()))
    live = judge(parse_budget("agreement>=0.5"), quantities(summary().comparison))
    assert gate([path], NONE, "agreement>=0.5").results[0].judged == live
    alone = replace(summary(), comparison=None)
    found = gate([saved(tmp_path, FORMATS["json"](alone))], NONE, "agreement>=0.5")
    assert found.exit_code == 1
    assert "not compared" in found.results[0].result.failed


def an_audit(*severities: Severity) -> Audit:
    findings = tuple(
        Finding("PAD101", "uneven-padding", s, Confidence.HIGH, "m", Location(str(i)))
        for i, s in enumerate(severities)
    )
    measured = (
        Measurement("line_artifacts", 3.0, 3.0, 3.0, "16 images"),
        Measurement("context_ne", None, None, None, "no tensor follows the input"),
    )
    return Audit((ModelAudit("m.onnx", findings, measured=measured),))


def test_audits_live_and_saved(tmp_path: Path) -> None:
    audit = an_audit(Severity.WARNING, Severity.WARNING, Severity.NOTE)
    text = "errors<=0,warnings<=1,warn:notes<=0,line_artifacts<=3,context_ne<=1"
    live = gate_audit(audit, NONE, text, measured=True)
    read = gate([saved(tmp_path, audit_json.dumps(audit))], NONE, text)
    assert [one.outcome for one in live.results[0].judged] == [
        "pass", "fail", "fail", "pass", "not measured",
    ]  # fmt: skip
    assert read.results == live.results
    assert read.exit_code == live.exit_code == 1
    assert "no tensor follows the input" in GATE_FORMATS["md"](read)


def test_a_model_that_could_not_be_audited_misses_every_limit(tmp_path: Path) -> None:
    audit = Audit((ModelAudit("m.onnx", error="it is cut short", exit_code=3),))
    found = gate([saved(tmp_path, audit_json.dumps(audit))], NONE, "errors<=0")
    assert found.exit_code == 1
    assert found.results[0].result.failed == "it is cut short"


def test_limits_of_the_configuration_go_to_the_results_that_measure_them(tmp_path: Path) -> None:
    file = tmp_path / "onnxpad.toml"
    file.write_text(
        '[budget]\nerrors = "<=0"\nlatency = {fail = "<=1.5", warn = "<=1.1"}\n'
        '[[models]]\nmatch = "special.onnx"\nbudget = "errors<=7"\n'
    )
    config = load_config(file)
    compared = saved(tmp_path, comparison_json.dumps(whole.full()), "c.json")
    models = (ModelAudit("a.onnx"), ModelAudit(str(tmp_path / "special.onnx")))
    audited = saved(tmp_path, audit_json.dumps(Audit(models)), "a.json")
    found = gate([compared, audited], config)
    limits = [[str(one.limit) for one in result.judged] for result in found.results]
    assert limits == [["latency<=1.5", "warn:latency<=1.1"], ["errors<=0"], ["errors<=7"]]


# the command


def run(*arguments: str | Path, cwd: Path) -> Ran:
    return onnxpad("gate", *arguments, cwd=cwd)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    return saved(tmp_path, comparison_json.dumps(whole.full()))


def test_exit_0_and_1(result: Path, tmp_path: Path) -> None:
    # agreement of the example: 0.78 [0.725, 0.827]
    for budget, code, strict in (
        ("agreement>=0.7", 0, 0),
        ("agreement>=0.75", 0, 1),
        ("warn:agreement>=0.9", 0, 1),
        ("agreement>=0.9", 1, 1),
        ("seams<=9", 0, 0),
        ("mIoU>=0", 1, 1),
    ):
        assert run(result, "--budget", budget, cwd=tmp_path).code == code, budget
        assert run(result, "--budget", budget, "--strict", cwd=tmp_path).code == strict, budget
    assert run(result, "--budget", "agreement>=0.9", "--exit-zero", cwd=tmp_path).code == 0


def test_bad_news_first(result: Path, tmp_path: Path) -> None:
    budget = "agreement>=0.7,latency<=9,warn:agreement>=0.9,agreement>=0.9"
    ran = run(result, "--budget", budget, cwd=tmp_path)
    assert "1 limit missed; 1 warning; 2 of 4 limits held in 1 result" in ran.out
    order = [line.split()[0] for line in ran.out.splitlines() if ">=" in line or "<=" in line]
    assert order[:2] == ["agreement>=0.9", "warn:agreement>=0.9"]
    assert "0.78  [0.725, 0.827]" in ran.out


def test_exit_2(result: Path, tmp_path: Path) -> None:
    assert_refused(run(result, "--budget", "accuracy>=1", cwd=tmp_path), 2, "accuracy")
    foreign = run(result, "--budget", "errors<=0", cwd=tmp_path)
    assert_refused(foreign, 2, "a comparison does not measure errors")
    bare = saved(tmp_path, comparison_json.dumps(whole.bare()), "bare.json")
    ran = run(bare, cwd=tmp_path)
    assert ran.code == 2
    assert "no limit is for a comparison" in ran.out
    form = run(result, "--budget", "agreement>=0", "--report", "sarif:x", cwd=tmp_path)
    assert_refused(form, 2, "junit")


def test_exit_5(result: Path, tmp_path: Path) -> None:
    ran = run(result, "--budget", "agreement>=0", "--report", "json:no/such", cwd=tmp_path)
    assert_refused(ran, 5, "no such folder")


BROKEN = {
    "empty": "",
    "cut": '{"schema": "onnxpad.comparison/2", "original"',
    "list": "[]",
    "nan": '{"schema": NaN}',
    "deep": "[" * 100_000,
    "unknown": '{"schema": "onnxpad.comparison/99"}',
    "none": "{}",
    "type": '{"schema": {"a": 1}}',
    "older": '{"schema": "onnxpad.comparison/2", "original": "a", "candidate": "b"}',
    "text": '{"schema": "onnxpad.audit/1", "models": "x"}',
    "nothing": '{"schema": "onnxpad.audit/1", "models": []}',
    "severity": json.dumps(
        {
            "schema": "onnxpad.audit/1",
            "models": [
                {"model": "\x1b[31m", "error": None, "findings": [{"severity": "\x1b[2J"}],
                 "measured": []}
            ],
        }
    ),
    "huge": json.dumps(
        {
            "schema": "onnxpad.audit/1",
            "models": [
                {"model": "m", "error": None, "findings": [],
                 "measured": [{"name": "context_ne", "value": 0, "low": 0, "high": 0,
                               "remark": ""}]}
            ],
        }
    ).replace('"value": 0', '"value": 1e999'),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_result_is_said_and_does_not_stop_the_others(
    kind: str, result: Path, tmp_path: Path
) -> None:
    broken = saved(tmp_path, BROKEN[kind], "broken.json")
    found = gate([broken, tmp_path / "absent.json", result], NONE, "agreement>=0.7")
    first, absent, good = found.files
    assert (first.exit_code, absent.exit_code, good.exit_code) == (2, 2, 0)
    assert found.exit_code == 2
    assert first.error.startswith(str(broken))
    assert first.error.isprintable()
    assert len(first.error) < 500
    assert not missed(good.results[0].judged)


def test_a_limit_to_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxpad.saved.MAX_BYTES", 10)
    found = gate([saved(tmp_path, "{" + " " * 20 + "}")], NONE, "agreement>=0.7")
    assert "larger than" in found.files[0].error


HOSTILE = '\x1b[31m<script>alert(1)</script>\n::error::x|`a`\u202e"&'


def test_hostile_names_come_out_harmless(tmp_path: Path) -> None:
    made = replace(whole.full(), original=HOSTILE, candidate=HOSTILE)
    path = saved(tmp_path, comparison_json.dumps(made))
    found = gate([path, tmp_path / "a\x1b[31m\n::error::"], NONE, "agreement>=0.9")
    for form, dumps in GATE_FORMATS.items():
        text = dumps(found)
        assert "\x1b" not in text, form
        assert "\u202e" not in text, form
        assert "<script>" not in text or form in ("json", "github"), form
    lines = GATE_FORMATS["github"](found).splitlines()
    assert all(x.startswith(("::error file=", "onnxpad gate:")) for x in lines)
    ran = run(path, "--budget", "agreement>=0.9", cwd=tmp_path)
    assert ran.code == 1
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


def test_junit_counts(result: Path, tmp_path: Path) -> None:
    out = tmp_path / "gate.xml"
    budget = "agreement>=0.7,warn:agreement>=0.9,agreement>=0.9"
    run(result, tmp_path / "absent.json", "--budget", budget, "--report", f"junit:{out}",
        cwd=tmp_path)  # fmt: skip
    found = junitparser.JUnitXml.fromfile(str(out))
    assert (found.tests, found.failures, found.errors) == (4, 1, 1)
    path = tmp_path / "strict.xml"
    run(result, "--budget", budget, "--strict", "--report", f"junit:{path}", cwd=tmp_path)
    assert junitparser.JUnitXml.fromfile(str(path)).failures == 2


def test_nothing_is_run(result: Path, tmp_path: Path) -> None:
    """No engine is loaded; the models that a result names need not exist."""
    before = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('LOADED', {'onnxruntime'} & set(sys.modules)))"
    )
    ran = onnxpad("gate", result, "--budget", "agreement>=0.7", cwd=tmp_path, before=before)
    assert "LOADED set()" in ran.out
    assert not Path(whole.full().original).exists()
