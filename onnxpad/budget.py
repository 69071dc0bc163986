"""Limits on measured quantities: one syntax in every command and in the config.

    agreement>=0.98,latency<=1.5,warn:latency<=1.1

A limit passes when the quantity's interval lies inside it, fails when the interval lies outside,
and is inconclusive in between, which is a warning. A quantity that was not measured fails:
silence is no pass. After ``warn:`` a limit that is missed is a warning, too. Warnings count as
missed only where that is asked for (strict).

The quantities stand in onnxpad.measures: some are a comparison's, others an audit's of one model,
and no name means two things.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite

from onnxpad.errors import UsageError
from onnxpad.measures import AUDITED, COMPARED
from onnxpad.text import printable

_LIMIT = re.compile(r"\s*(warn:)?\s*([A-Za-z][A-Za-z0-9_]*)\s*(<=|>=)\s*([-+0-9.eE]+)\s*")
NAMES = (*COMPARED, *AUDITED)
PASS, FAIL, INCONCLUSIVE, UNMEASURED = "pass", "fail", "inconclusive", "not measured"
# What an outcome means for the result: bad news first.
MISSED, WARNING, HELD = "missed", "warning", "held"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number with its 95 % interval; low = high = value where it has none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Limit:
    """One condition: a quantity's name, <= or >=, and a number.

    Attributes:
        warn: whether missing it is a warning only.
    """

    name: str
    sign: str
    bound: float
    warn: bool = False

    def __str__(self) -> str:
        """The spelling that ``parse_budget`` reads back."""
        short = f"{self.bound:g}"
        bound = short if float(short) == self.bound else repr(self.bound)
        return f"{'warn:' if self.warn else ''}{self.name}{self.sign}{bound}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one limit; ``found`` is None where nothing was measured."""

    limit: Limit
    outcome: str
    found: Quantity | None

    @property
    def weight(self) -> str:
        """MISSED, WARNING or HELD."""
        if self.outcome == PASS:
            return HELD
        return WARNING if self.limit.warn or self.outcome == INCONCLUSIVE else MISSED


def parse_budget(text: str) -> tuple[Limit, ...]:
    """Read ``name>=number,warn:name<=number``.

    Raises:
        UsageError: a part that is no limit, or limits what nobody measures; says which.
    """
    limits = []
    for part in filter(str.strip, text.split(",")):
        found = _LIMIT.fullmatch(part)
        try:
            bound = float(found[4]) if found else float("nan")
        except ValueError:
            bound = float("nan")
        if found is None or not isfinite(bound):
            raise UsageError(
                f"budget {printable(part.strip())!r}: expected NAME<=NUMBER or NAME>=NUMBER, after "
                "warn: where missing it is no failure, several with commas between, for example "
                "agreement>=0.98,warn:latency<=1.1"
            )
        if found[2] not in NAMES:
            raise UsageError(
                f"budget: nothing called {printable(found[2], 40)} is measured; known are "
                f"{', '.join(NAMES)}"
            )
        limits.append(Limit(found[2], found[3], bound, warn=bool(found[1])))
    if not limits:
        raise UsageError("the budget is empty; for example agreement>=0.98,latency<=1.1")
    return tuple(limits)


def own_limits(text: str, names: Collection[str], what: str, *, shared: bool) -> tuple[Limit, ...]:
    """The limits of a budget that one kind of result can be held against.

    Args:
        names: the quantities it measures. what: the kind for people, such as "a comparison".
        shared: whether the budget serves other kinds of results too, as one of a file does: their
            limits are left out, and not refused.

    Raises:
        UsageError: as `parse_budget`; or a limit is on what this kind of result never holds.
    """
    limits = parse_budget(text)
    foreign = [one for one in limits if one.name not in names]
    if foreign and not shared:
        raise UsageError(
            f"budget: {what} does not measure {foreign[0].name}; it measures {', '.join(names)}"
        )
    return tuple(one for one in limits if one.name in names)


def judge(limits: tuple[Limit, ...], measured: Mapping[str, Quantity]) -> tuple[Judged, ...]:
    """Hold each limit against what was measured, in the order of the limits."""
    return tuple(Judged(one, _outcome(one, found := measured.get(one.name)), found)
                 for one in limits)  # fmt: skip


def _outcome(limit: Limit, found: Quantity | None) -> str:
    if found is None or not isfinite(found.value):
        return UNMEASURED
    inside, outside = (
        (found.low >= limit.bound, found.high < limit.bound)
        if limit.sign == ">="
        else (found.high <= limit.bound, found.low > limit.bound)
    )
    return PASS if inside else FAIL if outside else INCONCLUSIVE


def missed(judged: Collection[Judged], *, strict: bool = False) -> bool:
    """Whether a budget is missed: a limit failed or unmeasured, or under strict a warning."""
    bad = {MISSED, WARNING} if strict else {MISSED}
    return any(one.weight in bad for one in judged)
