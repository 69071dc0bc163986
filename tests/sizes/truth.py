"""What really happens at a size: ONNX Runtime runs the model."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper


def runs(
    model: ModelProto, feeds: Sequence[Mapping[str, np.ndarray]], *, whole: bool = True
) -> list[bool]:
    """For each feed, whether the model runs; with ``whole`` no tensor on the way may be empty."""
    try:
        session = _session(_whole(model) if whole else model)
    except Exception:  # noqa: BLE001  # the runtime sees beforehand that no size can run
        return [False] * len(feeds)
    return [_once(session, feed) for feed in feeds]


def _once(session: onnxruntime.InferenceSession, feed: Mapping[str, np.ndarray]) -> bool:
    try:
        found = session.run(None, dict(feed))
    except Exception:  # noqa: BLE001  # onnxruntime raises several types
        return False
    return all(0 not in np.shape(value) for value in found)


def shapes(model: ModelProto, feed: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor that a node of the main graph makes."""
    session = _session(_whole(model))
    names = [output.name for output in session.get_outputs()]
    found = session.run(names, dict(feed))
    return {name: np.shape(value) for name, value in zip(names, found, strict=True)}


def _whole(model: ModelProto) -> ModelProto:
    """A copy that hands out every tensor that a node makes."""
    whole = ModelProto()
    whole.CopyFrom(model)
    del whole.graph.output[:]
    names = [name for node in whole.graph.node for name in node.output if name]
    whole.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    return whole


def _session(model: ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def picture(*size: int, channels: int = 2) -> dict[str, np.ndarray]:
    return {"x": np.zeros((1, channels, *size), dtype=np.float32)}


def read_rows(
    size: int, kernel: int, stride: int, dilation: int, begin: int, end: int
) -> np.ndarray:
    """Which of begin + size + end elements a convolution reads, along one axis.

    Each sample holds a single 1; a sample whose output is all 0 was not read.
    """
    padded = begin + size + end
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], strides=[stride], dilations=[dilation])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [padded, 1, padded])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor("w", TensorProto.FLOAT, [1, 1, kernel], np.ones(kernel))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    samples = np.eye(padded, dtype=np.float32)[:, None, :]
    (out,) = _session(model).run(None, {"x": samples})
    return np.asarray(out.reshape(padded, -1).any(axis=1))


def told(model: ModelProto) -> str:
    """The nodes of a model, for the message of a failing test."""
    return "\n".join(
        f"{node.op_type} {list(node.input)} -> {list(node.output)} "
        + str({a.name: helper.get_attribute_value(a) for a in node.attribute})
        for node in model.graph.node
    )
