"""The one table of what is measured: the names that budgets and reports share, and their meaning.

Accuracy has its own rows in onnxpad.tasks.metrics; here they are joined by all other quantities.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from onnxpad.tasks.metrics import METRICS, MetricInfo

Better: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a name means.

    Attributes:
        unit: "share" (0 to 1), "ratio" (candidate / original), "dB" or "" (a bare number).
        better: which direction is good.
        compared: whether comparisons give it. audited: whether audits of one model do.
        summary: one sentence.
        about: how it is measured, in paragraphs; "" where the sentence says it all.
        counted: whether an audit has it without running the model.
    """

    name: str
    unit: str
    better: Better
    compared: bool
    audited: bool
    summary: str
    about: str = ""
    counted: bool = False


_QUANTITIES = (
    Measure(
        "context_error", "ratio", "lower", True, False,
        "border error against real context, candidate / original, worst output",
        "A large image is run whole, and the region of a crop is cut out of the result: there the "
        "crop's surroundings were real. The crop is run alone, too. By distance d to the border, "
        "the error NE(d) is the mean squared difference of the two over the variance of the "
        "reference. Both models are held against the original's reference; no labels are needed. "
        "The innermost ring is the floor: what the crop cannot know because it was not shown it.",
    ),
    Measure(
        "seams", "ratio", "lower", True, False,
        "jump over the seams of tiles, candidate / original, worst output",
        "A large image is cut in tiles (--tile, --overlap), each is run, and the results are put "
        "together. The jump between the two positions on either side of a seam is held against "
        "the same jump where the image was run whole; 1 is a seam that nobody sees.",
    ),
    Measure(
        "difference", "", "lower", True, False,
        "largest |candidate − original| / largest |original|, worst output",
    ),
    Measure(
        "latency", "ratio", "lower", True, False,
        "median time of a run, candidate / original",
        "Blocks of runs of both models take turns; the median of the blocks' ratios counts. The "
        "original against itself, measured the same way, says how much of that is noise.",
    ),
    Measure(
        "memory", "ratio", "lower", True, False,
        "peak of a process that runs the model once, candidate / original",
    ),
    Measure(
        "constant_response", "", "lower", False, True,
        "largest deviation of a layer from a constant, for a constant image, of its scale",
        "For a constant input every map should be constant. Each channel is held against its "
        "interior value, taken from a run without padding on a large constant; the deviation is "
        "given as a share of the layer's scale, and its width in pixels per side. Copying modes "
        "have none in chains of convolutions; a first layer that is fed zeros cannot show its "
        "own.",
    ),
    Measure(
        "line_artifacts", "", "lower", False, True,
        "border rows and columns that stand out from mean maps, all layers together",
        "The mean over images and channels; a border row or column whose z against the interior "
        "ones is beyond 3 is a line artifact.",
    ),
    Measure(
        "context_ne", "", "lower", False, True,
        "error against real context in the worst ring, worst output",
        "NE(d) of one model by itself, as told under context_error: 0 where the border does not "
        "matter, 1 where the output is off by as much as it varies.",
    ),
    Measure(
        "errors", "", "lower", False, True, "findings of severity error, after the baseline",
        counted=True,
    ),
    Measure("warnings", "", "lower", False, True, "findings of severity warning", counted=True),
    Measure("notes", "", "lower", False, True, "findings of severity note", counted=True),
    Measure(
        "drift", "share", "lower", False, False,
        "how far a layer's map moved from the original to the candidate, of the map's scale",
        "The root of the mean squared difference over the mean square of the original's map, for "
        "the same images, by distance to the border and as a whole.",
    ),
)  # fmt: skip


def _of_metric(info: MetricInfo) -> Measure:
    better: Better = "higher" if info.higher_is_better else "lower"
    return Measure(info.name, info.unit, better, True, False, info.description)


def _delta(info: MetricInfo) -> Measure:
    metric = _of_metric(info)
    summary = f"{info.name} of the candidate minus that of the original, on the same samples"
    about = f"{info.name}: {info.description}."
    return Measure(f"{info.name}_delta", metric.unit, metric.better, True, False, summary, about)


MEASURES: tuple[Measure, ...] = (
    *map(_of_metric, METRICS.values()),
    *(_delta(info) for info in METRICS.values() if not info.between),
    *_QUANTITIES,
)

COMPARED = tuple(one.name for one in MEASURES if one.compared)
AUDITED = tuple(one.name for one in MEASURES if one.audited)
COUNTED = tuple(one.name for one in MEASURES if one.counted)
