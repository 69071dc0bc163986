"""Models on disk: read with the weights left there, checked, written atomically."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import ModelProto

from onnxpad.checking import fault
from onnxpad.errors import ModelError, OnnxpadError, expect
from onnxpad.external import external_files
from onnxpad.scopes import DEFAULT_DOMAINS
from onnxpad.text import printable

OLDEST_OPSET = 7
PROTOBUF_LIMIT = 2**31 - 1
LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was read and passed the checks of this module.

    Attributes:
        proto: the model; tensors stored outside the file are references, not loaded.
        path: the file it came from, None for a proto handed over in memory.
        canonical: whether serialising the proto again is known to give the file's own bytes.
        data: (location as the model spells it, file) of each external data file.
    """

    proto: ModelProto
    path: Path | None = None
    canonical: bool = True
    data: tuple[tuple[str, Path], ...] = ()

    @property
    def folder(self) -> Path | None:
        """Where its external data lies, None where it has none or was handed over in memory."""
        return self.path.parent if self.path and self.data else None

    @property
    def name(self) -> str:
        """What to call the model in a sentence."""
        return printable(str(self.path)) if self.path else "the model"


def load_model(source: str | Path | ModelProto, *, exact: bool = True) -> Model:
    """Read a model without its external data, or copy one that is in memory.

    Args:
        exact: find out whether the model is canonical, which takes memory for two more copies of
            its file; who only looks at it need not know.

    Raises:
        ModelError: missing, empty, truncated or not an ONNX model; no operator set; newer than
            the installed onnx package; external data missing or outside the model's folder.
    """
    if isinstance(source, ModelProto):
        proto = ModelProto()
        proto.CopyFrom(source)
        _check_header(proto, "the model")
        return Model(proto)
    expect(source, (str, os.PathLike), "the model", "a path or an onnx.ModelProto")
    path = Path(source)
    shown = printable(str(path))
    data = _read(path, shown)
    try:
        proto = ModelProto.FromString(data)
    except DecodeError:
        raise ModelError(
            f"{shown}: not an ONNX model, or one cut short: its {len(data)} bytes cannot be "
            "parsed; export or download it again"
        ) from None
    canonical = exact and proto.SerializeToString() == data
    del data
    _check_header(proto, shown)
    return Model(proto, path, canonical, external_files(proto, path, shown))


def _read(path: Path, shown: str) -> bytes:
    try:
        if path.is_dir():
            raise ModelError(
                f"{shown}: expected an .onnx file, found a folder; name the file in it"
            )
        if path.exists() and not path.is_file():
            raise ModelError(f"{shown}: expected an .onnx file, found a device or a pipe")
        size = path.stat().st_size
        if size > PROTOBUF_LIMIT:
            raise ModelError(
                f"{shown}: {size} bytes is more than protobuf's limit of 2 GiB; save the model "
                "with external data"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"{shown}: cannot be read: {reason}") from None
    if not data:
        raise ModelError(f"{shown}: the file is empty; expected an ONNX model")
    if data.startswith(LFS_POINTER):
        raise ModelError(f"{shown}: a Git LFS pointer, not the model itself; run `git lfs pull`")
    return data


def _check_header(proto: ModelProto, shown: str) -> None:
    if not proto.HasField("graph") or not (proto.graph.node or proto.graph.output):
        raise ModelError(f"{shown}: not an ONNX model: it holds no graph")
    if proto.ir_version > onnx.IR_VERSION:
        raise ModelError(
            f"{shown}: IR version {proto.ir_version} is newer than {onnx.IR_VERSION}, the newest "
            f"that onnx {onnx.__version__} reads; upgrade onnx or export for an older version"
        )
    constants = {t.name for t in proto.graph.initializer}
    if not any(i.name not in constants for i in proto.graph.input):
        raise ModelError(
            f"{shown}: the model takes no input, so it has no border to look at and nothing can "
            "be fed to it; expected an image, volume or signal as input"
        )
    versions = [o.version for o in proto.opset_import if o.domain in DEFAULT_DOMAINS]
    if not versions:
        raise ModelError(
            f"{shown}: the model imports no ai.onnx operator set (opset_import), so its operators "
            "have no meaning; export it again"
        )
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= versions[0] <= newest:
        raise ModelError(
            f"{shown}: opset {versions[0]} is not supported; expected {OLDEST_OPSET} to {newest}"
        )


@contextmanager
def blaming(model: Model) -> Iterator[None]:
    """Turn a surprise inside into the model's fault, where onnx's checker finds one.

    Code that reads graphs takes nodes to be what their operators' documents say. A file from a
    stranger may hold anything; checking all of it beforehand would refuse models that run.

    Raises:
        ModelError: the block failed and the model is malformed; else the block's own error.
    """
    try:
        yield
    except OnnxpadError:
        raise
    except Exception as error:
        found = _fault(model.proto)
        if not found:
            raise
        raise ModelError(
            f"{model.name}: malformed: {found} ({type(error).__name__} while reading it)"
        ) from None


def _fault(proto: ModelProto) -> str:
    """What is wrong with a model, "" if nothing is."""
    unreadable = "" if _readable(proto) else "it holds names that are not UTF-8"
    return fault(proto) or unreadable


def _readable(message: Message) -> bool:
    """Whether every text field is text: protobuf hands out bytes, or fails, where it is not."""
    try:
        for field, value in message.ListFields():
            items = value if field.is_repeated else (value,)
            if field.type == field.TYPE_MESSAGE and not all(_readable(item) for item in items):
                return False
            if field.type == field.TYPE_STRING and not all(isinstance(i, str) for i in items):
                return False
    except (UnicodeDecodeError, RecursionError):
        return False
    return True
