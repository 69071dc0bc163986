"""Mode mean: numpy.pad with a number per channel, the numbers taken on the original."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import checker, helper

import onnxpad
from onnxpad.errors import UsageError
from tests.truth.oracle import Array, model_of, run

PADS = [(1, 1), (2, 0)]


def _conv(name: str, x: str, y: str, pads: list[int]) -> onnx.NodeProto:
    return helper.make_node("Conv", [x, "w", "b"], [y], name=name, pads=pads)


def _model(x: Array, opset: int, *, dynamic: bool, pads: list[int]) -> onnx.ModelProto:
    random = np.random.default_rng(0)
    w = random.normal(0, 1, (3, 3, 3, 3)).astype(np.float32)
    constants = {"w": w, "b": random.normal(0, 1, 3).astype(np.float32)}
    return model_of([_conv("conv", "x", "y", pads)], {"x": x}, constants, opset, dynamic=dynamic)


def _padded(x: Array, means: list[float]) -> Array:
    full = np.pad(x, [(0, 0), (0, 0), *PADS])
    full += np.array(means, np.float32).reshape(1, -1, 1, 1)
    full[..., 1:-1, 2:] = x
    return full


@pytest.mark.parametrize("opset", [7, 10, 13, 18, 22])
@pytest.mark.parametrize("dynamic", [False, True])
def test_against_numpy(opset: int, dynamic: bool) -> None:
    x = np.random.default_rng(1).normal(0, 1, (2, 3, 6, 5)).astype(np.float32)
    model = _model(x, opset, dynamic=dynamic, pads=[1, 2, 1, 0])
    means = [0.5, -1.25, 3.0]
    result = onnxpad.rewrite(model, "mean", means={"conv": tuple(means)})
    checker.check_model(result.model)
    truth = _model(_padded(x, means), opset, dynamic=dynamic, pads=[0] * 4)
    np.testing.assert_array_equal(run(result.model, x=x), run(truth, x=_padded(x, means)))
    assert result.undo(result.model).SerializeToString() == model.SerializeToString()
    assert not onnxpad.rewrite(result.model, "mean").changed


def test_calibration_is_the_mean_over_the_data(tmp_path: Path) -> None:
    images = np.random.default_rng(2).normal(2, 1, (5, 3, 6, 5)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    model = _model(images[:1], 17, dynamic=False, pads=[1, 1, 1, 1])
    second = _conv("deeper", "y", "z", [1, 1, 1, 1])
    model.graph.node.append(second)
    model.graph.output[0].name = "z"
    onnx.save(model, tmp_path / "model.onnx")
    means = onnxpad.calibrate(tmp_path / "model.onnx", data=tmp_path / "images.npy")
    np.testing.assert_allclose(means["conv"], images.mean(axis=(0, 2, 3)), rtol=1e-6)
    first = _model(images, 17, dynamic=False, pads=[1, 1, 1, 1])
    expected = run(first, x=images).astype(np.float64).mean(axis=(0, 2, 3))
    # means of float32 maps, reduced in the graph in float32
    np.testing.assert_allclose(means["deeper"], expected, rtol=1e-5, atol=1e-6)


def test_a_plan_keeps_the_means(tmp_path: Path) -> None:
    x = np.ones((1, 3, 6, 5), np.float32)
    model = _model(x, 17, dynamic=False, pads=[1, 1, 1, 1])
    first = onnxpad.rewrite(model, "mean", means={"conv": (1.5, 0.1, -2.0)})
    (tmp_path / "plan.json").write_text(first.plan.to_json())
    second = onnxpad.rewrite(model, plan=tmp_path / "plan.json")
    assert second.model.SerializeToString() == first.model.SerializeToString()


def test_means_are_needed_and_fit() -> None:
    model = _model(np.ones((1, 3, 6, 5), np.float32), 17, dynamic=False, pads=[1, 1, 1, 1])
    with pytest.raises(UsageError, match="calibrate"):
        onnxpad.rewrite(model, "mean")
    with pytest.raises(UsageError, match="3 channels"):
        onnxpad.rewrite(model, "mean", means={"conv": (1.0,)})
