"""Samples from .npy and .npz files, used as they are. Pickles are never loaded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.array_files import load_arrays
from onnxpad.data.label_arrays import ArrayLabels
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.labels import Label, LabelFacts
from onnxpad.data.layout import guess
from onnxpad.data.plan import InputPlan, main_input
from onnxpad.data.plan import plans as make_plans
from onnxpad.data.sample import Feed, Plans, Sample, Skipped, batch_size, order
from onnxpad.errors import DataError
from onnxpad.runtime import Array, TensorInfo
from onnxpad.text import printable


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
    array_labels: ArrayLabels | None = None
    preprocessed: bool = False
    origin: str = "arrays"
    endless: bool = False

    @classmethod
    def open(
        cls,
        path: Path,
        inputs: tuple[TensorInfo, ...],
        labels: LabelSpec | None = None,
        *,
        preprocessed: bool = False,
    ) -> "ArraySource":
        """Read and check.

        Args:
            path: of a .npy or .npz file. inputs: the model's.
            labels: an array of one label a sample.
            preprocessed: whether preprocessing was declared, which arrays do not need.

        Raises:
            DataError: it cannot be read or does not fit the inputs.
        """
        arrays = _load(path, inputs)
        columns = tuple(_column(path, i, arrays[i.name]) for i in inputs if i.name in arrays)
        counts = {c.samples for c in columns if c.samples is not None} or {1}
        if len(counts) > 1:
            told = ", ".join(f"{printable(c.info.name)}: {c.samples}" for c in columns)
            raise DataError(f"{_name(path)}: the inputs differ in their number of samples: {told}")
        if counts == {0}:
            raise DataError(f"{_name(path)}: it holds no samples (its leading axis is empty)")
        total = counts.pop()
        found = _labels(labels, total) if labels else None
        return cls(path, columns, total, found, preprocessed)

    @property
    def labels(self) -> LabelFacts | None:
        """What the labels have in common."""
        return self.array_labels.facts if self.array_labels else None

    @property
    def known(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of all inputs in the file."""
        return {c.info.name: c.shape for c in self.columns}

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        filled = [p for p in plans if p.info.name not in self.known]
        names = ", ".join(f"{printable(p.info.name)} ({p.role})" for p in filled)
        labels = f"; labels: {self.labels.kind}, {self.labels.note}" if self.labels else ""
        rest = f"; filled in: {names}" if filled else ""
        return f"arrays from {_name(self.path)}, used as they are{rest}{labels}"

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """Types that were converted, and that preprocessing does not apply."""
        del plans
        unused = (
            f"{_name(self.path)}: arrays are used as they are; the declared preprocessing was not "
            "applied to them"
        )
        return (unused,) * self.preprocessed + tuple(
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
            samples = tuple(Sample(f"{_name(self.path)}[{i}]", self._label(i)) for i in chosen)
            yield Feed(arrays, len(chosen), rows_in_feed, samples[0].name, samples)

    def _label(self, index: int) -> Label | None:
        return self.array_labels.label(index) if self.array_labels else None


def _name(path: Path) -> str:
    return printable(path.name)


def _labels(spec: LabelSpec, total: int) -> ArrayLabels:
    """The labels of samples in an array. Raises DataError."""
    if spec.form != "array" or spec.path is None:
        raise DataError(
            f"labels: samples in arrays take array=FILE (.npy or .npz), not {spec.form}"
        )
    arrays = load_arrays(spec.path)
    if len(arrays) != 1:
        raise DataError(f"labels {_name(spec.path)}: expected one array, found {len(arrays)}")
    return ArrayLabels.of(next(iter(arrays.values())), spec.path, total)


def _load(path: Path, inputs: tuple[TensorInfo, ...]) -> dict[str, Array]:
    """Arrays by input name. Raises DataError."""
    arrays = load_arrays(path)
    if path.suffix.lower() == ".npy":
        return {_sole_input(path, inputs).name: arrays[""]}
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
