"""How much more a model computes at another input size."""

import numpy as np

from onnxpad import ops
from onnxpad.scopes import Scope
from onnxpad.size_state import SizeState
from onnxpad.size_values import Along, Dims, Element, lift, product, spread
from onnxpad.size_walk import follow_sizes


def cost_ratio(
    scope: Scope, source: str, dims: Dims, before: dict[int, int], after: dict[int, int]
) -> float | None:
    """Multiplications of all convolutions at one input size over those at another.

    Convolutions are what a CNN spends its time on: for each output position one multiplication for
    every element of the kernel, or for each input position of a ConvTranspose.

    Args:
        scope: the main graph. source: the input. dims: its sizes, None where free.
        before, after: sizes by axis.

    Returns:
        None where the size of any convolution is not known, or there is none.
    """
    given = tuple(
        Along(np.array([before[i], after[i]])) if i in before else d for i, d in enumerate(dims)
    )
    state = follow_sizes(scope, {source: given}, 2)
    total: Element = 0
    for node in scope.nodes:
        op = ops.window_op(node)
        if node.op_type == "ConvTranspose":
            cost = _cost(state, node.input[1], node.input[0], last=False)
        elif op is not None and op.conv:
            last = ops.channels_last(node, op)
            cost = _cost(state, node.input[op.weight], node.output[0], last=last)
        else:
            continue
        total = lift(np.add, total, cost)
    found = spread(total, 2)
    return None if found is None or found[0] == 0 else float(found[1] / found[0])


def _cost(state: SizeState, weight: str, positions: str, *, last: bool) -> Element:
    """Elements of the kernel, its channels among them, times positions of one sample."""
    kernel, dims = state.scope.info(weight).shape, state.maybe(positions)
    if kernel is None or dims is None:
        return None
    elements: list[Element] = [k if isinstance(k, int) else None for k in kernel]
    return product([*elements, *(dims[1:-1] if last else dims[2:])])
