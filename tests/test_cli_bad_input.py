"""Bad input: a clear sentence, the documented exit code, nothing half-written."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, external_data_helper

from tests.command import MAIN, Ran, assert_refused, onnxpad
from tests.conftest import zoo_folder
from tests.features import FEATURES, FILES

USAGE, MODEL, RUN, WRITE = 2, 3, 4, 5

Write = Callable[[Path], Path]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A model that can be rewritten, alone in its folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "good.onnx"
    path.write_bytes(FEATURES["conv_plain"]().SerializeToString())
    return path


def _listing(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder: name → bytes, None for what is no plain file."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def _rewrite(model: Path, *arguments: str | Path, before: str = "") -> Ran:
    return onnxpad("rewrite", model, "--mode", "edge", "--no-compare", *arguments, before=before)


def test_good_input_is_accepted(good: Path, tmp_path: Path) -> None:
    """The baseline of every refusal below: the same command with nothing wrong."""
    out = tmp_path / "out.onnx"
    ran = _rewrite(good, "-o", out)
    assert ran.code == 0, ran.err
    assert out.is_file()
    assert set(_listing(tmp_path)) == {"models", "models/good.onnx", "out.onnx"}


# --- files that are no model ---------------------------------------------------------------------


def _missing(folder: Path) -> Path:
    return folder / "nowhere.onnx"


def _empty(folder: Path) -> Path:
    (folder / "empty.onnx").touch()
    return folder / "empty.onnx"


def _truncated(folder: Path) -> Path:
    data = FEATURES["conv_plain"]().SerializeToString()
    (folder / "cut.onnx").write_bytes(data[: len(data) * 2 // 3])
    return folder / "cut.onnx"


def _text(folder: Path) -> Path:
    (folder / "text.onnx").write_text("<html><body>404 Not Found</body></html>\n")
    return folder / "text.onnx"


def _image(folder: Path) -> Path:
    (folder / "image.onnx").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    return folder / "image.onnx"


def _zip(folder: Path) -> Path:
    (folder / "zip.onnx").write_bytes(b"PK\x03\x04" + bytes(64))
    return folder / "zip.onnx"


def _pointer(folder: Path) -> Path:
    (folder / "lfs.onnx").write_text(
        "version https://git-lfs.github.com/spec/v1\n" + f"oid sha256:{'0' * 64}\nsize 12345\n"
    )
    return folder / "lfs.onnx"


def _directory(folder: Path) -> Path:
    (folder / "folder.onnx").mkdir()
    return folder / "folder.onnx"


def _edited(folder: Path, edit: Callable[[ModelProto], object]) -> Path:
    made = FEATURES["conv_plain"]()
    edit(made)
    (folder / "edited.onnx").write_bytes(made.SerializeToString())
    return folder / "edited.onnx"


def _no_graph(folder: Path) -> Path:
    return _edited(folder, lambda made: made.ClearField("graph"))


def _no_opset(folder: Path) -> Path:
    return _edited(folder, lambda made: made.ClearField("opset_import"))


def _new_ir(folder: Path) -> Path:
    return _edited(folder, lambda made: setattr(made, "ir_version", onnx.IR_VERSION + 1))


def _new_opset(folder: Path) -> Path:
    newest = onnx.defs.onnx_opset_version()
    return _edited(folder, lambda made: setattr(made.opset_import[0], "version", newest + 1))


def _old_opset(folder: Path) -> Path:
    return _edited(folder, lambda made: setattr(made.opset_import[0], "version", 6))


NO_MODELS: list[tuple[Write, str]] = [
    (_missing, "nowhere.onnx"),
    (_empty, "empty"),
    (_truncated, "cut"),
    (_text, "not an ONNX model"),
    (_image, "not an ONNX model"),
    (_zip, "not an ONNX model"),
    (_pointer, "Git LFS pointer"),
    (_directory, "folder"),
    (_no_graph, "graph"),
    (_no_opset, "opset"),
    (_new_ir, "IR version"),
    (_new_opset, "opset"),
    (_old_opset, "opset 6"),
]


@pytest.mark.parametrize("command", ["sites", "rewrite"])
@pytest.mark.parametrize(("write", "words"), NO_MODELS, ids=lambda v: getattr(v, "__name__", ""))
def test_no_model(command: str, write: Write, words: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    path = write(folder)
    before = _listing(tmp_path)
    more: list[str | Path] = (
        ["--mode", "edge", "-o", tmp_path / "out.onnx"] if command == "rewrite" else []
    )
    ran = onnxpad(command, path, *more)
    assert_refused(ran, MODEL, words, path.name)
    assert _listing(tmp_path) == before


def test_a_device_is_no_model(tmp_path: Path) -> None:
    """/dev/zero has size 0 and no end: reading it would fill the memory."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))"
    ran = onnxpad("sites", "/dev/zero", before=limit, timeout=60)
    assert_refused(ran, MODEL, "/dev/zero")


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    """A named pipe nobody writes to would never answer."""
    pipe = tmp_path / "pipe.onnx"
    os.mkfifo(pipe)
    assert_refused(onnxpad("sites", pipe, timeout=60), MODEL, "pipe.onnx")


def test_a_name_with_control_characters_is_shown_harmless(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31mred\x07.onnx"
    path.write_bytes(b"")
    assert_refused(onnxpad("sites", path), MODEL, "empty")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """Linux file names are bytes; these are not UTF-8."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.onnx")
    Path(path).write_bytes(FEATURES["conv_plain"]().SerializeToString())
    ran = onnxpad("rewrite", path, "--mode", "edge", "--no-compare", "-o", tmp_path / "out.onnx")
    assert ran.code == 0, ran.err
    assert (tmp_path / "out.onnx").is_file()


# --- external data -------------------------------------------------------------------------------


def _external(folder: Path, **entries: str) -> Path:
    """A model whose weights claim to lie where the entries say."""
    made = FEATURES["conv_plain"]()
    weight = made.graph.initializer[0]
    external_data_helper.set_external_data(weight, "w.bin")
    (folder / "w.bin").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.ClearField("external_data")
    for key, text in entries.items():
        weight.external_data.add(key=key, value=text)
    path = folder / "external.onnx"
    path.write_bytes(made.SerializeToString())
    return path


SECRET = "outside.bin"

EXTERNAL = {
    "missing": {"location": "nowhere.bin"},
    "no-location": {"offset": "0"},
    "absolute": {"location": "/etc/passwd"},
    "parent": {"location": f"../{SECRET}"},
    "parent-hidden": {"location": f"sub/../../{SECRET}"},
    "symlink": {"location": "link.bin"},
    "symlinked-folder": {"location": f"up/{SECRET}"},
    "symlink-loop": {"location": "loop.bin"},
    "folder": {"location": "sub"},
    "pipe": {"location": "pipe.bin"},
    "itself": {"location": "."},
    "beyond-end": {"location": "w.bin", "offset": "4", "length": "216"},
    "too-long": {"location": "w.bin", "length": "99999999999999999999"},
    "negative": {"location": "w.bin", "offset": "-4"},
    "no-number": {"location": "w.bin", "offset": "four"},
    "zero-byte": {"location": "w\0.bin"},
    "endless-name": {"location": "w" * 5000},
    "control-characters": {"location": "\x1b[2Jw.bin"},
}


@pytest.mark.parametrize("command", ["sites", "rewrite"])
@pytest.mark.parametrize("case", EXTERNAL)
def test_external_data(case: str, command: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / SECRET).write_bytes(bytes(216))
    (folder / "link.bin").symlink_to(tmp_path / SECRET)
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop.bin").symlink_to(folder / "loop.bin")
    os.mkfifo(folder / "pipe.bin")
    path = _external(folder, **EXTERNAL[case])
    before = sorted(folder.iterdir())
    more: list[str | Path] = (
        ["--mode", "edge", "-o", folder / "out.onnx"] if command == "rewrite" else []
    )
    assert_refused(onnxpad(command, path, *more, timeout=60), MODEL, "external.onnx")
    assert sorted(folder.iterdir()) == before


def test_external_data_elsewhere_needs_self_contained(tmp_path: Path) -> None:
    """By reference, the output would point at nothing from another folder."""
    folder, other = tmp_path / "models", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    path = FILES["external_weights"](folder)
    ran = _rewrite(path, "-o", other / "out.onnx")
    assert_refused(ran, USAGE, "--self-contained")
    assert not list(other.iterdir())
    ran = _rewrite(path, "-o", other / "out.onnx", "--self-contained")
    assert ran.code == 0, ran.err
    shutil.rmtree(folder)
    onnx.load(other / "out.onnx")
    onnx.checker.check_model(other / "out.onnx")


# --- requests that cannot be understood ----------------------------------------------------------

REQUESTS: dict[str, tuple[tuple[str, ...], str]] = {
    "no-mode": ((), "--mode"),
    "unknown-mode": (("--mode", "mirror"), "mirror"),
    "empty-mode": (("--mode", ""), "mode"),
    "constant-without-value": (("--mode", "constant:"), "constant"),
    "constant-no-number": (("--mode", "constant:half"), "half"),
    "constant-not-finite": (("--mode", "constant:nan"), "nan"),
    "only-matches-nothing": (("--mode", "edge", "--only", "*/layer9/*"), "layer9"),
    "skip-matches-nothing": (("--mode", "edge", "--skip", "nowhere*"), "nowhere"),
    "set-matches-nothing": (("--mode", "edge", "--set", "nowhere*=reflect"), "nowhere"),
    "set-without-mode": (("--mode", "edge", "--set", "conv"), "--set"),
    "set-unknown-mode": (("--mode", "edge", "--set", "*=mirror"), "mirror"),
    "from-unknown-mode": (("--mode", "edge", "--from", "mirror"), "mirror"),
    "fallback-unknown-mode": (("--mode", "reflect", "--fallback", "mirror"), "mirror"),
    "plan-missing": (("--plan", "nowhere.json"), "nowhere.json"),
    "mode-and-plan": (("--mode", "edge", "--plan", "plan.json"), "--plan"),
    "data-missing": (("--mode", "edge", "--data", "nowhere"), "nowhere"),
    "samples-zero": (("--mode", "edge", "--samples", "0"), "samples"),
    "threads-negative": (("--mode", "edge", "--threads", "-1"), "threads"),
    "provider-unknown": (("--mode", "edge", "--provider", "tpu"), "tpu"),
    "unknown-option": (("--mode", "edge", "--colour", "red"), "--colour"),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_request(case: str, good: Path, tmp_path: Path) -> None:
    arguments, words = REQUESTS[case]
    (tmp_path / "plan.json").write_text("{}")
    before = _listing(tmp_path)
    ran = onnxpad("rewrite", good, "-o", tmp_path / "out.onnx", *arguments, cwd=tmp_path)
    assert_refused(ran, USAGE, words)
    assert _listing(tmp_path) == before


PLANS = {
    "empty": "",
    "no-json": "mode = edge",
    "a-list": "[]",
    "a-number": "3",
    "no-keys": "{}",
    "wrong-version": '{"schema": 999, "version": 999, "sites": []}',
    "deep": "[" * 100_000,
    "no-text": "\udcff",
}


@pytest.mark.parametrize("case", PLANS)
def test_plan(case: str, good: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_bytes(PLANS[case].encode(errors="surrogateescape"))
    before = _listing(tmp_path)
    ran = onnxpad("rewrite", good, "--plan", plan, "-o", tmp_path / "out.onnx")
    assert_refused(ran, USAGE, "plan.json")
    assert _listing(tmp_path) == before


def test_data_without_samples(good: Path, tmp_path: Path) -> None:
    """A folder of things that are neither images nor arrays."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "notes.txt").write_text("nothing to see")
    ran = onnxpad("rewrite", good, "--mode", "edge", "--data", data, "-o", tmp_path / "out.onnx")
    assert_refused(ran, USAGE, "data")
    assert not (tmp_path / "out.onnx").exists()


def test_data_is_never_unpickled(good: Path, tmp_path: Path) -> None:
    """An .npy of objects runs code when it is loaded; here it would leave a file."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (tmp_path / "exploded",)

    data = tmp_path / "data"
    data.mkdir()
    np.save(data / "x.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    ran = onnxpad("rewrite", good, "--mode", "edge", "--data", data, "-o", tmp_path / "out.onnx")
    assert_refused(ran, USAGE, "x.npy")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "out.onnx").exists()


def _has_cuda() -> bool:
    return shutil.which("nvidia-smi") is not None


@pytest.mark.skipif(_has_cuda(), reason="there may be a GPU")
def test_provider_that_is_not_there(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    ran = onnxpad("rewrite", good, "--mode", "edge", "--provider", "cuda", "-o", out)
    assert_refused(ran, RUN, "cuda")


# --- outputs that cannot be written --------------------------------------------------------------


def _existing(out: Path) -> Path:
    out.write_bytes(b"precious")
    return out


def test_output_is_input(good: Path) -> None:
    before = _listing(good.parent)
    for arguments in ((), ("--force",)):
        assert_refused(_rewrite(good, "-o", good, *arguments), USAGE, "good.onnx")
    assert _listing(good.parent) == before


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
    assert_refused(_rewrite(good, "-o", out, "--force"), USAGE, out.name)
    assert good.read_bytes() == before


def test_output_is_input_data(tmp_path: Path) -> None:
    """The model's external data is input too."""
    path = FILES["external_weights"](tmp_path)
    data = next(tmp_path.glob("*.data"))
    before = _listing(tmp_path)
    ran = _rewrite(path, "-o", data, "--force")
    assert "Traceback" not in ran.err
    assert ran.code in (USAGE, WRITE), ran.err
    assert _listing(tmp_path) == before


def test_output_of_someone_else_is_kept(good: Path, tmp_path: Path) -> None:
    """Without --force only onnxpad's own outputs are replaced."""
    out = _existing(tmp_path / "out.onnx")
    assert_refused(_rewrite(good, "-o", out), WRITE, "--force")
    assert out.read_bytes() == b"precious"
    assert _rewrite(good, "-o", out, "--force").code == 0
    first = out.read_bytes()
    assert first != b"precious"
    assert _rewrite(good, "-o", out).code == 0, "its own output is replaced without asking"
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
    before = _listing(tmp_path)
    assert_refused(_rewrite(good, "-o", out, "--force"), WRITE, out.name[:20])
    assert _listing(tmp_path) == before


def test_output_is_no_plain_file(good: Path, tmp_path: Path) -> None:
    """A pipe or device is not replaced by a file, not even with --force."""
    out = tmp_path / "pipe.onnx"
    os.mkfifo(out)
    for arguments in ((), ("--force",)):
        ran = onnxpad("rewrite", good, "--mode", "edge", "--no-compare", "-o", out, *arguments,
                      timeout=60)  # fmt: skip
        assert_refused(ran, WRITE, "pipe.onnx")
    assert out.is_fifo()


def test_plan_that_cannot_be_saved(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    (tmp_path / "file").touch()
    ran = _rewrite(good, "-o", out, "--save-plan", tmp_path / "file" / "plan.json")
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
    before = _listing(tmp_path)
    ran = _rewrite(path, "-o", out, "--force", before=FULL.format(bytes=limit))
    assert_refused(ran, WRITE, "out.onnx")
    assert _listing(tmp_path) == before


def test_disk_full_while_copying_data(tmp_path: Path) -> None:
    """--self-contained copies the data first; a disk that fills then leaves neither file."""
    folder, other = tmp_path / "models", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    path = FILES["external_weights"](folder)
    before = FULL.format(bytes=100)
    ran = _rewrite(path, "-o", other / "out.onnx", "--self-contained", before=before)
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
    ran = _rewrite(path, "-o", small_disk / "out.onnx")
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
    ran = _rewrite(path, "-o", out)
    assert ran.code == 0, ran.err
    onnx.checker.check_model(out)


def test_interrupted_by_hand(tmp_path: Path) -> None:
    """Ctrl-C: no traceback, no output, the shell's own code for it."""
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
    assert set(tmp_path.iterdir()) == before


# --- very large models ---------------------------------------------------------------------------


def test_more_than_memory(tmp_path: Path) -> None:
    """5 GB of external data in a file of holes, within 2 GB of address space: nothing reads it."""
    made = FEATURES["pad_initializer"]()
    size = 5 << 30
    filler = made.graph.initializer.add(name="unused", data_type=TensorProto.UINT8, dims=[size])
    external_data_helper.set_external_data(filler, "huge.data", 0, size)
    filler.ClearField("raw_data")
    with (tmp_path / "huge.data").open("wb") as stream:
        stream.truncate(size)
    path = tmp_path / "huge.onnx"
    path.write_bytes(made.SerializeToString())
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))"
    ran = _rewrite(path, before=limit)
    assert ran.code == 0, ran.err
    assert (tmp_path / "huge.edge.onnx").stat().st_size < 1 << 20


# --- the real models that others refuse ----------------------------------------------------------


@pytest.mark.zoo
@pytest.mark.parametrize("command", ["sites", "rewrite"])
def test_zoo_without_opset(command: str, zoo: Path, tmp_path: Path) -> None:
    path = zoo / "rejected" / "super_resolution_tutorial.onnx"
    more: list[str | Path] = (
        ["--mode", "edge", "-o", tmp_path / "out.onnx"] if command == "rewrite" else []
    )
    assert_refused(onnxpad(command, path, *more), MODEL, path.name, "opset")
    assert not list(tmp_path.iterdir())


@pytest.mark.zoo
def test_zoo_custom_operators(zoo: Path, tmp_path: Path) -> None:
    """Reading and rewriting do not need the operators; running does, and says so."""
    path = zoo / "rejected" / "superres_prepost_op18_ortext.onnx"
    assert onnxpad("sites", path).code == 0
    ran = onnxpad("rewrite", path, "--mode", "edge", "-o", tmp_path / "out.onnx")
    assert_refused(ran, RUN, "com.microsoft.extensions")


@pytest.mark.zoo
def test_zoo_without_input(zoo: Path, tmp_path: Path) -> None:
    """A graph with no input computes a constant: it may be rewritten, not compared on data."""
    path = zoo / "rejected" / "trt_qdq_conv.onnx"
    ran = onnxpad("rewrite", path, "--mode", "edge", "-o", tmp_path / "out.onnx")
    assert "Traceback" not in ran.err + ran.out
    assert ran.code in (MODEL, RUN), ran.err
    assert "input" in ran.error


@pytest.mark.zoo
def test_zoo_has_no_other_rejects() -> None:
    folder = zoo_folder()
    assert folder is not None
    assert {path.name for path in (folder / "rejected").glob("*.onnx")} == {
        "super_resolution_tutorial.onnx",
        "superres_prepost_op18_ortext.onnx",
        "trt_qdq_conv.onnx",
    }
