"""Operators that a measure of the border must know of, because they do more than slide a window."""

from collections.abc import Mapping

from onnx import NodeProto

from onnxpad import ops
from onnxpad.probe.copying import Copy
from onnxpad.scopes import default_opset
from onnxpad.text import printable
from onnxpad.values import attributes

# For each axis of a tensor, the spatial axes of the input that it follows; None where unknown.
Follows = Mapping[str, list[tuple[int, ...]] | None]

_WHOLE = ops.GLOBAL | ops.SEQUENTIAL | {"GroupNormalization", "InstanceNormalization"}
_ALONG = (ops.NORMALISING | {"CumSum"}) - _WHOLE
_RESIZE = frozenset(("Resize", "Upsample"))
_ALIGNED = ("align_corners", "tf_crop_and_resize")


def global_ops(copy: Copy, follows: Follows) -> set[int]:
    """Indices of the nodes whose every output position may depend on every input position."""
    opset = default_opset(copy.proto)
    return {i for i, node in enumerate(copy.nodes) if _whole(node, follows, opset)}


def _whole(node: NodeProto, follows: Follows, opset: int) -> bool:
    op = node.op_type
    read = [axes for name in node.input if (axes := follows.get(name))]
    if op in _WHOLE or not any(map(any, read)) or op in ("Shape", "Size"):
        return op in _WHOLE
    if op in _ALONG:
        return any(read[0][axis] for axis in ops.normalised_axes(node, len(read[0]), opset))
    if op in ("MatMul", "Gemm", "MatMulInteger", "QLinearMatMul"):
        return _contracts_space(node, follows)
    made = follows.get(node.output[0]) if node.output else None
    # Whatever else takes a map and gives something that no longer follows the space.
    return made is not None and bool(_union(read) - _union([made]))


def _union(all_axes: list[list[tuple[int, ...]]]) -> set[int]:
    return {i for axes in all_axes for axis in axes for i in axis}


def _contracts_space(node: NodeProto, follows: Follows) -> bool:
    """Whether a matrix product sums over an axis that follows the space."""
    given = attributes(node)
    gemm = node.op_type == "Gemm"
    for position, (transposed, plain) in enumerate((("transA", -1), ("transB", -2))):
        axes = follows.get(node.input[position]) if len(node.input) > position else None
        if not axes or len(axes) < 2:
            continue
        axis = -3 - plain if gemm and given.get(transposed, 0) else plain
        if axes[axis]:
            return True
    return False


def refusal(copy: Copy, before: set[int]) -> str:
    """Why a larger image is no context for these nodes, "" if it is."""
    for index in sorted(before):
        node = copy.nodes[index]
        mode = attributes(node).get("coordinate_transformation_mode", b"")
        if node.op_type in _RESIZE and mode.decode(errors="replace") in _ALIGNED:
            return (
                f"the Resize {printable(copy.names[index], 60)} is {mode.decode()}: its scale "
                "depends on the size of the image, so a larger image is no context for a crop"
            )
    return ""


def apart(copy: Copy, whole: set[int]) -> list[tuple[str, ...]]:
    """For each node, the kinds of operators up to it whose own border effects are no padding's."""
    made: dict[str, frozenset[str]] = {}
    found = []
    for index, node in enumerate(copy.nodes):
        kinds = frozenset[str]().union(*(made.get(name, ()) for name in copy.reads[index]))
        own = _kind(node) or ("global op" if index in whole else "")
        if own:
            kinds |= {own}
        made.update((name, kinds) for name in node.output if name)
        found.append(tuple(sorted(kinds)))
    return found


def _kind(node: NodeProto) -> str:
    if node.op_type == "ConvTranspose":
        return "ConvTranspose"
    if node.op_type in _RESIZE:
        return "Resize"
    if ops.op_name(node).endswith("AveragePool") and attributes(node).get("count_include_pad", 0):
        return "counted AveragePool"
    return ""
