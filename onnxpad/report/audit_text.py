"""An audit as printable texts, before any format lays it out."""

import re
from collections.abc import Iterable

from onnxpad.findings import Audit, Finding, Location, Measurement, ModelAudit, RuleInfo, Severity
from onnxpad.report.figures import count, number
from onnxpad.text import one_line, printable

# Paths and node names are shown whole up to this length; messages of rules hold several names.
MOST_NAME = 400
MOST_MESSAGE = 2000


def worst_first(audit: Audit) -> tuple[ModelAudit, ...]:
    """Models with something to tell: unreadable ones, then by the worst and most findings."""
    return tuple(sorted((m for m in audit.models if m.error or m.findings), key=_rank))


def _rank(model: ModelAudit) -> tuple[bool, tuple[int, ...], str]:
    counts = (sum(f.severity == s for f in model.findings) for s in reversed(Severity))
    return not model.error, tuple(-found for found in counts), model.model


def clean(audit: Audit) -> tuple[ModelAudit, ...]:
    """Models that were audited and have no finding."""
    return tuple(m for m in audit.models if not m.error and not m.findings)


def name(model: ModelAudit) -> str:
    """A model's path."""
    return printable(model.model, MOST_NAME)


def about(model: ModelAudit) -> str:
    """What was looked at: its size and how much of it pads."""
    size = "×".join(map(str, model.size)) if model.size else ""
    parts = [size, count(model.sites, "padding site"), _accepted(model.suppressed)]
    return ", ".join(filter(None, parts))


def severities(findings: Iterable[Finding]) -> str:
    """2 errors, 1 warning, 3 notes: those there are."""
    found = [f.severity for f in findings]
    parts = [count(found.count(s), str(s)) for s in reversed(Severity) if s in found]
    return ", ".join(parts) or "no findings"


def summary(audit: Audit) -> str:
    """The whole audit in one line, the bad news first."""
    broken = sum(bool(m.error) for m in audit.models)
    found = [f for m in audit.models for f in m.findings]
    having = sum(bool(m.findings) for m in audit.models)
    accepted = sum(m.suppressed for m in audit.models)
    parts = [f"{count(broken, 'model')} could not be audited"] if broken else []
    if found:
        parts.append(f"{severities(found)} in {having} of {count(len(audit.models), 'model')}")
    elif not broken or broken < len(audit.models):
        parts.append(f"no findings in {count(len(audit.models) - broken, 'model')}")
    return "; ".join(filter(None, (*parts, _accepted(accepted))))


def _accepted(findings: int) -> str:
    return f"{count(findings, 'finding')} accepted" if findings else ""


def measured(model: ModelAudit) -> tuple[str, ...]:
    """What running a model gave, a line for each quantity."""
    return tuple(map(_measurement, model.measured))


def _measurement(one: Measurement) -> str:
    value = number(one.value)
    if one.value is not None and (one.low, one.high) != (one.value, one.value):
        value += f" [{number(one.low)}, {number(one.high)}]"
    told = f"{printable(one.name)} {value}"
    return f"{told}: {one_line(one.remark)}" if one.remark else told


def error(model: ModelAudit) -> str:
    """Why a model could not be audited, without its path in front, which stands above it."""
    told = one_line(model.error, MOST_MESSAGE)
    return told.removeprefix(f"{name(model)}: ")


def message(finding: Finding) -> str:
    """What a finding says; where a baseline accepts some of its places, how many are new."""
    told = printable(finding.message, MOST_MESSAGE)
    if not finding.accepted:
        return told
    new = len(finding.locations)
    return f"{told} ({new} new, {count(finding.accepted, 'place')} accepted before)"


def place(location: Location) -> str:
    """A node: its graph path and name, its operator."""
    shown = printable(location.identity, MOST_NAME)
    op = printable(location.op)
    return f"{shown} ({op})" if op and shown else shown or op


def detail(location: Location) -> str:
    """What is found at a place, "" where the message says it all."""
    return printable(location.detail, MOST_MESSAGE)


def others(finding: Finding) -> str:
    """How many more places there are: +4 more."""
    return f"+{len(finding.related)} more" if finding.related else ""


def advice(finding: Finding) -> str:
    """What to do about this very finding, "" where the rule says it."""
    return printable(finding.advice, MOST_MESSAGE)


def rules_found(audit: Audit) -> tuple[RuleInfo, ...]:
    """The rules that found something, in the order of their codes; bare where none is known."""
    known = {rule.code: rule for rule in audit.rules}
    found = {f.code: f for m in audit.models for f in m.findings}
    return tuple(
        known.get(code) or RuleInfo(code, f.name, f.name, f.severity, f.confidence)
        for code, f in sorted(found.items())
    )


def paragraphs(text: str) -> tuple[str, ...]:
    """The paragraphs of a rule's section: hard-wrapped lines joined, items of lists apart."""
    items = re.split(r"\n\s*\n|\n(?=\s*[-*] )", text)
    return tuple(one_line(item, MOST_MESSAGE) for item in items if item.strip())


def sections(rule: RuleInfo) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(title, paragraphs) of those sections of a rule's documentation that hold something."""
    titled = (
        ("What it finds", rule.finds),
        ("Why it matters", rule.why),
        ("Example", rule.example),
        ("What to do", rule.advice),
    )
    return tuple((title, paragraphs(text)) for title, text in titled if text.strip())
