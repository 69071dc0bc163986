"""Models of one Pad, for the rules on targets."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.rules.check import model


def padded(mode="reflect", opset=17, dtype=TensorProto.FLOAT, shape=(1, 3, 32, 32), pads=None):
    """One Pad; an attribute holds its amounts below opset 11."""
    amounts = pads or [0, 0, 1, 1, 0, 0, 1, 1]
    if opset < 11:
        node = helper.make_node("Pad", ["x"], ["y"], name="pad", mode=mode, pads=amounts)
        return model([node], (), shape, opset, dtype)
    node = helper.make_node("Pad", ["x", "p"], ["y"], name="pad", mode=mode)
    tensor = numpy_helper.from_array(np.array(amounts, np.int64), "p")
    return model([node], [tensor], shape, opset, dtype)


def computed(opset=17):
    """One Pad whose amounts depend on the input's size."""
    nodes = [
        helper.make_node("Shape", ["x"], ["size"]),
        helper.make_node("Mod", ["size", "two"], ["odd"]),
        helper.make_node("Concat", ["none", "odd"], ["p"], axis=0),
        helper.make_node("Pad", ["x", "p"], ["y"], name="pad"),
    ]
    arrays = {"two": [2] * 4, "none": [0] * 4}
    tensors = [numpy_helper.from_array(np.array(v, np.int64), k) for k, v in arrays.items()]
    return model(nodes, tensors, (1, 3, "h", "w"), opset)
