"""Labels beside samples in arrays: one for each sample, in the same order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onnxpad.data.labels import ClassLabel, Kind, Label, LabelFacts, Mask, Reference
from onnxpad.errors import DataError
from onnxpad.runtime import Array
from onnxpad.text import printable


@dataclass(frozen=True, slots=True)
class ArrayLabels:
    """Labels of all samples.

    Integers (N,) or (N, 1) are classes, integers of more axes masks, floats references.
    """

    array: Array
    facts: LabelFacts

    @classmethod
    def of(cls, array: Array, path: Path, samples: int | None) -> "ArrayLabels":
        """Check the array against the number of samples. Raises DataError."""
        name = printable(path.name)
        if array.ndim == 0 or array.dtype.kind not in "iufb":
            raise DataError(f"labels {name}: expected numbers, one or more for each sample")
        if samples is None or len(array) != samples:
            raise DataError(f"labels {name}: {len(array)} labels for {samples or 1} samples")
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        kind: Kind = "reference"
        highest = None
        if array.dtype.kind in "iub":
            kind = "class" if array.ndim == 1 else "mask"
            lowest, highest = int(array.min()), int(array.max())
            if lowest < (0 if kind == "class" else -1):
                raise DataError(f"labels {name}: {lowest} is no class number")
        return cls(array, LabelFacts(kind, name, samples, highest=highest))

    def label(self, index: int) -> Label:
        """Of one sample."""
        value = self.array[index]
        if self.facts.kind == "class":
            return ClassLabel(int(value))
        if self.facts.kind == "mask":
            return Mask(np.asarray(value, np.int32))
        return Reference(np.asarray(value))
