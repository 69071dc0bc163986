"""A model's bare copy with another input size: what shape inference says of it."""

from collections.abc import Mapping, Sequence

from onnx import GraphProto, ModelProto, shape_inference

from onnxpad.scopes import subgraphs
from onnxpad.shapes import fills_memory


def resize_input(bare: ModelProto, name: str, sizes: Mapping[int, int]) -> None:
    """Give an input other sizes, in place, and drop the shapes recorded for the old ones.

    Args:
        bare: a copy made by ``shapes.without_weights``.
        sizes: by axis.
    """
    for value in bare.graph.input:
        if value.name == name:
            for axis, size in sizes.items():
                dim = value.type.tensor_type.shape.dim[axis]
                dim.Clear()
                dim.dim_value = size
    forget_shapes(bare.graph)


def forget_shapes(graph: GraphProto) -> None:
    """Drop recorded shapes, in place: they hold for the old sizes alone."""
    del graph.value_info[:]
    for value in graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    for node in graph.node:
        for *_, inner in subgraphs(node):
            forget_shapes(inner)


def infers(bare: ModelProto, name: str, sizes: Mapping[int, int]) -> bool:
    """Whether onnx's strict shape inference, values followed, finds nothing wrong at these sizes.

    Args:
        bare: a copy made by ``shapes.without_weights``; it is not changed.
    """
    copy = ModelProto()
    copy.CopyFrom(bare)
    resize_input(copy, name, sizes)
    try:
        follow = not fills_memory(copy.graph)
        shape_inference.infer_shapes(copy, strict_mode=True, data_prop=follow)
    except Exception:  # noqa: BLE001  # onnx raises several types
        return False
    return True


def confirmed(
    bare: ModelProto, name: str, axes: Sequence[int], own: Sequence[int | None], size: Sequence[int]
) -> bool:
    """Whether shape inference accepts a size, or cannot judge: it minds the own size as well.

    Args:
        own: the model's own size, None where it is free.
    """
    if infers(bare, name, dict(zip(axes, size, strict=True))):
        return True
    declared = {axis: n for axis, n in zip(axes, own, strict=True) if n is not None}
    return not infers(bare, name, declared)
