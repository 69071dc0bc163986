"""A model's copy with free sizes: whether it really runs at a size, and how well it does there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onnxpad.data.plan import main_input
from onnxpad.data.sample import Feed, Plans, Skipped, Source
from onnxpad.data.source import open_source
from onnxpad.errors import RunError
from onnxpad.joining.judging import Judge
from onnxpad.joining.limit import limited
from onnxpad.joining.models import MOST_FAILURES, filling
from onnxpad.joining.opening import open_one
from onnxpad.joining.request import Request
from onnxpad.probe.copying import copy_model
from onnxpad.probe.feeding import Feeding
from onnxpad.runtime import Session, open_bytes
from onnxpad.studies.each import DoesNotApplyError
from onnxpad.tasks.result import TaskResult

# For the accuracy at one size, where no number of samples is asked for.
SECONDS = 20.0
MOST_SAMPLES = 2000

Space = tuple[int, ...]
Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True, eq=False)
class Free:
    """A copy whose spatial input sizes are free, and a feed that runs.

    Attributes:
        shapes: of the outputs there, by name. note: what it runs on.
    """

    session: Session
    feeding: Feeding
    shapes: dict[str, tuple[int, ...]]
    note: str

    def why_not(self, space: Space) -> str:
        """Why it does not run at a size, "" where it does: it is run there."""
        try:
            made = self.session.run(self.feeding.sized(space))
        except RunError as error:
            return str(error)
        for name, array in made.items():
            ours, theirs = self.shapes.get(name, array.shape), array.shape
            if 0 in theirs and 0 not in ours:
                return "an output is empty there"
            if len(ours) > 1 and ours[:1] != theirs[:1] and 0 not in self.feeding.axes:
                return f"it gives {theirs[0]} samples for {ours[0]}"
        return ""


def freed(path: Path, request: Request, own: Space, *, fixed: bool) -> Free:
    """Open a copy of a model with its spatial sizes freed; the file is only read.

    Args:
        own: the size it is run at first. fixed: whether the model declares it.

    Raises RunError, ModelError where it does not run.
    """
    size = None if fixed else request.size
    opened = open_one(path, replace(request, data=None, labels=None, preprocess=None, size=size))
    main = main_input(opened.filled)
    if main is None or main.layout is None:
        raise RunError("no input holds pictures or signals whose size could change")
    axes = tuple(sorted(main.layout.spatial))
    copy = copy_model(path, main.info.name, axes)
    session = open_bytes(
        copy.part(copy.outputs), provider=opened.provider, threads=request.threads,
        label=opened.session.label, folder=copy.folder,
    )  # fmt: skip
    feeding = Feeding(main.info.name, axes, main.layout.channel, dict(opened.feed.arrays))
    feeding = replace(feeding, arrays=feeding.sized(own))
    shapes = {name: array.shape for name, array in session.run(feeding.arrays).items()}
    return Free(session, feeding, shapes, opened.provider.note)


def accuracy(free: Free, request: Request, own: Space, other: Space, tell: Tell) -> TaskResult:
    """A classifier's accuracy at two sizes, on the same images, preprocessed for each.

    Raises:
        DoesNotApplyError: the data cannot be had at two sizes, or the model is no classifier.
        UsageError, DataError: data or labels that do not exist or do not fit.
        RunError: it cannot be run.
    """
    if len(own) != 2:
        raise DoesNotApplyError("accuracy at another size is measured for pictures alone")
    if request.data is None or not Path(request.data).is_dir():
        raise DoesNotApplyError("accuracy at another size needs a folder of images to resize")
    ours, theirs = (_source(free, request, space) for space in (own, other))
    judge = Judge(
        free.session, ours[1], request.task, {name: name for name in free.shapes}, ours[0].labels
    )
    stage = f"accuracy at {'×'.join(map(str, other))}"
    limit = limited(request.samples, MOST_SAMPLES, SECONDS)
    used = failures = 0
    for first, second in _paired(ours, theirs, request.seed):
        if used >= limit.most or limit.expired or failures > MOST_FAILURES:
            break
        try:
            made = [free.session.run(feed.arrays) for feed in (first, second)]
        except RunError:
            failures += 1
            continue
        count = min(first.count, limit.most - used)
        refused = list(judge.add(first, count, *made))
        task = judge.choice.task.name if judge.choice else ""
        if task != "classification":
            raise DoesNotApplyError(
                f"accuracy at another size is measured for classifiers, not for {task}"
            )
        used += count - len(refused)
        tell(stage, used, min(limit.most, ours[0].total or limit.most))
    found = judge.result(request.seed)
    if found is None or not found.labelled:
        raise DoesNotApplyError(f"no accuracy: {judge.reason}")
    return found


def _source(free: Free, request: Request, space: Space) -> tuple[Source, Plans]:
    source = open_source(
        request.data, free.session.inputs, preprocess=request.preprocess, labels=request.labels,
        size=(space[0], space[1]), threads=request.threads,
    )  # fmt: skip
    return source, filling(free.session, source, request.seed)


def _paired(
    ours: tuple[Source, Plans], theirs: tuple[Source, Plans], seed: int
) -> Iterator[tuple[Feed, Feed]]:
    """Feeds of the same samples at both sizes."""
    pairs: Sequence[Iterator[Feed | Skipped]] = [s.feeds(p, seed) for s, p in (ours, theirs)]
    for first, second in zip(*pairs, strict=False):
        if isinstance(first, Feed) and isinstance(second, Feed) and first.name == second.name:
            yield first, second
