"""What layers make of one colour, and of images on average: R7 to R10 of the paper."""

from collections.abc import Sequence
from itertools import islice
from math import inf
from pathlib import Path

import numpy as np

from onnxpad.errors import RunError
from onnxpad.joining.insides import Inside
from onnxpad.joining.layers import mean_maps, responses
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.opening import Opened, open_one
from onnxpad.joining.part import part
from onnxpad.joining.request import Request
from onnxpad.measure.layers import zero_colour
from onnxpad.studies.each import DoesNotApplyError, Source, each, request
from onnxpad.studies.maps_shown import Colour, Found, shown
from onnxpad.study import ModelStudy, Study

# Together with loading and probing, about 20 s where no number of samples is asked for.
MEAN_SECONDS = 14.0
SCENES = 64
# Samples whose mean colour is taken.
_COLOUR_SAMPLES = 16
_ABOUT = (
    "What padding leaves in the maps of the layers (Alsallakh et al., arXiv 2010.02178, section 2 "
    "and its figures): an image of one colour has no edges, so whatever varies in a layer's map of "
    "it was made by padding; and over many images no row or column of the average map, mean over "
    "the channels, should differ from its neighbours. The colours of a layer's pictures have one "
    "range for all models."
)


def maps(
    models: Sequence[Source],
    requests: Sequence[Request] | None = None,
    progress: Progress | None = None,
) -> Study:
    """Constant response and mean map of every layer, for one model or several beside each other.

    The measures are those of a comparison: onnxpad.measure.constant_response for D(p), the
    deviation from what VALID convolutions give (*space, in the layer's own unit), with zeros at the
    first window op and with the mean colour of the samples; onnxpad.measure.mean_map for the mean
    map (*space) and the lines in it. Maps are averaged over their channels inside the graph, so
    that memory does not grow with the images.

    Args:
        models: paths of .onnx files.
        requests: for each model the data, preprocessing, samples and provider; None: the defaults,
            at most 64 scenes in about 14 seconds.
        progress: progress(stage, done, total).

    Raises UsageError, DataError, ModelError, RunError for a single model; of several it is said.
    """
    tell = progress or _silent
    asked = requests or [request(model) for model in models]
    found = each(models, asked, lambda path, given: _one(path, given, tell))
    return Study("maps", "Maps: what padding draws into them", _ABOUT, found)


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total


def _one(path: Path, given: Request, tell: Progress) -> ModelStudy:
    opened = open_one(path, given)
    tell("probing", 0, None)
    inside = opened_inside(opened)
    colours = tuple(_colours(opened, inside))
    limit = _limit(opened)
    means, no_means = part(lambda: mean_maps(inside, opened.pictures, limit, tell))
    if means is None and not any(one.found for one in colours):
        raise RunError(f"{no_means}; {colours[0].why}")
    return shown(
        Found(
            path.as_posix(), inside.probe.feeding.space, opened.source.note(opened.filled),
            opened.provider.note, colours, means or (), no_means,
            limit.expired and given.samples is None, inside.probe.anatomy.unseen,
        )
    )  # fmt: skip


def opened_inside(opened: Opened) -> Inside:
    """A model's insides, with a layer at least.

    Raises DoesNotApplyError, with the reason, where it has none that follow its input's space.
    """
    try:
        inside = opened.inside()
        inside.need_layers()
    except RunError as error:
        raise DoesNotApplyError(str(error)) from None
    return inside


def _limit(opened: Opened) -> Limit:
    """As many samples as were asked for, else as fit into the time."""
    asked = opened.request.samples
    if asked is not None:
        return Limit(asked, inf)
    total = opened.source.total
    return Limit(SCENES if total is None else total, MEAN_SECONDS)


def _colours(opened: Opened, inside: Inside) -> list[Colour]:
    """The responses to both colours, each with the reason where there is none."""
    zero, why = part(lambda: zero_colour(inside.probe))
    if zero is None:
        reason = why or "no colour makes the first layer see zeros alone"
        first = Colour("zeros", "", None, reason)
    else:
        told = "zeros at the first layer"
        if any(zero):
            told += f", which is the colour {_numbers(zero)}"
        first = Colour("zeros", told, *part(lambda: responses(inside, zero, maps=True)))
    mean = mean_colour(opened, inside)
    told = f"the mean colour of {_COLOUR_SAMPLES} samples at most, {_numbers(mean)}"
    return [first, Colour("mean colour", told, *part(lambda: responses(inside, mean, maps=True)))]


def mean_colour(opened: Opened, inside: Inside) -> tuple[float, ...]:
    """The mean of the first samples as they are fed, a value for each channel or one for all."""
    channel = inside.probe.feeding.channel
    found = []
    for picture, rows in islice(opened.pictures.fed(), _COLOUR_SAMPLES):
        some = picture[:rows] if inside.main.layout and inside.main.layout.batch == 0 else picture
        axes = tuple(axis for axis in range(some.ndim) if axis != channel)
        found.append(np.atleast_1d(some.astype(np.float64).mean(axis=axes)))
    mean = np.mean(found, axis=0)
    kind = opened.feed.arrays[inside.probe.feeding.main].dtype.kind
    return tuple(float(round(v) if kind in "iu" else v) for v in mean)


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values[:4]) + ("…" if len(values) > 4 else "")
