"""Rules on damaged models: a result or one OnnxpadError, nothing else. Every case is a seed."""

import random
from collections.abc import Iterator

import pytest
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto

from onnxpad.auditing import audit_model
from onnxpad.errors import OnnxpadError
from onnxpad.rules import RULES
from tests.features import FEATURES

STATIC = [rule for rule in RULES if rule.check is not None]
NUMBERS = (-5, -1, 0, 1, 7, 10**9, 2**62)
OPS = (
    "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv", "ConvTranspose",
    "DequantizeLinear", "Div", "HardSigmoid", "MaxPool", "Pad", "Relu", "Resize", "Transpose",
)  # fmt: skip


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


def _damage(node: NodeProto, rng: random.Random) -> None:
    """One input, attribute or operator of a node becomes another, or none."""
    attribute = rng.choice(node.attribute) if node.attribute else AttributeProto()
    match rng.randrange(6):
        case 0 if node.input:
            del node.input[rng.randrange(len(node.input))]
        case 1 if node.attribute:
            node.attribute.remove(attribute)
        case 2 if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
        case 3 if attribute.ints:
            attribute.ints.append(3)
        case 4 if node.input:
            node.input[rng.randrange(len(node.input))] = ""
        case _:
            node.op_type = rng.choice(OPS)


def _damaged(name: str, seed: int) -> ModelProto:
    rng = random.Random(f"{name} {seed}")
    model = FEATURES[name]()
    nodes = list(_nodes(model.graph))
    for _ in range(rng.randint(1, 3)):
        _damage(rng.choice(nodes), rng)
    return model


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_a_result_or_one_error(name: str):
    for seed in range(10):
        try:
            audit_model(_damaged(name, seed), "damaged.onnx", STATIC)
        except OnnxpadError as error:
            assert "\n" not in str(error)  # noqa: PT017  # either way is right
