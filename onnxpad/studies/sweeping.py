"""Runs a model with a stimulus at many places: batches as large as memory allows, pasted ahead."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from onnxpad.data.ahead import ahead
from onnxpad.data.plan import InputPlan
from onnxpad.data.stimulus import Stimulus, pasted
from onnxpad.errors import RunError
from onnxpad.measure.pair import Array
from onnxpad.measure.sweep import Place
from onnxpad.model import load_model
from onnxpad.runtime import Session
from onnxpad.subject import subject
from onnxpad.tasks.stimulus import Scorer, boxes_at
from onnxpad.tasks.task import Outputs, first_samples, one_sample

# What a batch may take in memory: its largest tensor and those alive beside it.
_BYTES = 256 * 2**20
_ALIVE = 3
# More samples at a time make little faster, and results come later.
MOST_ROWS = 64
# Batches that are pasted and not yet run.
_AHEAD = 2
# A tensor whose size nobody infers is taken for this many inputs.
_UNKNOWN = 16
# Rows of a batch may differ from single runs by this share of the largest value: other kernels,
# another order of sums, nothing more.
_ALIKE = 1e-3

Done = Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Sweeping:
    """A model, a stimulus, and how it is scored.

    Attributes:
        plan: of the input that takes pictures. others: what the other inputs are fed.
        rows: samples of a run.
    """

    session: Session
    plan: InputPlan
    others: Mapping[str, Array]
    stimulus: Stimulus
    scorer: Scorer
    rows: int

    def scores(self, background: Array, places: Sequence[Place], done: Done) -> Array:
        """The scores of the stimulus at each place, (places,) float64. Raises RunError, DataError.

        Args:
            done: called with the number of places seen.
        """
        boxes = self._boxes(places)
        found = np.empty(len(places))
        parts = [places[at : at + self.rows] for at in range(0, len(places), self.rows)]
        at = 0
        for batch in ahead(lambda p: self.batch(background, p), parts, _AHEAD, 1):
            outputs = self.run(batch)
            count = len(batch) if self.rows > 1 else 1
            many = min(count, len(places) - at)
            of_places = first_samples(outputs, many, count)
            found[at : at + many] = self.scorer(of_places, boxes[at : at + many, None])[:, 0]
            at += many
            done(at)
        return found

    def bare(self, background: Array, places: Sequence[Place]) -> Array:
        """The scores of the same places without a stimulus, (places,)."""
        outputs = self.run(self.batch(background, ()))
        found = self.scorer(one_sample(outputs, 0, self.rows), self._boxes(places)[None])
        return np.asarray(found[0])

    def batch(self, background: Array, places: Sequence[Place]) -> Array:
        """What one run is fed: a free batch has no more rows than places, a fixed one all its."""
        rows = max(len(places), 1) if free_batch(self.plan) else self.rows
        return pasted(background, self.stimulus, places, self.plan, rows)

    def run(self, batch: Array) -> Outputs:
        """The outputs that are scored."""
        feeds = {**self.others, self.plan.info.name: batch}
        return self.session.run(feeds, self.scorer.outputs or None)

    def _boxes(self, places: Sequence[Place]) -> Array:
        return boxes_at(np.array(places, np.int64).reshape(-1, 2), self.stimulus.size)


def free_batch(plan: InputPlan) -> bool:
    """Whether the model leaves open how many samples a run has."""
    layout = plan.layout
    return (
        layout is not None
        and layout.batch is not None
        and not isinstance(plan.info.shape[layout.batch], int)
    )


def most_rows(path: Path, plan: InputPlan) -> int:
    """Samples of a run that memory allows, by the model's largest tensor at this size."""
    assert plan.layout is not None
    space = tuple(plan.shape[axis] for axis in plan.layout.spatial)
    scope = subject(load_model(path), size=space).main
    one = prod(plan.shape)
    largest = one
    for node in scope.container.node:
        for name in filter(None, node.output):
            shape = scope.info(name).shape
            if shape is None:
                largest = max(largest, one * _UNKNOWN)
            else:
                largest = max(largest, prod(n if isinstance(n, int) else 1 for n in shape))
    return int(np.clip(_BYTES // (4 * _ALIVE * largest), 1, MOST_ROWS))


def same_in_batches(session: Session, batch: Array, name: str, outputs: Sequence[str]) -> bool:
    """Whether the model gives each row of a batch what it gives that row alone."""
    names = list(outputs) or None
    try:
        together = session.run({name: batch}, names)
        for row in {0, len(batch) - 1}:
            alone = session.run({name: batch[row : row + 1]}, names)
            for key, whole in together.items():
                if whole.shape[:1] != (len(batch),) or not _alike(whole[row], alone[key][0]):
                    return False
    except RunError:
        return False
    return True


def _alike(one: Array, other: Array) -> bool:
    first, second = one.astype(np.float64), other.astype(np.float64)
    if first.shape != second.shape:
        return False
    scale = float(np.abs(second).max(initial=0.0))
    return bool(np.allclose(first, second, rtol=0, atol=_ALIKE * scale, equal_nan=True))
