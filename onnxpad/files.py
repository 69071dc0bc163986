"""Files are written whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from onnxpad.errors import WriteError
from onnxpad.text import printable


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


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """A folder to write to first, beside the target; removed again with what is left in it.

    Raises:
        WriteError: the target's folder cannot be written.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=".onnxpad-", suffix=".tmp", dir=target.parent))
    except OSError as error:
        raise cannot_write(target, error) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise cannot_write(target, error) from None


def give_names(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Rename (temporary, target) in turn; if one fails, those that stand where nothing stood go.

    Raises:
        WriteError: a target cannot be replaced.
    """
    fresh: list[Path] = []
    try:
        for temporary, target in pairs:
            new = not target.exists()
            target.parent.mkdir(parents=True, exist_ok=True)
            give_name(temporary, target)
            fresh += [target] * new
    except (OSError, WriteError) as error:
        for one in fresh:
            one.unlink(missing_ok=True)
        if isinstance(error, WriteError):
            raise
        raise cannot_write(target, error) from None


def cannot_write(target: Path, error: OSError | ValueError) -> WriteError:
    """The one sentence for a file that could not be written."""
    reason = getattr(error, "strerror", None) or error
    return WriteError(f"{printable(str(target))}: cannot be written: {reason}")
