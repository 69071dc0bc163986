"""An audit for people: terminal, Markdown, the page."""

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from onnxpad.findings import Audit, Location, ModelAudit
from onnxpad.report import audit_terminal
from onnxpad.report.formats import AUDIT_FORMATS
from tests.report import audits
from tests.report.test_audit_formats import EVILS
from tests.report.test_browser import CHROMIUM, DARK, visit
from tests.report.test_formats import EVIL, seen

ALL = EVILS | {"all": EVIL}


def hostile():
    return pytest.mark.parametrize("evil", ALL.values(), ids=ALL)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("full", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, full: bool) -> None:
    shown = audit_terminal.text(audits.whole(), width, full=full)
    assert max(map(len, shown.splitlines())) <= width
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_the_worst_model_comes_first_and_clean_ones_are_counted() -> None:
    shown = audit_terminal.text(audits.whole())
    names = re.findall(r"^models/\S+", shown, re.MULTILINE)
    assert names == [
        "models/broken.onnx", "models/decoder.onnx", "models/resnet18.onnx",
        "models/deep/espcn.onnx",
    ]  # fmt: skip
    assert "2 models without findings" in shown
    assert "pnet" not in shown
    assert "/layer1/layer1.0/conv1/Conv (Conv) +4 more" in shown
    assert "/layer2/" not in shown


def test_long_names_are_abridged_to_fit_the_line() -> None:
    long = Location("/".join(["block"] * 40) + "/conv/Conv", "Conv")
    finding = replace(audits.uneven(), primary=long)
    for width in (72, 80, 120):
        shown = audit_terminal.text(Audit((ModelAudit("a.onnx", (finding,)),)), width)
        (line,) = [line for line in shown.splitlines() if "uneven-padding at" in line]
        assert line.endswith("/conv/Conv +4 more")
        assert width - 2 <= len(line) <= width


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ((ModelAudit("a.onnx"), ModelAudit("b.onnx")), "no findings in 2 models"),
        ((ModelAudit("a.onnx", error="cut"),), "1 model could not be audited"),
        (
            (ModelAudit("a.onnx", suppressed=1), ModelAudit("b.onnx", error="cut")),
            "1 model could not be audited; no findings in 1 model; 1 finding accepted",
        ),
        (
            (ModelAudit("a.onnx"), ModelAudit("b.onnx", (audits.deep(), audits.uneven()))),
            "1 warning, 1 note in 1 of 2 models",
        ),
    ],
)
def test_the_line_at_the_end(models: tuple[ModelAudit, ...], told: str) -> None:
    lines = audit_terminal.text(Audit(models)).splitlines()
    assert told in lines
    assert ("1 model without findings" in lines) == ("of 2 models" in told)


def test_full_has_every_place_the_why_and_what_to_do() -> None:
    shown = audit_terminal.text(audits.whole(), full=True)
    for number in range(1, 6):
        assert f"/layer{number}/layer{number}.0/conv1/Conv (Conv)" in shown
    assert shown.count("The map is shifted, layer by layer.") == 1
    assert "What to do: Feed 225×225 instead of 224×224." in shown
    assert "Reflection of more" not in shown  # that is for explain
    assert "--full" not in shown


@hostile()
@pytest.mark.parametrize("full", [False, True])
def test_a_terminal_gets_no_control_and_no_markup_from_a_name(evil: str, full: bool) -> None:
    console = Console(file=StringIO(), width=200, force_terminal=True, color_system="truecolor")
    console.print(audit_terminal.render(audits.hostile(evil), full=full))
    plain = re.sub(r"\x1b\[[\d;]*m", "", console.file.getvalue())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u2028\u202e\u2066\ud800-\udfff]", plain)
    if evil == EVILS["rich"]:
        assert "[bold]x[/bold]" in plain
        assert ":smile:" in plain


def test_colour_is_for_terminals() -> None:
    def shown(system: str | None) -> str:
        console = Console(file=StringIO(), width=80, color_system=system, no_color=False)
        console.print(audit_terminal.render(audits.whole()))
        return console.file.getvalue()

    assert "\x1b[1;31m" in shown("standard")
    assert "\x1b" not in shown(None)


@hostile()
def test_markdown_has_no_markup_from_a_name(evil: str) -> None:
    shown = AUDIT_FORMATS["md"](audits.hostile(evil))
    assert {tag for tag, _ in seen(shown)} <= {"details", "summary"}
    assert not re.search(r"@\w|(?<!&)#\d|\]\(|://|www\.|`|<!--|\*\*c|~~|javascript:x", shown)
    for block in shown.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    assert all(line.count("| ") == 4 for line in shown.splitlines() if line.startswith("| "))


def test_markdown_fits_a_comment() -> None:
    places = tuple(Location(f"/block{n}/conv/Conv", "Conv", "x" * 80) for n in range(500))
    finding = replace(audits.uneven(), related=places)
    many = tuple(ModelAudit(f"models/{n}.onnx", (finding,)) for n in range(300))
    clean = tuple(ModelAudit(f"clean/{n:04}.onnx") for n in range(3000))
    shown = AUDIT_FORMATS["md"](Audit(many + clean, audits.RULES))
    assert len(shown) < 65_536
    assert re.search(r"… and \d+ more models", shown)
    assert "… and 461 more" in shown
    assert "3000 models without findings" in shown
    assert "Feed the nearest even size" in shown


@hostile()
def test_a_page_has_no_tag_and_no_handler_from_a_name(evil: str) -> None:
    for tag, attributes in seen(AUDIT_FORMATS["html"](audits.hostile(evil))):
        assert tag not in ("script", "img", "iframe", "x")
        assert not [name for name in attributes if name.startswith("on")]
        assert re.match(r"data:,$|#(m\d+|PAD\d{3})$", attributes.get("href") or "#m0")


def test_a_page_links_what_it_holds() -> None:
    tags = seen(AUDIT_FORMATS["html"](audits.whole()))
    identities = {attributes.get("id") for _, attributes in tags} - {None}
    links = {a["href"][1:] for tag, a in tags if tag == "a" and a["href"]}
    assert links == identities


def test_a_page_sets_commands_in_rules_as_code() -> None:
    assert "which <code>onnxpad study sizes</code> lists" in AUDIT_FORMATS["html"](audits.whole())


def test_a_page_says_what_would_fail() -> None:
    assert "Errors fail this audit: it failed." in AUDIT_FORMATS["html"](audits.whole())
    never = replace(audits.whole(), fail_on=None)
    assert "No finding fails this audit." in AUDIT_FORMATS["html"](never)


needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@needs_browser
@pytest.mark.parametrize("flags", [(), (DARK,)], ids=["light", "dark"])
def test_quiet_in_a_browser(flags: tuple[str, ...], tmp_path: Path) -> None:
    found = visit(AUDIT_FORMATS["html"](audits.hostile(EVIL)), tmp_path, *flags)
    assert found.console == []
    assert found.requests == []
    assert "<script" not in found.dom


@needs_browser
def test_no_line_of_the_page_is_wider_than_a_phone(tmp_path: Path) -> None:
    probe = (
        '<iframe src="../inner/page.html" style="width:390px;height:3000px"></iframe><script>'
        'onload = () => { const d = document.querySelector("iframe").contentDocument;'
        "document.title = d.documentElement.scrollWidth; }</script>"
    )
    (tmp_path / "inner").mkdir()
    page = AUDIT_FORMATS["html"](audits.hostile("x" * 300))
    (tmp_path / "inner" / "page.html").write_text(page, encoding="utf-8")
    folder = tmp_path / "outer"
    folder.mkdir()
    flags = ("--allow-file-access-from-files", "--window-size=420,3000")
    width = re.search(r"<title>(\d+)", visit(probe, folder, *flags).dom)
    assert width is not None
    assert int(width[1]) <= 390
