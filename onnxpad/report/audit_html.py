"""An audit as one page that needs no other file, no script and no network."""

from dataclasses import dataclass

from onnxpad.findings import Audit, Finding, ModelAudit, RuleInfo, Severity
from onnxpad.report.audit_text import (
    about,
    advice,
    clean,
    detail,
    error,
    measured,
    message,
    name,
    others,
    place,
    rules_found,
    sections,
    severities,
    summary,
    worst_first,
)
from onnxpad.report.page import render
from onnxpad.report.sections import BAD, DIM, GOOD

TONES = {Severity.ERROR: BAD, Severity.WARNING: "warn", Severity.NOTE: DIM}


@dataclass(frozen=True, slots=True)
class Row:
    """A finding as the template sees it; places are (node, what is found there)."""

    code: str
    name: str
    severity: str
    tone: str
    confidence: str
    message: str
    first: str
    others: str
    places: tuple[tuple[str, str], ...]
    advice: str


@dataclass(frozen=True, slots=True)
class Article:
    """A model as the template sees it."""

    identity: str
    name: str
    told: str
    tone: str
    about: str
    measured: tuple[str, ...]
    error: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """A rule as the template sees it: sections are (title, paragraphs)."""

    code: str
    name: str
    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]


def dumps(audit: Audit) -> str:
    """The page; ends in a newline."""
    found = [f.severity for m in audit.models for f in m.findings]
    broken = any(m.error for m in audit.models)
    return render(
        "audit.html.j2",
        None,
        title=summary(audit),
        tone=BAD if broken else TONES[max(found)] if found else GOOD,
        counts=[(str(s), audit.count(s), TONES[s]) for s in reversed(Severity)],
        failed=_failed(audit),
        articles=[_article(m, f"m{n}") for n, m in enumerate(worst_first(audit))],
        clean=[name(m) for m in clean(audit)],
        rules=[_help(rule) for rule in rules_found(audit)],
    )


def _failed(audit: Audit) -> str:
    """What would fail a pipeline, in a sentence."""
    if audit.fail_on is None:
        return "No finding fails this audit."
    bar = "Errors fail" if audit.fail_on is Severity.ERROR else f"Findings from {audit.fail_on} up"
    bar += "" if audit.fail_on is Severity.ERROR else " fail"
    return f"{bar} this audit: it {'failed' if audit.failed else 'passed'}."


def _article(model: ModelAudit, identity: str) -> Article:
    worst = model.worst
    return Article(
        identity,
        name(model),
        "could not be audited" if model.error else severities(model.findings),
        BAD if model.error or worst is None else TONES[worst],
        "" if model.error else about(model),
        measured(model),
        error(model),
        tuple(map(_row, model.findings)),
    )


def _row(finding: Finding) -> Row:
    places = tuple((place(at), detail(at)) for at in finding.locations if at.identity or at.detail)
    return Row(
        finding.code,
        finding.name,
        str(finding.severity),
        TONES[finding.severity],
        str(finding.confidence),
        message(finding),
        place(finding.primary),
        others(finding),
        places,
        advice(finding),
    )


def _help(rule: RuleInfo) -> Help:
    return Help(rule.code, rule.name, rule.title, sections(rule))
