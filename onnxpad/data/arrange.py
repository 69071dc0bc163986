"""Values put on the axes of an input and into its type."""

import numpy as np

from onnxpad.data.plan import InputPlan
from onnxpad.runtime import Array


def arrange(values: Array, plan: InputPlan) -> Array:
    """(N, *space, C) values on the input's axes, in its type; integers are rounded to.

    An input without a batch axis gets the first of N, one without channels the first of C.
    """
    layout = plan.layout
    assert layout is not None
    dtype = np.dtype(plan.info.dtype)
    if dtype.kind in "iu":
        values = np.rint(values)
    space = range(1, 1 + len(layout.spatial))
    source = dict(zip(layout.spatial, space, strict=True))
    if layout.batch is None:
        values, source = values[0], {axis: at - 1 for axis, at in source.items()}
    else:
        source[layout.batch] = 0
    if layout.channel is None:
        values = values[..., 0]
    else:
        source[layout.channel] = values.ndim - 1
    values = values.transpose([source[axis] for axis in range(values.ndim)])
    return np.ascontiguousarray(values, dtype)
