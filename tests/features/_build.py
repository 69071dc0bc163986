"""Pieces the one-feature models are made of, and their registry."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

Dims = Sequence[int | str | None]
Builder = Callable[[], ModelProto]

OPSET = 17
IR_VERSION = 8
IMAGE: Dims = (1, 2, 9, 8)  # uneven sides, so that swapped axes show


@dataclass(frozen=True)
class Feature:
    """A builder, with the reasons why onnx.checker or ONNX Runtime's CPU provider refuse it."""

    build: Builder
    not_checked: str = ""
    not_run: str = ""


REGISTRY: dict[str, Feature] = {}


def feature(*, not_checked: str = "", not_run: str = "") -> Callable[[Builder], Builder]:
    """Enter a builder under its own name."""

    def enter(build: Builder) -> Builder:
        assert build.__name__ not in REGISTRY, build.__name__
        REGISTRY[build.__name__] = Feature(build, not_checked, not_run)
        return build

    return enter


def value(name: str, dims: Dims | None, dtype: int = TensorProto.FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, dims)


def array(name: str, *shape: int) -> npt.NDArray[np.float32]:
    """Noise that depends on the name alone, scaled so that sums over a kernel stay near 1."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    scale = float(np.sqrt(max(1, int(np.prod(shape[1:])))))
    return (rng.standard_normal(shape) / scale).astype(np.float32)


def weight(name: str, *shape: int, dtype: npt.DTypeLike = np.float32) -> TensorProto:
    return tensor(name, array(name, *shape).astype(dtype))


def tensor(name: str, values: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def ints(name: str, values: Sequence[int]) -> TensorProto:
    return tensor(name, values, np.int64)


def constant(name: str, values: npt.ArrayLike, dtype: npt.DTypeLike = np.int64) -> NodeProto:
    return helper.make_node(
        "Constant", [], [name], name=f"make_{name}", value=tensor("", values, dtype)
    )


def conv(
    x: str = "x", w: str = "W", y: str = "y", name: str = "conv", **attributes: Any
) -> NodeProto:
    """A Conv with pads of 1 on two axes unless told otherwise (``pads=None`` leaves them out)."""
    attributes = {"pads": [1, 1, 1, 1]} | attributes
    kept = {key: given for key, given in attributes.items() if given is not None}
    return helper.make_node("Conv", [x, w], [y], name=name, **kept)


def graph(
    nodes: Iterable[NodeProto],
    inputs: Iterable[ValueInfoProto],
    outputs: Iterable[ValueInfoProto],
    initializers: Iterable[TensorProto] = (),
    name: str = "g",
) -> GraphProto:
    return helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(initializers))


def model(
    nodes: Iterable[NodeProto],
    initializers: Iterable[TensorProto] = (),
    *,
    inputs: Iterable[ValueInfoProto] | None = None,
    outputs: Iterable[ValueInfoProto] | None = None,
    opset: int = OPSET,
    ir_version: int = IR_VERSION,
    domains: Iterable[str] = (),
) -> ModelProto:
    """x: IMAGE → y of unknown size, unless told otherwise."""
    inputs = [value("x", IMAGE)] if inputs is None else inputs
    outputs = [value("y", (None,) * 4)] if outputs is None else outputs
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    made = helper.make_model(
        graph(nodes, inputs, outputs, initializers), opset_imports=imports, producer_name="features"
    )
    made.ir_version = ir_version
    return made


def plain(*, opset: int = OPSET, ir_version: int = IR_VERSION) -> ModelProto:
    """The smallest model with padding: one 3×3 Conv, pads 1."""
    return model([conv()], [weight("W", 3, 2, 3, 3)], opset=opset, ir_version=ir_version)


def unknown_field(
    proto: onnx.ModelProto
    | GraphProto
    | NodeProto
    | onnx.AttributeProto
    | TensorProto
    | ValueInfoProto,
) -> None:
    """Give a message field number 1999, which no ONNX version knows, with the value 7."""
    proto.MergeFromString(b"\xf8\x7c\x07")
