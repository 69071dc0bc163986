"""docs/paper.md: every claim stands there, its pictures exist, and cheap numbers are still true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "paper.md").read_text(encoding="utf-8")


def test_every_claim_has_a_row_and_a_section():
    for number in range(1, 15):
        assert f"| [R{number}](#r{number}) |" in PAGE
        assert f"\n## R{number}\n" in PAGE


def test_pictures_are_there_and_no_others():
    shown = set(re.findall(r"\]\(pictures/([^)]+)\)", PAGE))
    assert shown == {path.name for path in (DOCS / "pictures").iterdir()}


@pytest.mark.parametrize("claim", ["r3", "r6"])
def test_a_claim_made_again_gives_what_the_page_says(claim: str, tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; import geometry; from claim import page\n"
        f"one = geometry.{claim}(Path(sys.argv[1]))\n"
        "print('\\n'.join((one.verdict, *one.found)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True,
        cwd=DOCS / "paper",
    )  # fmt: skip
    verdict, *found = done.stdout.splitlines()
    section = PAGE.partition(f"\n## {claim.upper()}\n")[2].partition("\n## ")[0]
    assert f": {verdict}." in section
    assert found
    for text in found:
        assert f"- {text}\n" in section
