"""What ONNX Runtime does with a small model: the truth of rules that speak of it."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto

FATAL = 4


def _options(*, optimise: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = FATAL
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_ENABLE_BASIC if optimise else levels.ORT_DISABLE_ALL
    )
    return options


def run(model: ModelProto, x: NDArray[np.generic], *, optimise: bool = True) -> NDArray[np.generic]:
    """The first output; what ONNX Runtime raises comes through."""
    session = ort.InferenceSession(
        model.SerializeToString(), _options(optimise=optimise), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x})[0])


def optimised(model: ModelProto, folder: Path) -> Counter[str]:
    """How often each operator stands in the model once ONNX Runtime has optimised it."""
    options = _options(optimise=True)
    target = folder / "optimised.onnx"
    options.optimized_model_filepath = str(target)
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(target).graph.node)
