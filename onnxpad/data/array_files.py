"""Arrays in .npy and .npz files. Pickles are never loaded, sizes are known before reading."""

import zipfile
from pathlib import Path

import numpy as np

from onnxpad.errors import DataError
from onnxpad.runtime import Array
from onnxpad.text import one_line, printable

# .npz members are read whole; .npy files are mapped and may be of any size.
MAX_NPZ_BYTES = 4 * 2**30


def load_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file by their names; the one of a .npy file has the name "".

    Raises DataError.
    """
    name = printable(path.name)
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        if path.suffix.lower() == ".npy":
            if magic != b"\x93NUMPY":
                raise DataError(f"{name}: this is no .npy file")
            return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
        if not zipfile.is_zipfile(path):
            raise DataError(f"{name}: this is no .npz file")
        return _load_npz(path, name)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, SyntaxError) as error:
        reason = one_line(str(error)) or type(error).__name__
        if "allow_pickle" in reason or "Python objects" in reason:
            reason = "it holds pickled Python objects, which are never loaded; save plain numbers"
        raise DataError(f"{name}: cannot be read: {reason}") from None


def _load_npz(path: Path, name: str) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MAX_NPZ_BYTES:
        raise DataError(
            f"{name}: unpacked it takes {size / 2**30:.1f} GiB, more than "
            f"{MAX_NPZ_BYTES / 2**30:.0f} GiB; save the samples as .npy, which is read in parts"
        )
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
