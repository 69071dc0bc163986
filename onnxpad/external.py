"""External data: where a model keeps its weights outside its file, and only beside it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, TensorProto

from onnxpad.errors import ModelError, WriteError
from onnxpad.files import cannot_write
from onnxpad.scopes import subgraphs
from onnxpad.text import printable

# (location as the model names it, the file)
Files = tuple[tuple[str, Path], ...]


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


def external_files(proto: ModelProto, path: Path, shown: str) -> Files:
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


def check_external_names(data: Files, folder: Path, *, force: bool) -> None:
    """Refuse to put external data where a different file has the name already.

    Raises:
        WriteError: with the name.
    """
    for location, source in data:
        target = folder / location
        if target.exists() and not force and not same_bytes(source, target):
            raise WriteError(
                f"{printable(str(target))}: another file has the name of the model's external "
                "data; choose another folder or give --force"
            )


def copy_external_files(data: Files, folder: Path) -> None:
    """Copy external data files below a folder of our own, under the same names.

    Raises:
        WriteError: the disk refuses.
    """
    for location, source in data:
        target = folder / location
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        except OSError as error:
            raise cannot_write(target, error) from None


def same_bytes(first: Path, second: Path) -> bool:
    """Whether two files hold the same."""
    if first.stat().st_size != second.stat().st_size:
        return False
    with first.open("rb") as a, second.open("rb") as b:
        while block := a.read(1 << 20):
            if block != b.read(1 << 20):
                return False
    return True
