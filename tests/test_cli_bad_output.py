"""Output that cannot be written, or is cut short: nothing half-written, nothing of others lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from tests.command import MAIN, assert_refused, listing, rewrite
from tests.features import FEATURES, FILES

USAGE, WRITE = 2, 5


# --- outputs that cannot be written --------------------------------------------------------------


def _existing(out: Path) -> Path:
    out.write_bytes(b"precious")
    return out


def test_output_is_input(good: Path) -> None:
    before = listing(good.parent)
    for arguments in ((), ("--force",)):
        assert_refused(rewrite(good, "-o", good, *arguments), USAGE, "good.onnx")
    assert listing(good.parent) == before


@pytest.mark.parametrize("kind", ["symlink", "hardlink", "dots", "linked-folder"])
def test_output_is_input_by_another_name(kind: str, good: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.onnx"
    if kind == "symlink":
        out.symlink_to(good)
    elif kind == "hardlink":
        out.hardlink_to(good)
    elif kind == "dots":
        out = good.parent / ".." / "models" / "good.onnx"
    else:
        (tmp_path / "linked").symlink_to(good.parent)
        out = tmp_path / "linked" / "good.onnx"
    before = good.read_bytes()
    assert_refused(rewrite(good, "-o", out, "--force"), USAGE, out.name)
    assert good.read_bytes() == before


def test_output_is_input_data(tmp_path: Path) -> None:
    """The model's external data is input too."""
    path = FILES["external_weights"](tmp_path)
    data = next(tmp_path.glob("*.data"))
    before = listing(tmp_path)
    ran = rewrite(path, "-o", data, "--force")
    assert "Traceback" not in ran.err
    assert ran.code in (USAGE, WRITE), ran.err
    assert listing(tmp_path) == before


def test_output_of_someone_else_is_kept(good: Path, tmp_path: Path) -> None:
    """Without --force only onnxpad's own outputs are replaced."""
    out = _existing(tmp_path / "out.onnx")
    assert_refused(rewrite(good, "-o", out), USAGE, "--force")
    assert out.read_bytes() == b"precious"
    assert rewrite(good, "-o", out, "--force").code == 0
    first = out.read_bytes()
    assert first != b"precious"
    assert rewrite(good, "-o", out).code == 0, "its own output is replaced without asking"
    assert out.read_bytes() == first


OUTPUTS = ["below-a-file", "folder-missing", "is-a-folder", "proc", "endless-name"]


@pytest.mark.parametrize("case", OUTPUTS)
def test_output_that_cannot_be(case: str, good: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    out = {
        "below-a-file": tmp_path / "file" / "out.onnx",
        "folder-missing": tmp_path / "nowhere" / "out.onnx",
        "is-a-folder": tmp_path / "folder",
        "proc": Path("/proc/out.onnx"),
        "endless-name": tmp_path / ("o" * 300 + ".onnx"),
    }[case]
    before = listing(tmp_path)
    assert_refused(rewrite(good, "-o", out, "--force"), WRITE, out.name[:20])
    assert listing(tmp_path) == before


def test_output_is_no_plain_file(good: Path, tmp_path: Path) -> None:
    """A pipe or device is not replaced by a file, not even with --force."""
    out = tmp_path / "pipe.onnx"
    os.mkfifo(out)
    for arguments, code in (((), USAGE), (("--force",), WRITE)):
        assert_refused(rewrite(good, "-o", out, *arguments), code, "pipe.onnx")
    assert out.is_fifo()


def test_plan_that_cannot_be_saved(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    (tmp_path / "file").touch()
    ran = rewrite(good, "-o", out, "--save-plan", tmp_path / "file" / "plan.json")
    assert_refused(ran, WRITE, "plan.json")


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
"""


@pytest.mark.parametrize("limit", [0, 300, 4096])
@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
def test_disk_full(limit: int, existing: bool, tmp_path: Path) -> None:
    """The kernel refuses to write beyond the limit, as a full disk does."""
    made = FEATURES["conv_plain"]()
    made.doc_string = "long " * 2000
    path, out = tmp_path / "model.onnx", tmp_path / "out.onnx"
    path.write_bytes(made.SerializeToString())
    if existing:
        _existing(out)
    before = listing(tmp_path)
    ran = rewrite(path, "-o", out, "--force", before=FULL.format(bytes=limit))
    assert_refused(ran, WRITE, "out.onnx")
    assert listing(tmp_path) == before


def test_disk_full_while_copying_data(tmp_path: Path) -> None:
    """--self-contained copies the data first; a disk that fills then leaves neither file."""
    folder, other = tmp_path / "models", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    path = FILES["external_weights"](folder)
    before = FULL.format(bytes=100)
    ran = rewrite(path, "-o", other / "out.onnx", "--self-contained", before=before)
    assert_refused(ran, WRITE)
    assert not list(other.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, where the tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None:
        pytest.skip("no mount command")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run([unmount, folder], check=True)


def test_disk_really_full(small_disk: Path, tmp_path: Path) -> None:
    path = _large(tmp_path, mebibytes=1)
    ran = rewrite(path, "-o", small_disk / "out.onnx")
    assert_refused(ran, WRITE, "out.onnx")
    assert not list(small_disk.iterdir())


# --- killed in the middle ------------------------------------------------------------------------


def _large(folder: Path, mebibytes: int) -> Path:
    """A model with that much in its own file, so that writing takes a while."""
    made = FEATURES["conv_plain"]()
    filler = made.graph.initializer.add(name="unused", data_type=TensorProto.UINT8)
    filler.dims.append(mebibytes << 20)
    filler.raw_data = bytes(mebibytes << 20)
    path = folder / "large.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def _kill_while_writing(path: Path, out: Path, patience: float) -> bool:
    """Start a rewrite, kill it ``patience`` seconds after its first file; whether it was killed."""
    before = set(out.parent.iterdir())
    command = [sys.executable, "-c", MAIN, "rewrite", path, "--mode", "edge", "--no-compare"]
    with subprocess.Popen(
        [*map(str, command), "-o", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        while child.poll() is None and set(out.parent.iterdir()) == before:
            time.sleep(0.001)
        time.sleep(patience)
        child.send_signal(signal.SIGKILL)
        return child.wait() == -signal.SIGKILL


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """Whenever it dies, the name holds nothing or a whole model, and the next run succeeds."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    path = _large(source, mebibytes=192)
    original, out = path.read_bytes(), target / "out.onnx"
    killed = 0
    for patience in (0.0, 0.02, 0.1):
        killed += _kill_while_writing(path, out, patience)
        if out.exists():
            onnx.checker.check_model(out)
            out.unlink()
        leftovers = [p.name for p in target.iterdir()]
        assert not [n for n in leftovers if not n.startswith(".") or n.endswith(".onnx")], leftovers
    assert killed, "none of the runs was killed in time: the test proved nothing"
    assert path.read_bytes() == original
    ran = rewrite(path, "-o", out)
    assert ran.code == 0, ran.err
    onnx.checker.check_model(out)


def test_interrupted_by_hand(tmp_path: Path) -> None:
    """Ctrl-C: no traceback, nothing half-written, the shell's own code for it."""
    path, out = _large(tmp_path, mebibytes=64), tmp_path / "out.onnx"
    command = [sys.executable, "-c", MAIN, "rewrite", path, "--mode", "edge", "--no-compare"]
    before = set(tmp_path.iterdir())
    with subprocess.Popen(
        [*map(str, command), "-o", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        while child.poll() is None and set(tmp_path.iterdir()) == before:
            time.sleep(0.001)
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
    if child.returncode == 0:
        pytest.skip("it was done before the signal came")
    assert b"Traceback" not in told
    assert child.returncode in (130, -signal.SIGINT)
    left = set(tmp_path.iterdir()) - before
    assert left <= {out}, "a temporary file was left behind"
    if left:  # the signal came after the name was given
        onnx.checker.check_model(out)


# --- very large models ---------------------------------------------------------------------------


def test_more_than_memory(tmp_path: Path) -> None:
    """5 GB of external data in a file of holes, within 2 GB of address space: nothing reads it."""
    made = FEATURES["pad_initializer"]()
    size = 5 << 30
    filler = made.graph.initializer.add(name="unused", data_type=TensorProto.UINT8, dims=[size])
    filler.data_location = TensorProto.EXTERNAL
    filler.external_data.add(key="location", value="huge.data")
    filler.external_data.add(key="length", value=str(size))
    with (tmp_path / "huge.data").open("wb") as stream:
        stream.truncate(size)
    path = tmp_path / "huge.onnx"
    path.write_bytes(made.SerializeToString())
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))"
    ran = rewrite(path, before=limit)
    assert ran.code == 0, ran.err
    assert (tmp_path / "huge.edge.onnx").stat().st_size < 1 << 20
