"""Which explicit Pads ONNX Runtime folds into the window ops behind them.

Measured with ONNX Runtime 1.31 on opsets 7 to 23, from the level "basic" of graph optimisation on
(tests/rules/test_ort_fusion.py runs every case): a Pad of zeros on spatial axes becomes pads of
all the ops that read it, if these are all Conv, all MaxPool or all AveragePool. A MaxPool's own
padding is -inf, so what it computes then changes.
"""

from onnx import NodeProto

from onnxpad import ops
from onnxpad.pad_sites import pad_amounts
from onnxpad.scopes import Scope
from onnxpad.values import Values, attributes

_FOLDS_INTO = frozenset(("Conv", "MaxPool", "AveragePool"))


def folds(scope: Scope, values: Values, pad: NodeProto) -> bool:
    """Whether ONNX Runtime makes an explicit Pad the own pads of what reads it."""
    if len(pad.input) > 3 and pad.input[3]:
        return False  # it takes no Pad with axes
    given = attributes(pad)
    if given.get("mode", b"constant") != b"constant" or _fill(scope, values, pad) != 0:
        return False
    amounts = pad_amounts(scope, values, pad, given)
    readers = [scope.nodes[i] for i in scope.readers(pad.output[0])]
    if amounts is None or not readers or pad.output[0] in scope.outputs:
        return False
    begins, ends, _ = amounts
    padded = [*begins, *ends]
    spatial = [*begins[:2], *ends[:2]] == [0, 0, 0, 0]
    if not spatial or any(p is None or p < 0 for p in padded):
        return False
    alike = {ops.key(r) for r in readers} == {("", readers[0].op_type)}
    return alike and all(_takes(r, pad.output[0]) for r in readers)


def _takes(reader: NodeProto, padded: str) -> bool:
    given = attributes(reader)
    if reader.op_type not in _FOLDS_INTO or list(reader.input).count(padded) != 1:
        return False
    if reader.input[0] != padded or given.get("auto_pad", b"NOTSET") != b"NOTSET":
        return False
    if reader.op_type == "AveragePool" and any(given.get("pads", ())):
        return bool(given.get("count_include_pad", 0))
    return len([name for name in reader.output if name]) == 1  # no MaxPool with Indices


def _fill(scope: Scope, values: Values, pad: NodeProto) -> float | None:
    """The number that stands in the graph, whatever it means to quantised readers."""
    if len(pad.input) > 2 and pad.input[2]:
        return values.number(scope, pad.input[2])
    return float(attributes(pad).get("value", 0.0))


def folded_pads(scope: Scope, values: Values, reader: NodeProto) -> list[int] | None:
    """Begins, then ends, of a window op once ONNX Runtime has folded the Pad in front of it.

    Its own pads where none is folded; None where they are not known.
    """
    given = attributes(reader)
    own = list(given.get("pads", ()))
    pad = scope.producer(reader.input[0])
    if pad is None or pad.op_type != "Pad" or not folds(scope, values, pad):
        return own or None
    amounts = pad_amounts(scope, values, pad, attributes(pad))
    if amounts is None:
        return own or None
    begins, ends, _ = amounts
    more = [p or 0 for p in (*begins[2:], *ends[2:])]
    own = own or [0] * len(more)
    return [a + b for a, b in zip(own, more, strict=True)] if len(own) == len(more) else None
