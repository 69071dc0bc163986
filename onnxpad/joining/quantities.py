"""Everything a budget may limit, taken from the records of a comparison or of one model."""

from collections.abc import Iterable, Sequence
from math import inf

from onnxpad.budget import Quantity
from onnxpad.comparison import Comparison
from onnxpad.findings import Measurement, Severity
from onnxpad.measure.constant_response import ConstantResponse
from onnxpad.measure.context import ContextError
from onnxpad.measure.mean_map import MeanMap


def quantities(comparison: Comparison) -> dict[str, Quantity]:
    """Name → what was measured; names that are missing were not. The names: measures.COMPARED."""
    measured = comparison.run.latency
    found = {
        "latency": Quantity(measured.ratio, measured.ratio_low, measured.ratio_high),
    }
    if comparison.run.memory is not None and comparison.run.memory[0] > 0:
        ratio = comparison.run.memory[1] / comparison.run.memory[0]
        found["memory"] = Quantity(ratio, ratio, ratio)
    if comparison.task is not None:
        each = comparison.task.quantities().items()
        found |= {name: Quantity(*numbers) for name, numbers in each}
    for name, value in (
        ("agreement", _agreement(comparison)),
        ("difference", _difference(comparison)),
        ("context_error", _context_error(comparison)),
        ("seams", _seams(comparison)),
    ):
        if value is not None and name not in found:
            found[name] = value
    return found


def audit_quantities(
    severities: Sequence[str], measured: Iterable[Measurement]
) -> dict[str, Quantity]:
    """The same of the audit of one model. The names are measures.AUDITED.

    Args:
        severities: of its findings, as words.
    """
    counts = {f"{word}s": float(severities.count(word)) for word in map(str, Severity)}
    found = {name: Quantity(count, count, count) for name, count in counts.items()}
    return found | {
        m.name: Quantity(
            m.value, -inf if m.low is None else m.low, inf if m.high is None else m.high
        )
        for m in measured
        if m.value is not None
    }


def constant_quantity(responses: Iterable[ConstantResponse]) -> Quantity | None:
    """The largest deviation / scale of layers that have a scale and whose interior is sure."""
    each = [r.relative for r in responses if r.relative is not None and not r.unsure]
    return _exact(max(each, default=None))


def lines_quantity(maps: Iterable[MeanMap]) -> Quantity | None:
    """Lines that stand out, of all layers that could be judged together."""
    judged = [len(m.artifacts) for m in maps if not m.unjudged]
    return _exact(float(sum(judged)) if judged else None)


def context_quantity(errors: Iterable[ContextError]) -> Quantity | None:
    """NE of the worst ring of the worst output; those without variance have none."""
    return _exact(max((ne for e in errors for ne in e.error), default=None))


def _exact(value: float | None) -> Quantity | None:
    return None if value is None else Quantity(value, value, value)


def _agreement(comparison: Comparison) -> Quantity | None:
    """The lowest of the outputs that look like class scores."""
    each = [o.agreement for o in comparison.outputs if o.agreement]
    shares = [Quantity(a.share, a.low, a.high) for a in each if a.share is not None]
    return min(shares, key=lambda q: q.value, default=None)


def _difference(comparison: Comparison) -> Quantity | None:
    """The largest of all outputs; infinite where an output cannot be compared."""
    worst = 0.0
    for output in comparison.outputs:
        found = output.difference
        relative = 0.0 if output.identical else found.relative_max
        broken = output.uncompared or found.unlike
        worst = max(worst, inf if broken or relative is None else relative)
    return Quantity(worst, worst, worst) if comparison.outputs else None


def _context_error(comparison: Comparison) -> Quantity | None:
    """The highest ratio of all outputs."""
    if comparison.border is None:
        return None
    found = []
    for one in comparison.border.outputs:
        ratio = one.candidate.ratio
        if ratio is not None:
            high = inf if ratio.high is None else ratio.high
            found.append(Quantity(ratio.value, ratio.low or 0.0, high))
        elif one.candidate.total is not None and one.original.total is not None:
            # The original has no error to speak of: any of the candidate's is infinitely more.
            same = one.candidate.depth() == 0
            found.append(Quantity(1.0, 1.0, 1.0) if same else Quantity(inf, inf, inf))
    return max(found, key=lambda q: q.value, default=None)


def _seams(comparison: Comparison) -> Quantity | None:
    """The highest ratio of all outputs."""
    if comparison.tiles is None:
        return None
    found = []
    for one in comparison.tiles.outputs:
        ours, theirs = one.original.visibility, one.candidate.visibility
        if ours and theirs is not None:
            found.append(theirs / ours)
    return Quantity(max(found), max(found), max(found)) if found else None
