"""A gate as printable texts, before any format lays it out."""

from onnxpad.budget import HELD, MISSED, PASS, UNMEASURED, WARNING, Judged
from onnxpad.gating import Gate, Gated
from onnxpad.report.figures import count
from onnxpad.report.overview import LIMIT_HEADS, found_told, limit_row, worst_first
from onnxpad.report.sections import BAD, GOOD, PLAIN, Cell, Grid
from onnxpad.text import one_line, printable

_ORDER = (MISSED, WARNING, HELD)
_TONES = {MISSED: BAD, WARNING: PLAIN, HELD: GOOD}


def ranked(gate: Gate) -> list[Gated]:
    """The results, those that miss their budget first."""
    return sorted(gate.results, key=lambda one: _ORDER.index(one.weight))


def broken(gate: Gate) -> list[str]:
    """Files in which nothing was judged, a sentence each."""
    named = [(printable(f.path), one_line(f.error, 1000)) for f in gate.files if f.error]
    return [told if told.startswith(name) else f"{name}: {told}" for name, told in named]


def summary(gate: Gate) -> Cell:
    """The whole gate in one line, the bad news first."""
    parts = []
    if any(file.error for file in gate.files):
        parts.append(f"{count(sum(bool(f.error) for f in gate.files), 'file')} cannot be judged")
    all_of = [j for result in gate.results for j in result.judged]
    for weight, word in ((MISSED, "limit"), (WARNING, "warning")):
        number = sum(j.weight == weight for j in all_of)
        if number:
            parts.append(f"{count(number, word)}{' missed' * (weight == MISSED)}")
    held = sum(j.weight == HELD for j in all_of)
    where = count(len(gate.results), "result")
    parts.append(f"{held} of {count(len(all_of), 'limit')} held in {where}")
    tone = BAD if gate.exit_code else GOOD
    return Cell("; ".join(parts), tone)


def title(result: Gated) -> Cell:
    """What a result is of, and how it fared."""
    word = result.weight if result.judged else "no limit is for it"
    return Cell(f"{printable(result.result.title, 300)}: {word}", _TONES[result.weight])


def reason(result: Gated) -> str:
    """Why nothing of it was measured, "" where something was."""
    return one_line(result.result.failed, 1000)


def grid(result: Gated) -> Grid:
    """Its limits, the missed ones first."""
    rows = tuple(limit_row(one) for one in worst_first(result.judged))
    return Grid(LIMIT_HEADS, rows, words=2)


def sentence(result: Gated, one: Judged) -> str:
    """One limit: what was found, and why nothing, where nothing was."""
    value, interval = found_told(one.found)
    if one.outcome == UNMEASURED:
        told = result.result.reasons.get(one.limit.name, "") or result.result.failed
        return f"{one.limit}: not measured" + (f" ({one_line(told)})" if told else "")
    shown = value if interval == "–" else f"{value}, 95 % {interval}"
    word = {PASS: "held"}.get(one.outcome, one.outcome)
    return f"{one.limit}: {word}, found {shown}"


def unmeasured(result: Gated) -> list[str]:
    """Limits on what was not measured, each with the reason where one is known."""
    return [
        sentence(result, one)
        for one in result.judged
        if one.outcome == UNMEASURED and result.result.reasons.get(one.limit.name)
    ]
