"""Models that begin with an explicit Pad, at any opset."""

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from tests.rules.check import model

ONE = (0, 0, 1, 1, 0, 0, 1, 1)  # one pixel on each side of N, C, H, W


def padded(
    nodes: Sequence[NodeProto],
    initializers: Sequence[TensorProto] = (),
    *,
    pads: Sequence[int] = ONE,
    mode: str = "constant",
    fill: float | None = None,
    axes: Sequence[int] | None = None,
    opset: int = 17,
    shape: Sequence[int | str | None] = (1, 3, 6, 6),
    dtype: int = TensorProto.FLOAT,
    source: str = "x",
    before: Sequence[NodeProto] = (),
) -> ModelProto:
    """Nodes behind a Pad named ``pad`` that makes ``p`` of ``source``."""
    if opset < 11:
        given = {} if fill is None else {"value": fill}
        pad = helper.make_node("Pad", [source], ["p"], "pad", mode=mode, pads=list(pads), **given)
        return model([*before, pad, *nodes], initializers, shape, opset, dtype)
    more = [numpy_helper.from_array(np.array(pads, np.int64), "pads")]
    inputs = [source, "pads", "", ""]
    if fill is not None:
        kind = helper.tensor_dtype_to_np_dtype(dtype)
        more.append(numpy_helper.from_array(np.array(fill, kind), "fill"))
        inputs[2] = "fill"
    if axes is not None:
        more.append(numpy_helper.from_array(np.array(axes, np.int64), "axes"))
        inputs[3] = "axes"
    while not inputs[-1]:
        inputs.pop()
    pad = helper.make_node("Pad", inputs, ["p"], "pad", mode=mode)
    return model([*before, pad, *nodes], [*initializers, *more], shape, opset, dtype)


def pool(
    op: str, kernel: int = 3, source: str = "p", target: str = "y", **given: object
) -> NodeProto:
    """A square pool of ``p``."""
    return helper.make_node(
        op, [source], [target], f"{op.lower()}_{target}", kernel_shape=[kernel] * 2, **given
    )


def conv(kernel: int = 3, source: str = "p", target: str = "y", **given: object) -> NodeProto:
    """A square Conv of ``p`` with the weight ``w``."""
    return helper.make_node(
        "Conv", [source, "w"], [target], f"conv_{target}", kernel_shape=[kernel] * 2, **given
    )
