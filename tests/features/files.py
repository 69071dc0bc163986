"""Models that are more, or other, than one serialised proto: external data, odd byte orders."""

from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto, external_data_helper, helper

from tests.features._build import conv, ints, model, plain, weight

FILES: dict[str, Callable[[Path], Path]] = {}


def _file(write: Callable[[Path], Path]) -> Callable[[Path], Path]:
    FILES[write.__name__] = write
    return write


def externalise(made: ModelProto, folder: Path, location: str, names: set[str]) -> None:
    """Move the named initializers' bytes into ``folder/location``, aligned as exporters do."""
    blob = bytearray()
    for tensor in made.graph.initializer:
        if tensor.name not in names:
            continue
        blob += b"\0" * (-len(blob) % 64)
        raw = tensor.raw_data
        external_data_helper.set_external_data(tensor, location, len(blob), len(raw))
        tensor.ClearField("raw_data")
        blob += raw
    (folder / location).write_bytes(blob)


def _padded_twice() -> ModelProto:
    """An explicit Pad with pads from an initializer, then a Conv with pads of its own."""
    pad = helper.make_node("Pad", ["x", "pads"], ["p"], name="pad")
    nodes = [pad, conv("p", y="h", pads=None, name="explicit"), conv("h", "V", name="own")]
    pads = ints("pads", [0, 0, 1, 1, 0, 0, 1, 1])
    return model(nodes, [weight("W", 3, 2, 3, 3), pads, weight("V", 2, 3, 3, 3)])


def _save(made: ModelProto, folder: Path, name: str) -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(made.SerializeToString())
    return path


@_file
def external_weights(folder: Path) -> Path:
    made = _padded_twice()
    externalise(made, folder, "external_weights.onnx.data", {"W", "V"})
    return _save(made, folder, "external_weights")


@_file
def external_weights_and_pads(folder: Path) -> Path:
    """Every initializer outside, the pads too: those have to be read, the weights must not be."""
    made = _padded_twice()
    externalise(made, folder, "everything.bin", {"W", "V", "pads"})
    return _save(made, folder, "external_weights_and_pads")


@_file
def external_in_subfolder(folder: Path) -> Path:
    made = _padded_twice()
    (folder / "weights").mkdir(exist_ok=True)
    externalise(made, folder, "weights/w.bin", {"W", "V"})
    return _save(made, folder, "external_in_subfolder")


@_file
def external_without_offsets(folder: Path) -> Path:
    """One file a tensor, offset and length left out."""
    made = _padded_twice()
    for tensor in made.graph.initializer:
        (folder / f"{tensor.name}.bin").write_bytes(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=f"{tensor.name}.bin")
    return _save(made, folder, "external_without_offsets")


@_file
def external_in_branch(folder: Path) -> Path:
    """External data inside the body of an If, and in a Constant node's tensor."""
    from tests.features.scopes import if_own_weights

    made = if_own_weights()
    for number, attribute in enumerate(made.graph.node[0].attribute):
        tensor = attribute.g.initializer[0]
        location = f"branch{number}.bin"
        (folder / location).write_bytes(tensor.raw_data)
        external_data_helper.set_external_data(tensor, location)
        tensor.ClearField("raw_data")
    return _save(made, folder, "external_in_branch")


@_file
def fields_out_of_order(folder: Path) -> Path:
    """Legal bytes that no serialiser writes: parsing and serialising alone changes them."""
    made = plain()
    rest = ModelProto(graph=made.graph)
    made.ClearField("graph")
    path = folder / "fields_out_of_order.onnx"
    path.write_bytes(rest.SerializeToString() + made.SerializeToString())
    assert onnx.load(path).SerializeToString() != path.read_bytes()
    return path


@_file
def graph_in_two_pieces(folder: Path) -> Path:
    """A message field given twice is merged: the graph's second half follows the first."""
    made = plain()
    second = ModelProto()
    second.graph.initializer.extend(made.graph.initializer)
    made.graph.ClearField("initializer")
    path = folder / "graph_in_two_pieces.onnx"
    path.write_bytes(made.SerializeToString() + second.SerializeToString())
    return path
