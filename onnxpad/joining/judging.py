"""The task's side of the walk: chosen on the first sample, then fed every row of every run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onnxpad.data.labels import LabelFacts
from onnxpad.data.plan import InputPlan, main_input
from onnxpad.data.sample import Feed, Plans, Sample
from onnxpad.errors import DataError, RunError
from onnxpad.measure.agreement_shift import shifted
from onnxpad.measure.pair import Array
from onnxpad.runtime import Session
from onnxpad.tasks.guess import Choice, View, choose
from onnxpad.tasks.result import TaskResult
from onnxpad.tasks.task import Outputs, Tally, one_sample
from onnxpad.tasks.view import TaskOptions

# Samples on which the original is also run one pixel further.
FLOOR_SAMPLES = 128


@dataclass(slots=True)
class Judge:
    """Accuracy and agreement of a task over the samples of a walk.

    Attributes:
        names: the original's name of each compared output, and the candidate's.
        shifted: samples that were also run one pixel further.
        refused: why the first sample that does not fit the task does not, "" if all do.
    """

    original: Session
    filled: Plans
    options: TaskOptions
    names: Mapping[str, str]
    labels: LabelFacts | None = None
    choice: Choice | None = None
    tally: Tally | None = None
    shifted: int = 0
    refused: str = ""

    def add(
        self, feed: Feed, count: int, ours: Outputs, theirs: Outputs
    ) -> Iterator[tuple[Sample, str]]:
        """Take in one run; gives the samples that the task refused, and why.

        Raises UsageError where the declared task, or that of the labels, fits no output.
        """
        mine = {name: ours[name] for name in self.names}
        other = {name: theirs[renamed] for name, renamed in self.names.items()}
        samples = (feed.samples or (Sample(feed.name),))[:count]
        if self.tally is None:
            first = one_sample(mine, 0, feed.batch)
            self.choice = choose(self._view(first, samples[0]))
            self.tally = self.choice.task.tally()
        moved = self._moved(feed, count)
        for row, sample in enumerate(samples):
            again = None if moved is None else one_sample(moved, row, feed.batch)
            try:
                self.tally.add(
                    one_sample(mine, row, feed.batch), one_sample(other, row, feed.batch),
                    sample.label, sample.geometry, again,
                )  # fmt: skip
            except DataError as error:
                self.refused = self.refused or f"{sample.name}: {error}"
                yield sample, str(error)

    def result(self, seed: int) -> TaskResult | None:
        """The record; None where no sample fitted."""
        return self.tally.result(seed) if self.tally else None

    @property
    def reason(self) -> str:
        """Why there is no record."""
        told = self.refused or "no sample reached it"
        return f"{self.choice.sentence}; but no sample fits it: {told}" if self.choice else told

    def _view(self, outputs: Outputs, sample: Sample) -> View:
        main = main_input(self.filled)
        shape = layout = None
        if main is not None:
            layout = main.layout
            batched = layout is not None and layout.batch is not None
            shape = (1, *main.shape[1:]) if batched else main.shape
        return View(outputs, shape, layout, self.labels, self.options, sample.label)

    def _moved(self, feed: Feed, count: int) -> dict[str, Array] | None:
        """The original's outputs one pixel further; None where they serve nothing."""
        main = main_input(self.filled)
        task = self.choice.task.name if self.choice else "tensor"
        if task == "tensor" or self.shifted >= FLOOR_SAMPLES or not _can_move(main):
            return None
        assert main is not None
        assert main.layout is not None
        name = main.info.name
        picture = shifted(feed.arrays[name], main.layout.spatial)
        try:
            made = self.original.run({**feed.arrays, name: picture}, list(self.names))
        except RunError:  # the shifted picture alone makes it fail: no floor from this one
            return None
        self.shifted += count
        return made


def _can_move(main: InputPlan | None) -> bool:
    return main is not None and main.layout is not None and main.role == "scene"
