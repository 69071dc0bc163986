"""Sessions for both models, and the first way to feed them that runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from onnxpad.data import synthetic
from onnxpad.data.plan import plans
from onnxpad.data.sample import Plans, Source
from onnxpad.errors import ModelError, RunError
from onnxpad.measure.pair import Array
from onnxpad.model import load_model
from onnxpad.runtime import Provider, Session, TensorInfo, open_session
from onnxpad.text import printable

# A model that fails on so many samples before it ran on one will not run.
MOST_FAILURES = 8


@dataclass(frozen=True, slots=True)
class Models:
    """Both sessions, and where they come from."""

    original: Session
    candidate: Session
    paths: tuple[Path, Path]
    provider: Provider
    threads: int | None

    def run(self, arrays: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Both models' outputs. Raises RunError that names the one that fails, or both."""
        try:
            ours = self.original.run(arrays)
        except RunError as error:
            raise _blame(error, lambda: self.candidate.run(arrays)) from None
        return ours, self.candidate.run(arrays)


def open_models(
    original: Path, candidate: Path, provider: Provider, threads: int | None, called: str = ""
) -> Models:
    """Sessions for both files. Raises RunError, ModelError.

    Args:
        called: the candidate's name in errors, where it has a temporary one as yet.
    """

    def session(path: Path, role: str) -> Session:
        name = called if called and role == "candidate" else path.name
        label = f"the {role} {printable(name)}"
        try:
            return open_session(path, provider=provider, threads=threads, label=label)
        except RunError:
            load_model(path, exact=False)  # a file that is no model says so by itself
            raise

    try:
        first = session(original, "original")
    except RunError as error:
        raise _blame(error, lambda: session(candidate, "candidate")) from None
    second = session(candidate, "candidate")
    models = Models(first, second, (original, candidate), provider, threads)
    _check_inputs(models)
    return models


def _blame(error: RunError, candidate: Callable[[], object]) -> RunError:
    """The error of the original, with what the candidate does in its place."""
    try:
        candidate()
    except RunError:
        return RunError(f"{error}; the candidate fails too, so there is nothing to compare")
    return RunError(f"{error}; the candidate does not fail, but has nothing to be compared with")


def _check_inputs(models: Models) -> None:
    """Raise ModelError unless both take the same inputs, of kinds that can be fed."""
    ours, theirs = (
        {i.name: (i.dtype, len(i.shape)) for i in model.inputs}
        for model in (models.original, models.candidate)
    )
    if ours != theirs:
        raise ModelError(
            f"{models.original.label} and {models.candidate.label} take different inputs: "
            f"{_told(models.original.inputs)} and {_told(models.candidate.inputs)}"
        )
    check_fed(models.original)


def check_fed(model: Session) -> None:
    """Raise ModelError, RunError unless the model has inputs, all of kinds that can be fed."""
    if not model.inputs:
        raise ModelError(
            f"{model.label} has no inputs: there is nothing to feed it, so it cannot be measured "
            "on samples"
        )
    for info in model.inputs:
        if not info.numeric:
            raise RunError(
                f"{model.label}: input {printable(info.name)} is a {printable(info.dtype)}; only "
                "tensors of numbers can be fed"
            )


def _told(inputs: tuple[TensorInfo, ...]) -> str:
    texts = [f"{printable(i.name, 40)} ({i.dtype}, {len(i.shape)} axes)" for i in inputs[:8]]
    return ", ".join(texts + ["…"] * (len(inputs) > 8)) or "none"


def runnable(models: Models, source: Source, seed: int) -> Plans:
    """The first way to fill the free dimensions with which the original runs.

    Raises RunError when it runs with none of them.
    """
    try:
        return filling(models.original, source, seed)
    except RunError as error:
        choice = next(iter(plans(models.original.inputs, source.known)))
        raise _blame(error, lambda: models.candidate.run(synthetic.feed(choice, seed, 0))) from None


def filling(model: Session, source: Source, seed: int) -> Plans:
    """The same for one model."""
    choices = list(plans(model.inputs, source.known))
    if len(choices) == 1:
        return choices[0]
    first: RunError | None = None
    for choice in choices:
        try:
            model.run(synthetic.feed(choice, seed, 0))
        except RunError as error:
            first = first or error
        else:
            return choice
    told = ", ".join("×".join(map(str, p.shape)) or "one number" for p in choices[0])
    raise RunError(
        f"{first} (inputs of {told}; {len(choices) - 1} other choices for the free dimensions "
        "fail as well); give samples of a fitting shape as .npy or .npz"
    )
