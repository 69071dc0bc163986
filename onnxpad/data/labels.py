"""What is known to be true of a sample: its class, its boxes, its mask, its reference picture.

Pixels of labels are those of the picture as it is stored, turned upright, before any
preprocessing; `onnxpad.data.framing.Geometry` maps them into the model's input and back.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from onnxpad.runtime import Array

# In a mask: not labelled, to be left out of every count.
IGNORED = -1

Kind: TypeAlias = Literal["class", "boxes", "mask", "reference"]


@dataclass(frozen=True, slots=True)
class ClassLabel:
    """The number of the class, as the labels count: offsets of a model are the task's business."""

    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Objects of one picture.

    Attributes:
        xyxy: (N, 4) float64: left, top, right, bottom in pixels of the picture.
        classes: (N,) int64.
        crowd: (N,) bool: COCO's iscrowd, regions to be neither found nor missed.
    """

    xyxy: Array
    classes: Array
    crowd: Array

    @classmethod
    def of(cls, xyxy: object, classes: object, crowd: object = None) -> "Boxes":
        """From anything numpy takes; raises ValueError when the sizes do not fit together."""
        boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
        ids = np.asarray(classes, np.int64).reshape(-1)
        flags = np.zeros(len(ids), np.bool_) if crowd is None else np.asarray(crowd, np.bool_)
        if not len(boxes) == len(ids) == len(flags):
            raise ValueError(f"{len(boxes)} boxes, {len(ids)} classes, {len(flags)} crowd flags")
        return cls(boxes, ids, flags)


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """(H, W) int32 class numbers, IGNORED where nothing is known."""

    array: Array


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What an image-to-image model should give.

    Beside pictures (H, W, C) in 0..255, grey, or colours in the order declared for the input;
    beside arrays whatever the file holds.
    """

    array: Array


Label: TypeAlias = ClassLabel | Boxes | Mask | Reference


class BadLabel(Exception):  # noqa: N818  # never reaches a user: it becomes a skipped sample
    """The label of one sample cannot be used; the text is printable and says why."""


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What a task must know of all labels together.

    Attributes:
        kind: which record the samples carry.
        note: where they come from, printable.
        count: samples that have one. None where only walking through them would tell.
        names: of the classes, () where the labels give none; untrusted.
        highest: the highest class number, None where only reading all of them would tell.
    """

    kind: Kind
    note: str
    count: int | None
    names: tuple[str, ...] = ()
    highest: int | None = None


def kind_of(label: Label) -> Kind:
    """The kind of a label."""
    kinds: dict[type, Kind] = {ClassLabel: "class", Boxes: "boxes", Mask: "mask"}
    return kinds.get(type(label), "reference")
