"""Files are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
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


def cannot_write(target: Path, error: OSError | ValueError) -> WriteError:
    """The one sentence for a file that could not be written."""
    reason = getattr(error, "strerror", None) or error
    return WriteError(f"{printable(str(target))}: cannot be written: {reason}")
