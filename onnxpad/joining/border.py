"""Context error of both models: the same crops, held against the same real surroundings."""

from onnxpad.comparison import Border, BorderOutput
from onnxpad.joining.context import Space, context, surroundings
from onnxpad.joining.insides import Insides
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.scenes import Pictures
from onnxpad.measure.context import ORIGINAL
from onnxpad.measure.context_run import Contender
from onnxpad.measure.crop import on_grid

# Real surroundings whose worth is told for models with spatial outputs, in pixels per side.
_OVERLAPS = (4, 16)
_CANDIDATE = "candidate"


def border(
    insides: Insides, pictures: Pictures, limit: Limit, tell: Progress, *, sized: bool = False
) -> Border:
    """Measure it.

    Args:
        sized: whether a size was asked for, which is then the crop's.

    Raises RunError with the reason where there is nothing to measure.
    """
    insides.need_maps()
    around = surroundings(insides.ours, pictures, sized=sized)
    anatomy, maps = insides.original.anatomy, insides.maps
    overlaps = () if anatomy.deepest else _grown(anatomy.stride, around.margin)
    contenders = {_CANDIDATE: Contender(insides.candidate.some(insides.theirs))}
    itself = insides.original.some(maps)
    contenders |= {_name(o): Contender(itself, o) for o in overlaps}
    found = context(insides.ours, around, contenders, limit, tell)
    errors = found.errors
    outputs = tuple(
        BorderOutput(
            name, errors[ORIGINAL][i], errors[_CANDIDATE][i],
            tuple((max(o), errors[_name(o)][i]) for o in overlaps),
        )
        for i, name in enumerate(found.names)
    )  # fmt: skip
    return Border(
        outputs, found.crop, found.large, found.images, found.skipped, found.mixed, found.real
    )


def _grown(stride: Space, margin: int) -> tuple[Space, ...]:
    wanted = dict.fromkeys(on_grid(pixels, stride) for pixels in _OVERLAPS)
    return tuple(space for space in wanted if max(space) <= margin)


def _name(grown: Space) -> str:
    return f"overlap {grown}"
