"""Which rules hold, worked out by hand from codes that are written here."""

from collections.abc import Iterator

import pytest

from onnxpad import selecting
from onnxpad.errors import UsageError
from onnxpad.findings import Confidence, Finding, Location, ModelAudit, Severity
from onnxpad.rules.rule import Rule
from onnxpad.selecting import select_rules, without_nodes


def no_findings(subject: object) -> Iterator[Finding]:
    yield from ()


def made(code: str, name: str, default: bool = True) -> Rule:
    return Rule(code, name, Severity.NOTE, Confidence.HIGH, default, __name__, no_findings)


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    table = (
        made("PAD101", "first-thing"), made("PAD102", "second-thing"),
        made("PAD110", "quiet-thing", default=False), made("PAD201", "other-thing"),
    )  # fmt: skip
    monkeypatch.setattr(selecting, "RULES", table)


def codes(
    select: list[str] | None = None, ignore: tuple[str, ...] = (), extend: tuple[str, ...] = ()
) -> list[str]:
    return [rule.code[3:] for rule in select_rules(select, ignore, extend)]


@pytest.mark.parametrize(
    ("select", "ignore", "extend", "expected"),
    [
        (None, (), (), ["101", "102", "201"]),
        (["ALL"], (), (), ["101", "102", "110", "201"]),
        (["all"], (), (), ["101", "102", "110", "201"]),
        (["PAD"], (), (), ["101", "102", "110", "201"]),
        (["PAD1"], (), (), ["101", "102", "110"]),
        (["pad10"], (), (), ["101", "102"]),
        (["PAD201", "PAD110"], (), (), ["110", "201"]),
        (None, ("PAD1",), (), ["201"]),
        (None, ("ALL",), (), []),
        (None, (), ("PAD110",), ["101", "102", "110", "201"]),
        # a longer beginning wins, whichever side it stands on
        (None, ("PAD1",), ("PAD101",), ["101", "201"]),
        (["ALL"], ("PAD1",), ("PAD11",), ["110", "201"]),
        (["PAD101"], ("PAD1",), (), ["101"]),
        (["PAD1"], ("PAD101",), (), ["102", "110"]),
        # as long: ignored
        (["PAD101"], ("PAD101",), (), []),
        (["ALL"], ("ALL",), (), []),
        ([], (), (), []),
    ],
)
def test_selection(
    select: list[str] | None, ignore: tuple[str, ...], extend: tuple[str, ...], expected: list[str]
) -> None:
    assert codes(select, ignore, extend) == expected


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("PAD112", "no rule 'PAD112'; did you mean PAD1"),
        ("second-thing", "no rule 'second-thing'; did you mean PAD102?"),
        ("E501", "no rule 'E501'; onnxpad explain lists the codes"),
        ("", "no rule ''; onnxpad explain lists"),
        ("PAD\x1b[1m", r"no rule 'PAD\\x1b\[1m'"),
    ],
)
def test_a_code_that_is_none_is_told_with_what_may_be_meant(word: str, told: str) -> None:
    for given in ({"select": [word]}, {"ignore": [word]}, {"extend_select": [word]}):
        with pytest.raises(UsageError, match=told):
            select_rules(**given)  # type: ignore[arg-type]


def finding(code: str, *places: str) -> Finding:
    first, *others = map(Location, places)
    return Finding(
        code, "n", Severity.NOTE, Confidence.HIGH, "3 ops are odd", first, tuple(others)
    )  # fmt: skip


FOUND = ModelAudit(
    "m",
    (
        finding("PAD101", "stem/a", "head/b", "head/c"),
        finding("PAD201", "head/b"),
        finding("PAD102", ""),
    ),
    suppressed=1,
)


def test_nodes_that_are_ignored_leave_the_findings() -> None:
    left = without_nodes(FOUND, (("head/*", ("PAD1",)),))
    assert [f.code for f in left.findings] == ["PAD101", "PAD201", "PAD102"]
    assert left.findings[0].locations == (Location("stem/a"),)
    assert left.findings[0].message == "3 ops are odd; 2 of its 3 places are ignored by name"
    assert left.suppressed == 1


def test_a_finding_without_places_left_is_suppressed_and_one_of_the_whole_model_is_not() -> None:
    left = without_nodes(FOUND, (("*", ("ALL",)),))
    assert [f.code for f in left.findings] == ["PAD102"]
    assert left.suppressed == 3


def test_a_name_with_brackets_is_itself() -> None:
    found = ModelAudit("m", (finding("PAD101", "conv[1]"),))
    assert without_nodes(found, (("conv[1]", ("PAD101",)),)).findings == ()
    assert without_nodes(found, (("conv[1]", ("PAD2",)),)) == found
    assert without_nodes(found, ()) is found
