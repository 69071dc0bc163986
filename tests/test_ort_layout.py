"""Which tensors are blocked, against the graphs that ONNX Runtime makes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from onnxpad.indexing import index
from onnxpad.ort_layout import blocked

C = 32


def node(op: str, inputs: str, output: str, **attributes: object) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


START = [node("Conv", "x w3", "c", pads=[1] * 4), node("Relu", "c", "r")]
RESIDUAL = [
    part
    for i in range(12)
    for part in (
        node("Conv", f"{'r' if i == 0 else f's{i - 1}'} w1", f"d{i}"),
        node("Add", f"{'r' if i == 0 else f's{i - 1}'} d{i}", f"a{i}"),
        node("Relu", f"a{i}", f"s{i}"),
    )
]
CASES: dict[str, list[NodeProto]] = {
    "conv": [*START, node("Identity", "r", "t")],
    "residual chain": [*START, *RESIDUAL, node("Sigmoid", "s11", "t")],
    "swish": [*START, node("Conv", "r w1", "d"), node("Sigmoid", "d", "g"),
              node("Mul", "d g", "t")],
    "channel numbers": [*START, node("Conv", "r w1", "d"), node("Mul", "d k", "t")],
    "a number behind Relu": [*START, node("Add", "r one", "t")],
    "max-pool": [*START, node("MaxPool", "r", "t", kernel_shape=[2, 2])],
    "concat": [*START, node("Conv", "r w1", "d"), node("Concat", "r d", "t", axis=1)],
    "concat with what is not": [*START, node("Sqrt", "r", "d"), node("Concat", "r d", "t", axis=1)],
    "sqrt": [*START, node("Sqrt", "r", "t")],
    "input": [node("Relu", "x", "t")],
}  # fmt: skip


def model_of(nodes: list[NodeProto]) -> ModelProto:
    """With a Pad and a convolution of the tensor ``t`` at the end."""
    wide = 2 * C if any(n.op_type == "Concat" for n in nodes) else C
    arrays = {
        "w3": np.ones((C, C, 3, 3), np.float32), "w1": np.ones((C, C, 1, 1), np.float32),
        "last": np.ones((C, wide, 3, 3), np.float32), "k": np.ones((C, 1, 1), np.float32),
        "one": np.array(1.5, np.float32), "p": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
    }  # fmt: skip
    tail = [node("Pad", "t p", "q", mode="edge"), node("Conv", "q last", "y")]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, C, 12, 12])
    graph = helper.make_graph(
        [*nodes, *tail], "g", [image],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("case", CASES)
def test_as_onnx_runtime_has_it(case: str, tmp_path: Path) -> None:
    """A blocked tensor comes to the Pad from a ReorderOutput."""
    model = model_of(CASES[case])
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "o.onnx")
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    made = onnx.load(tmp_path / "o.onnx").graph.node
    kinds = [n.op_type for n in made]
    if "ReorderInput" not in kinds:
        pytest.skip("no blocked layout on this processor")
    pad = next(n for n in made if n.op_type == "Pad")
    maker = next((n.op_type for n in made if pad.input[0] in n.output), "")
    (scope,) = index(model)
    assert ("t" in blocked(scope)) is (maker == "ReorderOutput")
    assert "r" in blocked(scope) or case == "input"
