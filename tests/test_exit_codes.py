"""The exit codes that README promises, for every command.

0 done · 1 findings, or a budget missed · 2 usage or data · 3 model not readable · 4 a run failed ·
5 cannot write; with several models the highest wins; 130 after Ctrl-C.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from onnx import TensorProto, helper

import onnxpad as library
from onnxpad.cli import app
from tests.command import MAIN, onnxpad
from tests.features import FEATURES
from tests.rules.check import chain

DONE, MISSED, USAGE, MODEL, RUN, WRITE = range(6)
INTERRUPTED = 130

# A window of a strided convolution that never reads the padding at the end: a warning.
UNEVEN = ("Conv", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]})
# Most of a run's time would go to timing.
QUICK = (
    "from importlib import import_module\nimport_module('onnxpad.comparing').LATENCY_SECONDS = 0.05"
)
FEW = "--samples 2 --provider cpu"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that are good, that have a finding, that cannot be read, that cannot be run."""
    folder = tmp_path_factory.mktemp("place")
    good = FEATURES["conv_plain"]().SerializeToString()
    (folder / "good.onnx").write_bytes(good)
    library.rewrite(folder / "good.onnx", "edge").save(folder / "edge.onnx")
    (folder / "uneven.onnx").write_bytes(chain(UNEVEN).SerializeToString())
    (folder / "broken.onnx").write_bytes(b"this is no model")
    (folder / "unknown.onnx").write_bytes(_unknown_operator())
    for name, models in {
        "a": {"x.onnx": "good.onnx", "y.onnx": "good.onnx"},
        "b": {"x.onnx": "edge.onnx", "y.onnx": "broken.onnx"},
        "mixed": {"x.onnx": "uneven.onnx", "y.onnx": "broken.onnx"},
        "empty": {},
    }.items():
        (folder / name).mkdir()
        for target, source in models.items():
            shutil.copy(folder / source, folder / name / target)
    (folder / "wrong.toml").write_text("no_such_key = 1\n")
    (folder / "wrong.json").write_text("{}")
    made = onnxpad(
        "compare", "good.onnx", "edge.onnx", *FEW.split(), "--report", "json:result.json",
        cwd=folder, before=QUICK,
    )  # fmt: skip
    assert made.code == 0, made.err
    return folder


def _unknown_operator() -> bytes:
    """A convolution, and an operator that no runtime has."""
    made = chain(UNEVEN)
    made.graph.node.append(helper.make_node("Mystery", ["t0"], ["y"], domain="nowhere"))
    made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, None))
    made.opset_import.append(helper.make_opsetid("nowhere", 1))
    return made.SerializeToString()


# Command lines in a folder with the models above → exit code.
TABLE = {
    "--version": DONE,
    "--help": DONE,
    "": USAGE,
    "no-such-command": USAGE,
    # sites
    "sites good.onnx": DONE,
    "sites good.onnx --no-such-option": USAGE,
    "sites good.onnx --report md:-": USAGE,
    "sites broken.onnx": MODEL,
    "sites nowhere.onnx": MODEL,
    "sites good.onnx --report json:nowhere/x.json": WRITE,
    # rewrite
    "rewrite good.onnx --mode edge --dry-run": DONE,
    f"rewrite good.onnx --mode edge -o OUT {FEW}": DONE,
    f"rewrite good.onnx --mode edge -o OUT {FEW} --budget difference<=0": MISSED,
    f"rewrite good.onnx --mode edge -o OUT {FEW} --budget difference<=0 --exit-zero": DONE,
    "rewrite good.onnx --mode reflect -o OUT --no-compare": DONE,
    "rewrite good.onnx --mode sideways -o OUT": USAGE,
    "rewrite good.onnx --mode edge -o OUT --budget nothing<=0": USAGE,
    "rewrite good.onnx --mode edge -o good.onnx": USAGE,
    "rewrite broken.onnx --mode edge -o OUT": MODEL,
    f"rewrite unknown.onnx --mode edge -o OUT {FEW}": RUN,
    "rewrite good.onnx --mode edge --no-compare -o nowhere/out.onnx": WRITE,
    # compare
    f"compare good.onnx edge.onnx {FEW}": DONE,
    f"compare good.onnx edge.onnx {FEW} --budget difference<=0": MISSED,
    f"compare good.onnx edge.onnx {FEW} --budget agreement>=0.5": MISSED,
    f"compare good.onnx edge.onnx {FEW} --budget difference<=0 --exit-zero": DONE,
    "compare good.onnx a": USAGE,
    f"compare good.onnx edge.onnx {FEW} --data empty": USAGE,
    f"compare good.onnx edge.onnx {FEW} --config wrong.toml": USAGE,
    f"compare good.onnx broken.onnx {FEW}": MODEL,
    f"compare unknown.onnx unknown.onnx {FEW}": RUN,
    f"compare good.onnx edge.onnx {FEW} --report json:nowhere/x.json": WRITE,
    f"compare a b {FEW} --budget difference<=0": MODEL,
    # audit
    "audit good.onnx": DONE,
    "audit uneven.onnx": DONE,
    "audit uneven.onnx --fail-on warning": MISSED,
    "audit uneven.onnx --fail-on note": MISSED,
    "audit uneven.onnx --fail-on warning --exit-zero": DONE,
    "audit uneven.onnx --fail-on never": DONE,
    "audit uneven.onnx --fail-on warning --ignore PAD1": DONE,
    "audit uneven.onnx --fail-on loudly": USAGE,
    "audit uneven.onnx --select PAD777": USAGE,
    "audit uneven.onnx --target abacus": USAGE,
    "audit uneven.onnx --size 7": USAGE,
    "audit uneven.onnx --baseline nowhere.json": USAGE,
    "audit uneven.onnx --baseline wrong.json": USAGE,
    "audit uneven.onnx --config wrong.toml": USAGE,
    "audit uneven.onnx --report sarif": USAGE,
    "audit empty": USAGE,
    "audit broken.onnx": MODEL,
    "audit broken.onnx --exit-zero": MODEL,
    "audit nowhere.onnx": MODEL,
    "audit mixed --fail-on warning": MODEL,
    "audit mixed --fail-on never": MODEL,
    "audit mixed --jobs 2 --fail-on warning": MODEL,
    f"audit unknown.onnx --measure {FEW}": RUN,
    "audit uneven.onnx --fail-on warning --report json:nowhere/x.json": WRITE,
    # gate
    "gate result.json --budget difference<=1000000": DONE,
    "gate result.json --budget difference<=0": MISSED,
    "gate result.json --budget difference<=0 --exit-zero": DONE,
    "gate result.json --budget warn:difference<=0": DONE,
    "gate result.json --budget warn:difference<=0 --strict": MISSED,
    "gate result.json --budget agreement>=0.5": MISSED,
    "gate result.json --budget nothing<=0": USAGE,
    "gate wrong.json --budget difference<=0": USAGE,
    "gate nowhere.json --budget difference<=0": USAGE,
    "gate good.onnx --budget difference<=0": USAGE,
    "gate": USAGE,
    "gate result.json --budget difference<=0 --report junit:nowhere/x.xml": WRITE,
    # config, explain
    "config": DONE,
    "config --config wrong.toml": USAGE,
    "config --config nowhere.toml": USAGE,
    "explain": DONE,
    "explain PAD101": DONE,
    "explain reflect": DONE,
    "explain context_error": DONE,
    "explain nothing-like-it": USAGE,
}


@pytest.mark.parametrize("line", TABLE)
def test_exit_code(line: str, place: Path, tmp_path: Path) -> None:
    words = [word if word != "OUT" else str(tmp_path / "out.onnx") for word in line.split()]
    ran = onnxpad(*words, cwd=place, before=QUICK)
    assert ran.code == TABLE[line], f"{ran.code} in place of {TABLE[line]}\n{ran.out}\n{ran.err}"
    assert "Traceback" not in ran.err
    assert "itself failed" not in ran.err
    if ran.code and line:
        assert (ran.err + ran.out).strip(), "fails without a word"


COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_every_command_is_in_the_table() -> None:
    tried = {line.split()[0] for line in TABLE if line and not line.startswith("-")}
    assert tried - {"no-such-command"} == set(COMMANDS) - {"study"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command: str) -> None:
    ran = onnxpad(command, "--help")
    assert ran.code == DONE
    assert re.search(rf"Usage: .*\b{command}\b", ran.out)
    assert onnxpad(command, "--no-such-option").code == USAGE


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there may be a GPU")
@pytest.mark.parametrize(
    "line",
    [
        "compare good.onnx edge.onnx --samples 2",
        "audit uneven.onnx --measure",
        "rewrite good.onnx --mode edge -o no-gpu.onnx",
    ],
)
def test_provider_that_is_not_there(line: str, place: Path) -> None:
    ran = onnxpad(*line.split(), "--provider", "cuda", cwd=place)
    assert ran.code == RUN, ran.out + ran.err
    assert not (place / "no-gpu.onnx").exists()


def _interrupt(arguments: list[str], folder: Path) -> tuple[int, str]:
    """Ctrl-C in the middle, which the terminal sends to a command and its workers alike."""
    ready = "import onnxpad.cli\nprint('ready', flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{ready}\n{MAIN}", *arguments],
        cwd=folder, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.7)
        if child.poll() is not None:
            pytest.fail("it was done before it could be interrupted")
        os.killpg(child.pid, signal.SIGINT)
        _, told = child.communicate(timeout=60)
    return child.returncode, told


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_in_an_audit(jobs: str, tmp_path: Path) -> None:
    long = chain(*[UNEVEN, *[("Relu", {})] * 4] * 400, shape=(1, 3, 224, 224)).SerializeToString()
    for number in range(60):
        (tmp_path / f"{number}.onnx").write_bytes(long)
    report = tmp_path / "report.json"
    code, told = _interrupt(["audit", "--jobs", jobs, "--report", f"json:{report}"], tmp_path)
    assert code == INTERRUPTED, told
    assert "Traceback" not in told
    assert "interrupted" in told
    assert not report.exists()


def test_ctrl_c_in_a_comparison(place: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    models = [str(place / "good.onnx"), str(place / "edge.onnx")]
    code, told = _interrupt(["compare", *models, "--report", f"json:{report}"], tmp_path)
    assert code == INTERRUPTED, told
    assert "Traceback" not in told
    assert not report.exists()


def test_saved_results_are_what_the_gate_was_given(place: Path) -> None:
    """The rows about the gate have a subject: the result holds the quantity they limit."""
    assert json.loads((place / "result.json").read_text())["outputs"]
