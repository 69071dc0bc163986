"""From a proto to indexed scopes with the best shapes that can be known without running it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from onnx import GraphProto, ModelProto, numpy_helper

from onnxpad import shapes
from onnxpad.functions import with_functions
from onnxpad.guarded import read_guarded
from onnxpad.outside import copy_small, read_small
from onnxpad.scopes import Scope, walk
from onnxpad.sized import resize_input
from onnxpad.values import Values

# Each round lets shapes pass one more Pad whose pads are computed from the shape in front of it.
MOST_ROUNDS = 40


def index(
    proto: ModelProto,
    folder: Path | None = None,
    resized: tuple[str, Mapping[int, int]] | None = None,
) -> tuple[Scope, ...]:
    """Index a model's scopes, with shapes inferred past Pads whose pads are computed.

    onnx's shape inference stops at a Pad whose pads come from a chain of nodes. Where such a chain
    has a known value, a copy of the model gets it as a constant, and inference goes on from there.

    Args:
        folder: where the model's external data lies, if it has any.
        resized: an input, and sizes by axis to give shapes for in place of its own.
    """
    bare = shapes.without_weights(proto)
    if resized is not None:
        resize_input(bare, *resized)
    scopes = walk(proto, {})
    if folder is not None and read_small(scopes, folder):
        copy_small(scopes, walk(bare, {}))
    infos = shapes.main_infos(bare)
    padded = any(node.op_type == "Pad" for scope in scopes for node in scope.nodes)
    for _ in range(MOST_ROUNDS if padded else 0):
        if not _settle_pads(walk(bare, infos)):
            break
        infos = shapes.main_infos(bare)
    found = with_functions(bare, infos)
    for scope in scopes:
        # what a scope knows by itself, the shapes of sparse tensors, goes before what was inferred
        scope.infos = {**found.get(scope.path, {}), **scope.infos}
    return read_guarded(scopes)


def _settle_pads(scopes: tuple[Scope, ...]) -> bool:
    """Replace computed pads of known value by constants, in the copy; whether any was replaced."""
    values = Values()
    settled = False
    for scope in scopes:
        if scope.is_function:
            continue
        for node in scope.nodes:
            if node.op_type != "Pad" or len(node.input) < 2 or node.input[1] in scope.initializers:
                continue
            shape = scope.info(node.output[0]).shape
            if shape is not None and all(isinstance(d, int) for d in shape[1:]):
                continue
            pads = values.ints(scope, node.input[1])
            if pads is None or None in pads or not isinstance(scope.container, GraphProto):
                continue
            name = f"onnxpad.settled.{node.output[0]}"
            scope.container.initializer.append(
                numpy_helper.from_array(np.array(pads, dtype=np.int64), name)
            )
            node.input[1] = name
            settled = True
    return settled
