"""Which rules hold: by code, by the beginning of a code, and where they do not."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import takewhile
from typing import TypeAlias

from onnxpad.errors import UsageError
from onnxpad.findings import Finding, ModelAudit
from onnxpad.plan import matches
from onnxpad.rules import RULES
from onnxpad.rules.rule import Rule
from onnxpad.text import printable

ALL = "ALL"
# Longer than the beginning of any code: what is not named at all.
_UNNAMED = -1

NodeIgnores: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


def select_rules(
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    extend_select: Sequence[str] = (),
) -> tuple[Rule, ...]:
    """The rules that hold, in the order of their codes.

    A longer beginning of a code wins over a shorter one, and ignoring over selecting where both
    are as long: ignoring PAD1 and selecting PAD101 leaves PAD101.

    Args:
        select: codes or their beginnings, ALL for all; None: what is on by default.

    Raises:
        UsageError: there is no such rule.
    """
    for words in (select or (), ignore, extend_select):
        check_codes(words)

    def asked(rule: Rule) -> int:
        if select is not None:
            return _length(rule.code, select)
        return 0 if rule.default else _UNNAMED

    def holds(rule: Rule) -> bool:
        named = max(asked(rule), _length(rule.code, extend_select))
        return named > _length(rule.code, ignore)

    return tuple(rule for rule in RULES if holds(rule))


def check_codes(words: Iterable[str]) -> None:
    """Raise UsageError where one is neither a rule's code nor its beginning."""
    for word in words:
        if _length_of_any(word) == _UNNAMED:
            raise UsageError(f"no rule '{printable(word, 40)}'{_hint(word)}")


def covers(words: Iterable[str], code: str) -> bool:
    """Whether a rule's code is one of them, or begins with one."""
    return _length(code, words) != _UNNAMED


def _length(code: str, words: Iterable[str]) -> int:
    """How much of a code the longest word that fits names: 0 for ALL."""
    fitting = (0 if w.upper() == ALL else len(w) for w in words if _fits(code, w))
    return max(fitting, default=_UNNAMED)


def _fits(code: str, word: str) -> bool:
    return word.upper() == ALL or (bool(word) and code.startswith(word.upper()))


def _length_of_any(word: str) -> int:
    return max((_length(rule.code, [word]) for rule in RULES), default=_UNNAMED)


def _hint(word: str) -> str:
    """What was meant, else where to look."""
    named = {rule.name: rule.code for rule in RULES}
    close = get_close_matches(word.upper(), named.values(), len(named), 0.7)
    nearest = max(close, key=lambda code: _alike(code, word.upper()), default="")
    meant = named.get(word.lower(), nearest)
    return f"; did you mean {meant}?" if meant else "; onnxpad explain lists the codes, ALL is all"


def _alike(code: str, word: str) -> int:
    """How many characters two begin with that are the same."""
    return sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(code, word, strict=False)))


def without_nodes(found: ModelAudit, ignores: NodeIgnores) -> ModelAudit:
    """The same without what is accepted at some nodes.

    Args:
        ignores: globs of node names (graph path and all), and the codes that do not hold there.
            What is said of the model as a whole is not said of a node.
    """
    if not ignores:
        return found
    kept = tuple(one for f in found.findings if (one := _elsewhere(f, ignores)) is not None)
    lost = len(found.findings) - len(kept)
    return replace(found, findings=kept, suppressed=found.suppressed + lost)


def _elsewhere(finding: Finding, ignores: NodeIgnores) -> Finding | None:
    globs = [glob for glob, codes in ignores if covers(codes, finding.code)]
    places = finding.locations
    left = [p for p in places if not (p.identity and any(matches(p.identity, g) for g in globs))]
    if len(left) == len(places):
        return finding
    if not left:
        return None
    ignored = f"{len(places) - len(left)} of its {len(places)} places are ignored by name"
    message = f"{finding.message}; {ignored}"
    return replace(finding, message=message, primary=left[0], related=tuple(left[1:]))
