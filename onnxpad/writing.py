"""Give a rewritten model its name: only after it is complete, checked and wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onnx import ModelProto

from onnxpad.checking import fault
from onnxpad.errors import ModelError, UsageError, WriteError
from onnxpad.external import (
    Files,
    check_external_names,
    copy_external_files,
    same_bytes,
)
from onnxpad.files import folder_beside, give_names, temporary_beside, write_bytes
from onnxpad.model import load_model
from onnxpad.text import printable

# Provenance: keys of metadata_props in every model that onnxpad wrote.
VERSION_KEY, PLAN_KEY = "onnxpad.version", "onnxpad.plan"


@dataclass(frozen=True, slots=True)
class Output:
    """A model to be written.

    Attributes:
        original: the file it was made from, None if it came as a proto.
        changed: whether it differs from that.
        data: its external data files, as ``Model.data``.
    """

    proto: ModelProto
    original: Path | None
    changed: bool
    data: Files


@dataclass(frozen=True, slots=True)
class Stage:
    """A finished model beside its target, under a temporary name.

    Attributes:
        data: external data files that were copied beside it, and go with it.
    """

    path: Path
    target: Path
    data: Files = ()

    def commit(self) -> None:
        """Give it its name, and the data theirs first.

        Raises:
            WriteError: the target, or a data file, cannot be replaced.
        """
        here, there = self.path.parent, self.target.parent
        names = [location for location, _ in self.data]
        moves = [(here / name, there / name) for name in names]
        wanted = [(a, b) for a, b in moves if not (b.exists() and same_bytes(a, b))]
        give_names([*wanted, (self.path, self.target)])


@contextmanager
def staged(
    result: Output, target: Path, *, force: bool = False, self_contained: bool = False
) -> Iterator[Stage]:
    """Write a rewritten model under a temporary name; ``commit`` renames it, else it vanishes.

    With ``self_contained`` its external data are copied beside it, and vanish with it.

    Raises:
        WriteError: the file cannot be written, or the name of a data file is taken.
        ModelError: the result does not pass onnx's checker though the original does.
    """
    data = result.data if self_contained and result.original is not None else ()
    with _place(data, target, force=force) as temporary:
        write_bytes(temporary, _bytes(result), target)
        if result.changed:
            _check(temporary, result.original)
        yield Stage(temporary, target, data)


@contextmanager
def _place(data: Files, target: Path, *, force: bool) -> Iterator[Path]:
    """Where to write the model: beside its target, or in a folder with copies of its data."""
    if not data:
        with temporary_beside(target) as temporary:
            yield temporary
        return
    check_external_names(data, target.parent, force=force)
    with folder_beside(target) as folder:
        copy_external_files(data, folder)
        with temporary_beside(folder / target.name) as temporary:
            yield temporary


def _bytes(result: Output) -> bytes:
    if not result.changed and result.original is not None:
        return result.original.read_bytes()
    return bytes(result.proto.SerializeToString())


def check_target(result: Output, target: Path, *, force: bool, self_contained: bool) -> None:
    """Refuse to overwrite the original or a file of somebody else, or to lose external data.

    Raises:
        UsageError: with the reason.
        WriteError: the target's folder is not there.
    """
    shown = printable(str(target))
    try:
        if target.is_dir():
            raise WriteError(f"{shown}: cannot be written: it is a folder; name a file in it")
        if not target.parent.is_dir():
            raise WriteError(f"{shown}: cannot be written: its folder does not exist")
        exists = target.exists()
    except OSError as error:
        raise WriteError(f"{shown}: cannot be written: {error.strerror or error}") from None
    original = result.original
    inputs = () if original is None else (original, *(file for _, file in result.data))
    if exists and any(one.samefile(target) for one in inputs):
        raise UsageError(f"{shown}: the output is the input itself; name another file with -o")
    if self_contained and any(target == target.parent / name for name, _ in result.data):
        raise UsageError(f"{shown}: the model's external data has this name; name another with -o")
    if exists and not force and not (written_by_onnxpad(target) or _is_the_copy(result, target)):
        raise UsageError(
            f"{shown}: exists already and was not written by onnxpad; give --force to replace it, "
            "or another name with -o"
        )
    if exists and not target.is_file():
        raise WriteError(f"{shown}: cannot be written: it is no plain file")
    elsewhere = original is not None and target.parent.resolve() != original.parent.resolve()
    if elsewhere and not self_contained and result.data:
        raise UsageError(
            f"{shown}: the model keeps its weights in other files beside it, which another folder "
            "would not have; give --self-contained to copy them"
        )


def _is_the_copy(result: Output, target: Path) -> bool:
    """Whether a file is already the copy that would be written where nothing changes."""
    original = result.original
    return not result.changed and original is not None and same_bytes(original, target)


def written_by_onnxpad(path: Path) -> bool:
    """Whether a file is a model that carries onnxpad's provenance."""
    try:
        proto = load_model(path).proto
    except ModelError:
        return False
    return any(entry.key == PLAN_KEY for entry in proto.metadata_props)


def _check(temporary: Path, original: Path | None) -> None:
    """Onnx's checker, by path; a fault that the original has as well is not the rewrite's."""
    reason = fault(temporary)
    if reason and (original is None or not fault(original)):
        raise ModelError(f"the rewritten model does not pass onnx's checker: {reason}")
