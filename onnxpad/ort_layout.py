"""Which tensors ONNX Runtime's CPU provider holds in its blocked layout (NCHWc).

Convolutions over two axes work on blocks of channels. What follows stays in them while every
operand is; anything else, Pad among it, gets the plain layout, and the next convolution blocks it
again.
"""

from onnx import NodeProto

from onnxpad import ops
from onnxpad.scopes import Scope
from onnxpad.values import attributes

# Alone, or merged with the convolution in front of them.
_KEEPS = frozenset(
    ["BatchNormalization", "Clip", "HardSigmoid", "Identity", "LeakyRelu", "Relu", "Sigmoid",
     "Tanh"]
)  # fmt: skip
_JOINS = frozenset(("Add", "Mul", "Sum", "Concat"))


def blocked(scope: Scope) -> frozenset[str]:
    """The tensors of a scope in the blocked layout, as far as its operators tell."""
    found: set[str] = set()
    for node in scope.nodes:
        own = node.output and node.input and ops.key(node) == ("", node.op_type)
        if own and _is_blocked(scope, node, found):
            found.add(node.output[0])
    return frozenset(found)


def _is_blocked(scope: Scope, node: NodeProto, known: set[str]) -> bool:
    if node.op_type == "Conv":
        return len(scope.info(node.input[1]).shape or ()) == 4
    if node.op_type in _KEEPS or (ops.window_op(node) is not None and len(node.output) == 1):
        return node.input[0] in known
    if node.op_type not in _JOINS or attributes(node).get("axis", 1) != 1:
        return False
    if all(name in known for name in node.input):
        return True
    # A number for each channel becomes part of the convolution itself.
    apart = [name for name in node.input if name not in known]
    made = scope.producer(next((name for name in node.input if name in known), ""))
    numbers = all(_is_constant(scope, name) for name in apart)
    return (
        node.op_type in ("Add", "Mul") and numbers and made is not None and made.op_type == "Conv"
    )


def _is_constant(scope: Scope, name: str) -> bool:
    made = scope.producer(name)
    return name in scope.initializers or (made is not None and made.op_type == "Constant")
