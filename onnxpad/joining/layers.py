"""What layers make of a constant image and of the samples: of one model, or of two."""

from collections.abc import Sequence
from typing import Protocol

from onnxpad.comparison import Layers
from onnxpad.errors import RunError
from onnxpad.joining.insides import Inside, Insides
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.scenes import Pictures
from onnxpad.measure.layers import (
    ConstantResponses,
    LayerResults,
    LayerTally,
    MeanTally,
    constant_responses,
)
from onnxpad.measure.mean_map import MeanMap
from onnxpad.measure.pair import Array


class _Tally(Protocol):
    def add(self, picture: Array, count: int | None = None) -> None: ...


def layers(insides: Insides, pictures: Pictures, limit: Limit, tell: Progress) -> Layers:
    """Measure them. Raises RunError with the reason where no layer can be seen."""
    insides.ours.need_layers()
    constant: ConstantResponses | None = None
    reason: RunError | None = None
    try:
        constant = constant_responses(insides.original, insides.candidate)
    except RunError as error:  # its copy for the interior may not run where the model does
        reason = error
    try:
        results = _results(insides, pictures, limit, tell)
    except RunError as error:
        if constant is None:
            raise (reason or error) from None
        results = None
    return Layers(constant, results)


def responses(
    inside: Inside, colour: float | Sequence[float] = 0.0, *, maps: bool = False
) -> ConstantResponses:
    """One model's constant response. Raises RunError with the reason where there is none.

    Args:
        colour: as the input takes it: one value, or one for each channel.
        maps: whether the deviations are kept as maps.
    """
    inside.need_layers()
    return constant_responses(inside.probe, None, colour, maps=maps)


def mean_maps(
    inside: Inside, pictures: Pictures, limit: Limit, tell: Progress
) -> tuple[MeanMap, ...]:
    """One model's mean maps. Raises RunError with the reason where there are none."""
    inside.need_layers()
    tally = MeanTally(inside.probe, inside.probe.anatomy.layers)
    _walk(tally, pictures, limit, tell)
    return tally.result()


def _results(insides: Insides, pictures: Pictures, limit: Limit, tell: Progress) -> LayerResults:
    tally = LayerTally(insides.original, insides.candidate)
    _walk(tally, pictures, limit, tell)
    return tally.result()


def _walk(tally: _Tally, pictures: Pictures, limit: Limit, tell: Progress) -> None:
    """Add the samples as they are fed."""
    seen = 0
    for picture, rows in pictures.fed():
        count = min(rows, limit.most - seen)
        tally.add(picture, count)
        seen += count
        tell("layers", seen, limit.most)
        if seen >= limit.most or limit.expired:
            break
