"""A stimulus pasted at every place, and the score it gets there: R11 and R12 of the paper."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.framing import Size
from onnxpad.data.plan import InputPlan, plans
from onnxpad.data.preprocess import input_size, undeclared
from onnxpad.data.sample import Plans
from onnxpad.data.scene_input import picture_input
from onnxpad.data.source import open_source
from onnxpad.data.stimulus import Backgrounds, as_picture, backgrounds, pasted, read_stimulus
from onnxpad.errors import DataError, UsageError
from onnxpad.joining.limit import Progress
from onnxpad.joining.models import check_fed, filling
from onnxpad.joining.request import Request
from onnxpad.measure.pair import Array
from onnxpad.measure.sweep import Grid, Step, grid, steepest, worst_step
from onnxpad.runtime import Session, choose_provider, open_session
from onnxpad.studies.each import DoesNotApplyError, Source, each, request
from onnxpad.studies.sweep_shown import Seen, shown
from onnxpad.studies.sweeping import Sweeping, free_batch, most_rows, same_in_batches
from onnxpad.study import ModelStudy, Study
from onnxpad.tasks.guess import choose
from onnxpad.tasks.stimulus import Scorer, scorer
from onnxpad.tasks.task import Outputs, one_sample
from onnxpad.tasks.view import View
from onnxpad.text import printable

# Samples that the stimulus is pasted on where their number is not asked for.
_BACKGROUNDS = 4
_ABOUT = (
    "The score of a stimulus at every place where it is pasted (after Alsallakh et al., arXiv "
    "2010.02178): a model that looks everywhere alike gives a flat map, but for what the "
    "background does. Places are the stimulus' upper left corner, in pixels of the input."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sweep was asked for, the same for all models.

    Attributes:
        stimulus: a picture file. size: its height and width in the input; None: its own pixels.
        background: a picture file or a colour; None: samples of the data, else one colour.
        step: pixels between places; None: chosen, see measure.sweep.grid.
        wanted: the class that is scored; None: the highest.
        tau: a place is blind where its score is below this share of the median.
    """

    stimulus: Path
    size: Size | None = None
    background: str | None = None
    step: int | None = None
    wanted: int | None = None
    tau: float = 0.5

    def __post_init__(self) -> None:
        """Raise UsageError for numbers that mean nothing."""
        if not 0 < self.tau <= 1:
            raise UsageError(
                f"blind: a share of the median, above 0 and at most 1, not {self.tau:g}"
            )
        if self.wanted is not None and self.wanted < 0:
            raise UsageError(f"classes count from 0: {self.wanted}")
        if self.step is not None and self.step < 1:
            raise UsageError(f"a stride is at least 1 pixel: {self.step}")


def sweep(
    models: Sequence[Source],
    asked: Asked,
    requests: Sequence[Request] | None = None,
    progress: Progress | None = None,
) -> Study:
    """Paste a stimulus at every place of a grid and show the scores, for each model.

    Args:
        models: paths of .onnx files.
        requests: for each model the data, preprocessing, task and provider; None: the defaults.
        progress: progress(stage, done, total).

    Raises UsageError, DataError, ModelError, RunError for a single model; of several it is said.
    """
    many = len(models) > 1
    tell = progress or _silent

    def one(path: Path, wanted: Request) -> ModelStudy:
        try:
            return _one(path, asked, wanted, tell)
        except (DataError, UsageError) as error:
            if many and asked.stimulus.is_file():
                raise DoesNotApplyError(str(error)) from None
            raise

    found = each(models, requests or [request(model) for model in models], one)
    return Study("sweep", "Sweep: the score of a stimulus at every place", _ABOUT, found)


def _unheard(done: int) -> None:
    del done


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total


def _one(path: Path, asked: Asked, given: Request, tell: Progress) -> ModelStudy:
    chosen = choose_provider(given.provider)
    label = f"the model {printable(path.name)}"
    session = open_session(path, provider=chosen, threads=given.threads, label=label)
    check_fed(session)
    try:
        picture_input(next(plans(session.inputs)))
    except DataError as error:
        raise DoesNotApplyError(f"nothing can be pasted into it: {error}") from None
    source = open_source(
        given.data, session.inputs, preprocess=given.preprocess, size=given.size,
        threads=given.threads,
    )  # fmt: skip
    filled = filling(session, source, given.seed)
    plan = picture_input(filled)
    how = given.preprocess or undeclared(plan)
    how.check(plan)
    stimulus = read_stimulus(asked.stimulus, how, plan, asked.size)
    most = given.samples or _BACKGROUNDS
    ground = backgrounds(asked.background, source, filled, how, plan, most, given.seed)
    others = synthetic.feed(tuple(p for p in filled if p is not plan), given.seed, 0)
    score, why = _scorer(session, plan, ground.arrays[0], others, given, asked)
    sweeping = Sweeping(session, plan, others, stimulus, score, plan.batch)
    sweeping = _batched(path, sweeping, filled, ground)
    where = grid(input_size(plan), stimulus.size, asked.step)
    found = _sweep(sweeping, ground, where, tell, path.name)
    places = where.places()
    middle = places[len(places) // 2]
    example = pasted(ground.arrays[0], stimulus, [middle], plan, 1)
    high, wide = stimulus.size
    told = (
        f"{score.told} ({why})",
        f"{printable(asked.stimulus.name, 60)} of {high}×{wide} (height × width) on {ground.told}",
        *(() if how.describe(plan) in ground.told else (f"preprocessing {how.describe(plan)}",)),
        f"{chosen.note}; batches of {sweeping.rows}",
    )
    return shown(path.as_posix(), found, told, as_picture(example, how, plan), asked.tau)


def _scorer(
    session: Session, plan: InputPlan, background: Array, others: dict[str, Array],
    given: Request, asked: Asked,
) -> tuple[Scorer, str]:  # fmt: skip
    """How the model scores a stimulus, and why so. Raises DoesNotApplyError, UsageError."""
    rows = plan.batch
    whole = np.repeat(background, rows, axis=0) if rows > 1 else background
    outputs: Outputs = one_sample(session.run({**others, plan.info.name: whole}), 0, rows)
    view = View(outputs, background.shape, plan.layout, options=given.task)
    choice = choose(view)
    found = scorer(choice.task, view, asked.wanted)
    if found is None:
        raise DoesNotApplyError(
            "its outputs are no scores of classes, no boxes and no single map of scores "
            f"({choice.sentence}); if one of them is a map of scores, name it with --output and a "
            "channel of it with --class"
        )
    return found, choice.sentence


def _batched(path: Path, one: Sweeping, filled: Plans, ground: Backgrounds) -> Sweeping:
    """The same with as many places a run as memory and the model allow."""
    if not free_batch(one.plan) or len(filled) > 1:
        return one
    rows = most_rows(path, one.plan)
    if rows == 1:
        return one
    batch = pasted(ground.arrays[0], one.stimulus, [(0, 0)], one.plan, rows)
    if not same_in_batches(one.session, batch, one.plan.info.name, one.scorer.outputs):
        return one
    return replace(one, rows=rows)


def _sweep(one: Sweeping, ground: Backgrounds, where: Grid, tell: Progress, name: str) -> Seen:
    """The scores on every background, and around the steepest places pixel by pixel."""
    places = where.places()
    total = len(places) * len(ground.arrays)
    maps, bare = [], []
    for number, background in enumerate(ground.arrays):
        before = number * len(places)
        scores = one.scores(
            background,
            places,
            lambda n, b=before: tell(f"sweep {name}", b + n, total),  # type: ignore[misc]  # bound now
        )
        maps.append(scores.reshape(where.shape))
        bare.append(one.bare(background, places).reshape(where.shape))
    mean = np.mean(maps, axis=0)
    if not np.isfinite(mean).any():
        raise DoesNotApplyError("its scores are NaN or infinite at every place")
    return Seen(where, np.array(maps), np.array(bare), mean, _worst(one, ground, where, mean))


def _worst(one: Sweeping, ground: Backgrounds, where: Grid, mean: Array) -> Step | None:
    """The largest change over one pixel near the steepest places, on any background."""
    lines = steepest(mean, where)
    flat = [place for line in lines for place in line]
    cuts = np.cumsum([len(line) for line in lines])[:-1]
    steps = []
    for background in ground.arrays if flat else ():
        scores = one.scores(background, flat, _unheard)
        steps.append(worst_step(lines, np.split(scores, cuts)))
    return max((s for s in steps if s is not None), key=lambda s: s.change, default=None)
