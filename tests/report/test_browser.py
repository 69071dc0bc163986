"""The page in a real browser: nothing in its console, nothing over the network, charts drawn."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from onnxpad.report import study_html
from onnxpad.report.html import dumps
from onnxpad.study import Chart, ModelStudy, Picture, Series, Study, Table
from tests.report import whole
from tests.report.test_formats import EVIL

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
    "--log-level=0",
    "--virtual-time-budget=10000",
    "--dump-dom",
)
# Whom a browser calls of its own accord, whatever the page.
ITS_OWN = ("google.com", "googleapis.com", "gstatic.com")
NOWHERE = "http:" + "//127.0.0.1:9/picture.png"
CONTROL = f"""<!doctype html><title>control</title><script>
console.error("seen"); document.title = "ran";
new Image().src = "{NOWHERE}";
</script>"""


@dataclass(frozen=True)
class Visit:
    """What the browser made of a page."""

    dom: str
    console: list[str]
    requests: list[str]


def visit(page: str, folder: Path, *flags: str) -> Visit:
    file, log = folder / "page.html", folder / "net.json"
    file.write_text(page, encoding="utf-8")
    profile = folder / "profile"
    command = [CHROMIUM, *FLAGS, *flags, f"--log-net-log={log}", f"--user-data-dir={profile}"]
    done = subprocess.run(
        [*command, file.as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    text = log.read_text(encoding="utf-8", errors="replace")
    urls = {url for url in re.findall(r'"url":"([^"]+)"', text) if url.startswith(("http", "ws"))}
    return Visit(
        done.stdout,
        [line for line in done.stderr.splitlines() if "CONSOLE" in line],
        sorted(url for url in urls if not (urlsplit(url).hostname or "").endswith(ITS_OWN)),
    )


def test_the_browser_would_tell(tmp_path: Path) -> None:
    found = visit(CONTROL, tmp_path)
    assert any("seen" in line for line in found.console)
    assert NOWHERE in found.requests


DARK = "--blink-settings=preferredColorScheme=0"


@pytest.mark.parametrize(
    ("make", "flags"),
    [(whole.full, ()), (whole.full, (DARK,)), (whole.bare, ()), (whole.mixed, ())],
    ids=["full", "dark", "bare", "mixed"],
)
def test_quiet_and_whole(make, flags: tuple[str, ...], tmp_path: Path) -> None:
    page = dumps(make())
    found = visit(page, tmp_path, *flags)
    assert found.console == []
    assert found.requests == []
    wanted = page.count("data-chart=") + page.count("data-side=") - script_mentions(page)
    assert found.dom.count('class="main-svg"') >= wanted


@pytest.mark.parametrize("flags", [(), (DARK,)], ids=["light", "dark"])
def test_a_study_is_quiet_and_its_charts_are_drawn(flags: tuple[str, ...], tmp_path: Path) -> None:
    page = study_html.dumps(study_of(EVIL))
    found = visit(page, tmp_path, *flags)
    assert found.console == []
    assert found.requests == []
    assert '<img src="x"' not in found.dom
    assert found.dom.count('class="main-svg"') >= page.count("data-chart=") - script_mentions(page)


def study_of(name: str) -> Study:
    values = np.linspace(0.0, 1.0, 12).reshape(3, 4)
    one = ModelStudy(
        name,
        said=(name,),
        tables=(Table("t", name, (name, "b"), ((name, 1.0),)),),
        pictures=(Picture("p", name, values),),
        charts=(Chart("c", name, name, name, (Series(name, (1, 2), (0.0, 1.0)),)),),
    )
    return Study("maps", name, name, (one, ModelStudy(name, absent=name)))


def script_mentions(page: str) -> int:
    """Selectors in the scripts, which are no charts."""
    return sum(
        script.count("data-chart=") + script.count("data-side=")
        for script in re.findall(r"<script>.*?</script>", page, re.DOTALL)
    )


def test_hostile_names_run_nothing(tmp_path: Path) -> None:
    found = visit(dumps(whole.hostile(EVIL)), tmp_path)
    assert found.console == []
    assert found.requests == []
    assert '<img src="x"' not in found.dom
    assert found.dom.count("<script") == 3


def test_what_slips_through_is_stopped_by_the_policy(tmp_path: Path) -> None:
    page = dumps(whole.full())
    slipped = f'<script>document.title = "ran"</script><img src="{NOWHERE}">'
    found = visit(page.replace("</main>", slipped + "</main>"), tmp_path)
    assert found.console
    assert "<title>ran" not in found.dom
    assert found.requests == []


@pytest.mark.parametrize(
    "make",
    [lambda: dumps(whole.hostile(EVIL)), lambda: study_html.dumps(study_of("a" * 90))],
    ids=["comparison", "study"],
)
def test_no_line_of_the_page_is_wider_than_a_phone(make, tmp_path: Path) -> None:
    """Wide tables scroll by themselves; the page does not."""
    probe = (
        '<iframe src="page.html" style="width:390px;height:3000px"></iframe><script>'
        'onload = () => { const d = document.querySelector("iframe").contentDocument;'
        "document.title = d.documentElement.scrollWidth; }</script>"
    )
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "page.html").write_text(make(), encoding="utf-8")
    folder = tmp_path / "outer"
    folder.mkdir()
    flags = ("--allow-file-access-from-files", "--window-size=420,3000")
    found = visit(probe.replace("page.html", "../inner/page.html"), folder, *flags)
    width = re.search(r"<title>(\d+)", found.dom)
    assert width is not None
    assert int(width[1]) <= 390


def test_the_data_of_the_charts_is_plain_json() -> None:
    page = dumps(whole.mixed())
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data[1], parse_constant=pytest.fail)
