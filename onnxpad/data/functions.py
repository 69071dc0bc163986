"""Samples from a function of the user's: `module:function`.

The function takes nothing and gives an iterable. Each item is one feed: a dict of one array for
each input, by its name, or a pair of such a dict and a label. (A model with one data input may be
given the array without the dict.) The batch axis may be missing. A label is a class number, or one
of the records in onnxpad.data.labels; a feed of several rows takes a list of them.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.labels import Boxes, ClassLabel, Label, LabelFacts, Mask, Reference, kind_of
from onnxpad.data.plan import InputPlan, main_input
from onnxpad.data.plan import plans as make_plans
from onnxpad.data.sample import Feed, Plans, Sample, Skipped
from onnxpad.errors import DataError
from onnxpad.runtime import Array, TensorInfo
from onnxpad.text import one_line, printable


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """Feeds a user's function gives, in its order.

    Attributes:
        title: `module:function`, printable.
        known: shapes of the first feed; all others must have them too.
        total: where the iterable knows its length.
    """

    title: str
    make: Callable[[], Any]
    inputs: tuple[TensorInfo, ...]
    known: Mapping[str, tuple[int, ...]]
    labels: LabelFacts | None
    total: int | None
    origin: str = "function"
    endless: bool = False

    @classmethod
    def open(cls, text: str, inputs: tuple[TensorInfo, ...]) -> "FunctionSource":
        """Import the function and look at its first item. Raises DataError."""
        title = printable(text, 80)
        make = _imported(text, title)
        made = _call(make, title)
        first = next(_items(made, title), None)
        if first is None:
            raise DataError(f"data {title}: it gives no samples")
        arrays, label = _parts(first, inputs, f"data {title}: its first item")
        one = next(iter(label), None)
        facts = None if one is None else LabelFacts(kind_of(one), title, None)
        shapes = {name: array.shape for name, array in arrays.items()}
        length = len(made) if hasattr(made, "__len__") else None
        rows = _rows(next(make_plans(inputs, shapes)), arrays)
        return cls(title, make, inputs, shapes, facts, None if length is None else length * rows)

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        filled = [p for p in plans if p.info.name not in self.known]
        names = ", ".join(f"{printable(p.info.name)} ({p.role})" for p in filled)
        return f"samples from {self.title}, used as they are" + (
            f"; filled in: {names}" if filled else ""
        )

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """None: the function's samples are its author's business."""
        del plans
        return ()

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """One feed for each item. Raises DataError where the function fails or an item is bad."""
        rest = synthetic.feed(tuple(p for p in plans if p.info.name not in self.known), seed, 0)
        for at, item in enumerate(_items(_call(self.make, self.title), self.title)):
            name = f"{self.title}[{at}]"
            arrays, labels = _parts(item, self.inputs, f"data {self.title}: item {at}")
            shapes = {key: array.shape for key, array in arrays.items()}
            if shapes != self.known:
                yield Skipped(
                    name,
                    f"its shapes {_told(shapes)} are not the first item's, {_told(self.known)}",
                )
                continue
            rows = _rows(plans, arrays)
            if len(labels) not in (0, rows):
                yield Skipped(name, f"{len(labels)} labels for {rows} rows")
                continue
            samples = tuple(
                Sample(name if rows == 1 else f"{name}[{row}]", labels[row] if labels else None)
                for row in range(rows)
            )
            yield Feed({**rest, **arrays}, rows, rows, name, samples)


def _imported(text: str, title: str) -> Callable[[], Any]:
    """The function. The current folder is searched first, as `python -m` does."""
    module, _, name = text.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # noqa: BLE001  # a user's module may raise anything
        raise DataError(f"data {title}: cannot be imported: {_reason(error)}") from None
    if not callable(found):
        raise DataError(f"data {title}: this is no function but {type(found).__name__}")
    return found  # type: ignore[no-any-return]  # callable() says no more than that


def _call(make: Callable[[], Any], title: str) -> Any:
    try:
        return make()
    except Exception as error:  # noqa: BLE001  # a user's function may raise anything
        raise DataError(f"data {title}: the function failed: {_reason(error)}") from None


def _items(made: Any, title: str) -> Iterator[Any]:
    at = 0
    try:
        for item in made:
            yield item
            at += 1
    except GeneratorExit:
        raise
    except Exception as error:  # noqa: BLE001  # a user's generator may raise anything
        raise DataError(
            f"data {title}: the function failed at item {at}: {_reason(error)}"
        ) from None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(str(error), 160)}"


def _parts(
    item: Any, inputs: tuple[TensorInfo, ...], where: str
) -> tuple[dict[str, Array], tuple[Label, ...]]:
    """Arrays by input, in its type and with its axes, and the labels. Raises DataError."""
    given, labels = item, None
    if isinstance(item, tuple):
        if len(item) != 2:
            raise DataError(f"{where} is a tuple of {len(item)}; expected (arrays, label)")
        given, labels = item
    plans = next(make_plans(inputs))
    if isinstance(given, np.ndarray):
        main = main_input(plans) or plans[0]
        given = {main.info.name: given}
    if not isinstance(given, Mapping):
        raise DataError(
            f"{where} is of type {type(given).__name__}; expected a dict of arrays by input name"
        )
    by_name = {p.info.name: p for p in plans}
    unknown = [str(key) for key in given if key not in by_name]
    missing = [n for n, p in by_name.items() if p.layout is not None and n not in given]
    if unknown or missing:
        what = f"names {printable(unknown[0])}" if unknown else f"lacks {printable(missing[0])}"
        raise DataError(f"{where} {what}; the model takes {', '.join(map(printable, by_name))}")
    arrays = {name: _array(value, by_name[name], where) for name, value in given.items()}
    return arrays, _labels(labels, where)


def _array(value: Any, plan: InputPlan, where: str) -> Array:
    info, wanted = plan.info, np.dtype(plan.info.dtype)
    at = f"{where}: input {printable(info.name)}"
    array = np.asarray(value)
    if array.dtype != wanted and not (array.dtype.kind == wanted.kind == "f"):
        raise DataError(f"{at} takes {wanted}, but the array holds {array.dtype}")
    if array.ndim == len(info.shape) - 1 and plan.layout is not None and plan.layout.batch == 0:
        array = array[None]
    fits = array.ndim == len(info.shape) and all(
        not isinstance(expected, int) or expected == found
        for expected, found in zip(info.shape, array.shape, strict=True)
    )
    if not fits:
        expected = "×".join(printable(str("?" if d is None else d), 20) for d in info.shape)
        raise DataError(
            f"{at} takes {expected}, but the array is {'×'.join(map(str, array.shape))}"
        )
    return np.ascontiguousarray(array, wanted)


def _labels(given: Any, where: str) -> tuple[Label, ...]:
    if given is None:
        return ()
    several = isinstance(given, Sequence) or (isinstance(given, np.ndarray) and given.ndim == 1)
    return tuple(_label(one, where) for one in (given if several else [given]))


def _label(given: Any, where: str) -> Label:
    if isinstance(given, (ClassLabel, Boxes, Mask, Reference)):
        return given
    if isinstance(given, (int, np.integer)) and int(given) >= 0:
        return ClassLabel(int(given))
    raise DataError(
        f"{where}: its label is of type {type(given).__name__}; expected a class number or "
        "a record of onnxpad.data.labels"
    )


def _rows(plans: Plans, arrays: Mapping[str, Array]) -> int:
    """Samples in a feed."""
    main = main_input(plans)
    if main is None or main.layout is None or main.layout.batch != 0:
        return 1
    return len(arrays[main.info.name])


def _told(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{printable(n, 40)} {'×'.join(map(str, s))}" for n, s in shapes.items())
