"""onnxpad explain: every rule, mode and measure, and what may have been meant."""

import pytest

from onnxpad import budget
from onnxpad.explaining import explain, topics
from onnxpad.measures import MEASURES
from onnxpad.modes import MODE_NAMES
from onnxpad.rules import RULES
from onnxpad.rules.rule import SECTIONS
from tests.command import assert_refused, onnxpad

USAGE = 2


def test_everything_is_listed() -> None:
    ran = onnxpad("explain")
    assert ran.code == 0
    for word in (*(rule.code for rule in RULES), *MODE_NAMES, *(m.name for m in MEASURES)):
        assert f"\n{word} " in ran.out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_rules_by_code_and_by_name(rule: object) -> None:
    (topic,) = (t for t in explain(rule.code.lower()) if t.kind == "rules")  # type: ignore[attr-defined]
    assert topic in explain(topic.name)
    for section in SECTIONS:
        assert section in topic.text


def test_one_rule_whole() -> None:
    ran = onnxpad("explain", "PAD102")
    assert ran.code == 0
    assert ran.out.startswith("PAD102 one-sided-padding  note · high confidence\n")
    for section in SECTIONS:
        assert f"\n{section}\n" in ran.out


def test_the_beginning_of_a_code() -> None:
    found = [topic.word for topic in explain("pad20")]
    assert found == [rule.code for rule in RULES if rule.code.startswith("PAD20")]
    assert found


def test_modes_say_what_they_invent_and_who_has_them() -> None:
    ran = onnxpad("explain", "wrap")
    assert "c d | a b c d | a b" in ran.out
    assert "from opset 19" in ran.out
    assert "composed of other operators" in onnxpad("explain", "symmetric").out


def test_measures_say_their_direction_and_their_budget() -> None:
    ran = onnxpad("explain", "latency")
    assert "lower is better" in ran.out
    assert "--budget 'latency<=…'" in ran.out
    assert "--budget 'top1_delta>=…'" in onnxpad("explain", "top1_delta").out


def test_a_rule_and_a_measure_of_one_name() -> None:
    assert {topic.kind for topic in explain("context error")} == {"rules", "measures"}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("PAD1O2", "did you mean"),
        ("reflekt", "did you mean reflect?"),
        ("latancy", "did you mean latency?"),
        ("xyzzy", "onnxpad explain without a word lists all"),
        ("\x1b[1mx", "\\x1b[1mx"),
    ],
)
def test_2_an_unknown_word(word: str, told: str) -> None:
    assert_refused(onnxpad("explain", word), USAGE, "nothing is called", told)


def test_every_word_is_one_of_a_kind() -> None:
    words = [(topic.kind, topic.word.lower()) for topic in topics()]
    assert len(set(words)) == len(words)


def test_every_limit_of_a_budget_is_explained() -> None:
    described = {m.name for m in MEASURES if m.compared or m.audited}
    assert described == set(budget.NAMES)
    assert {m.name for m in MEASURES if m.compared} == set(budget.COMPARED)
    assert {m.name for m in MEASURES if m.audited} == set(budget.AUDITED)
