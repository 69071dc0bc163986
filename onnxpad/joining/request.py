"""What a comparison was asked for, read and checked."""

from dataclasses import dataclass

from onnxpad.budget import Limit, own_limits
from onnxpad.config.settings import Settings
from onnxpad.data.framing import Size
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.preprocess import Preprocess
from onnxpad.errors import UsageError
from onnxpad.measures import COMPARED
from onnxpad.tasks.view import TaskOptions

_GUESSED = TaskOptions()


@dataclass(frozen=True, slots=True)
class Request:
    """Everything but the two models.

    Attributes:
        samples: how many; None for as many as time allows.
        tile, overlap: pixels; None where no tiles were asked for.
        halo: pixels per side around every tile; None for as many as the border error reaches.
        limits: the budget, () without one.
        strict: whether a sample that cannot be used ends the comparison.
    """

    data: str | None = None
    labels: LabelSpec | None = None
    preprocess: Preprocess | None = None
    size: Size | None = None
    task: TaskOptions = _GUESSED
    samples: int | None = None
    seed: int = 0
    provider: str = "auto"
    threads: int | None = None
    tile: int | None = None
    overlap: int = 0
    halo: int | None = None
    limits: tuple[Limit, ...] = ()
    strict: bool = False

    @classmethod
    def of(
        cls, settings: Settings, tile: int | None = None, overlap: int = 0, halo: int | None = None
    ) -> "Request":
        """What the settings ask for. Raises UsageError."""
        samples, budget = settings.samples.value, settings.budget.value
        shared = settings.budget.shared
        if samples is not None and samples < 1:
            raise UsageError(f"samples must be at least 1, not {samples}")
        if tile is None and overlap:
            raise UsageError("overlap: there are no tiles to overlap; give their size with tile")
        if tile is None and halo is not None:
            raise UsageError("halo: there are no tiles to put it around; give their size with tile")
        if halo is not None and halo < 1:
            raise UsageError(f"halo must be at least 1 pixel: {halo}")
        if tile is not None and not 0 <= overlap < tile:
            raise UsageError(f"overlap must be at least 0 and below the tile's {tile}: {overlap}")
        return cls(
            settings.data.value,
            settings.labels.value,
            settings.preprocess.value,
            settings.size.value,
            _task(settings),
            samples,
            settings.seed.value,
            settings.provider.value,
            settings.threads.value,
            tile,
            overlap,
            halo,
            own_limits(budget, COMPARED, "a comparison", shared=shared) if budget else (),
            settings.strict.value,
        )


def _task(settings: Settings) -> TaskOptions:
    score = settings.score.value
    return TaskOptions(
        task=settings.task.value,
        output=settings.output.value,
        class_offset=settings.class_offset.value,
        decoder=settings.decoder.value,
        score=_GUESSED.score if score is None else score,
        peak=settings.peak.value,
        classes=settings.classes.value,
    )
