"""All studies of the same models, one after the other: what applies is shown, the rest is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from onnxpad.errors import DataError, ModelError, OnnxpadError, RunError
from onnxpad.joining.request import Request
from onnxpad.model import load_model
from onnxpad.studies.each import Source
from onnxpad.studies.foveation import foveation
from onnxpad.studies.kernels import kernels
from onnxpad.studies.maps import maps
from onnxpad.studies.modes import modes
from onnxpad.studies.position import position
from onnxpad.studies.shift import shift
from onnxpad.studies.sizes import sizes
from onnxpad.studies.sweep import Asked, sweep
from onnxpad.study import ModelStudy, Study

Tell = Callable[[str, int, int | None], None]
Run = Callable[[], Study]


@dataclass(frozen=True, slots=True)
class _Failed:
    """A study that could not be made of any model."""

    study: Study
    error: OnnxpadError


def everything(
    models: Sequence[Source],
    requests: Sequence[Request] | None = None,
    *,
    near: Sequence[int] | None = None,
    stimulus: Asked | None = None,
    progress: Tell | None = None,
) -> tuple[Study, ...]:
    """Every study that the models and what is given allow, in the order of the paper.

    A study that fails as a whole says why in place of its findings.

    Args:
        models: paths of .onnx files.
        requests: data, labels, preprocess, size, samples, seed, provider, threads; one for each.
        near: the size to look for even sizes around.
        stimulus: what to sweep with; without it there is no sweep.
        progress: told (stage, done, total).

    Raises:
        ModelError: a single model that cannot be read.
        UsageError, DataError: what is given fits nothing; the last where no study can use it.
    """
    if len(models) == 1:
        load_model(models[0])  # what cannot be read is said once, not by each study
    asked = list(requests or [Request()] * len(models))
    tell = progress or _silent
    free, run = _runs(models, asked, near, stimulus, tell)
    made: list[Study | _Failed] = []
    runs = {**free, **run}
    for number, (name, one) in enumerate(runs.items()):
        tell(f"study {name}", number, len(runs))
        made.append(_guarded(name, one, models))
    failed = [one for one in made if isinstance(one, _Failed)]
    unusable = [one.error for one in failed if isinstance(one.error, DataError)]
    if unusable and len(unusable) >= len(run):
        raise unusable[0]
    return tuple(one.study if isinstance(one, _Failed) else one for one in made)


def _runs(
    models: Sequence[Source],
    asked: Sequence[Request],
    near: Sequence[int] | None,
    stimulus: Asked | None,
    tell: Tell,
) -> tuple[dict[str, Run], dict[str, Run]]:
    """The studies that need no data, and those that need the models to run on some."""
    size = asked[0].size
    free: dict[str, Run] = {
        "foveation": lambda: foveation(models, size),
        "kernels": lambda: kernels(models, size),
        "sizes": lambda: sizes(models, asked, near=near, progress=tell),
    }
    run: dict[str, Run] = {
        "maps": lambda: maps(models, asked, tell),
        "position": lambda: position(models, asked, progress=tell),
        "shift": lambda: shift(models, asked, progress=tell),
        "modes": lambda: modes(models, requests=asked, progress=tell),
    }
    if stimulus is not None:
        run["sweep"] = lambda: sweep(models, stimulus, asked, tell)
    return free, run


def _guarded(name: str, run: Run, models: Sequence[Source]) -> Study | _Failed:
    """The study, or what it fails with, said of every model."""
    try:
        return run()
    except OnnxpadError as error:
        # samples that one study cannot use are no fault of the model, nor of the whole
        code = error.exit_code if isinstance(error, ModelError | RunError) else 0
        absent = tuple(ModelStudy(Path(m).as_posix(), absent=str(error), exit_code=code)
                       for m in models)  # fmt: skip
        return _Failed(Study(name, name.capitalize(), "", absent), error)


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total
