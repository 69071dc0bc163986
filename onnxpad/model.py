"""Models on disk: read with the weights left there, checked, written atomically."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, TensorProto

from onnxpad.errors import ModelError, OnnxpadError, WriteError
from onnxpad.scopes import DEFAULT_DOMAINS, subgraphs
from onnxpad.text import one_line, printable

OLDEST_OPSET = 7
PROTOBUF_LIMIT = 2**31 - 1
LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was read and passed the checks of this module.

    Attributes:
        proto: the model; tensors stored outside the file are references, not loaded.
        path: the file it came from, None for a proto handed over in memory.
        canonical: whether serialising the proto again gives the file's own bytes.
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


def load_model(source: str | Path | ModelProto) -> Model:
    """Read a model without its external data, or copy one that is in memory.

    Raises:
        ModelError: missing, empty, truncated or not an ONNX model; no operator set; newer than
            the installed onnx package; external data missing or outside the model's folder.
    """
    if isinstance(source, ModelProto):
        proto = ModelProto()
        proto.CopyFrom(source)
        _check_header(proto, "the model")
        return Model(proto)
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
    canonical = proto.SerializeToString() == data
    del data
    _check_header(proto, shown)
    return Model(proto, path, canonical, _external_files(proto, path, shown))


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
    except OSError as error:
        raise ModelError(f"{shown}: cannot be read: {error.strerror or error}") from None
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


def external_tensors(proto: ModelProto) -> Iterator[TensorProto]:
    """Every tensor of a model whose data lies in another file."""
    stack: list[GraphProto | FunctionProto] = [proto.graph, *proto.functions]
    while stack:
        holder = stack.pop()
        if isinstance(holder, GraphProto):
            sparse = [t for s in holder.sparse_initializer for t in (s.values, s.indices)]
            yield from filter(_is_external, (*holder.initializer, *sparse))
        for node in holder.node:
            for attribute in node.attribute:
                if attribute.type in (AttributeProto.TENSOR, AttributeProto.TENSORS):
                    yield from filter(_is_external, (attribute.t, *attribute.tensors))
            stack.extend(graph for *_, graph in subgraphs(node))


def _is_external(tensor: TensorProto) -> bool:
    return tensor.data_location == TensorProto.EXTERNAL


def _external_files(proto: ModelProto, path: Path, shown: str) -> tuple[tuple[str, Path], ...]:
    """Every external data file, each once; every tensor's bytes must lie inside its file."""
    files: dict[str, tuple[Path, int]] = {}
    for tensor in external_tensors(proto):
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        if not isinstance(location, str) or not isinstance(tensor.name, str):
            raise ModelError(f"{shown}: malformed: it holds names that are not UTF-8")
        if location not in files:
            file = _external_file(location, printable(tensor.name), path, shown)
            files[location] = file, file.stat().st_size
        try:
            offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
        except ValueError:
            offset, length = -1, 0
        size = files[location][1]
        if offset < 0 or length < 0 or offset + length > size:
            raise ModelError(
                f"{shown}: tensor {printable(tensor.name)!r} asks for bytes beyond the end of "
                f"{printable(location)!r} ({size} bytes); the data file is cut short or not the "
                "model's"
            )
    return tuple(sorted((location, file) for location, (file, _) in files.items()))


def _external_file(location: str, name: str, model: Path, shown: str) -> Path:
    """The file a tensor's data lies in, refused outside the model's folder.

    Model files come from strangers: a location that leads elsewhere, by an absolute path, by
    ``..`` or through a link, could make a tool read any file of its user.
    """
    folder = model.parent.resolve()
    where = _resolved(folder / location)
    absolute = Path(location).is_absolute()
    if not location or absolute or where is None or not where.is_relative_to(folder):
        raise ModelError(
            f"{shown}: tensor {name!r} keeps its data at {printable(location)!r}, outside "
            "the model's folder; move the data beside the model"
        )
    if not _is_file(where):
        raise ModelError(
            f"{shown}: the external data file {printable(location)!r} of tensor {name!r} is "
            "missing; put it beside the model"
        )
    return where


def _resolved(path: Path) -> Path | None:
    """The path with every link followed; None where links form a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a circle, too long, a zero byte
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False


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
        fault = _fault(model.proto)
        if not fault:
            raise
        raise ModelError(
            f"{model.name}: malformed: {fault} ({type(error).__name__} while reading it)"
        ) from None


def _fault(proto: ModelProto) -> str:
    """What is wrong with a model, "" if nothing is."""
    try:
        onnx.checker.check_model(proto)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        return one_line(str(error)) or type(error).__name__
    return "" if _readable(proto) else "it holds names that are not UTF-8"


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


def copy_external_files(data: tuple[tuple[str, Path], ...], folder: Path, *, force: bool) -> None:
    """Put external data files below another folder, under the same names.

    Raises:
        WriteError: a different file already has that name, or the disk refuses.
    """
    for location, source in data:
        target = folder / location
        if target.exists() and not force and not _same_file_bytes(source, target):
            raise WriteError(
                f"{printable(str(target))}: another file has the name of the model's external "
                "data; choose another folder or give --force"
            )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with temporary_beside(target) as temporary:
                shutil.copyfile(source, temporary)
                temporary.replace(target)
        except OSError as error:
            raise cannot_write(target, error) from None


def _same_file_bytes(first: Path, second: Path) -> bool:
    if first.stat().st_size != second.stat().st_size:
        return False
    with first.open("rb") as a, second.open("rb") as b:
        while block := a.read(1 << 20):
            if block != b.read(1 << 20):
                return False
    return True


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """A path in the target's folder to write to first; removed again unless it was renamed.

    Raises:
        WriteError: the folder cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".onnxpad-", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise cannot_write(target, error) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(temporary: Path, data: bytes, target: Path) -> None:
    """Write to a temporary file and force it to the disk: a rename never names half a file.

    Raises:
        WriteError: disk full, or the file cannot be written.
    """
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp made it private
    except OSError as error:
        raise cannot_write(target, error) from None


def give_name(temporary: Path, target: Path) -> None:
    """Rename a finished temporary file to its name.

    Raises:
        WriteError: the target cannot be replaced.
    """
    try:
        temporary.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from None


def cannot_write(target: Path, error: OSError) -> WriteError:
    """The one sentence for a file that could not be written."""
    return WriteError(f"{printable(str(target))}: cannot be written: {error.strerror or error}")
