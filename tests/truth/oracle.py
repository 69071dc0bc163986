"""Truth for rewritten nodes: numpy.pad, then the same op without padding."""

from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

Array = NDArray[Any]
OPSETS = tuple(range(7, 25))
KINDS = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.float64): TensorProto.DOUBLE,
    np.dtype(np.float16): TensorProto.FLOAT16,
    np.dtype(np.uint8): TensorProto.UINT8,
    np.dtype(np.int8): TensorProto.INT8,
    np.dtype(np.int32): TensorProto.INT32,
    np.dtype(np.int64): TensorProto.INT64,
}


def run(model: ModelProto, **feeds: Array) -> Array:
    """The first output of a model in ONNX Runtime, unoptimised so that every node is run.

    Optimised, a zero Pad in front of a MaxPool becomes the pool's own padding, which is -inf.
    """
    if any(array.dtype == np.float64 for array in feeds.values()):
        # ONNX Runtime has no float64 convolution; ONNX's reference implementation has.
        return np.asarray(ReferenceEvaluator(model).run(None, feeds)[0])
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, feeds)[0])


def ir_version(opset: int) -> int:
    """An IR version that ONNX Runtime takes together with an opset."""
    return 3 if opset < 9 else 8 if opset < 19 else 10


def model_of(
    nodes: list[Any], feeds: dict[str, Array], constants: dict[str, Array], opset: int,
    *, dynamic: bool = False, output: str = "y", kind: int | None = None,
) -> ModelProto:  # fmt: skip
    """A model of a few nodes whose spatial sizes are free or fixed to those of ``feeds``."""
    inputs = []
    for name, array in feeds.items():
        shape = [f"{name}{i}" if dynamic and i > 1 else d for i, d in enumerate(array.shape)]
        inputs.append(helper.make_tensor_value_info(name, KINDS[array.dtype], shape))
    kind = kind or KINDS[next(iter(feeds.values())).dtype]
    rank = next(iter(feeds.values())).ndim
    result = helper.make_tensor_value_info(output, kind, [None] * rank)
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    if ir_version(opset) < 4:
        inputs += [
            helper.make_tensor_value_info(n, KINDS[a.dtype], a.shape) for n, a in constants.items()
        ]
    graph = helper.make_graph(nodes, "g", inputs, [result], initializers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = ir_version(opset)
    return made


def numpy_pad(array: Array, pads: list[tuple[int, int]], mode: str, value: float = 0.0) -> Array:
    """numpy.pad over the spatial axes, in onnxpad's words for the modes."""
    width = [(0, 0), (0, 0), *pads]
    if mode == "linear":
        return np.pad(array, width, mode="reflect", reflect_type="odd")
    if mode in ("zero", "constant"):
        return np.pad(array, width, mode="constant", constant_values=value)
    return np.pad(array, width, mode=mode)  # type: ignore[call-overload]
