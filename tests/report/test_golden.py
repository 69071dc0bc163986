import pytest

from tests.report.refresh import GOLDEN, files, scrubbed

FILES = files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_is_what_was_looked_at(path) -> None:
    made = FILES[path]()
    assert path.read_text(encoding="utf-8") == made, "python -m tests.report.refresh writes it"


def test_nothing_old_is_left() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == {p.name for p in FILES if p.parent == GOLDEN}


def test_scrubbing() -> None:
    page = "<script>a\nb</script>x'sha256-a+/='\"data:image/png;base64,AA=\""
    assert scrubbed(page) == "<script>…</script>x'sha256-…'\"data:image/png;base64,…\""
