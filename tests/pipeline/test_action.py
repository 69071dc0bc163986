"""action.yml: what it says is checked, what it runs is run, with the variables GitHub sets."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.command import Ran
from tests.features import FEATURES
from tests.pipeline.installed import libraries, program, run, skip_without_index
from tests.rules.check import chain

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step.get("id", step["name"]): step for step in ACTION["runs"]["steps"]}
SHELL = {name: step for name, step in STEPS.items() if "run" in step}
USED = re.compile(r"\b(inputs\.[\w-]+|steps\.[\w-]+\.outputs\.[\w-]+)")
BASH = shutil.which("bash") or "bash"

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


class Job:
    """A runner's folders and files, and the environment of its steps."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        self.workspace, self.temp = folder / "a workspace", folder / "temp"
        for made in (self.workspace, self.temp):
            made.mkdir(parents=True)
        self.values = {
            f"inputs.{name}": str(inputs.get(name.replace("-", "_"), given["default"]))
            for name, given in ACTION["inputs"].items()
        }
        self.summary = folder / "summary.md"

    def step(self, name: str, extra: Mapping[str, str] | None = None) -> Ran:
        """Run one shell step as the runner does; its outputs are there for the next."""
        output = self.temp / f"{name}.output"
        output.touch()
        self.summary.touch()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            **{key: self.filled(value) for key, value in STEPS[name]["env"].items()},
            **(extra or {}),
        }
        # the command line that GitHub documents for `shell: bash`
        command = [BASH, "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
        ran = run(command, self.workspace, environment)
        for line in output.read_text("utf-8").splitlines():
            key, _, value = line.partition("=")
            self.values[f"steps.{name}.outputs.{key}"] = value
        return ran

    def filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: self.values.get(found[1], ""), text)

    def audit(self, onnxpad: Path) -> Ran:
        """The audit step with an onnxpad that is there already."""
        home = self.temp / "results"
        home.mkdir(exist_ok=True)
        self.values["steps.install.outputs.onnxpad"] = str(onnxpad)
        self.values["steps.install.outputs.home"] = str(home)
        return self.step("audit")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "runner")


@pytest.fixture
def onnxpad(tmp_path: Path) -> Path:
    return program(tmp_path / "bin") / "onnxpad"


def _model(folder: Path, name: str = "good.onnx") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FEATURES["conv_plain"]().SerializeToString())
    return path


# --- what it says --------------------------------------------------------------------------------


def test_no_expression_reaches_a_script() -> None:
    """An expression is pasted into a script before bash reads it: a value could be a command."""
    assert SHELL
    for name, step in SHELL.items():
        assert "${{" not in step["run"], name
        assert step["shell"] == "bash"


def test_what_is_used_is_declared() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    used = set(USED.findall(text))
    declared = {f"inputs.{name}" for name in ACTION["inputs"]}
    outputs = {
        f"steps.{name}.outputs.{key}"
        for name, keys in {
            "install": ("home", "onnxpad"),
            "audit": ("exit-code", "sarif", "json"),
        }.items()
        for key in keys
    }
    assert used == declared | outputs
    for given in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert given["description"].strip()


def test_other_actions_are_pinned() -> None:
    others = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]
    assert [other.split("@")[0] for other in others] == ["github/codeql-action/upload-sarif"]
    assert all(re.fullmatch(r"[0-9a-f]{40}", other.split("@")[1]) for other in others)


def test_documented_inputs_exist() -> None:
    page = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    for name in ACTION["inputs"]:
        assert f"`{name}`" in page, f"docs/pipelines.md does not tell of {name}"


# --- what it does --------------------------------------------------------------------------------


@needs_bash
def test_audit_of_a_repository(job: Job, onnxpad: Path) -> None:
    _model(job.workspace, "models/with a blank.onnx")
    ran = job.audit(onnxpad)
    assert ran.code == 0, ran.err
    assert job.values["steps.audit.outputs.exit-code"] == "0"
    sarif = json.loads(Path(job.values["steps.audit.outputs.sarif"]).read_text("utf-8"))
    assert sarif["version"] == "2.1.0"
    assert json.loads(Path(job.values["steps.audit.outputs.json"]).read_text("utf-8"))
    assert "with a blank.onnx" in job.summary.read_text("utf-8")
    assert job.step("Result").code == 0


@needs_bash
def test_a_broken_model_fails_the_job_and_is_told(job: Job, onnxpad: Path) -> None:
    _model(job.workspace)
    (job.workspace / "broken.onnx").write_bytes(b"this is no model")
    ran = job.audit(onnxpad)
    assert ran.code == 0, "the step that uploads must still come"
    assert job.values["steps.audit.outputs.exit-code"] == "3"
    assert "broken.onnx" in job.summary.read_text("utf-8")
    assert job.step("Result").code == 3


@needs_bash
def test_nothing_to_audit(job: Job, onnxpad: Path) -> None:
    assert job.audit(onnxpad).code == 0
    assert job.values["steps.audit.outputs.exit-code"] == "2"
    assert "steps.audit.outputs.sarif" not in job.values
    assert job.step("Result").code == 2


@needs_bash
def test_paths_and_arguments_are_words_not_commands(tmp_path: Path, onnxpad: Path) -> None:
    """Blanks, quotes, substitutions, leading dashes and shell signs stay what they are."""
    evil = "$(touch pwned) `touch pwned` ; touch pwned #.onnx"
    job = Job(
        tmp_path / "runner",
        paths=f"{evil}\n--exit-zero.onnx\n",
        args="--select=PAD\n",
        fail_on="never",
    )
    for name in (evil, "--exit-zero.onnx", "not asked for.onnx"):
        _model(job.workspace, name)
    ran = job.audit(onnxpad)
    assert ran.code == 0, ran.err
    assert job.values["steps.audit.outputs.exit-code"] == "0", ran.err
    found = json.loads(Path(job.values["steps.audit.outputs.json"]).read_text("utf-8"))
    assert {model["model"] for model in found["models"]} == {evil, "--exit-zero.onnx"}
    assert not list(job.workspace.rglob("pwned"))


@needs_bash
@pytest.mark.parametrize("fail_on", ["$(exit 0)", "never; true", "", "fatal"])
def test_nonsense_of_fail_on_is_a_usage_error(fail_on: str, tmp_path: Path, onnxpad: Path) -> None:
    job = Job(tmp_path / "runner", fail_on=fail_on)
    _model(job.workspace)
    job.audit(onnxpad)
    assert job.values["steps.audit.outputs.exit-code"] == "2"


def _commands(log: str) -> list[str]:
    """The commands that a runner finds in a step's log: it trims lines, and can be told to stop."""
    found, until = [], ""
    for line in map(str.strip, log.splitlines()):
        if until:
            until = "" if line == f"::{until}::" else until
        elif line.startswith("::stop-commands::"):
            until = line.removeprefix("::stop-commands::")
        elif line.startswith("::"):
            found.append(line)
    assert not until, "commands were stopped for good"
    return found


@needs_bash
def test_names_are_no_commands(tmp_path: Path, onnxpad: Path) -> None:
    """Long lines are wrapped, so that a name can begin a line of the log."""
    job = Job(tmp_path / "runner", args="--full")
    net = chain(("Conv", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}))
    net.graph.node[0].name = "::add-mask::a " * 20
    (job.workspace / "net.onnx").write_bytes(net.SerializeToString())
    ran = job.audit(onnxpad)
    assert "add-mask" in ran.out
    commands = _commands(ran.out)
    assert commands
    assert all(re.match(r"::(?:error|warning|notice) file=", line) for line in commands)


@needs_bash
def test_annotations_can_be_left_out(tmp_path: Path, onnxpad: Path) -> None:
    told = {}
    for wanted in ("true", "false"):
        job = Job(tmp_path / wanted, annotations=wanted)
        (job.workspace / "broken.onnx").write_bytes(b"this is no model")
        told[wanted] = job.audit(onnxpad).out
    assert [line.split()[0] for line in _commands(told["true"])] == ["::error"]
    assert not _commands(told["false"])


# --- installing ----------------------------------------------------------------------------------


@needs_bash
@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"version": "1.0; touch pwned"}, "version"),
        ({"version": "../elsewhere"}, "version"),
        ({"version": "--pre"}, "version"),
        ({"extras": "detection]; touch pwned"}, "extras"),
        ({"python": "false"}, "python"),
    ],
)
def test_install_refuses(wrong: dict[str, str], word: str, tmp_path: Path) -> None:
    job = Job(tmp_path / "runner", **{"python": sys.executable, **wrong})
    ran = job.step("install")
    assert ran.code == 2
    assert ran.out.startswith(f"::error title=onnxpad::{word}: expected")
    assert not list(tmp_path.rglob("pwned"))
    assert not (job.temp / "onnxpad" / "venv").exists()


@needs_bash
def test_install_from_the_checkout(tmp_path: Path) -> None:
    """Into an environment of its own; the libraries stand by, in place of 700 MB of downloads."""
    job = Job(tmp_path / "runner", python=sys.executable)
    extra = {"PYTHONPATH": str(libraries(tmp_path / "libraries"))}
    extra |= {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
    ran = job.step("install", extra)
    skip_without_index(ran)
    assert ran.code == 0, ran.err
    assert re.search(r"^onnxpad \d", ran.out, re.MULTILINE)
    installed = Path(job.values["steps.install.outputs.onnxpad"])
    assert installed.is_relative_to(job.temp)
    _model(job.workspace)
    environment = {"PYTHONPATH": str(tmp_path / "libraries"), "PATH": os.environ["PATH"]}
    assert run([installed, "sites", "good.onnx"], job.workspace, environment).code == 0
