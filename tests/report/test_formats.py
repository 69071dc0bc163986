import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from onnxpad.report import batch, rewriting, terminal
from onnxpad.report.formats import FORMATS
from onnxpad.report.markdown import escape
from tests.report import whole
from tests.report.refresh import scrubbed
from tests.report.summaries import halo, refused_halo, summary

# What would do something in a terminal, a page, a pull request, an attribute, a script.
EVIL = (
    "\x1b[31m\u202e\r\n\n# h\n| a | `b` |</td></script><script>alert(1)</script>"
    '<img src=x onerror=alert(2)>"onmouseover="x" @octocat #12 [x](http:'
    "//evil.example) "
    "www.evil.example ![i](javascript:x) {{ 7*7 }} &lt;b&gt; **b** ~~s~~ <!-- -->"
)


def evil_results():
    comparison = whole.hostile(EVIL)
    yield comparison
    yield summary(EVIL, comparison)
    yield halo(EVIL)
    yield refused_halo(EVIL)
    yield batch.Batch(EVIL, EVIL, (comparison, whole.bare()), ((EVIL, EVIL),), (EVIL,))


def test_formats_are_named() -> None:
    assert list(FORMATS) == ["json", "md", "html"]


def test_asking_for_formats_is_light() -> None:
    code = (
        "import sys, onnxpad.report.formats\n"
        "assert not {'jinja2', 'plotly', 'numpy', 'PIL', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("form", FORMATS)
def test_every_result_has_every_format(form: str) -> None:
    for result in evil_results():
        shown = FORMATS[form](result)
        assert shown.endswith("\n")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", scrubbed(shown))


class Tags(HTMLParser):
    """What a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def seen(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.seen


@pytest.mark.parametrize("number", range(5))
def test_a_page_has_no_tag_and_no_handler_from_a_name(number: int) -> None:
    tags = seen(scrubbed(FORMATS["html"](list(evil_results())[number])))
    assert sum(tag == "script" for tag, _ in tags) in (0, 3)
    for tag, attributes in tags:
        assert tag in ALLOWED
        assert not [name for name in attributes if name.startswith("on")]
        sources = (attributes.get("src") or "data:", attributes.get("href") or "#")
        assert all(re.match(r"data:|#c\d+$|#$", source) for source in sources)


ALLOWED = {
    *("html", "head", "meta", "title", "link", "style", "body", "header", "main", "article"),
    *(
        "section",
        "h1",
        "h2",
        "h3",
        "p",
        "span",
        "b",
        "code",
        "ul",
        "li",
        "nav",
        "a",
        "dl",
        "div",
        "dt",
        "dd",
    ),
    *("table", "thead", "tbody", "tr", "th", "td", "caption", "details", "summary", "figure"),
    *("figcaption", "label", "select", "option", "img", "script"),
}


@pytest.mark.parametrize("number", range(5))
def test_markdown_has_no_markup_from_a_name(number: int) -> None:
    shown = FORMATS["md"](list(evil_results())[number])
    assert {tag for tag, _ in seen(shown)} <= {"details", "summary"}
    assert not re.search(r"@\w|(?<!&)#\d|\]\(|://|www\.|`|<!--|\*\*b|~~|javascript:x", shown)
    for line in shown.splitlines():
        if line.startswith("|"):
            cells = line.count("|") - 1
            assert cells > 1


@pytest.mark.parametrize("make", [whole.full, whole.hostile], ids=lambda make: make.__name__)
def test_markdown_tables_are_whole(make) -> None:
    for block in FORMATS["md"](make()).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1


def test_escaping_leaves_plain_words_alone() -> None:
    assert escape("stem/conv1: 3.5 (4 px), − ×2") == "stem/conv1: 3.5 (4 px), − ×2"


def test_the_page_holds_what_the_terminal_says() -> None:
    page = FORMATS["html"](whole.full())
    for told in ("worse", "×2.10", "−0.156", "stem/conv11", "top1 falls by 0.156"):
        assert told in page
    assert scrubbed(page).count('src="data:image/png;base64,') == 6


def test_a_page_without_charts_has_no_scripts() -> None:
    page = FORMATS["html"](whole.bare())
    assert "<script" not in page
    assert "script-src &#39;none&#39;" in page
    assert len(page) < 30_000


def test_json_of_a_batch() -> None:
    found = json.loads(FORMATS["json"](batch.Batch("a", "b", (whole.bare(),), (("x", "y"),))))
    assert found["schema"] == batch.SCHEMA
    assert found["failed"] == [{"model": "x", "reason": "y"}]
    assert found["comparisons"][0]["schema"] == "onnxpad.comparison/2"


def test_terminal_of_a_batch_and_of_rewrites() -> None:
    from io import StringIO

    from rich.console import Console

    for rendered in (
        batch.render(batch.Batch(EVIL, "b", (whole.bare(),), ((EVIL, EVIL),), (EVIL,))),
        rewriting.render(summary(EVIL)),
        rewriting.render(summary(EVIL), every=True),
        rewriting.render(halo(EVIL)),
        rewriting.render(refused_halo(EVIL)),
        terminal.render(whole.hostile(EVIL)),
    ):
        console = Console(file=StringIO(), width=80)
        console.print(rendered)
        shown = console.file.getvalue()
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert all(len(line) <= 80 for line in shown.splitlines())
