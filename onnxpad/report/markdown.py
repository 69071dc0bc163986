"""A result as Markdown for a pull request: verdict, a small table, budget; details folded away.

Names are untrusted. They end up as text and nothing else: no markup, no link, no mention.
"""

import re
from collections.abc import Iterator, Sequence
from math import isfinite

from onnxpad.comparison import Comparison
from onnxpad.report.batch import Batch, title, told, words
from onnxpad.report.borders import told_ratio
from onnxpad.report.figures import count, interval, plain, signed
from onnxpad.report.outputs import cautions, facts, outputs
from onnxpad.report.overview import budget, sections, short_names, unmeasured, verdict
from onnxpad.report.rewriting import Summary, counts, grouped, halo_told, written_told
from onnxpad.report.ringline import bar
from onnxpad.report.sections import BAD, GOOD, Grid, Profile, Section
from onnxpad.text import printable

_MARKS = {GOOD: "✅ ", BAD: "❌ "}
_MOST_NAMES = 5
_MOST_SITES = 200
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~$&]")
# What a forge turns into mentions, references, links and emoji; a joint of no width ends them.
_LIVE = re.compile(r"(?<=@)(?=\w)|(?<=&#35;)(?=\w)|(?<=:)(?=[\w/])|(?i:(?<=www)(?=\.))")
_JOINT = "&#8203;"
# What begins a list or a heading at the start of a line.
_START = re.compile(r"(?:\d+(?=[.)]\s))?[-+=.)]")


def dumps(result: Comparison | Summary | Batch) -> str:
    """The result as GitHub-flavoured Markdown; ends in a newline."""
    parts = list(_any(result))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Printable text in which Markdown and a forge see nothing of their own."""
    return _LIVE.sub(_JOINT, _SPECIAL.sub(_entity, printable(text, 1000)))


def _line(text: str) -> str:
    """The same where a line begins."""
    safe, start = escape(text), _START.match(text)
    if start is None:
        return safe
    at = start.end() - 1
    return f"{safe[:at]}&#{ord(safe[at])};{safe[at + 1 :]}"


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def _any(result: Comparison | Summary | Batch) -> Iterator[str]:
    if isinstance(result, Batch):
        yield f"## {escape(title(result))}"
        if told(result):
            yield bullets(told(result))
        if len(result.comparisons) > 1:
            rows = [(name, f"{_MARKS.get(word.tone, '')}{word.text}")
                    for name, word in words(result)]  # fmt: skip
            yield table(("candidate", "verdict"), rows, left=2)
        for one in result.comparisons:
            yield from _comparison(one)
    elif isinstance(result, Summary):
        yield from _summary(result)
    else:
        yield from _comparison(result)


def _summary(summary: Summary) -> Iterator[str]:
    yield f"## {escape(summary.model)}"
    if summary.comparison is not None:
        yield from _lead(summary.comparison)
    counted = () if summary.halo is not None else (counts(summary),)
    yield bullets((*halo_told(summary), *counted, *written_told(summary)))
    rows = [
        (verb, what, why, ", ".join(names[:_MOST_NAMES])
         + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""))
        for verb, what, why, names in grouped(summary)
    ]  # fmt: skip
    if summary.comparison is not None:
        yield from _details(summary.comparison)
    if rows:
        heads = ("", "padding", "how or why", "sites")
        yield fold("Sites that were changed, refused or left", table(heads, rows, left=4))


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield from _lead(comparison)
    yield from _details(comparison)


def _lead(comparison: Comparison) -> Iterator[str]:
    """The verdict, and the numbers a reviewer looks at first."""
    word, reasons = verdict(comparison)
    names = " → ".join(map(escape, short_names(comparison)))
    yield f"### {_MARKS.get(word.tone, '')}{names}: {escape(word.text)}"
    if reasons:
        yield bullets(reasons)
    warnings = list(cautions(comparison))
    if warnings:
        yield "\n".join(f"> ⚠️ {escape(warning)}  " for warning in warnings)
    small = list(_small(comparison))
    if small:
        yield table(("", "original", "candidate", "delta", "95 %"), small)
    limits = budget(comparison.judged)
    if limits.grids:
        yield f"**{escape(limits.title)}**"
        yield grid(limits.grids[0])


def _small(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """The rows a reviewer looks at first."""
    for m in comparison.task.metrics if comparison.task else ():
        unit = m.info.unit
        if m.delta is None:
            floor = "" if m.floor is None else f" (floor {plain(m.floor, unit)})"
            value = f"{plain(m.candidate, unit)}{floor}"
            yield m.name, "", value, "", interval(m.low, m.high, unit)
        else:
            yield (
                m.name, plain(m.original, unit), plain(m.candidate, unit), signed(m.delta, unit),
                interval(m.low, m.high, unit, sign=True),
            )  # fmt: skip
    for one in comparison.border.outputs[:3] if comparison.border else ():
        told_it = told_ratio(one.candidate, one.original).partition("; innermost")[0]
        yield f"border of {printable(one.name, 30)}", "", told_it, "", ""
    found = comparison.run.latency
    yield (
        "latency", f"{found.original_ms:.3g} ms", f"{found.candidate_ms:.3g} ms",
        f"×{found.ratio:.2f}", f"[{found.ratio_low:.2f}, {found.ratio_high:.2f}]",
    )  # fmt: skip


def _details(comparison: Comparison) -> Iterator[str]:
    shown = [s for s in (*sections(comparison), outputs(comparison)) if s.key != "budget"]
    for section in shown:
        if not section.absent and (section.lines or section.grids):
            yield fold(section.title, "\n\n".join(_section(section)))
    if comparison.sites:
        rows = comparison.sites[:_MOST_SITES]
        more = len(comparison.sites) - len(rows)
        body = table(("site", "original", "candidate"), rows, left=3)
        rest = f"\n\n… and {more} more" if more else ""
        yield fold(count(len(comparison.sites), "padding site"), body + rest)
    said = [f"{what}: {statement}" for what, statement in facts(comparison)]
    yield fold(
        "What this stands on",
        bullets((*said, *(f"not measured: {what}" for what in unmeasured(comparison)))),
    )


def _section(section: Section) -> Iterator[str]:
    if section.lines:
        yield bullets([line.text for line in section.lines])
    yield from map(_profile, section.profiles)
    yield from map(grid, section.grids)


def _profile(profile: Profile) -> str:
    top = max((v for one in profile.series for v in one.values if isfinite(v)), default=0.0)
    rows = [
        (one.name, *(f"{bar(v / top if top else 0.0, 1)} {text}".strip()
                     for v, text in zip(one.values, one.texts, strict=True)))
        for one in profile.series
    ]  # fmt: skip
    return f"{_line(profile.title)}\n\n" + table(("distance", *profile.labels), rows)


def grid(found: Grid) -> str:
    """A table of cells."""
    rows = [[_MARKS.get(cell.tone, "") * _marked(cell.text) + cell.text for cell in row]
            for row in found.rows]  # fmt: skip
    more = f"\n\n… and {found.more} more" if found.more else ""
    return table(found.heads, rows, found.words) + more


def _marked(text: str) -> bool:
    return text in ("pass", "fail", "not measured")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table of texts; the first `left` columns are set to the left."""
    rule = ["---" if place < left else "--:" for place in range(len(heads))]
    lines = [list(map(escape, heads)), rule, *(list(map(escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Sequence[str]) -> str:
    """A list of sentences."""
    return "\n".join(f"- {_line(sentence)}" for sentence in sentences)


def fold(summary: str, body: str) -> str:
    """Markdown behind a line that opens it."""
    return f"<details><summary>{escape(summary)}</summary>\n\n{body}\n\n</details>"
