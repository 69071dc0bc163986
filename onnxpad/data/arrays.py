"""Samples from .npy and .npz files, used as they are. Pickles are never loaded."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.layout import guess
from onnxpad.data.plan import InputPlan, main_input
from onnxpad.data.plan import plans as make_plans
from onnxpad.data.sample import Feed, Plans, Skipped, batch_size, order
from onnxpad.errors import DataError
from onnxpad.runtime import Array, TensorInfo
from onnxpad.text import one_line, printable

# .npz members are read whole; .npy files are mapped and may be of any size.
MAX_NPZ_BYTES = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Column:
    """The samples of one input.

    Attributes:
        array: all of them.
        kind: "rows": the leading axis is the input's own batch axis. "whole": the leading axis
            counts samples, each of which has all axes of the input. "shared": one value for all.
    """

    info: TensorInfo
    array: Array
    kind: Literal["rows", "whole", "shared"]

    @property
    def samples(self) -> int | None:
        """How many; None where one value serves all."""
        return None if self.kind == "shared" else len(self.array)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one feed."""
        if self.kind == "shared":
            return self.array.shape
        if self.kind == "whole":
            return self.array.shape[1:]
        declared = self.info.shape[0]
        return (declared if isinstance(declared, int) else 1, *self.array.shape[1:])

    def take(self, rows: list[int]) -> Array:
        """The feed that holds these samples, in the input's type."""
        dtype = np.dtype(self.info.dtype)
        if self.kind == "shared":
            return np.ascontiguousarray(self.array, dtype).reshape(self.array.shape)
        chosen = self.array[rows[0]] if self.kind == "whole" else self.array[rows]
        return np.ascontiguousarray(chosen, dtype).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class ArraySource:
    """Samples of one file, checked against the model's inputs."""

    path: Path
    columns: tuple[Column, ...]
    total: int | None
    origin: str = "arrays"

    @classmethod
    def open(cls, path: Path, inputs: tuple[TensorInfo, ...]) -> "ArraySource":
        """Read and check. Raises DataError."""
        arrays = _load(path, inputs)
        columns = tuple(_column(path, i, arrays[i.name]) for i in inputs if i.name in arrays)
        counts = {c.samples for c in columns if c.samples is not None} or {1}
        if len(counts) > 1:
            told = ", ".join(f"{printable(c.info.name)}: {c.samples}" for c in columns)
            raise DataError(f"{_name(path)}: the inputs differ in their number of samples: {told}")
        if counts == {0}:
            raise DataError(f"{_name(path)}: it holds no samples (its leading axis is empty)")
        return cls(path, columns, counts.pop())

    @property
    def known(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of all inputs in the file."""
        return {c.info.name: c.shape for c in self.columns}

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        filled = [p for p in plans if p.info.name not in self.known]
        names = ", ".join(f"{printable(p.info.name)} ({p.role})" for p in filled)
        return f"arrays from {_name(self.path)}" + (f"; filled in: {names}" if filled else "")

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """Types that were converted."""
        del plans
        return tuple(
            f"{_name(self.path)}: {c.array.dtype} values were converted to {c.info.dtype} for "
            f"input {printable(c.info.name)}"
            for c in self.columns
            if c.array.dtype != np.dtype(c.info.dtype)
        )

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """Each sample once; the last feed is filled up with its own first samples."""
        assert self.total is not None
        rest = synthetic.feed(plans, seed, 0)
        rows_in_feed = batch_size(plans) if any(c.kind == "rows" for c in self.columns) else 1
        rows = order(self.total, seed)
        for start in range(0, len(rows), rows_in_feed):
            chosen = rows[start : start + rows_in_feed]
            full = [chosen[i % len(chosen)] for i in range(rows_in_feed)]
            arrays = {**rest, **{c.info.name: c.take(full) for c in self.columns}}
            yield Feed(arrays, len(chosen), rows_in_feed, f"{_name(self.path)}[{chosen[0]}]")


def _name(path: Path) -> str:
    return printable(path.name)


def _load(path: Path, inputs: tuple[TensorInfo, ...]) -> dict[str, Array]:
    """Arrays by input name. Raises DataError."""
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        if path.suffix.lower() == ".npy":
            if magic != b"\x93NUMPY":
                raise DataError(f"{_name(path)}: this is no .npy file")
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            return {_sole_input(path, inputs).name: array}
        if not zipfile.is_zipfile(path):
            raise DataError(f"{_name(path)}: this is no .npz file")
        return _load_npz(path, inputs)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, SyntaxError) as error:
        reason = one_line(str(error)) or type(error).__name__
        if "allow_pickle" in reason or "Python objects" in reason:
            reason = "it holds pickled Python objects, which are never loaded; save plain numbers"
        raise DataError(f"{_name(path)}: cannot be read: {reason}") from None


def _load_npz(path: Path, inputs: tuple[TensorInfo, ...]) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MAX_NPZ_BYTES:
        raise DataError(
            f"{_name(path)}: unpacked it takes {size / 2**30:.1f} GiB, more than "
            f"{MAX_NPZ_BYTES / 2**30:.0f} GiB; save the samples as .npy, which is read in parts"
        )
    with np.load(path, allow_pickle=False) as archive:
        arrays: dict[str, Array] = {key: archive[key] for key in archive.files}
    names = [i.name for i in inputs]
    unknown = [key for key in arrays if key not in names]
    if unknown:
        raise DataError(
            f"{_name(path)}: {printable(unknown[0])} is no input of the model, which takes "
            f"{', '.join(map(printable, names))}"
        )
    missing = [
        p for p in next(make_plans(inputs)) if p.info.name not in arrays and p.layout is not None
    ]
    if missing:
        raise DataError(f"{_name(path)}: no array for input {printable(missing[0].info.name)}")
    return arrays


def _sole_input(path: Path, inputs: tuple[TensorInfo, ...]) -> TensorInfo:
    plans = next(make_plans(inputs))
    data = [p for p in plans if p.layout is not None]
    if len(data) > 1 or not plans:
        names = ", ".join(printable(i.name) for i in inputs)
        raise DataError(
            f"{_name(path)}: the model takes {len(inputs)} inputs ({names}); save an .npz file "
            "with one array for each, under its name"
        )
    return (main_input(plans) or plans[0]).info


def _column(path: Path, info: TensorInfo, array: Array) -> Column:
    """The array with its meaning. Raises DataError when it does not fit the input."""
    where = f"{_name(path)}: input {printable(info.name)}"
    if not _fits(array, np.dtype(info.dtype)):
        raise DataError(f"{where} takes {info.dtype}, but the array holds {array.dtype}")
    rank = len(info.shape)
    if array.ndim == rank + 1:
        kind: Literal["rows", "whole", "shared"] = "whole"
    elif array.ndim == rank:
        kind = "rows" if _batched(info) else "shared"
    else:
        raise DataError(
            f"{where} has {rank} axes ({_shape(info.shape)}), but the array has {array.ndim} "
            f"({_shape(array.shape)}); the leading axis counts samples"
        )
    column = Column(info, array, kind)
    for expected, found in zip(info.shape, column.shape, strict=True):
        if isinstance(expected, int) and expected != found:
            raise DataError(
                f"{where} takes {_shape(info.shape)}, but a sample has {_shape(column.shape)}"
            )
    return column


def _batched(info: TensorInfo) -> bool:
    """Whether the input's first axis counts samples."""
    plan: InputPlan = next(make_plans((info,)))[0]
    if not info.shape or plan.role in ("state", "rate"):
        return False
    layout = guess(info.shape)
    return layout is None or layout.batch == 0


def _fits(array: Array, dtype: np.dtype[Any]) -> bool:
    """The same type, another float type, or integers that all fit."""
    if array.dtype == dtype or (array.dtype.kind == "f" and dtype.kind == "f"):
        return True
    if array.dtype.kind not in "iu" or dtype.kind not in "iu" or not array.size:
        return False
    bounds = np.iinfo(dtype)
    return int(array.min()) >= bounds.min and int(array.max()) <= bounds.max


def _shape(shape: tuple[int | str | None, ...]) -> str:
    return "×".join(printable(str("?" if d is None else d), 20) for d in shape) or "a single number"
