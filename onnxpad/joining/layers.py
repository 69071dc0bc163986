"""What the layers of both models make of a constant image and of the samples."""

from onnxpad.comparison import Layers
from onnxpad.errors import RunError
from onnxpad.joining.insides import Insides
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.scenes import Pictures
from onnxpad.measure.layers import (
    ConstantResponses,
    LayerResults,
    LayerTally,
    constant_responses,
)


def layers(insides: Insides, pictures: Pictures, limit: Limit, tell: Progress) -> Layers:
    """Measure them. Raises RunError with the reason where no layer can be seen."""
    if not insides.original.anatomy.layers:
        raise RunError(insides.original.anatomy.refused or "no layer slides a window over space")
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


def _results(insides: Insides, pictures: Pictures, limit: Limit, tell: Progress) -> LayerResults:
    tally = LayerTally(insides.original, insides.candidate)
    seen = 0
    for picture, rows in pictures.fed():
        count = min(rows, limit.most - seen)
        tally.add(picture, count)
        seen += count
        tell("layers", seen, limit.most)
        if seen >= limit.most or limit.expired:
            break
    return tally.result()
