"""Phases of an image in the batch against windows of it: only the first are not padded as such."""

import pytest
from onnx import ModelProto, TensorProto, helper

import onnxpad

# what it is -> shape of the image, how it is cut, the permutation, the convolution's input
CUTS = {
    "phases": ((1, 4, 6, 8), (1, 4, 3, 2, 4, 2), (3, 5, 0, 1, 2, 4), (4, 4, 3, 4)),
    "phases_of_rows": ((1, 4, 6, 8), (1, 4, 3, 2, 8), (0, 3, 1, 2, 4), (2, 4, 3, 8)),
    "phases_of_a_batch": ((3, 4, 6, 6), (3, 4, 2, 3, 2, 3), (3, 5, 0, 1, 2, 4), (27, 4, 2, 2)),
    "windows": ((1, 4, 6, 8), (1, 4, 2, 3, 2, 4), (0, 2, 4, 1, 3, 5), (4, 4, 3, 4)),
    "square_windows": ((1, 4, 4, 4), (1, 4, 2, 2, 2, 2), (0, 2, 4, 1, 3, 5), (4, 4, 2, 2)),
    "stripes": ((2, 4, 6, 8), (2, 4, 6, 4, 2), (0, 3, 1, 2, 4), (8, 4, 6, 2)),
    "image_of_windows": ((4, 4, 3, 4), (1, 2, 2, 4, 3, 4), (0, 3, 1, 4, 2, 5), (1, 4, 6, 8)),
    "images_of_windows": ((8, 4, 3, 4), (2, 2, 2, 4, 3, 4), (0, 3, 1, 4, 2, 5), (2, 4, 6, 8)),
}


def cut_model(name: str) -> ModelProto:
    """Reshape, Transpose, Reshape and a convolution that pads."""
    image, cut, perm, shape = CUTS[name]
    nodes = [
        helper.make_node("Reshape", ["x", "cut"], ["c"]),
        helper.make_node("Transpose", ["c"], ["t"], perm=perm),
        helper.make_node("Reshape", ["t", "shape"], ["b"]),
        helper.make_node("Conv", ["b", "w"], ["y"], pads=[1, 1, 1, 1], name="conv"),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor("cut", TensorProto.INT64, [len(cut)], cut),
            helper.make_tensor("shape", TensorProto.INT64, [4], shape),
            helper.make_tensor("w", TensorProto.FLOAT, [4, 4, 3, 3], [0.1] * 144),
        ],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


@pytest.mark.parametrize("name", CUTS)
def test_phases_are_refused_and_windows_are_not(name: str) -> None:
    result = onnxpad.rewrite(cut_model(name), "edge")
    assert bool(result.refused) == name.startswith("phases")
    assert bool(result.changed) != name.startswith("phases")
