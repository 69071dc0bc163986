"""Runs a model on crops of the same pictures and keeps how alike its outputs are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from onnxpad.data.labels import ClassLabel
from onnxpad.data.plan import InputPlan
from onnxpad.data.sample import Sample
from onnxpad.data.synthetic import generator
from onnxpad.errors import DataError, UsageError
from onnxpad.joining.limit import Progress
from onnxpad.joining.opening import Opened
from onnxpad.measure.pair import Array
from onnxpad.studies.canvas import Canvas, Canvases
from onnxpad.tasks.classification import Classification, ClassificationTally
from onnxpad.tasks.guess import Choice, choose
from onnxpad.tasks.moved import Alike, alike
from onnxpad.tasks.result import Metric
from onnxpad.tasks.task import Outputs, one_sample
from onnxpad.tasks.view import View

DISTANCES = (1, 2, 3, 4, 8, 16, 32, 64)
MOST, SECONDS = 256, 18.0
_AXES = ("x", "y", "z")
DIAGONAL = "diagonal"
# Random crops draw from numbers of their own, apart from those that make scenes.
_CROPS = 7919

Offset = tuple[int, ...]


@dataclass(slots=True)
class Shifts:
    """One model's outputs under shifts, sample by sample.

    Attributes:
        most: samples; None for as many as time allows, 256 at most.
        asked: pixels to shift by; () for powers of 2 and all the room there is.
        random: by sample, two random crops. moved: by direction and pixels, of each sample.
        accuracy: by pixels along the diagonal; {} without class labels.
        refused: why the first sample that does not fit the task does not.
    """

    opened: Opened
    main: InputPlan
    canvases: Canvases
    most: int | None
    asked: tuple[int, ...]
    tell: Progress
    random: dict[str, Alike] = field(default_factory=dict)
    moved: dict[tuple[str, int], list[Alike]] = field(default_factory=dict)
    accuracy: dict[int, ClassificationTally] = field(default_factory=dict)
    samples: int = 0
    view: View | None = None
    choice: Choice | None = None
    refused: str = ""

    def run(self) -> None:
        """Walk over the samples. Raises RunError, UsageError, and DataError where none fits."""
        room = min(self.canvases.room)
        if not all(0 < pixels <= room for pixels in self.asked):
            told = ", ".join(map(str, self.asked))
            raise UsageError(f"shift by {told} pixels: crops can move by 1 to {room}")
        count, started = self.most or MOST, perf_counter()
        for canvas in self.canvases:
            self._take(canvas, count - self.samples)
            self.tell("shifts", self.samples, count)
            late = self.most is None and perf_counter() - started > SECONDS
            if self.samples >= count or late:
                break
        nothing = not self.random and not self.moved
        if not self.samples or (nothing and self.refused):
            told = self.refused or f"none of {self.canvases.skipped} samples could be used"
            raise DataError(f"no shift could be measured: {told}")

    @property
    def directions(self) -> tuple[tuple[str, Offset], ...]:
        """One pixel along each axis, and along all of them."""
        assert self.main.layout is not None
        count = len(self.main.layout.spatial)
        units = np.eye(count, dtype=int)
        names = _AXES[:count][::-1]
        single = [(name, tuple(map(int, u))) for name, u in zip(names, units, strict=True)]
        return (*single, (DIAGONAL, (1,) * count))

    @property
    def distances(self) -> tuple[int, ...]:
        """Those that are asked for, else those there is room for; the room itself is the last."""
        room = min(self.canvases.room)
        if self.asked:
            return self.asked
        return tuple(dict.fromkeys((*(d for d in DISTANCES if d < room), room)))

    def _take(self, canvas: Canvas, room_for: int) -> None:
        samples = canvas.samples[:room_for]
        still = self._outputs(canvas, (0,) * len(self.canvases.room))
        first, second = self._random(self.samples)
        pair = self._outputs(canvas, first), self._outputs(canvas, second)
        offset = tuple(b - a for a, b in zip(first, second, strict=True))
        for row, sample in enumerate(samples):
            outputs = [self._row(one, row) for one in (still, *pair)]
            self._begin(outputs[0], sample)
            found = self._alike(outputs[1], outputs[2], offset, sample)
            if found is not None:
                self.random[sample.name] = found
        for name, step, pixels in self._steps():
            shift = tuple(pixels * one for one in step)
            moved = self._outputs(canvas, shift)
            for row, sample in enumerate(samples):
                ours, theirs = self._row(still, row), self._row(moved, row)
                found = self._alike(ours, theirs, shift, sample)
                if found is not None:
                    self.moved.setdefault((name, pixels), []).append(found)
                if name == DIAGONAL:
                    self._judge(pixels, ours, theirs, sample)
        self.samples += len(samples)

    def _steps(self) -> Iterator[tuple[str, Offset, int]]:
        for name, step in self.directions:
            for pixels in self.distances:
                yield name, step, pixels

    def _random(self, number: int) -> tuple[Offset, Offset]:
        """Two crops, by the number of the sample: the same share of the room for every model."""
        rng = generator(self.opened.request.seed + _CROPS, number)
        room = self.canvases.room
        first, second = (
            tuple(int(u * (more + 1)) for u, more in zip(rng.random(len(room)), room, strict=True))
            for _ in range(2)
        )
        return first, second

    def _outputs(self, canvas: Canvas, offset: Offset) -> Outputs:
        """The model's outputs for the crop that begins so many pixels in."""
        assert self.main.layout is not None
        cut = [slice(None)] * canvas.picture.ndim
        for axis, start in zip(self.main.layout.spatial, offset, strict=True):
            cut[axis] = slice(start, start + self.main.shape[axis])
        picture: Array = np.ascontiguousarray(canvas.picture[tuple(cut)])
        feed = {**self.opened.feed.arrays, self.main.info.name: picture}
        return self.opened.session.run(feed)

    def _row(self, outputs: Outputs, row: int) -> Outputs:
        return one_sample(outputs, row, self.main.batch)

    def _begin(self, outputs: Outputs, sample: Sample) -> None:
        """Choose the task on the first sample. Raises UsageError."""
        if self.view is not None:
            return
        layout, shape = self.main.layout, self.main.shape
        assert layout is not None
        one = (1, *shape[1:]) if layout.batch is not None else shape
        labels = self.opened.source.labels
        options = self.opened.request.task
        self.view = View(outputs, one, layout, labels, options, sample.label)
        self.choice = choose(self.view)

    def _alike(
        self, first: Outputs, second: Outputs, offset: Offset, sample: Sample
    ) -> Alike | None:
        assert self.view is not None
        assert self.choice is not None
        try:
            return alike(self.choice.task, self.view, first, second, offset)
        except DataError as error:
            self.refused = self.refused or f"{sample.name}: {error}"
            return None

    def _judge(self, pixels: int, first: Outputs, second: Outputs, sample: Sample) -> None:
        task = self.choice.task if self.choice else None
        if not isinstance(task, Classification) or not isinstance(sample.label, ClassLabel):
            return
        try:
            tally = self.accuracy.setdefault(pixels, task.tally())
            tally.add(first, second, sample.label, None)
        except DataError as error:
            self.refused = self.refused or f"{sample.name}: {error}"

    def top1(self, pixels: int) -> Metric | None:
        """Accuracy without and with a diagonal shift, on the same samples."""
        tally = self.accuracy.get(pixels)
        result = tally.result(self.opened.request.seed) if tally else None
        return result.metric("top1") if result else None
