"""One-feature models: each is small, pads somewhere, and has one thing that tools tend to lose.

``FEATURES`` maps a name to the builder of a ModelProto; ``FILES`` maps a name to a writer that puts
a model and its data files into a folder. ``NOT_CHECKED`` and ``NOT_RUN`` name the models that
onnx.checker or ONNX Runtime's CPU provider refuse, with the reason. ``feeds`` makes inputs.
"""

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper

from tests.features import pads, records, scopes, windows  # noqa: F401  # fill the registry
from tests.features._build import REGISTRY, Builder
from tests.features.files import FILES

__all__ = ["FEATURES", "FILES", "NOT_CHECKED", "NOT_RUN", "feeds"]

FEATURES: dict[str, Builder] = {name: entry.build for name, entry in REGISTRY.items()}
NOT_CHECKED = {name: entry.not_checked for name, entry in REGISTRY.items() if entry.not_checked}
NOT_RUN = {name: entry.not_run for name, entry in REGISTRY.items() if entry.not_run}

# Free dimensions by position from the last: height and width differ, so that swapped axes show.
FREE = {1: 8, 2: 9}


def feeds(model: ModelProto, seed: int = 0) -> dict[str, npt.NDArray[np.generic]]:
    """Seeded inputs for every graph input that has no initializer."""
    rng = np.random.default_rng(seed)
    known = {tensor.name for tensor in model.graph.initializer}
    return {
        info.name: _feed(info.name, info.type.tensor_type, rng)
        for info in model.graph.input
        if info.name not in known
    }


def _feed(name: str, kind: object, rng: np.random.Generator) -> npt.NDArray[np.generic]:
    assert hasattr(kind, "shape")
    assert hasattr(kind, "elem_type")
    if name == "pads":
        return np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
    if not kind.HasField("shape"):  # type: ignore[attr-defined]  # a protobuf message
        dims = [3, 2, 3, 3] if name == "W" else [1, 2, 9, 8]
    else:
        rank = len(kind.shape.dim)
        dims = [dim.dim_value or FREE.get(rank - at, 1) for at, dim in enumerate(kind.shape.dim)]
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    if kind.elem_type == TensorProto.BOOL:
        return np.array(rng.integers(0, 2, dims), bool)
    if np.issubdtype(dtype, np.integer):
        return rng.integers(0, 200, dims).astype(dtype)
    return rng.standard_normal(dims).astype(dtype)
