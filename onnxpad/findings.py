"""The frozen records of an audit: what was found, where, how sure, how bad."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256


class Severity(IntEnum):
    """How bad a finding is; they compare."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        """The word that people read and type."""
        return self.name.lower()


class Confidence(IntEnum):
    """How sure a finding is: high follows from the graph alone, low depends on data or runtime."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    def __str__(self) -> str:
        """The word that people read."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Location:
    """One node of a model.

    Attributes:
        identity: graph path and node name, as in PaddingSite; "" stands for the model as a whole.
        op: its operator as it is shown, "" for the model as a whole.
        detail: what is found at this place in a few words, "" where the message says it all.
    """

    identity: str = ""
    op: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule has to say of one model, for one cause.

    Names in it come from the model and are not to be trusted: renderers make them safe.

    Attributes:
        code, name: of the rule, such as PAD101 and uneven-padding.
        message: one sentence, with the numbers.
        primary: the place it is shown at.
        related: the other places with the same cause, in the order of the nodes.
        facts: the numbers of the message for machines, by name.
        advice: what to do about this very finding; "" leaves it to the rule's documentation.
        measured: whether running the model gave it.
        accepted: how many of its places a baseline accepts; they are left out of the locations.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    primary: Location
    related: tuple[Location, ...] = ()
    facts: Mapping[str, float | int | str] = field(default_factory=dict)
    advice: str = ""
    measured: bool = False
    accepted: int = 0

    @property
    def locations(self) -> tuple[Location, ...]:
        """The primary place, then the related ones."""
        return (self.primary, *self.related)

    @property
    def fingerprint(self) -> str:
        """Equal wherever the same rule finds the same at the same node, in any version."""
        return fingerprint(self.code, self.primary)


def fingerprint(code: str, location: Location) -> str:
    """32 hexadecimal digits of a rule's code and a place: stable between runs and machines."""
    return sha256(f"{code}\0{location.identity}".encode(errors="surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One quantity of a model that was run, under its name in budgets.

    Attributes:
        value: None where it could not be measured. low, high: its 95 % interval; the value itself
            where it has none.
        remark: what it stands on, or why there is no value.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    remark: str


@dataclass(frozen=True, slots=True)
class ModelAudit:
    """What an audit found in one model.

    Attributes:
        model: its path as it is shown, with forward slashes.
        findings: worst first, then by code.
        sites, window_ops: how many it has.
        size: the input's height and width (or length) it was looked at with; None where free.
        error: why the model could not be audited, "" if it was; then the rest is empty.
        exit_code: of the error, or of a run that failed; 0 without.
        suppressed: findings that were left out because a baseline or an ignore accepts them.
        measured: what running it gave, () where it was not run.
    """

    model: str
    findings: tuple[Finding, ...] = ()
    sites: int = 0
    window_ops: int = 0
    size: tuple[int, ...] | None = None
    error: str = ""
    exit_code: int = 0
    suppressed: int = 0
    measured: tuple[Measurement, ...] = ()

    @property
    def worst(self) -> Severity | None:
        """The highest severity found."""
        return max((f.severity for f in self.findings), default=None)


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What is written of a rule, for reports.

    Attributes:
        title: what it finds in one sentence.
        severity, confidence: of its findings, unless one says otherwise.
        finds, why, example, advice: the sections of its documentation, hard-wrapped paragraphs.
    """

    code: str
    name: str
    title: str
    severity: Severity
    confidence: Confidence
    finds: str = ""
    why: str = ""
    example: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found in all models, in the order of their paths.

    Attributes:
        rules: those that ran.
        fail_on: findings this bad or worse fail the audit; None where none does.
        baseline: the baseline that was applied as it is shown, "" without one.
    """

    models: tuple[ModelAudit, ...]
    rules: tuple[RuleInfo, ...] = ()
    fail_on: Severity | None = Severity.ERROR
    baseline: str = ""

    def fails(self, finding: Finding) -> bool:
        """Whether a finding is bad enough to fail the audit."""
        return self.fail_on is not None and finding.severity >= self.fail_on

    @property
    def failed(self) -> bool:
        """Whether any finding is."""
        return any(self.fails(f) for m in self.models for f in m.findings)

    def count(self, severity: Severity) -> int:
        """Findings of one severity."""
        return sum(f.severity == severity for m in self.models for f in m.findings)
