"""Which decoder a detector's outputs ask for, read off their shapes."""

from collections.abc import Mapping
from dataclasses import dataclass

from onnxpad.tasks.decoders import STRIDES, cells

Shapes = Mapping[str, tuple[int, ...]]
_Tables = dict[str, tuple[int, int, int]]
# Detectors that remove doubles in the graph give no more rows than this.
_FINISHED = 1000
_ANCHORS = 3


@dataclass(frozen=True, slots=True)
class Head:
    """A decoder, the outputs it reads, and why it."""

    decoder: str
    outputs: tuple[str, ...]
    why: str


def find_head(shapes: Shapes, size: tuple[int, int] | None) -> Head | None:
    """The head among outputs of these shapes, one sample each, for an input of `size`.

    YOLOX and YOLOv5 differ in nothing but the number of rows: one for every cell of the grids, or
    three. A YOLOX exported with its boxes decoded looks undecoded: it has to be declared (yolov5).
    """
    known = {n: (s[0], s[1], s[2]) for n, s in shapes.items() if len(s) == 3 and s[0] == 1}
    grids = {cells(size, strides) for strides in STRIDES} if size else set()
    for name, (_, rows, columns) in known.items():
        text = f"{name} has {rows}×{columns} values"
        if rows in grids and columns > 5:
            return Head("yolox", (name,), f"{text}, a row for every cell of strides 8, 16, 32")
        if rows in {_ANCHORS * n for n in grids} and columns > 5:
            return Head(
                "yolov5", (name,), f"{text}, three rows for every cell of strides 8, 16, 32"
            )
        if columns in grids and rows > 4:
            return Head("yolov8", (name,), f"{text}, a column for every cell of strides 8, 16, 32")
    return _two(known) or _finished(known)


def _two(known: _Tables) -> Head | None:
    """Boxes and scores as two outputs with as many rows."""
    boxes = [name for name, s in known.items() if s[2] == 4]
    boxes.sort(key=lambda name: "box" not in name.lower())
    for name in boxes[:1]:
        partners = [n for n, s in known.items() if n != name and s[1] == known[name][1]]
        if len(partners) == 1:
            why = f"{name} and {partners[0]} have {known[name][1]} rows, one of them four columns"
            return Head("boxes", (name, partners[0]), why)
    return None


def _finished(known: _Tables) -> Head | None:
    for name, (_, rows, columns) in known.items():
        if columns == 6 and rows <= _FINISHED:
            why = f"{name} has {rows} rows of six: corners, score, class"
            return Head("rows", (name,), why)
    return None
