"""What the rules on targets share: one finding for all Pads that a runtime cannot take."""

from collections.abc import Iterator

from onnxpad.findings import Finding, Location
from onnxpad.rules.rule import Rule
from onnxpad.subject import Subject
from onnxpad.targets import TARGETS, Limit, PadUse, pad_uses
from onnxpad.text import count


def limited(rule: Rule, subject: Subject, target: str) -> Iterator[Finding]:
    """The finding of a target's rule, if the model is judged for that target.

    Its severity is that of the worst limit met, its confidence that of the surest among those.
    """
    if target not in subject.targets:
        return
    found: list[tuple[PadUse, Limit]] = []
    for use in pad_uses(subject.scopes, subject.values):
        met = [limit for limit in TARGETS[target] if limit.applies(use)]
        if met:
            found.append((use, max(met, key=lambda limit: (limit.severity, limit.confidence))))
    if not found:
        return
    severity = max(limit.severity for _, limit in found)
    confidence = max(limit.confidence for _, limit in found if limit.severity == severity)
    places = [Location(use.identity, "Pad", limit.what) for use, limit in found]
    limits = dict.fromkeys(limit for _, limit in found)
    kinds = "; ".join(limit.what for limit in limits)
    sources = "; ".join(dict.fromkeys(limit.source for limit in limits))
    yield rule.finding(
        f"{count(len(found), 'Pad')} that {target} does not take as they are: {kinds}",
        places, {"sites": len(found)}, severity=severity, confidence=confidence,
        advice=f"Says who: {sources}.",
    )  # fmt: skip
