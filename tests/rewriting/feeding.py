"""Seeded inputs for models of any kind."""

import numpy as np
from onnx import ModelProto, helper

from tests.rewriting.running import Array


def seeded(model: ModelProto, side: int = 64) -> dict[str, Array]:
    """Seeded inputs: free sizes are ``side`` in images, 512 in signals, 1 elsewhere."""
    random = np.random.default_rng(0)
    known = {tensor.name for tensor in model.graph.initializer}
    found: dict[str, Array] = {}
    for info in model.graph.input:
        if info.name in known:
            continue
        kind = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        dims = info.type.tensor_type.shape.dim
        free = {(4, 1): 3, (4, 2): side, (4, 3): side, (2, 1): 512}
        if len(dims) == 4 and dims[3].dim_value in (1, 3):
            free[4, 1] = side  # channels last
        shape = [d.dim_value or free.get((len(dims), i), 1) for i, d in enumerate(dims)]
        if kind == np.int64:
            found[info.name] = np.full(shape, 16000, kind)  # the one there is: a sampling rate
        else:
            found[info.name] = (random.random(shape) * (255 if kind == np.uint8 else 1)).astype(
                kind
            )
    return found
