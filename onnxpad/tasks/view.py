"""What there is to see of a model before its task is chosen: outputs, labels, declarations."""

from dataclasses import dataclass

from onnxpad.data.labels import Kind, Label, LabelFacts
from onnxpad.data.layout import Layout, output_axes
from onnxpad.tasks.task import Outputs
from onnxpad.text import printable

BY_LABEL: dict[Kind, str] = {
    "class": "classification",
    "boxes": "detection",
    "mask": "segmentation",
    "reference": "image",
}


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What a user declared; None: to be guessed.

    Attributes:
        task: one of NAMES. output: the one to judge.
        class_offset: of a label's position among the scores.
        decoder: of detections, see onnxpad.tasks.decoders. score, overlap: its thresholds.
        peak: the value of white in output pictures.
        classes: of outputs that hold labels, not scores.
    """

    task: str | None = None
    output: str | None = None
    class_offset: int | None = None
    decoder: str | None = None
    score: float = 0.01
    overlap: float = 0.45
    peak: float | None = None
    classes: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What there is to see of a model before it is judged.

    Attributes:
        outputs: of the first sample, a batch axis of 1 in front.
        source: shape of the data input for one sample; None where there is none.
        layout: what its axes mean.
        labels: what is known of the labels; None without.
        options: as declared.
        truth: of the first sample; None without.
    """

    outputs: Outputs
    source: tuple[int, ...] | None
    layout: Layout | None
    labels: LabelFacts | None = None
    options: TaskOptions = TaskOptions()
    truth: Label | None = None

    def spatial(self, name: str) -> tuple[int, ...] | None:
        """The spatial axes of an output, None where it is no map."""
        if self.source is None or self.layout is None:
            return None
        return output_axes(self.outputs[name].shape, self.source, self.layout)

    @property
    def size(self) -> tuple[int, int] | None:
        """The input's (height, width)."""
        if self.source is None or self.layout is None or len(self.layout.spatial) != 2:
            return None
        return self.source[self.layout.spatial[0]], self.source[self.layout.spatial[1]]

    def image_axes(self, name: str) -> tuple[int, ...] | None:
        """The axes of height and width of an output, None where it is no such map."""
        axes = self.spatial(name)
        return axes if axes is not None and len(axes) == 2 else None

    def channel(self, name: str) -> int | None:
        """The axis of a map's channels, None where it has none."""
        axes = self.spatial(name) or ()
        others = [i for i in range(1, self.outputs[name].ndim) if i not in axes]
        return others[0] if others else None

    @property
    def asked(self) -> str | None:
        """The task the labels are for."""
        return BY_LABEL[self.labels.kind] if self.labels else None

    def shape(self, name: str) -> str:
        """The name and shape of an output, printable."""
        sizes = "×".join(map(str, self.outputs[name].shape)) or "one number"
        return f"output {printable(name, 40)} ({sizes})"
