"""Limits on measured quantities: one syntax in every command and in the config.

    agreement>=0.98,latency<=1.1,top1_delta>=-0.01

A limit passes when the quantity's interval lies inside it, fails when the interval lies outside,
and is inconclusive in between. A quantity that was not measured fails: silence is no pass.

The quantities:

    NAME                 an accuracy metric of the candidate, see onnxpad.tasks.metrics
    NAME_delta           candidate − original, of metrics against labels
    agreement            with the original: top-1 classes, boxes, or labels per pixel
    context_error        border error against real context, candidate / original, worst output
    seams                jump over the seams of tiles, candidate / original, worst output
    difference           largest |candidate − original| / largest |original|, worst output
    latency              median time of a run, candidate / original
    memory               peak of a process that runs the model once, candidate / original
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from onnxpad.errors import UsageError
from onnxpad.tasks.metrics import METRICS
from onnxpad.text import printable

_LIMIT = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(<=|>=)\s*([-+0-9.eE]+)\s*")
NAMES = (
    *METRICS,
    *(f"{name}_delta" for name, info in METRICS.items() if not info.between),
    "context_error",
    "seams",
    "difference",
    "latency",
    "memory",
)
PASS, FAIL, INCONCLUSIVE, UNMEASURED = "pass", "fail", "inconclusive", "not measured"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number with its 95 % interval; low = high = value where it has none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Limit:
    """One condition: a quantity's name, <= or >=, and a number."""

    name: str
    sign: str
    bound: float

    def __str__(self) -> str:
        """The spelling that ``parse_budget`` reads back."""
        return f"{self.name}{self.sign}{self.bound:g}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one limit; ``found`` is None where nothing was measured."""

    limit: Limit
    outcome: str
    found: Quantity | None


def parse_budget(text: str) -> tuple[Limit, ...]:
    """Read ``name>=number,name<=number``.

    Raises:
        UsageError: a part that is no limit, or limits what nobody measures; says which.
    """
    limits = []
    for part in filter(str.strip, text.split(",")):
        found = _LIMIT.fullmatch(part)
        try:
            bound = float(found[3]) if found else float("nan")
        except ValueError:
            bound = float("nan")
        if found is None or not isfinite(bound):
            raise UsageError(
                f"budget {printable(part.strip())!r}: expected NAME<=NUMBER or NAME>=NUMBER, "
                "several with commas between, for example agreement>=0.98,latency<=1.1"
            )
        if found[1] not in NAMES:
            raise UsageError(
                f"budget: nothing called {printable(found[1], 40)} is measured; known are "
                f"{', '.join(NAMES)}"
            )
        limits.append(Limit(found[1], found[2], bound))
    if not limits:
        raise UsageError("the budget is empty; for example agreement>=0.98,latency<=1.1")
    return tuple(limits)


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


def missed(judged: tuple[Judged, ...], *, strict: bool = False) -> bool:
    """Whether a budget is missed: a limit failed or unmeasured, or under strict inconclusive."""
    bad = {FAIL, UNMEASURED} | ({INCONCLUSIVE} if strict else set())
    return any(one.outcome in bad for one in judged)
