"""Models run whole, and what a rewrite must never do to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto

Array = NDArray[Any]


def outputs(model: ModelProto | Path, feeds: Mapping[str, Array]) -> list[Array]:
    """Every output, from one thread of ONNX Runtime's CPU provider."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return [np.asarray(value) for value in session.run(None, dict(feeds))]


def parsed(model: ModelProto) -> ModelProto:
    """The model as one who got only its bytes sees it."""
    return ModelProto.FromString(model.SerializeToString())


def fault(model: ModelProto | Path) -> str:
    """What onnx.checker says against a model, "" if nothing."""
    try:
        onnx.checker.check_model(str(model) if isinstance(model, Path) else model)
    except onnx.checker.ValidationError as error:
        return str(error)
    return ""
