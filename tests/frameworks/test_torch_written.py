"""One export written in other ways: not folded, with initializers as inputs, optimised."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest

from tests.frameworks.harness import check_truth, distance, framework, rewritten, run

torch = framework("torch")
pytestmark = pytest.mark.torch

from torch import Tensor, nn  # noqa: E402 (torch has to be there first)

from tests.frameworks.nets import CASES, MORE  # noqa: E402
from tests.frameworks.torch_export import quiet  # noqa: E402
from tests.frameworks.torch_truth import outputs, settle, truth  # noqa: E402

torch.set_num_threads(1)

NAMES = (
    "same", "functional_same", "pad_uneven", "pad_shared", "tf_same_int", "tf_same_ceil",
    "same_pools", "standardised_same", "cyclegan", "blurpool", "swinir", "yolov8", "halonet",
    "unet_odd_sizes", "encodec", "vnet", "pad_then_norm",
)  # fmt: skip
NETS = {case.name: case for case in (*CASES, *MORE) if case.name in NAMES}


def _export(net: nn.Module, x: Tensor, **options: Any) -> onnx.ModelProto:
    file = io.BytesIO()
    axes = {"x": {i: f"size{i}" for i in range(2, x.ndim)}}
    with quiet():
        torch.onnx.export(
            net, (x,), file, dynamo=False, input_names=["x"], dynamic_axes=axes,
            **{"opset_version": 17, **options},
        )  # fmt: skip
    return onnx.ModelProto.FromString(file.getvalue())


def _optimised(net: nn.Module, x: Tensor, folder: Path) -> onnx.ModelProto:
    """As ONNX Runtime saves it: fused, and with ops that nobody infers shapes for."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 4
    model = _export(net, x).SerializeToString()
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return onnx.load(options.optimized_model_filepath)


WAYS: dict[str, Callable[[nn.Module, Tensor, Path], onnx.ModelProto]] = {
    "unfolded": lambda net, x, _: _export(net, x, do_constant_folding=False),
    "optimised": _optimised,
    "inputs": lambda net, x, _: _export(net, x, keep_initializers_as_inputs=True),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_written_in_another_way(name: str, way: str, tmp_path: Path) -> None:
    case = NETS[name]
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(case.shape, generator=generator) + 1.5
    net = settle(case.make(), x)
    model = WAYS[way](net, x, tmp_path)
    feeds, own = {"x": x.numpy()}, outputs(net, x)
    base = distance(run(model, feeds), own)
    assert base <= 1e-3
    for mode in case.modes:
        candidate, result = rewritten(model, mode)
        assert not result.refused
        check_truth(candidate, feeds, own, truth(net, x, mode, pads=case.pads), base=base)
