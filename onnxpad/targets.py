"""What runtimes other than ONNX Runtime's CPU provider cannot do with a Pad: one table.

Rules PAD411 to PAD414 read it, and rewriting takes from it which runtimes need pads on floats. A
row says no more than its source did, for the version and at the time it names; nothing here was run
on the runtime itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from onnx import NodeProto, TensorProto

from onnxpad import ops
from onnxpad.findings import Confidence, Severity
from onnxpad.pad_sites import pad_amounts
from onnxpad.scopes import Scope, identities
from onnxpad.values import Values, attributes


@dataclass(frozen=True, slots=True)
class PadUse:
    """A Pad node as runtimes judge it.

    Attributes:
        identity: graph path and node name.
        mode: the operator's own word.
        dtype: ONNX element type of its data, 0 where unknown.
        opset: in force. rank: axes of its data, 0 where unknown.
        constant: whether amounts and axes are stored in the model, not computed.
        amounts: (begin, end) by axis, as far as they are known; other axes are not padded.
        fixed: whether every size of its data is known.
    """

    identity: str
    mode: str
    dtype: int
    opset: int
    rank: int
    constant: bool
    amounts: tuple[tuple[int, int | None, int | None], ...]
    fixed: bool


def pad_uses(scopes: tuple[Scope, ...], values: Values) -> Iterator[PadUse]:
    """Every Pad node of a model, padding sites or not."""
    for scope in scopes:
        names = identities(scope)
        for name, node in zip(names, scope.nodes, strict=True):
            if ops.key(node) == ("", "Pad") and node.input:
                yield _use(scope, values, node, name)


def _use(scope: Scope, values: Values, node: NodeProto, identity: str) -> PadUse:
    given, info = attributes(node), scope.info(node.input[0])
    found = pad_amounts(scope, values, node, given)
    begins, ends, rank = found or ([], [], len(info.shape or ()))
    amounts = zip(range(rank), begins, ends, strict=False)
    shape = info.shape
    mode = given.get("mode", b"constant")
    return PadUse(
        identity, mode.decode(errors="replace"), info.dtype, scope.opset, rank,
        all(_stored(scope, name) for name in (*node.input[1:2], *node.input[3:4]) if name),
        tuple((axis, b, e) for axis, b, e in amounts if (b, e) != (0, 0)),
        shape is not None and all(isinstance(d, int) for d in shape),
    )  # fmt: skip


def _stored(scope: Scope, name: str) -> bool:
    owner = scope.owner(name)
    if owner is None:
        return False
    producer = owner.producer(name)
    return name in owner.initializers or (producer is not None and producer.op_type == "Constant")


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: what cannot be done, and who says so.

    Attributes:
        code: short, for tests and rewriting.
        applies: whether a Pad falls under it.
        what: of the Pad, in a few words.
        severity: an error where the model is refused, a warning where the node runs elsewhere.
        source: document or issue, with its version or date.
    """

    code: str
    applies: Callable[[PadUse], bool]
    what: str
    severity: Severity
    confidence: Confidence
    source: str


_BYTES = frozenset((TensorProto.INT8, TensorProto.UINT8))


def _integer(use: PadUse) -> bool:
    return use.dtype in _BYTES


def _negative(use: PadUse) -> bool:
    return any((v or 0) < 0 for _, *ends in use.amounts for v in ends)


def _beyond_last_two(use: PadUse) -> bool:
    return use.mode != "constant" and any(axis < use.rank - 2 for axis, *_ in use.amounts)


INTEGER = "integer"
_WARN, _ERROR, _NOTE = Severity.WARNING, Severity.ERROR, Severity.NOTE
_HIGH, _MEDIUM, _LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
_COREML = "ONNX Runtime's pad_op_builder.cc of its CoreML provider, main branch, 2026"

TARGETS: dict[str, tuple[Limit, ...]] = {
    "cuda": (
        Limit(
            INTEGER, _integer, "8-bit integers: no kernel, runs on the CPU", _WARN, _HIGH,
            "onnxruntime issue 7238, and pad.cc of its CUDA provider: float, double, float16",
        ),
        Limit(
            "opset", lambda use: use.opset >= 19,
            "opset 19 or later: no kernel in ONNX Runtime 1.23, runs on the CPU", _WARN, _MEDIUM,
            "onnxruntime issue 26393, October 2025; work on it in pull request 27774, March 2026",
        ),
    ),
    "tensorrt": (
        Limit(
            INTEGER, lambda use: use.dtype == TensorProto.UINT8, "uint8: not a type of it", _ERROR,
            _MEDIUM, "onnx-tensorrt's operators.md (8.5) and NVIDIA's page on Slice (8.6), on "
            "which Pad is built: neither lists UINT8",
        ),
        Limit(
            INTEGER, lambda use: use.dtype == TensorProto.INT8, "int8 may not be taken", _WARN,
            _LOW, "INT8 is listed by onnx-tensorrt's operators.md for 8.5; later lists were not "
            "seen, and rewriting keeps away from it",
        ),
        Limit(
            "amounts", lambda use: not use.constant, "amounts computed at run time", _WARN, _LOW,
            "NVIDIA/TensorRT issues 439 and 670, versions of 2020; newer ones take some",
        ),
    ),
    "openvino": (
        Limit(
            "wrap", lambda use: use.mode == "wrap", "mode wrap: the model is refused", _ERROR,
            _HIGH, "openvino issue 37772, August 2026, version 2026.1",
        ),
    ),
    "coreml": (
        Limit(
            "mode", lambda use: use.mode not in ("constant", "reflect"),
            "modes other than constant and reflect run elsewhere", _WARN, _HIGH, _COREML,
        ),
        Limit(
            "old", lambda use: use.opset < 11, "below opset 11 it runs elsewhere", _WARN, _HIGH,
            _COREML,
        ),
        Limit(
            "type", lambda use: use.dtype not in (0, TensorProto.FLOAT, TensorProto.FLOAT16),
            "types other than float and float16 run elsewhere", _WARN, _HIGH, _COREML,
        ),
        Limit(
            "amounts", lambda use: not use.constant,
            "amounts that are not stored in the model run elsewhere", _WARN, _HIGH, _COREML,
        ),
        Limit(
            "negative", _negative, "negative amounts run elsewhere", _WARN, _HIGH, _COREML,
        ),
        Limit(
            "axes", _beyond_last_two,
            "reflect along any but the last two axes runs elsewhere", _WARN, _HIGH, _COREML,
        ),
        Limit(
            "sizes", lambda use: use.mode == "reflect" and not use.fixed,
            "reflect on sizes that are free may run elsewhere", _NOTE, _MEDIUM, _COREML,
        ),
    ),
}  # fmt: skip

# Those that rewriting builds other Pads for: in front of Q, on floats.
FLOAT_PADS = tuple(
    name for name, limits in TARGETS.items() if any(limit.code == INTEGER for limit in limits)
)
