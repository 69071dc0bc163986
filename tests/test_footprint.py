"""Memory of a run: it grows with the weights and with the maps, and is a model's own."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnxpad.footprint import peak_memory


def _save(path: Path, weights: int) -> Path:
    """x times a constant of so many MiB."""
    array = np.ones((weights, 2**18), np.float32)
    nodes = [
        helper.make_node("ReduceSum", ["w", "axes"], ["s"], keepdims=0),
        helper.make_node("Mul", ["x", "s"], ["y"]),
    ]
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in "xy"]
    constants = [
        numpy_helper.from_array(array, "w"),
        numpy_helper.from_array(np.array([0, 1]), "axes"),
    ]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, path)
    return path


def test_weights_and_maps_count(tmp_path: Path) -> None:
    few, many = _save(tmp_path / "few.onnx", 1), _save(tmp_path / "many.onnx", 64)
    short, long = {"x": np.ones(8, np.float32)}, {"x": np.ones(2**24, np.float32)}
    base = peak_memory(few, short, threads=1)
    if base is None:
        pytest.skip("this platform does not tell the peak")
    heavy, wide = peak_memory(many, short, threads=1), peak_memory(few, long, threads=1)
    assert heavy is not None
    assert wide is not None
    assert heavy - base > 50  # 63 MiB more of weights, held at least once
    assert wide - base > 50  # one output of 64 MiB


def test_what_does_not_run_has_none(tmp_path: Path) -> None:
    path = _save(tmp_path / "few.onnx", 1)
    assert peak_memory(path, {"z": np.ones(8, np.float32)}) is None
    assert peak_memory(tmp_path / "nowhere.onnx", {}) is None
