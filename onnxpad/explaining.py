"""What can be explained: rules, modes and measures, each from the table that owns it."""

from dataclasses import dataclass
from difflib import get_close_matches
from inspect import cleandoc

from onnxpad.errors import UsageError
from onnxpad.measures import MEASURES, Measure
from onnxpad.modes import KINDS, ModeKind
from onnxpad.rules import RULES
from onnxpad.rules.rule import Rule
from onnxpad.text import printable


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to explain.

    Attributes:
        kind: "rules", "modes" or "measures".
        word: what it is asked for by. name: its other name, "" without one.
        facts: what is short about it, such as its severity.
        summary: one sentence.
        text: all that is written of it; lines that are underlined are headings.
    """

    kind: str
    word: str
    name: str
    facts: tuple[str, ...]
    summary: str
    text: str


def topics() -> tuple[Topic, ...]:
    """Everything there is to explain: rules, modes, measures, in the order of their tables."""
    return (*map(_rule, RULES), *map(_mode, KINDS), *map(_measure, MEASURES))


def explain(word: str) -> tuple[Topic, ...]:
    """What a word stands for; the beginning of a code stands for all rules that have it.

    Raises:
        UsageError: nothing goes by that word; says what may have been meant.
    """
    known = topics()
    asked = _plain(word.strip())
    found = [t for t in known if asked and asked in (_plain(t.word), _plain(t.name))]
    if not found and asked.startswith("pad"):
        found = [t for t in known if t.kind == "rules" and _plain(t.word).startswith(asked)]
    if not found:
        raise UsageError(f"nothing is called '{printable(word, 40)}'{_hint(asked, known)}")
    return tuple(found)


def _plain(word: str) -> str:
    """A word whatever its case and whatever joins its parts."""
    return word.lower().replace("-", "_").replace(" ", "_")


def _hint(asked: str, known: tuple[Topic, ...]) -> str:
    words = [name for topic in known for name in (topic.word, topic.name) if name]
    spelled = {_plain(name): name for name in words}
    close = get_close_matches(asked, spelled, 3, 0.6)
    if close:
        return f"; did you mean {' or '.join(spelled[name] for name in close)}?"
    return "; onnxpad explain without a word lists all there is"


def _rule(rule: Rule) -> Topic:
    facts = [str(rule.severity), f"{rule.confidence} confidence"]
    if rule.check is None:
        facts.append("measured")
    elif not rule.default:
        facts.append("off unless selected")
    _, _, rest = rule.documentation.partition("\n\n")
    text = f"{rule.title}\n\n{rest}"
    return Topic("rules", rule.code, rule.name, tuple(facts), rule.title, text)


def _mode(kind: ModeKind) -> Topic:
    facts = ["copies real values"] if kind.copying else []
    lines = [f"What it invents: {kind.invents}."]
    if kind.copying:
        lines.append("Every invented value is a copy of a real one, so a constant stays constant.")
    lines.append(_operator(kind))
    if kind.reads_far:
        lines.append(
            "It reads further in than the border: on a time axis, the future. Causal padding gets "
            "it with --allow-noncausal alone."
        )
    return Topic("modes", kind.name, "", tuple(facts), kind.invents, "\n\n".join(lines))


def _operator(kind: ModeKind) -> str:
    if kind.pad_since is None:
        return "ONNX's Pad operator does not have it: it is composed of other operators."
    return f"ONNX's Pad operator has it as {kind.pad_name!r}, from opset {kind.pad_since} on."


_UNITS = {
    "share": "a share, 0 to 1",
    "ratio": "a ratio of candidate to original",
    "dB": "decibels",
    "": "a number",
}


def _measure(measure: Measure) -> Topic:
    facts = [_UNITS[measure.unit], f"{measure.better} is better"]
    sign = ">=" if measure.better == "higher" else "<="
    commands = (("compare", measure.compared), ("audit --measure", measure.audited))
    limited = " and ".join(name for name, measured in commands if measured)
    budget = f"As a limit ({limited}): --budget '{measure.name}{sign}…'" if limited else ""
    text = "\n\n".join(filter(None, (measure.summary, cleandoc(measure.about), budget)))
    return Topic("measures", measure.name, "", tuple(facts), measure.summary, text)
