"""Both exporters of PyTorch, to a ModelProto."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import onnx
import torch
from torch import Tensor, nn


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the exporters say to themselves."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


def export(
    net: nn.Module, x: Tensor, *, exporter: str, opset: int, free: bool = False
) -> onnx.ModelProto:
    """Export in evaluation mode; `free` leaves all spatial sizes open.

    The input is named x. The newer exporter never goes below opset 18.
    """
    spatial = range(2, x.ndim)
    with quiet():
        if exporter == "dynamo":
            shapes = (dict.fromkeys(spatial, torch.export.Dim.DYNAMIC),) if free else None
            program = torch.onnx.export(
                net, (x,), dynamo=True, opset_version=opset, dynamic_shapes=shapes,
                input_names=["x"], verbose=False,
            )  # fmt: skip
            assert program is not None
            return onnx.ModelProto.FromString(program.model_proto.SerializeToString())
        file = io.BytesIO()
        axes = {"x": {i: f"size{i}" for i in spatial}} if free else None
        torch.onnx.export(
            net, (x,), file, dynamo=False, opset_version=opset, dynamic_axes=axes,
            input_names=["x"],
        )  # fmt: skip
        return onnx.ModelProto.FromString(file.getvalue())
