"""Small tensors that a model keeps in other files: read where the padding is told by them."""

from math import prod
from pathlib import Path

from onnx import TensorProto, helper

from onnxpad.scopes import Scope
from onnxpad.shapes import SMALL_TENSOR_ELEMENTS

# What pads, axes, shapes and zero points are made of; a fill is a single number.
_COUNTS = (TensorProto.INT64, TensorProto.INT32, TensorProto.INT8, TensorProto.UINT8)
_NUMBERS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def read_small(scopes: tuple[Scope, ...], folder: Path) -> bool:
    """Let the scopes see what small external tensors hold; the model itself stays as it is.

    Args:
        scopes: scopes of a model that ``load_model`` passed, so that its data lies in the folder.

    Returns:
        Whether there was any.
    """
    found = False
    for scope in scopes:
        for name, tensor in scope.initializers.items():
            if tensor.data_location == TensorProto.EXTERNAL and _small(tensor):
                scope.initializers[name] = _read(tensor, folder)
                found = True
    return found


def _read(tensor: TensorProto, folder: Path) -> TensorProto:
    """The tensor with its bytes, no more of the file than it needs."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    size = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize * prod(tensor.dims)
    with (folder / entries["location"]).open("rb") as file:
        file.seek(int(entries.get("offset", 0)))
        data = file.read(size)
    return TensorProto(
        name=tensor.name, data_type=tensor.data_type, dims=tensor.dims, raw_data=data
    )


def _small(tensor: TensorProto) -> bool:
    most = SMALL_TENSOR_ELEMENTS if tensor.data_type in _COUNTS else 1
    if tensor.data_type not in _COUNTS + _NUMBERS:
        return False
    return bool(0 < prod(tensor.dims) <= most)


def copy_small(scopes: tuple[Scope, ...], bare: tuple[Scope, ...]) -> None:
    """Put what ``read_small`` found into the same scopes of a copy without weights."""
    for ours, theirs in zip(scopes, bare, strict=True):
        for name, tensor in theirs.initializers.items():
            found = ours.initializers[name]
            if found.data_location != TensorProto.EXTERNAL and _small(found):
                tensor.CopyFrom(found)
