"""What a rule is, and the one way a finding is born."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import cleandoc

from onnxpad.findings import Confidence, Finding, Location, RuleInfo, Severity
from onnxpad.subject import Subject

SECTIONS = ("What it finds", "Why it matters", "Example", "What to do")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its code and name are those of its file, its module's docstring documents it.

    Attributes:
        code: PAD and three digits. name: words with hyphens.
        severity: of its findings, unless one says otherwise.
        default: whether it runs without being selected.
        module: where it stands.
        check: looks at a model; None where only a measured audit finds it.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    default: bool
    module: str
    check: Callable[[Subject], Iterable[Finding]] | None

    @property
    def documentation(self) -> str:
        """Its module's docstring."""
        return cleandoc(sys.modules[self.module].__doc__ or "")

    @property
    def title(self) -> str:
        """What it finds in one sentence."""
        return self.documentation.partition("\n")[0]

    def section(self, title: str) -> str:
        """One of ``SECTIONS``, without its heading."""
        found = re.search(
            rf"^{title}\n-+\n(.*?)(?=^[^\n]+\n-+\n|\Z)",
            self.documentation,
            re.MULTILINE | re.DOTALL,
        )
        return found[1].strip() if found else ""

    @property
    def info(self) -> RuleInfo:
        """Its documentation as a record, for reports."""
        return RuleInfo(
            self.code, self.name, self.title, self.severity, self.confidence,
            *map(self.section, SECTIONS),
        )  # fmt: skip

    def finding(
        self,
        message: str,
        places: Sequence[Location],
        facts: Mapping[str, float | int | str] | None = None,
        *,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        advice: str = "",
    ) -> Finding:
        """A finding of this rule; the first place is the primary one, none is the whole model."""
        first, *others = places or (Location(),)
        return Finding(
            self.code, self.name,
            self.severity if severity is None else severity,
            self.confidence if confidence is None else confidence,
            message, first, tuple(others), dict(facts or {}), advice,
            measured=self.check is None,
        )  # fmt: skip


def rule(
    module: str,
    severity: Severity,
    confidence: Confidence,
    check: Callable[[Subject], Iterator[Finding]] | None = None,
    *,
    default: bool = True,
) -> Rule:
    """The rule of a module named like ``onnxpad.rules.pad101_uneven_padding``."""
    code, _, name = module.rpartition(".")[2].partition("_")
    return Rule(code.upper(), name.replace("_", "-"), severity, confidence, default, module, check)
