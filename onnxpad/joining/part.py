"""A part of a measurement that may fail alone."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from onnxpad.errors import OnnxpadError, RunError

_T = TypeVar("_T")


def part(measure: Callable[[], _T]) -> tuple[_T | None, str]:
    """A part's record, or why there is none: no part may take the others down.

    Outputs that are not finite are counted by each measure, not warned of by numpy as well.
    """
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            return measure(), ""
    except OnnxpadError as error:
        return None, str(error)
    except (ValueError, MemoryError) as error:
        return None, str(RunError(f"could not be measured: {type(error).__name__} {error}"))
