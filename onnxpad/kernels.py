"""The weights of convolutions, one tensor at a time; those in external files are read there.

No more than one layer's weights are held: a model's may be larger than memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, numpy_helper

from onnxpad import ops
from onnxpad.scopes import DEFAULT_DOMAINS, Scope, identities
from onnxpad.values import attributes
from onnxpad.windows import WindowUse

LARGEST = 2**27  # elements of one layer's weights: 512 MiB as float32
# Nodes between a weight and its convolution: Identity, Cast, Transpose, DequantizeLinear.
_STEPS = 8


@dataclass(frozen=True, slots=True)
class Kernel:
    """What is known of one convolution's weights.

    Attributes:
        use: the convolution.
        weights: (out channels, in channels / groups, spatial ...), float32, quantised ones
            multiplied out with the scale of each channel; None where they cannot be read.
        problem: why not, "" if they can.
        scaled: False for integers whose scales are not in the model: those of each channel are
            then on scales of their own.
    """

    use: WindowUse
    weights: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    problem: str = ""
    scaled: bool = True


@dataclass(frozen=True, slots=True)
class TransposedKernel:
    """What is known of one transposed convolution's weights.

    Attributes:
        identity: graph path and node name.
        stride: along each spatial axis; () where all are 1.
        weights: (in channels, out channels / groups, spatial ...), else as a Kernel's.
        problem: why they cannot be read, "" if they can.
    """

    identity: str
    stride: tuple[int, ...]
    weights: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    problem: str = ""


class _UnreadableError(Exception):
    """Why a tensor cannot be read."""


def kernels(
    scopes: Iterable[Scope], uses: Iterable[WindowUse], folder: Path | None
) -> Iterator[Kernel]:
    """The weights of the convolutions among some window ops, in their order.

    Args:
        scopes: of a model that ``load_model`` passed, so that its data lies in the folder.
        folder: where external data lies; None where there is none.
    """
    by_path = {scope.path: scope for scope in scopes}
    for use in uses:
        scope = by_path[use.scope]
        node = scope.producer(use.node)
        op = ops.window_op(node) if node is not None else None
        if node is None or op is None or not op.conv or len(node.input) <= op.weight:
            continue
        try:
            weights, scaled = _weights(scope, node, op, folder)
        except _UnreadableError as error:
            yield Kernel(use, None, str(error))
            continue
        if op.channels_last:
            weights = np.moveaxis(weights, -1, 1)
        yield Kernel(use, weights, scaled=scaled)


def transposed_kernels(scopes: Iterable[Scope], folder: Path | None) -> Iterator[TransposedKernel]:
    """The weights of the ConvTranspose nodes, in the order of the nodes; see ``kernels``."""
    for scope in scopes:
        for name, node in zip(identities(scope), scope.nodes, strict=True):
            if ops.key(node) != ("", "ConvTranspose") or len(node.input) < 2:
                continue
            stride = tuple(attributes(node).get("strides", ()))
            try:
                found, _ = _follow(scope, node.input[1], folder, _STEPS)
            except _UnreadableError as error:
                yield TransposedKernel(name, stride, None, str(error))
            else:
                yield TransposedKernel(name, stride, np.asarray(found, np.float32))


def _weights(
    scope: Scope, node: NodeProto, op: ops.WindowOp, folder: Path | None
) -> tuple[NDArray[np.float32], bool]:
    name = node.input[op.weight]
    if op.zero_point < 0:
        found, scaled = _follow(scope, name, folder, _STEPS)
        return np.asarray(found, np.float32), scaled
    whole = _follow(scope, name, folder, _STEPS)[0]
    linear = node.op_type == "QLinearConv"
    position = 5 if linear else 3  # of the weights' zero point; QLinearConv has the scale before it
    scale = _parameter(scope, node, 4, folder) if linear else None
    zero = _parameter(scope, node, position, folder)
    return _multiplied(whole, scale, zero, 0), scale is not None


def _follow(scope: Scope, name: str, folder: Path | None, steps: int) -> tuple[NDArray[Any], bool]:
    """The numbers a tensor holds, through the nodes that only convert them."""
    owner = scope.owner(name) if name else None
    if owner is None or not steps:
        raise _UnreadableError("its weights are computed, or an input")
    if name in owner.initializers:
        return _read(owner.initializers[name], folder), True
    node = owner.producer(name)
    if node is None or node.domain not in (*DEFAULT_DOMAINS, ops.MICROSOFT):
        raise _UnreadableError("its weights are an input")
    given = attributes(node)
    if node.op_type == "Constant" and "value" in given:
        return _read(given["value"], folder), True
    if node.op_type in ("Identity", "Cast"):
        return _follow(owner, node.input[0], folder, steps - 1)
    if node.op_type == "Transpose":
        found, scaled = _follow(owner, node.input[0], folder, steps - 1)
        axes = given.get("perm", range(found.ndim)[::-1])
        if sorted(axes) != list(range(found.ndim)):
            raise _UnreadableError("its weights are malformed")
        return found.transpose(axes), scaled
    if node.op_type == "DequantizeLinear":
        if given.get("block_size", 0):
            raise _UnreadableError("its weights are quantised in blocks")
        whole, _ = _follow(owner, node.input[0], folder, steps - 1)
        scale, zero = (_parameter(owner, node, position, folder) for position in (1, 2))
        return _multiplied(whole, scale, zero, given.get("axis", 1)), True
    raise _UnreadableError(f"its weights are computed ({node.op_type})")


def _parameter(
    scope: Scope, node: NodeProto, position: int, folder: Path | None
) -> NDArray[Any] | None:
    name = node.input[position] if len(node.input) > position else ""
    return _follow(scope, name, folder, _STEPS)[0] if name else None


def _multiplied(
    whole: NDArray[Any], scale: NDArray[Any] | None, zero: NDArray[Any] | None, axis: int
) -> NDArray[np.float32]:
    """(integers - zero point) * scale, per tensor or along one axis."""
    found = np.array(whole, np.float32)
    for parameter, apply in ((zero, np.subtract), (scale, np.multiply)):
        if parameter is None:
            continue
        shape = [1] * found.ndim
        if parameter.size > 1:
            if not -found.ndim <= axis < found.ndim or parameter.size != found.shape[axis]:
                raise _UnreadableError("its scales do not fit its weights")
            shape[axis] = parameter.size
        apply(found, np.asarray(parameter, np.float32).reshape(shape), out=found)
    return found


def _read(tensor: TensorProto, folder: Path | None) -> NDArray[Any]:
    """One stored tensor; the model's own stays without its external data."""
    if prod(tensor.dims) > LARGEST:
        raise _UnreadableError(f"its weights have more than {LARGEST} elements")
    try:
        if tensor.data_location != TensorProto.EXTERNAL:
            return numpy_helper.to_array(tensor)
        copy = TensorProto()
        copy.CopyFrom(tensor)
        return numpy_helper.to_array(copy, str(folder or ""))
    except Exception:  # noqa: BLE001  # malformed tensors of an untrusted model
        raise _UnreadableError("its weights are malformed") from None
