"""From a detector's raw outputs to boxes in pixels of its input.

Every decoder takes the outputs of B samples, by name, and the input's (height, width). Columns are
x, y, w, h (a box's centre and size), objectness where there is one, and the class scores.

| name | outputs | meaning |
|---|---|---|
| yolox | (B, A, 5 + C), A = Σ cells over strides 8, 16, 32 (64) | x = (t + column)·stride, y alike with the row, w = exp(t)·stride; score = objectness × class (Z. Ge et al., "YOLOX", 2021, arXiv 2107.08430) |
| yolov5 | (B, A, 5 + C) | the same columns, decoded in the graph to input pixels; also YOLOX exported so |
| yolov8 | (B, 4 + C, A) | decoded, no objectness; score = class |
| boxes | (B, N, 4) and (B, N, C) | corners, in pixels or as shares of the input; scores |
| rows | (B, N, 6) | x0, y0, x1, y1, score, class in input pixels; doubles already removed |
| module:function | any | a user's own, of one sample, see `own` |
"""  # noqa: E501  (a table's row is one line)

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from onnxpad.errors import DataError, UsageError
from onnxpad.measure.pair import Array
from onnxpad.tasks.boxes import Detections, Stack, stack
from onnxpad.tasks.task import Outputs, one_sample
from onnxpad.text import one_line, printable

Size = tuple[int, int]
Decoder = Callable[[Outputs, Size], Detections]
StackDecoder = Callable[[Outputs, Size], Stack]

STRIDES = ((8, 16, 32), (8, 16, 32, 64))
NAMES = ("yolox", "yolov5", "yolov8", "boxes", "rows")
# Normalised corners may leave the picture a little; corners in pixels are far above this.
_NORMALISED = 2.5


def decoder(name: str, outputs: tuple[str, ...]) -> Decoder:
    """The decoder of this name for one sample, reading these outputs.

    It raises DataError for outputs of several samples. Raises UsageError for a name that is none,
    or the wrong number of outputs.
    """
    if ":" in name:
        return own(name)
    decode = _of_samples(name, outputs)

    def one(found: Outputs, size: Size) -> Detections:
        for output in outputs:
            shape = found[output].shape
            if shape[:1] != (1,):
                raise DataError(f"no detections of one sample in an output of shape {shape}")
        return decode(found, size)[0]

    return one


def stack_decoder(name: str, outputs: tuple[str, ...], samples: int) -> StackDecoder:
    """The same for so many samples at once; outputs have as many rows. Raises UsageError."""
    if ":" in name:
        single = own(name)
        return lambda found, size: stack(
            [single(one_sample(found, row, samples), size) for row in range(samples)]
        )
    return _of_samples(name, outputs)


def _of_samples(name: str, outputs: tuple[str, ...]) -> StackDecoder:
    if name not in NAMES:
        raise UsageError(
            f"unknown decoder {printable(name)!r}: choose one of {', '.join(NAMES)}, or give your "
            "own as module:function"
        )
    wanted = 2 if name == "boxes" else 1
    if len(outputs) != wanted:
        raise UsageError(f"decoder {name} reads {wanted} outputs, and {len(outputs)} were named")
    if name == "boxes":
        return lambda found, size: boxes_and_scores(found[outputs[0]], found[outputs[1]], size)
    decode = {"yolox": yolox, "yolov5": yolov5, "yolov8": yolov8, "rows": rows}[name]
    return lambda found, size: decode(found[outputs[0]], size)


def cells(size: Size, strides: tuple[int, ...]) -> int:
    """How many positions the grids of these strides have on an input of this size."""
    return sum((size[0] // s) * (size[1] // s) for s in strides)


def yolox(output: Array, size: Size) -> Stack:
    """An undecoded YOLOX head. Raises DataError for shapes that fit no strides."""
    table = _table(output, 6)
    many = table.shape[1]
    strides = next((s for s in STRIDES if cells(size, s) == many), None)
    if strides is None:
        raise DataError(
            f"{many} rows are no YOLOX head on an input of {size[0]}×{size[1]}: strides 8, "
            f"16, 32 give {cells(size, STRIDES[0])}; if the boxes are decoded in the graph, use "
            "decoder yolov5"
        )
    grid, scale = _grid(size, strides)
    centre = (table[..., :2] + grid) * scale
    with np.errstate(over="ignore"):  # a wild row gives an infinite box, which is dropped later
        extent = np.exp(table[..., 2:4].astype(np.float64)) * scale
    return _best(centre, extent, table[..., 5:], table[..., 4])


def yolov5(output: Array, size: Size) -> Stack:
    """A YOLOv5-style head, decoded in the graph."""
    del size
    table = _table(output, 6)
    return _best(table[..., :2], table[..., 2:4], table[..., 5:], table[..., 4])


def yolov8(output: Array, size: Size) -> Stack:
    """A YOLOv8-style head, (B, 4 + C, A)."""
    del size
    table = _table(np.swapaxes(output, 1, 2) if output.ndim == 3 else output, 5)
    return _best(table[..., :2], table[..., 2:4], table[..., 4:])


def rows(output: Array, size: Size) -> Stack:
    """Finished detections, (B, N, 6)."""
    del size
    table = _table(output, 6)
    scores = table[..., 4].astype(np.float64)
    with np.errstate(invalid="ignore"):  # a NaN among the classes
        return Stack(table[..., :4].astype(np.float64), scores, table[..., 5].astype(np.int64))


def boxes_and_scores(boxes: Array, scores: Array, size: Size) -> Stack:
    """Corners and class scores as two outputs.

    Corners are shares of the input where none of the sample's exceeds 2.5. Scores whose rows sum
    to 1 are a softmax, whose first class is "nothing here": it is left out and the others count
    from 0.
    """
    corners, table = _table(boxes, 4).astype(np.float64), _table(scores, 1)
    if corners.shape[2] != 4 or corners.shape[:2] != table.shape[:2]:
        raise DataError(f"no boxes and scores in outputs of {boxes.shape} and {scores.shape}")
    shares = np.abs(corners).max(axis=(1, 2), initial=0.0) <= _NORMALISED
    corners[shares] *= np.array([size[1], size[0]] * 2, np.float64)
    if table.shape[2] == 1:
        return _scored(corners, table)
    softmax = np.abs(table.sum(axis=2) - 1).max(axis=1, initial=0.0) < 0.01
    if softmax.any():
        table = table.copy()
        table[softmax, :, 0] = -np.inf
    found = _scored(corners, table)
    return Stack(corners, found.scores, found.classes - softmax[:, None])


def own(name: str) -> Decoder:
    """A user's decoder, named module:function and imported as Python imports.

    It is called with a dict of the sample's outputs (arrays with a batch axis of 1) and the
    input's (height, width), and returns three arrays: corners (n, 4) x0, y0, x1, y1 in input
    pixels, scores (n,), classes (n,) counted from 0; doubles removed. Raises UsageError when there
    is no such function.
    """
    module, _, function = name.partition(":")
    try:
        call: Any = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"decoder {printable(name)}: {one_line(str(error))}") from None

    def decode(found: Outputs, size: Size) -> Detections:
        try:
            corners, scores, classes = (np.asarray(part) for part in call(dict(found), size))
        except Exception as error:  # noqa: BLE001  (a user's code may raise anything)
            told = f"{type(error).__name__}: {one_line(str(error))}"
            raise DataError(f"decoder {printable(name)} failed: {told}") from None
        n = len(scores) if scores.ndim == 1 else -1
        if corners.shape != (n, 4) or classes.shape != (n,):
            raise DataError(
                f"decoder {printable(name)} gave arrays of {corners.shape}, {scores.shape} and "
                f"{classes.shape}; expected (n, 4), (n,) and (n,)"
            )
        return Detections(
            corners.astype(np.float64), scores.astype(np.float64), classes.astype(np.int64)
        )

    return decode


def _table(output: Array, columns: int) -> Array:
    """The samples' rows, (B, rows, columns). Raises DataError for anything else."""
    if output.ndim != 3 or output.shape[2] < columns:
        raise DataError(
            f"no detections in an output of shape {output.shape}: expected "
            f"(samples, rows, {columns} or more columns)"
        )
    return output if output.dtype.kind == "f" else output.astype(np.float64)


def _best(centre: Array, extent: Array, classes: Array, objectness: Array | None = None) -> Stack:
    """One box a row, with its best class."""
    centre, half = centre.astype(np.float64), extent.astype(np.float64) / 2
    found = _scored(np.concatenate([centre - half, centre + half], axis=-1), classes)
    if objectness is None:
        return found
    return Stack(found.xyxy, found.scores * objectness, found.classes)


def _scored(corners: Array, scores: Array) -> Stack:
    """Boxes with the best class of each, the first of equals."""
    if scores.shape[-1] == 1:
        classes = np.zeros(scores.shape[:-1], np.int64)
        return Stack(corners, scores[..., 0].astype(np.float64), classes)
    best = scores.argmax(axis=-1)
    top = np.take_along_axis(scores, best[..., None], axis=-1)[..., 0]
    return Stack(corners, top.astype(np.float64), best)


@lru_cache(maxsize=8)
def _grid(size: Size, strides: tuple[int, ...]) -> tuple[Array, Array]:
    """Column and row of every cell, (A, 2), and its stride, (A, 1)."""
    grids, scales = [], []
    for stride in strides:
        down, along = np.mgrid[: size[0] // stride, : size[1] // stride]
        grids.append(np.stack([along.ravel(), down.ravel()], axis=1))
        scales.append(np.full((along.size, 1), float(stride)))
    return np.concatenate(grids), np.concatenate(scales)
