"""An audit as Markdown for a pull request: the counts, a table for each model, the rest folded."""

from collections.abc import Iterator

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
    paragraphs,
    place,
    rules_found,
    severities,
    summary,
    worst_first,
)
from onnxpad.report.figures import count
from onnxpad.report.markdown import bullets, escape, fold, table

_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "ℹ️"}
# A comment of a forge holds 65,536 characters; what does not fit is counted.
_MOST = 60_000
_MOST_PLACES = 40


def dumps(audit: Audit) -> str:
    """The text; ends in a newline."""
    parts = [f"## {_mark(audit)} {escape('onnxpad audit: ' + summary(audit))}"]
    rules = "\n\n".join(map(_rule, rules_found(audit)))
    tail = [fold("Why it matters, and what to do", rules)] if rules else []
    if clean(audit):
        names = bullets([name(model) for model in clean(audit)])
        told = count(len(clean(audit)), "model") + " without findings"
        tail.insert(0, fold(told, names) if len(names) < _MOST // 4 else escape(told))
    room = _MOST - sum(map(len, tail))
    models = worst_first(audit)
    for number, model in enumerate(models):
        shown = "\n\n".join(_model(model))
        room -= len(shown) + 2
        if room < 0:
            parts.append(f"… and {count(len(models) - number, 'more model', 'more models')}")
            break
        parts.append(shown)
    return "\n\n".join((*parts, *tail)) + "\n"


def _mark(audit: Audit) -> str:
    found = [f.severity for m in audit.models for f in m.findings]
    if any(m.error for m in audit.models):
        return _MARKS[Severity.ERROR]
    return _MARKS[max(found)] if found else "✅"


def _model(model: ModelAudit) -> Iterator[str]:
    if model.error:
        yield f"### {escape(name(model))}: could not be audited"
        yield bullets([error(model)])
        return
    yield f"### {escape(name(model))}: {escape(severities(model.findings))}"
    yield escape(about(model))
    if model.measured:
        yield bullets(measured(model))
    rows = [
        (
            f"{_MARKS[f.severity]} {f.severity}",
            f"{f.code} {f.name}",
            message(f),
            " ".join(filter(None, (place(f.primary), others(f)))),
        )
        for f in model.findings
    ]
    yield table(("", "rule", "finding", "at"), rows, left=4)
    listed = [part for f in model.findings for part in _places(f)]
    if listed:
        yield fold("All places", "\n\n".join(listed))


def _places(finding: Finding) -> Iterator[str]:
    told = [": ".join(filter(None, (place(at), detail(at)))) for at in finding.locations]
    lines = list(filter(None, told))
    if finding.advice or len(lines) > 1 or any(at.detail for at in finding.locations):
        yield f"**{escape(f'{finding.code} {finding.name}')}**"
        more = [f"… and {len(lines) - _MOST_PLACES} more"] if len(lines) > _MOST_PLACES else []
        advised = [f"What to do: {advice(finding)}"] if finding.advice else []
        yield bullets([*advised, *lines[:_MOST_PLACES], *more])


def _rule(rule: RuleInfo) -> str:
    head = f"**{escape(f'{rule.code} {rule.name}')}**: {escape(rule.title)}"
    return "\n\n".join((head, *map(escape, (*paragraphs(rule.why), *paragraphs(rule.advice)))))
