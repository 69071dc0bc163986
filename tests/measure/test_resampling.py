"""Resize as a matrix, against ONNX Runtime."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from onnxpad.measure.resampling import resize_matrix

COORDINATES = [
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "asymmetric", "align_corners",
]  # fmt: skip


def resized(size: int, scale: float, **given: object) -> np.ndarray:
    """(out, size) by ONNX Runtime: the identity resized along its first axis of space."""
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], **given)
    scales = helper.make_tensor("s", TensorProto.FLOAT, [4], [1, 1, scale, 1])
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, size, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [scales],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.eye(size, dtype=np.float32)[None, None]})[0][0, 0]


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize(("size", "scale"), [(7, 2.0), (9, 3.0), (8, 1.5), (12, 0.5), (5, 4.0)])
def test_equals_the_runtime(coordinates: str, mode: str, size: int, scale: float):
    wanted = resized(size, scale, mode=mode, coordinate_transformation_mode=coordinates)
    found = resize_matrix(size, len(wanted), scale, mode, coordinates)
    # float32 weights, sums of at most four of them
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "asymmetric"])
@pytest.mark.parametrize(("size", "scale"), [(7, 2.0), (8, 1.5), (12, 0.5)])
def test_every_way_to_the_nearest(nearest: str, coordinates: str, size: int, scale: float):
    wanted = resized(
        size, scale, mode="nearest", coordinate_transformation_mode=coordinates,
        nearest_mode=nearest,
    )  # fmt: skip
    found = resize_matrix(size, len(wanted), scale, "nearest", coordinates, nearest)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "given", [{"mode": "area"}, {"coordinates": "tf_crop_and_resize"}, {"nearest": "up"}]
)
def test_what_it_does_not_know_is_none(given: dict[str, str]):
    assert resize_matrix(4, 8, 2.0, **given) is None
