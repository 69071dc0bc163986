"""The registry, the folder of rules, their tests and their documentation name the same rules."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

import onnxpad.rules
from onnxpad.rules import RULES
from onnxpad.rules.rule import SECTIONS, Rule
from tests.rules import make_docs

FOLDER = Path(onnxpad.rules.__file__).parent
TESTS = Path(__file__).parent


def _stems(folder: Path, prefix: str = "") -> set[str]:
    return {path.stem.removeprefix(prefix) for path in folder.glob(f"{prefix}pad[0-9]*.py")}


def test_registry_holds_every_file_of_the_folder_and_no_other():
    registered = [rule.module.rpartition(".")[2] for rule in RULES]
    assert len(registered) == len(set(registered))
    assert set(registered) == _stems(FOLDER)


def test_every_static_rule_has_a_test_file_and_every_test_file_a_rule():
    static = {rule.module.rpartition(".")[2] for rule in RULES if rule.check is not None}
    tested = _stems(TESTS, "test_")
    assert static <= tested
    assert tested <= _stems(FOLDER)


def test_codes_are_unique_sorted_and_well_formed():
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"PAD[1-9]\d\d", code) for code in codes)
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_docstring_has_a_title_and_the_four_sections_in_order(rule: Rule):
    lines = rule.documentation.splitlines()
    underlined = [a for a, b in pairwise(lines) if re.fullmatch("-{3,}", b)]
    assert tuple(underlined) == SECTIONS
    assert rule.title.endswith(".")
    assert lines[1] == ""
    assert all(len(rule.section(title)) > 40 for title in SECTIONS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_only_rules_that_run_by_default_may_be_errors(rule: Rule):
    assert rule.default or str(rule.severity) != "error"


def test_docs_list_the_rules_both_ways():
    written = make_docs.TARGET.read_text(encoding="utf-8")
    chapters = re.findall(r"^## (PAD\d+) ([\w-]+)$", written, re.MULTILINE)
    rows = re.findall(r"^\| \[(PAD\d+)\]\(#([\w-]+)\) \| ([\w-]+) \|", written, re.MULTILINE)
    registered = [(rule.code, rule.name) for rule in RULES]
    assert chapters == registered
    assert [(code, name) for code, _, name in rows] == registered
    assert [anchor for _, anchor, _ in rows] == [f"{c}-{n}".lower() for c, n in registered]


def test_docs_are_current():
    current = make_docs.TARGET.read_text(encoding="utf-8")
    assert current == make_docs.text(), "run: python -m tests.rules.make_docs"
