"""Shape arithmetic for many input sizes at once: what small integer tensors hold at each of them.

An element of such a tensor, and a size of an axis, is a plain number where it is the same at every
candidate size, an ``Along`` of one number for each candidate where it is not, and None where it is
not known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto

from onnxpad.scopes import DEFAULT_DOMAINS
from onnxpad.values import STRUCTURAL, Partial, attributes

# Elements of a tensor that is followed: pads, axes and sizes of a few axes, not weights.
MOST_ELEMENTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Along:
    """One number for each candidate size. Hidden from numpy, which would take it apart."""

    values: NDArray[Any]


Element = int | float | Along | None
Dims = tuple[Element, ...]


def lift(function: Callable[..., Any], *elements: Element) -> Element:
    """A function of numbers applied to elements: for each candidate, or None if one is unknown."""
    given: list[Any] = []
    for element in elements:
        if element is None:
            return None
        given.append(element.values if isinstance(element, Along) else element)
    return settled(function(*given))


def settled(result: Any) -> Element:
    """A plain number where the result is the same for every candidate."""
    if result is None:
        return None
    array = np.asarray(result)
    first = array.reshape(-1)[0].item()
    if array.ndim == 0 or bool((array == array.reshape(-1)[0]).all()):
        return int(first) if array.dtype.kind in "biu" else float(first)
    return Along(array)


def spread(element: Element, count: int) -> NDArray[Any] | None:
    """The element's number for each of ``count`` candidates; None where unknown."""
    if element is None:
        return None
    return element.values if isinstance(element, Along) else np.full(count, element)


def product(elements: Sequence[Element]) -> Element:
    """Their product, None if one is unknown."""
    total: Element = 1
    for element in elements:
        total = lift(np.multiply, total, element)
    return total


def evaluate(node: NodeProto, arguments: Sequence[Partial | None]) -> Partial | None:
    """The first output of a node of shape arithmetic; None where it is not known.

    Args:
        arguments: the values of its inputs, None for one that is left out.
    """
    if node.domain not in DEFAULT_DOMAINS:
        return None
    given = attributes(node)
    try:
        if node.op_type == "Cast":
            return _each(_cast(int(given["to"])), arguments)
        if node.op_type in STRUCTURAL:
            result = STRUCTURAL[node.op_type](given, list(arguments))
        elif node.op_type == "ReduceProd":
            result = _reduce_prod(given, arguments)
        elif node.op_type in _ARITHMETIC:
            result = _each(_ARITHMETIC[node.op_type], arguments)
        else:
            return None
    except Exception:  # noqa: BLE001  # an untrusted graph holds any nonsense: not known
        return None
    return result if result.size <= MOST_ELEMENTS else None


def evaluates(node: NodeProto) -> bool:
    """Whether ``evaluate`` knows the operator."""
    return node.domain in DEFAULT_DOMAINS and node.op_type in _KNOWN


def _each(function: Callable[..., Any], arguments: Sequence[Partial | None]) -> Partial:
    """A function of numbers on every element of the arguments, broadcast."""
    given: list[Any] = list(np.broadcast_arrays(*(a for a in arguments if a is not None)))
    result = np.empty(given[0].shape, dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = lift(function, *(a[place] for a in given))
    return result


def _reduce_prod(given: dict[str, Any], arguments: Sequence[Partial | None]) -> Partial:
    """The product of all elements: what exporters take of a slice of a shape."""
    data, axes = arguments[0], arguments[1] if len(arguments) > 1 else None
    named = given.get("axes", None if axes is None else list(axes))
    if data is None or data.ndim != 1 or (named is not None and list(named) not in ([0], [-1])):
        raise ValueError("not along one axis")
    result = np.empty((1,) if given.get("keepdims", 1) else (), dtype=object)
    result[...] = product(list(data))
    return result


_CASTS: dict[int, type] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.FLOAT16: np.float16,
    TensorProto.DOUBLE: np.float64,
    TensorProto.INT64: np.int64,
    TensorProto.INT32: np.int64,
    TensorProto.BOOL: np.bool_,
}


def _cast(to: int) -> Callable[[Any], Any]:
    kind = _CASTS[to]
    return lambda value: np.asarray(value).astype(kind)


def _divide(a: Any, b: Any) -> Any:
    """ONNX's Div: integers are cut towards zero. None where anything is divided by zero."""
    a, b = np.asarray(a), np.asarray(b)
    if (b == 0).any():
        return None
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return a / b
    return np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))


def _modulo(a: Any, b: Any) -> Any:
    return None if (np.asarray(b) == 0).any() else np.mod(a, b)


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": _divide, "Mod": _modulo,
    "Max": np.maximum, "Min": np.minimum, "Neg": np.negative, "Abs": np.abs,
    "Floor": np.floor, "Ceil": np.ceil, "Round": np.round, "Equal": np.equal,
    "Less": np.less, "Greater": np.greater, "Not": np.logical_not, "Where": np.where,
}  # fmt: skip
_KNOWN = frozenset(STRUCTURAL) | frozenset(_ARITHMETIC) | {"ReduceProd"}
