"""Bad input: a clear sentence, the documented exit code, nothing half-written."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, external_data_helper

from tests.command import assert_refused, listing, onnxpad, rewrite
from tests.conftest import zoo_folder
from tests.features import FEATURES, FILES

USAGE, MODEL, RUN, WRITE = 2, 3, 4, 5

Write = Callable[[Path], Path]


def test_good_input_is_accepted(good: Path, tmp_path: Path) -> None:
    """The baseline of every refusal below: the same command with nothing wrong."""
    out = tmp_path / "out.onnx"
    ran = rewrite(good, "-o", out)
    assert ran.code == 0, ran.err
    assert out.is_file()
    assert set(listing(tmp_path)) == {"models", "models/good.onnx", "out.onnx"}


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
    before = listing(tmp_path)
    more: list[str | Path] = (
        ["--mode", "edge", "-o", tmp_path / "out.onnx"] if command == "rewrite" else []
    )
    ran = onnxpad(command, path, *more)
    assert_refused(ran, MODEL, words, path.name)
    assert listing(tmp_path) == before


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
    ran = rewrite(path, "-o", other / "out.onnx")
    assert_refused(ran, USAGE, "--self-contained")
    assert not list(other.iterdir())
    ran = rewrite(path, "-o", other / "out.onnx", "--self-contained")
    assert ran.code == 0, ran.err
    shutil.rmtree(folder)
    onnx.load(other / "out.onnx")
    onnx.checker.check_model(other / "out.onnx")


# --- sizes that would fill the memory ------------------------------------------------------------


@pytest.mark.parametrize(
    "mode", ["edge", "reflect", "symmetric", "wrap", "linear", "partial", "zero"]
)
@pytest.mark.parametrize("subject", ["conv_plain", "pad_initializer"])
def test_endless_padding(subject: str, mode: str, tmp_path: Path) -> None:
    """Pads of 2³⁴: refused, never allocated."""
    made = FEATURES[subject]()
    if subject == "conv_plain":
        del made.graph.node[0].attribute[0].ints[:]
        made.graph.node[0].attribute[0].ints.extend([1 << 34] * 4)
    else:
        pads = np.array([0, 0, *[1 << 34] * 2] * 2, np.int64)
        made.graph.initializer[1].CopyFrom(onnx.numpy_helper.from_array(pads, "pads"))
    path, out = tmp_path / "endless.onnx", tmp_path / "out.onnx"
    path.write_bytes(made.SerializeToString())
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))"
    ran = onnxpad("rewrite", path, "--mode", mode, "--no-compare", "-o", out, before=limit)
    if ran.code:
        assert_refused(ran, MODEL, "endless.onnx")
    assert "Traceback" not in ran.err
    if out.exists():
        assert out.stat().st_size < 1 << 16


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
    "mode-and-plan": (("--mode", "edge", "--plan", "plan.json"), "plan"),
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
    before = listing(tmp_path)
    ran = onnxpad("rewrite", good, "-o", tmp_path / "out.onnx", *arguments, cwd=tmp_path)
    assert_refused(ran, USAGE, words)
    assert listing(tmp_path) == before


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
    before = listing(tmp_path)
    ran = onnxpad("rewrite", good, "--plan", plan, "-o", tmp_path / "out.onnx")
    assert_refused(ran, USAGE, "plan.json")
    assert listing(tmp_path) == before


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

    data = tmp_path / "x.npy"
    np.save(data, np.array([Bomb()], dtype=object), allow_pickle=True)
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
    """A graph that takes nothing in has no border."""
    path, out = zoo / "rejected" / "trt_qdq_conv.onnx", tmp_path / "out.onnx"
    for command in (("sites",), ("rewrite", "--mode", "edge", "-o", out)):
        ran = onnxpad(command[0], path, *command[1:])
        assert_refused(ran, MODEL, "trt_qdq_conv.onnx", "takes no input")
    assert not out.exists()


@pytest.mark.zoo
def test_zoo_has_no_other_rejects() -> None:
    folder = zoo_folder()
    assert folder is not None
    assert {path.name for path in (folder / "rejected").glob("*.onnx")} == {
        "super_resolution_tutorial.onnx",
        "superres_prepost_op18_ortext.onnx",
        "trt_qdq_conv.onnx",
    }
