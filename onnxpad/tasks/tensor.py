"""Plain tensors: how far the candidate's outputs are from the original's, whatever they mean.

For one sample and output, y the original's values and Δ = candidate − y:
cosine = Σ y(y + Δ) / (|y|·|y + Δ|), 1 where both are zero and 0 where one is;
SNR = 10·log10(Σ y² / Σ Δ²) in dB, bounded by ±200 so that equal outputs have a number.
With several outputs a sample counts with its worst one. Values that are NaN or infinite on either
side are left out; the comparison of outputs counts them.
"""

from dataclasses import dataclass, field
from math import log10, sqrt

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Label
from onnxpad.measure.pair import Pair, pair
from onnxpad.measure.paired import mean_interval
from onnxpad.tasks.result import TaskResult, between
from onnxpad.tasks.task import Merging, Outputs, of_same_shape

CAP = 200.0


@dataclass(frozen=True, slots=True)
class Tensors:
    """The task.

    Attributes:
        outputs: those that are compared.
    """

    outputs: tuple[str, ...]
    name: str = "tensor"

    def tally(self) -> "TensorTally":
        """An empty tally."""
        return TensorTally(self)


def cosine(outputs: Pair) -> float:
    """Of the angle between two outputs."""
    y = outputs.original
    other = y + outputs.delta
    ours, theirs = float(np.square(y).sum()), float(np.square(other).sum())
    if not ours or not theirs:
        return float(ours == theirs)
    if not outputs.delta.any():
        return 1.0  # which rounding would miss by a bit
    return float((y * other).sum()) / (sqrt(ours) * sqrt(theirs))


def snr_db(outputs: Pair) -> float:
    """Signal to noise, in dB."""
    signal = float(np.square(outputs.original).sum())
    noise = float(np.square(outputs.delta).sum())
    if not noise or not signal:
        return CAP if not noise else -CAP
    return min(max(10 * (log10(signal) - log10(noise)), -CAP), CAP)


@dataclass(slots=True)
class TensorTally(Merging):
    """Cosine and SNR of every sample's worst output."""

    task: Tensors
    cosines: list[float] = field(default_factory=list)
    snrs: list[float] = field(default_factory=list)

    state = ("cosines", "snrs")

    def add(
        self,
        original: Outputs,
        candidate: Outputs,
        truth: Label | None,
        geometry: Geometry | None,
        moved: Outputs | None = None,
    ) -> None:
        """Take in one sample; see onnxpad.tasks.task."""
        # Whether and how an unknown tensor moves with its input is not known: no floor.
        del truth, geometry, moved
        for name in self.task.outputs:
            of_same_shape(original[name], candidate[name])
        pairs = [pair(original[name], candidate[name]) for name in self.task.outputs]
        self.cosines.append(min(map(cosine, pairs)))
        self.snrs.append(min(map(snr_db, pairs)))

    def result(self, seed: int) -> TaskResult | None:
        """The record."""
        if not self.cosines:
            return None
        metrics = tuple(
            between(name, float(np.mean(values)), mean_interval(np.array(values), seed), n, None)
            for name, values, n in (
                ("cosine", self.cosines, len(self.cosines)),
                ("snr_db", self.snrs, len(self.snrs)),
            )
        )
        return TaskResult(self.task.name, 0, len(self.cosines), metrics, (), None, ())
