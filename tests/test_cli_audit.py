"""onnxpad audit as a person runs it: folders, selection, configuration, every exit code."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import onnxpad as package
from onnxpad.errors import UsageError
from tests.command import MAIN, Ran, assert_refused, listing, onnxpad
from tests.rules.check import chain

FINDINGS, USAGE, MODEL, WRITE = 1, 2, 3, 5
ROOT = Path(__file__).resolve().parent.parent

# A note of PAD102: one side of a stride-1 convolution is padded more than the other.
ONE_SIDED = chain(
    ("Conv", {"kernel_shape": [3, 3], "pads": [0, 0, 2, 2]}),
    ("Conv", {"kernel_shape": [3, 3], "pads": [0, 0, 2, 2]}),
).SerializeToString()
CLEAN = chain(("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})).SerializeToString()
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a model that has a note of PAD102, and one that has none."""
    folder = tmp_path / "here"
    (folder / "nets").mkdir(parents=True)
    (folder / "nets" / "odd.onnx").write_bytes(ONE_SIDED)
    (folder / "nets" / "clean.onnx").write_bytes(CLEAN)
    return folder


def audit(here: Path, *arguments: str | Path, select: str | None = "PAD102") -> Ran:
    chosen = ("--select", select) if select else ()
    ran = onnxpad("audit", *arguments, *chosen, cwd=here)
    assert "Traceback" not in ran.err + ran.out, ran.err
    assert "itself failed" not in ran.err + ran.out, ran.out
    return ran


def result(here: Path, *arguments: str | Path, select: str | None = "PAD102") -> dict[str, Any]:
    """Model → codes, of the JSON result."""
    ran = audit(here, *arguments, "--report", "json:-", select=select)
    found = json.loads(ran.out)
    return {m["model"]: [f["code"] for f in m["findings"]] for m in found["models"]}


# exit codes


def test_0_nothing_as_bad_as_an_error(here: Path) -> None:
    ran = audit(here)
    assert ran.code == 0
    assert "PAD102" in ran.out
    assert "nets/odd.onnx" in ran.out


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 0), ("warning", 0), ("note", FINDINGS), ("never", 0)]
)
def test_1_findings_as_bad_as_asked(here: Path, fail_on: str, code: int) -> None:
    assert audit(here, "--fail-on", fail_on).code == code
    assert audit(here, "nets/clean.onnx", "--fail-on", fail_on).code == 0


def test_1_becomes_0_on_demand_and_other_codes_stay(here: Path) -> None:
    assert audit(here, "--fail-on", "note", "--exit-zero").code == 0
    (here / "broken.onnx").write_bytes(b"no model")
    assert audit(here, "--fail-on", "note", "--exit-zero").code == MODEL


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--select", "PAD77"), ("flag --select", "no rule 'PAD77'")),
        (("--ignore", "pad1O2"), ("flag --ignore", "did you mean PAD102?")),
        (("--select", "PAD102", "--ignore", "PAD102"), ("no rule is selected",)),
        (("--select", "PAD901"), ("no rule is selected", "without running")),
        (("--target", "tpu"), ("flag --target", "cuda, tensorrt, openvino, coreml")),
        (("--fail-on", "bad"), ("flag --fail-on", "error, warning, note, never")),
        (("--size", "12"), ("flag --size", "512x896")),
        (("--jobs", "0"), ("--jobs",)),
        (("--report", "pdf:x"), ("sarif", "junit", "github")),
        (("--baseline", "gone.json"), ("gone.json",)),
        (("--config", "gone.toml"), ("gone.toml", "cannot be read")),
        (("empty",), ("no model (*.onnx) found below empty", "--no-ignore")),
    ],
)
def test_2_what_cannot_be_understood(
    here: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    (here / "empty").mkdir()
    assert_refused(audit(here, *arguments, select=None), USAGE, *words)


def test_2_no_model_below_the_current_folder(tmp_path: Path) -> None:
    assert_refused(audit(tmp_path), USAGE, "no model (*.onnx) found below the current folder")


def test_3_a_broken_model_does_not_stop_the_others(here: Path) -> None:
    (here / "a.onnx").write_bytes(b"")
    (here / "nets" / "lfs.onnx").write_bytes(POINTER)
    ran = audit(here, "--report", "json:-")
    assert ran.code == MODEL
    models = json.loads(ran.out)["models"]
    assert [m["model"] for m in models] == [
        "a.onnx",
        "nets/clean.onnx",
        "nets/lfs.onnx",
        "nets/odd.onnx",
    ]
    assert [m["exit_code"] for m in models] == [3, 0, 3, 0]
    assert "empty" in models[0]["error"]
    assert "a Git LFS pointer" in models[2]["error"]
    assert "git lfs pull" in models[2]["error"]
    # the highest wins
    assert audit(here, "--fail-on", "note").code == MODEL
    assert "LFS" in audit(here).out


def test_3_a_model_that_is_not_there(here: Path) -> None:
    ran = audit(here, "gone.onnx")
    assert ran.code == MODEL
    assert "gone.onnx" in ran.out
    assert "No such file" in ran.out


def test_5_a_report_that_cannot_be_written(here: Path) -> None:
    before = listing(here)
    assert_refused(audit(here, "--report", "json:no/such.json"), WRITE, "no/such.json")
    assert_refused(audit(here, "--write-baseline", "no/such.json"), WRITE, "no/such.json")
    assert listing(here) == before


# which models


def test_files_and_folders(here: Path) -> None:
    assert result(here) == {"nets/clean.onnx": [], "nets/odd.onnx": ["PAD102"]}
    assert list(result(here, "nets/odd.onnx")) == ["nets/odd.onnx"]
    assert list(result(here, "--exclude", "odd*")) == ["nets/clean.onnx"]
    assert len(result(here, "--exclude", "odd*", "--no-ignore")) == 2


def test_hostile_file_names(here: Path) -> None:
    (here / "nets" / "\x1b[31m<b>\n|x.onnx").write_bytes(ONE_SIDED)
    (here / os.fsdecode(b"\xff.onnx")).write_bytes(ONE_SIDED)
    ran = audit(here, "-v")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\\x1b[31m<b>\\x0a|x.onnx" in ran.out.replace("\n", "")
    for form in ("json", "sarif", "junit", "github", "md", "html"):
        done = audit(here, "--report", f"{form}:out.{form}", "-q")
        assert (done.code, done.out, done.err) == (0, "", "")
        text = (here / f"out.{form}").read_text("utf-8")
        assert text
        assert "\x1b" not in text


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("installed", [True, False])
def test_after_the_demo_only_the_samples(
    tmp_path: Path, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `make demo` leaves in a fresh clone: an environment, and models below build/."""
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "sample_models", clone / "sample_models")
    shutil.copy(ROOT / ".gitignore", clone)
    subprocess.run(["git", "init", "-q"], cwd=clone, check=True)
    for leftover in (".venv/lib/python3/site-packages/onnx/t.onnx", "build/demo/model.edge.onnx"):
        (clone / leftover).parent.mkdir(parents=True)
        (clone / leftover).write_bytes(b"left over")
    if not installed:
        monkeypatch.setenv("PATH", str(tmp_path))
    ran = audit(clone, "--report", "json:-", select=None)
    assert ran.code == 0, ran.out
    found = [m["model"] for m in json.loads(ran.out)["models"]]
    own = sorted(path.name for path in (ROOT / "sample_models").glob("*.onnx"))
    assert found == [f"sample_models/{name}" for name in own]


# several processes


def test_the_result_is_the_same_in_any_number_of_processes(here: Path) -> None:
    for number in range(6):
        (here / f"{number}.onnx").write_bytes(ONE_SIDED if number % 2 else b"broken")
    one = audit(here, "--jobs", "1", "--report", "json:-")
    several = audit(here, "--jobs", "3", "--report", "json:-")
    assert (one.code, several.code) == (MODEL, MODEL)
    assert one.out == several.out


def test_interrupted_it_leaves_without_a_word_too_many(here: Path) -> None:
    for number in range(300):
        (here / f"{number}.onnx").write_bytes(ONE_SIDED)
    running = subprocess.Popen(
        [sys.executable, "-c", MAIN, "audit", "--jobs", "2", "--report", "json:out.json"],
        cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(1.0)
    os.killpg(running.pid, signal.SIGINT)  # what a terminal does: the workers hear it, too
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert err == "error: interrupted\n"
    assert out == ""
    assert not (here / "out.json").exists()


# selection and configuration


def test_selection(here: Path) -> None:
    odd = "nets/odd.onnx"
    assert result(here, odd, select="ALL")[odd].count("PAD102") == 1
    assert "PAD102" not in result(here, odd, "--ignore", "PAD102", select=None)[odd]
    assert result(here, odd, select="PAD2,PAD10")[odd] == ["PAD102"]
    assert result(here, odd, "--select", "PAD2", select="PAD10")[odd] == ["PAD102"]


def write(here: Path, text: str) -> None:
    (here / "onnxpad.toml").write_text(text, "utf-8")


def test_ignored_files_and_nodes(here: Path) -> None:
    write(here, '[audit]\nper_file_ignores = {"nets/*.onnx" = ["PAD1"]}\n')
    assert result(here) == {"nets/clean.onnx": [], "nets/odd.onnx": []}
    write(here, '[audit]\nper_node_ignores = {"conv0" = ["PAD102"]}\n')
    ran = audit(here, "--report", "json:-")
    (found,) = json.loads(ran.out)["models"][1]["findings"]
    assert [place["identity"] for place in found["locations"]] == ["conv1"]
    assert "1 of its 2 places are ignored by name" in found["message"]
    write(here, '[audit]\nper_node_ignores = {"conv*" = ["ALL"]}\n')
    ran = audit(here, "--report", "json:-")
    assert json.loads(ran.out)["models"][1]["suppressed"] == 1


def test_settings_of_one_model(here: Path) -> None:
    write(here, '[[models]]\nmatch = "odd.onnx"\n[models.audit]\nignore = ["PAD102"]\n')
    assert "PAD102" not in result(here, select=None)["nets/odd.onnx"]
    write(here, '[[models]]\nmatch = "clean.onnx"\n[models.audit]\nignore = ["PAD102"]\n')
    assert "PAD102" in result(here, select=None)["nets/odd.onnx"]


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, '[audit]\nselect = ["PAD102"]\nfail_on = "note"\n')
    assert audit(here, select=None).code == FINDINGS
    monkeypatch.setenv("ONNXPAD_FAIL_ON", "warning")
    assert audit(here, select=None).code == 0
    assert audit(here, "--fail-on", "note", select=None).code == FINDINGS
    monkeypatch.setenv("ONNXPAD_SELECT", "PAD402")
    assert result(here, select=None)["nets/odd.onnx"] == []
    assert result(here)["nets/odd.onnx"] == ["PAD102"]


def test_selecting_starts_afresh(here: Path) -> None:
    write(here, '[audit]\nignore = ["PAD102"]\n')
    assert "PAD102" not in result(here, select=None)["nets/odd.onnx"]
    assert result(here)["nets/odd.onnx"] == ["PAD102"]


def test_paths_of_the_configuration(here: Path) -> None:
    write(here, '[audit]\npaths = ["nets"]\nexclude = ["nets/odd*"]\n')
    (here / "other.onnx").write_bytes(CLEAN)
    assert list(result(here)) == ["nets/clean.onnx"]
    assert list(result(here, "other.onnx")) == ["other.onnx"]
    (here / "below").mkdir()
    found = onnxpad("audit", "--report", "json:-", cwd=here / "below")
    assert [Path(m["model"]).name for m in json.loads(found.out)["models"]] == ["clean.onnx"]
    write(here, '[audit]\npaths = ["gone"]\n')
    assert_refused(audit(here), USAGE, "onnxpad.toml [audit]: paths:", "gone")
    write(here, '[audit]\nper_file_ignores = {"*" = ["PAD99"]}\n')
    assert_refused(audit(here), USAGE, "onnxpad.toml [audit]: no rule 'PAD99'")


def test_the_size_that_is_asked_about(here: Path) -> None:
    write(here, 'size = "64x96"\n')
    ran = audit(here, "--report", "json:-")
    assert json.loads(ran.out)["models"][0]["size"] == [64, 96]
    ran = audit(here, "--report", "json:-", "--size", "48x48")
    assert json.loads(ran.out)["models"][0]["size"] == [48, 48]


# the baseline


def test_a_baseline_accepts_what_is_there_and_fails_what_is_new(here: Path) -> None:
    wrote = audit(here, "--write-baseline", "known.json", "--fail-on", "note")
    assert wrote.code == 0
    assert "Wrote known.json: 2 places accepted" in wrote.err
    assert audit(here, "--baseline", "known.json", "--fail-on", "note").code == 0
    (here / "new.onnx").write_bytes(ONE_SIDED)
    ran = audit(here, "--baseline", "known.json", "--fail-on", "note", "--report", "json:-")
    assert ran.code == FINDINGS
    counts = {m["model"]: len(m["findings"]) for m in json.loads(ran.out)["models"]}
    assert counts == {"nets/clean.onnx": 0, "nets/odd.onnx": 0, "new.onnx": 1}
    write(here, '[audit]\nbaseline = "known.json"\nfail_on = "note"\n')
    assert audit(here).code == FINDINGS
    assert audit(here, "nets").code == 0


# what is printed


def test_quiet_full_and_stdout(here: Path) -> None:
    assert audit(here, "-q").out == ""
    short, full = audit(here).out, audit(here, "--full").out
    assert len(full) > len(short)
    assert json.loads(audit(here, "--report", "json:-").out)["schema"].startswith("onnxpad.audit/")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("audit --select PAD10", "PAD102"),
        ("audit --ignore PAD2,PAD10", "PAD2,PAD102"),
        ("audit --target ten", "tensorrt"),
        ("audit --fail-on w", "warning"),
        ("explain PAD10", "PAD102"),
        ("explain ref", "reflect"),
        ("explain laten", "latency"),
    ],
)
def test_the_shell_completes_codes_and_words(line: str, offered: str) -> None:
    asked = {"COMP_WORDS": f"onnxpad {line}", "COMP_CWORD": str(len(line.split()))}
    done = subprocess.run(
        [sys.executable, "-c", "from onnxpad.cli import app; app(prog_name='onnxpad')"],
        env={**os.environ, **asked, "_ONNXPAD_COMPLETE": "complete_bash"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert offered in done.stdout.split(), done.stderr


# from Python


def test_from_python(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    found = package.audit("nets", select=["PAD102"], fail_on="note", size=(64, 64))
    assert [m.model for m in found.models] == ["nets/clean.onnx", "nets/odd.onnx"]
    assert found.failed
    assert found.models[0].size == (64, 64)
    assert not package.audit(select="PAD102", exclude=["odd.onnx"]).models[0].findings
    write(here, '[audit]\nselect = ["PAD102"]\nfail_on = "note"\n')
    assert package.audit(config="onnxpad.toml").failed
    told: list[tuple[str, int, int | None]] = []
    package.audit(progress=lambda *step: told.append(step))
    assert told == [("models", 0, 2), ("models", 1, 2)]


def test_from_python_what_is_not_known(here: Path) -> None:
    with pytest.raises(UsageError, match=r"audit\(\) takes no sel; it takes exclude, .*size"):
        package.audit(here, sel="PAD1")
    with pytest.raises(UsageError, match="expected cuda"):
        package.audit(here, target=["tpu"])


def test_the_help_shows_no_type_for_a_switch() -> None:
    lines = onnxpad("audit", "--help").out.splitlines()
    switches = [line for line in lines if "--full" in line and "│" in line]
    assert switches
    assert not any("<bool>" in line for line in switches)
