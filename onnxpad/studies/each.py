"""The same study of several models: one that cannot be studied does not stop the others."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from onnxpad.config.settings import Config, settings_for
from onnxpad.errors import ModelError, OnnxpadError, RunError
from onnxpad.joining.request import Request
from onnxpad.study import ModelStudy

Source = str | Path

_Asked = TypeVar("_Asked")


class DoesNotApplyError(OnnxpadError):
    """A study has nothing to show of this kind of model; says why."""


def each(
    models: Sequence[Source], asked: Iterable[_Asked], one: Callable[[Path, _Asked], ModelStudy]
) -> tuple[ModelStudy, ...]:
    """Study every model, each with what is asked of it.

    A model to which the study does not apply, or that fails among several, gets the reason in
    ``absent``. Raises the OnnxpadError of a model that cannot be read or run if it is the only one.
    """
    found = []
    for model, wanted in zip(models, asked, strict=True):
        path = Path(model)
        try:
            found.append(one(path, wanted))
        except DoesNotApplyError as error:
            found.append(ModelStudy(path.as_posix(), absent=str(error)))
        except (ModelError, RunError) as error:
            if len(models) == 1:
                raise
            found.append(ModelStudy(path.as_posix(), absent=str(error), exit_code=error.exit_code))
    return tuple(found)


def request(model: Source, **given: object) -> Request:
    """What to measure a model on, by the keys of the configuration (data, size, seed).

    Raises UsageError.
    """
    return Request.of(settings_for(Path(model), Config(), given))
