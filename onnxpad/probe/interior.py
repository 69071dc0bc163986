"""A copy of a model whose convolutions invent nothing that a constant image would notice.

On a constant image, padding with copies of the border gives every layer the values that VALID
convolutions give on an image large enough, at any size: what its interior would be if padding
did not reach it. Serves measuring alone; shapes stay what they were.
"""

from collections.abc import Mapping

from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper

from onnxpad import ops
from onnxpad.probe.anatomy import Map
from onnxpad.probe.copying import Copy, indexed
from onnxpad.scopes import default_opset
from onnxpad.values import attributes


def interior_copy(copy: Copy, maps: Mapping[str, Map]) -> Copy:
    """The copy with zero padding of convolutions, and counted one of pools, turned into edge.

    Padding whose amounts cannot be told stays: then the layers behind it have no interior.
    """
    proto = ModelProto()
    proto.CopyFrom(copy.proto)
    opset = default_opset(proto)
    nodes: list[NodeProto] = []
    names: list[str] = []
    for node, name in zip(proto.graph.node, copy.names, strict=True):
        before = None
        if ops.window_op(node) is not None:
            before = _open_window(node, maps, opset)
        elif ops.key(node) == ("", "Pad") and _spatial(node, maps):
            _set(node, "mode", b"edge")
        if before is not None:
            nodes += before
            names += [name] * len(before)
        nodes.append(node)
        names.append(name)
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
    return indexed(proto, copy.folder, tuple(names))


def _open_window(node: NodeProto, maps: Mapping[str, Map], opset: int) -> list[NodeProto] | None:
    """Make a window op VALID; the nodes to stand in front of it. None where nothing is needed."""
    op, given = ops.window_op(node), attributes(node)
    counted = node.op_type.endswith("AveragePool") and given.get("count_include_pad", 0)
    if op is None or not (op.conv or counted) or node.input[0] not in maps:
        return None
    source = maps[node.input[0]]
    pads = _pads(source, maps.get(node.output[0]), given)
    if pads is None or not any(begin or end for begin, end in pads):
        return None
    begins, ends = [0] * len(source.shape), [0] * len(source.shape)
    for axis, (begin, end) in zip(source.axes, pads, strict=True):
        begins[axis], ends[axis] = begin, end
    padded = f"onnxpad.edge.{node.output[0]}"
    made = _pad(node.input[0], padded, [*begins, *ends], opset)
    made[-1].name = f"{node.name}pad"
    node.input[0] = padded
    kept = [a for a in node.attribute if a.name not in ("pads", "auto_pad")]
    del node.attribute[:]
    node.attribute.extend(kept)
    return made


def _pads(
    source: Map, made: Map | None, given: Mapping[str, object]
) -> list[tuple[int, int]] | None:
    """(begin, end) along each spatial axis."""
    automatic = given.get("auto_pad", b"NOTSET")
    count = len(source.axes)
    if automatic in (b"SAME_UPPER", b"SAME_LOWER"):
        kernel = given.get("kernel_shape")
        if made is None or not isinstance(kernel, list):
            return None
        strides, dilations = (given.get(k) or [1] * count for k in ("strides", "dilations"))
        assert isinstance(strides, list)
        assert isinstance(dilations, list)
        pads = []
        for i in range(count):
            reach = (made.space[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1
            total = max(reach - source.space[i], 0)
            less, more = total // 2, total - total // 2
            pads.append((more, less) if automatic == b"SAME_LOWER" else (less, more))
        return pads
    amounts = given.get("pads", [])
    if automatic == b"VALID" or not isinstance(amounts, list) or len(amounts) != 2 * count:
        return None
    return [(amounts[i], amounts[i + count]) for i in range(count)]


def _pad(source: str, target: str, pads: list[int], opset: int) -> list[NodeProto]:
    if opset < 11:
        return [helper.make_node("Pad", [source], [target], mode="edge", pads=pads)]
    amounts = helper.make_tensor("pads", TensorProto.INT64, [len(pads)], pads)
    constant = helper.make_node("Constant", [], [f"{target}.pads"], value=amounts)
    return [constant, helper.make_node("Pad", [source, f"{target}.pads"], [target], mode="edge")]


def _spatial(node: NodeProto, maps: Mapping[str, Map]) -> bool:
    """Whether a Pad of a constant only adds to the spatial axes of a map."""
    if attributes(node).get("mode", b"constant") != b"constant" or len(node.output) != 1:
        return False
    before, after = maps.get(node.input[0]), maps.get(node.output[0])
    if before is None or after is None or before.axes != after.axes:
        return False
    sizes = list(zip(before.shape, after.shape, strict=True))
    others = all(a == b for i, (a, b) in enumerate(sizes) if i not in before.axes)
    return others and all(b >= a for a, b in sizes) and before.stride == after.stride


def _set(node: NodeProto, name: str, value: bytes) -> None:
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.append(AttributeProto(name=name, type=AttributeProto.STRING, s=value))
