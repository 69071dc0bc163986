"""Each task, built for a model's outputs where they fit it, with what it was told by."""

import numpy as np

from onnxpad.data.labels import Reference
from onnxpad.measure.agreement import class_count
from onnxpad.measure.pair import Array
from onnxpad.tasks.classification import Classification
from onnxpad.tasks.detection import Detection
from onnxpad.tasks.heads import find_head
from onnxpad.tasks.image import ImageToImage
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.tasks.task import Task
from onnxpad.tasks.tensor import Tensors
from onnxpad.tasks.view import View
from onnxpad.text import printable

# TensorFlow's ImageNet models score "background" first.
_WITH_BACKGROUND = 1001
# Values of pictures up to here are shares of white, above they are bytes.
_UNIT = 1.5

Built = tuple[Task, str] | None


def classification(view: View) -> Built:
    """The first output that looks like scores of one sample, and how labels count."""
    for name, output in view.outputs.items():
        if view.spatial(name) is None and class_count(output.shape):
            count = class_count(output.shape) or 0
            offset, why = _offset(view, count)
            return Classification(name, offset), f"{view.shape(name)} holds class scores{why}"
    return None


def _offset(view: View, count: int) -> tuple[int, str]:
    declared = view.options.class_offset
    if declared is not None:
        return declared, f", labels start at {declared}" if declared else ""
    facts = view.labels
    names = len(facts.names) if facts else 0
    highest = facts.highest if facts else None
    if count == _WITH_BACKGROUND and (highest is None or highest < count - 1):
        return 1, ", the first taken for background, so labels start at 1"
    if names and names != count:
        return 0, f", though the labels know {names} classes: check that they count alike"
    return 0, ""


def detection(view: View) -> Built:
    """A head whose shape is known, or the declared decoder."""
    options, shapes = view.options, {n: o.shape for n, o in view.outputs.items()}
    head = find_head(shapes, view.size)
    name = options.decoder
    if name is None or (head is not None and head.decoder == name):
        if head is None:
            return None
        task = Detection(head.outputs, head.decoder, options.score, options.overlap)
        return task, f"{printable(head.why, 200)}; decoder {head.decoder}"
    if name == "boxes":
        return None
    outputs = tuple(shapes) if ":" in name else _tables(shapes)
    task = Detection(outputs, name, options.score, options.overlap)
    task.tally()  # whether the decoder exists and takes these outputs
    return task, f"decoder {printable(name)}"


def _tables(shapes: dict[str, tuple[int, ...]]) -> tuple[str, ...]:
    """The likeliest output of a head that is declared: the largest table."""
    tables = [name for name, shape in shapes.items() if len(shape) == 3]
    return tuple(sorted(tables, key=lambda n: -int(np.prod(shapes[n])))[:1])


def segmentation(view: View) -> Built:
    """The first map with several scores a pixel, or of labels."""
    for name, output in view.outputs.items():
        if view.image_axes(name) is None:
            continue
        channel = view.channel(name)
        if np.issubdtype(output.dtype, np.integer) and (
            channel is None or output.shape[channel] == 1
        ):
            classes = view.options.classes or _classes_of(view)
            if classes:
                return Segmentation(name, None, classes), f"{view.shape(name)} holds labels"
        elif channel is not None and (
            output.shape[channel] > 1 or "segmentation" in (view.options.task, view.asked)
        ):
            count = output.shape[channel]
            return Segmentation(name, channel), f"{view.shape(name)} has {count} scores a pixel"
    return None


def _classes_of(view: View) -> int | None:
    """How many classes the labels know of."""
    if view.labels is None:
        return None
    highest = view.labels.highest
    return len(view.labels.names) or (None if highest is None else highest + 1)


def image(view: View) -> Built:
    """The first map with as many channels as the input picture."""
    for name, output in view.outputs.items():
        if view.image_axes(name) is None or view.source is None or view.layout is None:
            continue
        channel, theirs = view.channel(name), view.layout.channel
        colours = 1 if channel is None else output.shape[channel]
        given = 1 if theirs is None else view.source[theirs]
        if (colours == given and colours in (1, 3)) or "image" in (view.options.task, view.asked):
            peak = view.options.peak or _white(output)
            reference = _white(view.truth.array) if isinstance(view.truth, Reference) else 255.0
            why = f"{view.shape(name)} is a picture; white is {peak:g}"
            return ImageToImage(name, channel, peak, reference), why
    return None


def tensors(view: View) -> tuple[Task, str]:
    """Every output, whatever it means."""
    names = tuple(view.outputs)
    told = ", ".join(view.shape(name) for name in names[:4])
    return Tensors(names), f"{told} compared as plain numbers"


def _white(picture: Array) -> float:
    """The value of white: 1, or 255 where a value is beyond 1 or there are only whole numbers."""
    if np.issubdtype(picture.dtype, np.integer):
        return float(np.iinfo(picture.dtype).max) if picture.dtype.itemsize <= 2 else 255.0
    largest = np.nanmax(np.abs(picture.astype(np.float64)), initial=0.0)
    return 1.0 if largest <= _UNIT else 255.0
