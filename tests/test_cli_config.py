"""onnxpad config: what is in force, in the words of the file; and the file's JSON Schema."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from onnxpad.config.files import load_config
from onnxpad.config.in_force import in_force
from onnxpad.config.spelling import written
from onnxpad.config.values import read_value
from onnxpad.errors import UsageError
from tests.command import assert_refused, onnxpad
from tests.refresh_config import ROOT, SCHEMA, text
from tests.test_config import TEXT

USAGE, WRITE = 2, 5
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

FILE = """
seed = 3
[audit]
select = ["PAD1"]
per_file_ignores = {"*.int8.onnx" = ["PAD2"]}
[[models]]
match = "a.onnx"
seed = 4
size = "3x5"
[models.audit]
target = ["cuda"]
"""


def settings(ran_out: str) -> dict[str, tuple[Any, str]]:
    found = json.loads(ran_out)
    assert found["schema"] == "onnxpad.config/1"
    lines = found["settings"]
    return {f"{x['table']}.{x['key']}".lstrip("."): (x["value"], x["origin"]) for x in lines}


# the command


def test_what_is_in_force_and_from_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "onnxpad.toml").write_text(FILE)
    monkeypatch.setenv("ONNXPAD_PROVIDER", "cpu")
    monkeypatch.setenv("ONNXPAD_EXTEND_SELECT", "PAD3, PAD4")
    ran = onnxpad("config", "a.onnx", "--report", "json:-", cwd=tmp_path)
    assert ran.code == 0, ran.err
    found = settings(ran.out)
    entry = "onnxpad.toml [[models]] 1 (a.onnx)"
    assert found["seed"] == (4, entry)
    assert found["size"] == ("3x5", entry)
    assert found["audit.target"] == (["cuda"], f"{entry} [audit]")
    assert found["audit.select"] == (["PAD1"], "onnxpad.toml [audit]")
    assert found["audit.per_file_ignores"][0] == {"*.int8.onnx": ["PAD2"]}
    assert found["audit.extend_select"] == (
        ["PAD3", "PAD4"],
        "environment ONNXPAD_EXTEND_SELECT",
    )
    assert found["provider"] == ("cpu", "environment ONNXPAD_PROVIDER")
    assert found["threads"] == (None, "default")
    other = settings(onnxpad("config", "--report", "json:-", cwd=tmp_path).out)
    assert other["seed"] == (3, "onnxpad.toml")
    assert other["audit.target"] == ([], "default")


def test_the_table(tmp_path: Path) -> None:
    ran = onnxpad("config", cwd=tmp_path)
    assert ran.code == 0
    assert re.search(r"^threads +– +default$", ran.out, re.MULTILINE)
    (tmp_path / "onnxpad.toml").write_text(FILE)
    ran = onnxpad("config", cwd=tmp_path)
    assert str(tmp_path / "onnxpad.toml") in ran.out.replace("\n", "")
    assert re.search(r"^seed +3 +onnxpad.toml$", ran.out, re.MULTILINE)
    assert re.search(r'^audit.select +\["PAD1"\] +onnxpad.toml \[audit\]$', ran.out, re.MULTILINE)
    assert re.search(r"^threads +– +default$", ran.out, re.MULTILINE)
    assert onnxpad("config", "-v", cwd=tmp_path).out == ran.out
    assert onnxpad("config", "-q", cwd=tmp_path).out == ""


def test_2_a_bad_file_or_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_refused(onnxpad("config", "--config", "no.toml", cwd=tmp_path), USAGE, "no.toml")
    (tmp_path / "onnxpad.toml").write_text("[audit]\nselekt = ['PAD1']\n")
    assert_refused(onnxpad("config", cwd=tmp_path), USAGE, "audit.selekt", "did you mean select?")
    (tmp_path / "onnxpad.toml").write_text("")
    assert_refused(onnxpad("config", "--report", "md:-", cwd=tmp_path), USAGE, "json")
    monkeypatch.setenv("ONNXPAD_JOBS", "many")
    assert_refused(onnxpad("config", cwd=tmp_path), USAGE, "environment ONNXPAD_JOBS", "whole")


def test_5_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    assert_refused(onnxpad("config", "--report", "json:no/x", cwd=tmp_path), WRITE, "no/x")


def test_hostile_values_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "onnxpad.toml").write_text('output = "\\u001b[31m[b]x\\n"\n')
    ran = onnxpad("config", cwd=tmp_path)
    assert "\x1b" not in ran.out
    assert "\\x1b[31m[b]x\\x0a" in ran.out.replace("\n", "")


# a value is written as it is read


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("size", "512x896"),
        ("preprocess", "imagenet"),
        ("preprocess", "imagenet,resize=crop:0.875,filter=bicubic"),
        ("preprocess", "bgr,resize=letterbox:topleft:114"),
        ("preprocess", "gray,scale=1/255,mean=0.1307,std=0.3081"),
        ("preprocess", "rgb,resize=short:256,mean=1:2:3"),
        ("preprocess", "resize=stretch"),
        ("preprocess", "y,resize=none,std=2"),
        ("labels", "folders"),
        ("labels", "folders=names.txt"),
        ("labels", "csv=a.csv,names=n.txt"),
        ("labels", "masks=m,map=5:1,255:ignore,*:0"),
        ("labels", "a.json"),
        ("fail_on", "note"),
        ("strict", "true"),
        ("seed", "5"),
    ],
)
def test_written_and_read_again(key: str, value: str) -> None:
    read = read_value(key, value, "here")
    again = written(key, read)
    assert read_value(key, again, "here") == read


# the schema


def test_the_schema_is_current() -> None:
    assert SCHEMA.read_text("utf-8") == text(), "run python -m tests.refresh_config"
    jsonschema.Draft202012Validator.check_schema(json.loads(text()))


def test_the_command_prints_it() -> None:
    ran = onnxpad("config", "--schema")
    assert json.loads(ran.out) == json.loads(text())


@pytest.mark.parametrize("example", [*EXAMPLES, TEXT, FILE, ""])
def test_examples_are_valid_and_read(example: str, tmp_path: Path) -> None:
    jsonschema.validate(tomllib.loads(example), json.loads(text()))
    (tmp_path / "onnxpad.toml").write_text(example)
    assert in_force(None, load_config(tmp_path / "onnxpad.toml"), {})


def test_the_page_has_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize(
    "wrong",
    [
        "sed = 1", "seed = '1'", "[audit]\nfail_on = 'all'", "[audit]\njobs = 0",
        "[audit]\ntarget = ['cpu']", "[[models]]\nseed = 1", "[audit]\nselect = 'PAD1'",
        "[[models]]\nmatch = '*'\n[models.audit]\njobs = 1",
    ],
)  # fmt: skip
def test_the_schema_and_the_reader_refuse_the_same(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(wrong), json.loads(text()))
    (tmp_path / "onnxpad.toml").write_text(wrong)
    with pytest.raises(UsageError):
        load_config(tmp_path / "onnxpad.toml")
