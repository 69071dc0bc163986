"""Run two models on the same samples and measure how they differ.

The one place that joins samples, sessions and measures.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import perf_counter

from onnxpad.comparison import Comparison, Fed, Run, Samples, Skip
from onnxpad.data import synthetic
from onnxpad.data.plan import plans
from onnxpad.data.sample import Feed, Plans, Skipped, Source
from onnxpad.data.source import open_source
from onnxpad.errors import DataError, ModelError, RunError, UsageError
from onnxpad.measure.latency import latency
from onnxpad.measure.pair import Array
from onnxpad.runtime import (
    Provider,
    Session,
    TensorInfo,
    choose_provider,
    open_session,
    version,
)
from onnxpad.tally import OutputTally, pair_outputs
from onnxpad.text import printable

# progress(stage, done, total): stage is "samples" or "latency"; total None where unknown.
Progress = Callable[[str, int, int | None], None]

SYNTHETIC_SAMPLES = 8
# Together with loading the models, about 20 s where no number of samples is asked for.
SAMPLE_SECONDS = 13.0
LATENCY_SECONDS = 4.0
_NAMED_SKIPS = 100


def compare(
    original: Path,
    candidate: Path,
    *,
    data: Path | None = None,
    samples: int | None = None,
    seed: int = 0,
    provider: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two ONNX files.

    Args:
        original: the reference. candidate: the model to compare with it.
        data: a folder of images, an image, a .npy or .npz file; None for synthetic scenes.
        samples: how many; None for 8 synthetic ones, or as much data as fits in about 20 s.
        seed: fixes the scenes, and the order in which data is used.
        provider: auto, cpu or cuda. threads: inside an operator; None leaves it to the engine.
        progress: told the stage ("samples", "latency"), the steps done and their number.

    Raises:
        UsageError, DataError: the request, or samples that do not fit the model.
        ModelError: a file is missing, or the two do not take the same inputs.
        RunError: a model does not load or run (it is named), or CUDA is not there.
    """
    if samples is not None and samples < 1:
        raise UsageError(f"samples must be at least 1, not {samples}")
    started = perf_counter()
    tell = progress or _silent
    chosen = choose_provider(provider)
    models = _open(Path(original), Path(candidate), chosen, threads)
    source = open_source(data, models.original.inputs)
    filled = _runnable(models, source, seed)
    outputs, warnings = pair_outputs(
        models.original, models.candidate, filled, real=source.origin != "synthetic"
    )
    walk = _walk(models, outputs, source.feeds(filled, seed), _limit(source, samples), tell)
    measured = latency(
        lambda: models.original.run(walk.last.arrays),
        lambda: models.candidate.run(walk.last.arrays),
        seconds=LATENCY_SECONDS,
        progress=lambda done, most: tell("latency", done, most),
    )
    return Comparison(
        str(original),
        str(candidate),
        tuple(tally.result() for tally in outputs),
        _samples(walk, source, filled, seed),
        (*warnings, *source.warnings(filled), *(w for t in outputs for w in t.warnings())),
        Run(chosen.name, chosen.note, threads, version(), perf_counter() - started, measured),
    )


@dataclass(frozen=True, slots=True)
class _Models:
    original: Session
    candidate: Session

    def run(self, arrays: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Both models' outputs. Raises RunError that names the one that fails, or both."""
        try:
            ours = self.original.run(arrays)
        except RunError as error:
            raise _blame(error, lambda: self.candidate.run(arrays)) from None
        return ours, self.candidate.run(arrays)


@dataclass(slots=True)
class _Walk:
    """The state of a walk through the samples; `last` is the feed that latency is timed on."""

    last: Feed = field(default_factory=lambda: Feed({}, 0, 0, ""))
    count: int = 0
    out_of_time: bool = False
    skipped: list[Skip] = field(default_factory=list)
    skipped_count: int = 0

    def skip(self, sample: Skipped) -> None:
        """Count a sample that cannot be used, and name it if few were named before."""
        self.skipped_count += 1
        if len(self.skipped) < _NAMED_SKIPS:
            self.skipped.append(Skip(sample.name, sample.reason))


def _open(original: Path, candidate: Path, provider: Provider, threads: int | None) -> _Models:
    """Sessions for both files. Raises RunError, ModelError."""

    def session(path: Path, role: str) -> Session:
        label = f"the {role} {printable(path.name)}"
        return open_session(path, provider=provider, threads=threads, label=label)

    try:
        first = session(original, "original")
    except RunError as error:
        raise _blame(error, lambda: session(candidate, "candidate")) from None
    models = _Models(first, session(candidate, "candidate"))
    _check_inputs(models)
    return models


def _blame(error: RunError, candidate: Callable[[], object]) -> RunError:
    """The error of the original, with what the candidate does in its place."""
    try:
        candidate()
    except RunError:
        return RunError(f"{error}; the candidate fails too, so there is nothing to compare")
    return RunError(f"{error}; the candidate does not fail, but has nothing to be compared with")


def _check_inputs(models: _Models) -> None:
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
    if not ours:
        raise ModelError(
            f"{models.original.label} has no inputs: there is nothing to feed it, so the two "
            "cannot be compared on samples"
        )
    for info in models.original.inputs:
        if not info.numeric:
            raise RunError(
                f"{models.original.label}: input {printable(info.name)} is a "
                f"{printable(info.dtype)}; only tensors of numbers can be fed"
            )


def _told(inputs: tuple[TensorInfo, ...]) -> str:
    texts = [f"{printable(i.name, 40)} ({i.dtype}, {len(i.shape)} axes)" for i in inputs[:8]]
    return ", ".join(texts + ["…"] * (len(inputs) > 8)) or "none"


def _runnable(models: _Models, source: Source, seed: int) -> Plans:
    """The first way to fill the free dimensions with which the original runs.

    Raises RunError when it runs with none of them.
    """
    choices = list(plans(models.original.inputs, source.known))
    if len(choices) == 1:
        return choices[0]
    first: RunError | None = None
    for choice in choices:
        try:
            models.original.run(synthetic.feed(choice, seed, 0))
        except RunError as error:
            first = first or error
        else:
            return choice
    assert first is not None
    told = ", ".join("×".join(map(str, p.shape)) or "one number" for p in choices[0])
    failure = RunError(
        f"{first} (inputs of {told}; {len(choices) - 1} other choices for the free dimensions "
        "fail as well); give samples of a fitting shape as .npy or .npz"
    )
    raise _blame(failure, lambda: models.candidate.run(synthetic.feed(choices[0], seed, 0)))


def _limit(source: Source, samples: int | None) -> tuple[int, float]:
    """How many samples to use at most, and for how many seconds."""
    if samples is None:
        return (SYNTHETIC_SAMPLES if source.total is None else source.total), SAMPLE_SECONDS
    return (samples if source.total is None else min(samples, source.total)), inf


def _walk(
    models: _Models,
    outputs: list[OutputTally],
    feeds: Iterator[Feed | Skipped],
    limit: tuple[int, float],
    tell: Progress,
) -> _Walk:
    """Run both models on feed after feed and let every output's tally take it in.

    Raises DataError when no sample could be used, RunError (naming the sample) when a run fails.
    """
    most, seconds = limit
    deadline = perf_counter() + seconds
    walk = _Walk()
    tell("samples", 0, most)
    for item in feeds:
        if isinstance(item, Skipped):
            walk.skip(item)
            continue
        count = min(item.count, most - walk.count)
        _take_in(models, outputs, item, count)
        walk.last, walk.count = item, walk.count + count
        tell("samples", walk.count, most)
        walk.out_of_time = walk.count < most and perf_counter() > deadline
        if walk.count >= most or walk.out_of_time:
            break
    if not walk.count:
        first = walk.skipped[0]
        raise DataError(
            f"none of {walk.skipped_count} samples could be used; the first, {first.name}: "
            f"{first.reason}"
        )
    return walk


def _take_in(models: _Models, outputs: list[OutputTally], feed: Feed, count: int) -> None:
    try:
        ours, theirs = models.run(feed.arrays)
    except RunError as error:
        raise RunError(f"{error} (on {feed.name})") from None
    for tally in outputs:
        tally.add(ours[tally.original], theirs[tally.candidate], feed.batch, count)


def _samples(walk: _Walk, source: Source, filled: Plans, seed: int) -> Samples:
    return Samples(
        source.origin,
        source.note(filled),
        seed,
        walk.count,
        source.total,
        walk.out_of_time,
        tuple(walk.skipped),
        walk.skipped_count,
        tuple(Fed(p.info.name, p.info.dtype, p.shape, p.role) for p in filled),
    )


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total
