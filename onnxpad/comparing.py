"""Run two models on the same samples and measure how they differ, at the border and in the task.

The one place that joins samples, sessions, measures, tasks and the verdict.
"""

from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

from onnxpad.budget import judge
from onnxpad.comparison import Comparison, Run
from onnxpad.config.settings import Setting, Settings
from onnxpad.config.values import read_value
from onnxpad.data.sample import Plans, Source
from onnxpad.data.source import open_source
from onnxpad.errors import UsageError
from onnxpad.joining.border import border
from onnxpad.joining.insides import Insides, open_insides
from onnxpad.joining.judging import Judge
from onnxpad.joining.layers import layers
from onnxpad.joining.limit import (
    BORDER_IMAGES,
    BORDER_SECONDS,
    LAYER_IMAGES,
    LAYER_SECONDS,
    Limit,
    Progress,
    limited,
)
from onnxpad.joining.memory import measured_beside
from onnxpad.joining.models import Models, open_models, runnable
from onnxpad.joining.part import part
from onnxpad.joining.quantities import quantities
from onnxpad.joining.record import record
from onnxpad.joining.request import Request
from onnxpad.joining.scenes import Pictures
from onnxpad.joining.sites import sites
from onnxpad.joining.tiles import Wanted, tiles
from onnxpad.joining.walk import Walk
from onnxpad.measure.latency import latency
from onnxpad.runtime import choose_provider, version
from onnxpad.tally import pair_outputs
from onnxpad.tasks.segmentation import Segmentation
from onnxpad.verdict import verdict

SYNTHETIC_SAMPLES = 8
TILE_IMAGES = 8
# Together with loading and probing the models, about 20 s where no number of samples is asked for.
SAMPLE_SECONDS = 6.0
TILE_SECONDS = 4.0
LATENCY_SECONDS = 3.0
# Models so slow that this much is gone before their layers are looked at are spared it.
LAYERS_BEFORE = 18.0


def compare(
    original: Path | str,
    candidate: Path | str,
    *,
    data: Path | str | None = None,
    samples: int | None = None,
    seed: int = 0,
    provider: str = "auto",
    threads: int | None = None,
    tile: int | None = None,
    overlap: int = 0,
    halo: int | None = None,
    progress: Progress | None = None,
    **declared: Any,
) -> Comparison:
    """Compare two ONNX files.

    Args:
        original: the reference. candidate: the model to compare with it.
        data: a folder of images, an image, a .npy or .npz file, or `module:function`; None for
            synthetic scenes.
        samples: how many; None for 8 synthetic ones, or as much data as fits in about 20 s.
        seed: fixes the scenes, and the order in which data is used.
        provider: auto, cpu or cuda. threads: inside an operator; None leaves it to the engine.
        tile, overlap: pixels, to see what cutting large images in tiles costs.
        halo: pixels per side around every tile of the original, to compare the candidate with;
            None for as many as the original's border error reaches.
        progress: told the stage ("samples", "border", ...), the steps done and their number.
        declared: labels, preprocess, task, output, class_offset, decoder, size, classes, peak,
            score, budget, strict: as in a configuration file.

    Raises:
        UsageError, DataError: the request, or samples that do not fit the model.
        ModelError: a file is missing, or the two do not take the same inputs.
        RunError: a model does not load or run (it is named), or CUDA is not there.
    """
    given = {"samples": samples, "seed": seed, "provider": provider, "threads": threads}
    given |= {"data": None if data is None else str(data)} | declared
    known = set(Settings.__dataclass_fields__)
    unknown = sorted(set(given) - known)
    if unknown:
        raise UsageError(f"compare() takes no {unknown[0]}; it takes {', '.join(sorted(known))}")
    read = {k: Setting(read_value(k, v, k)) for k, v in given.items() if v is not None}
    settings = Settings(**read)
    return compare_as(original, candidate, Request.of(settings, tile, overlap, halo), progress)


def compare_as(
    original: Path | str,
    candidate: Path | str,
    request: Request,
    progress: Progress | None = None,
    called: Path | None = None,
) -> Comparison:
    """The same for a request that was read before; see `compare`.

    Args:
        called: what the candidate will be called, where it has a temporary name as yet.
    """
    started = perf_counter()
    tell = progress or _silent
    chosen = choose_provider(request.provider)
    name = called.name if called else ""
    models = open_models(Path(original), Path(candidate), chosen, request.threads, name)
    source = open_source(
        request.data, models.original.inputs, preprocess=request.preprocess,
        labels=request.labels, size=request.size, threads=request.threads,
    )  # fmt: skip
    filled = runnable(models, source, request.seed)
    real = source.origin != "synthetic"
    outputs, warnings = pair_outputs(models.original, models.candidate, filled, real=real)
    names = {tally.original: tally.candidate for tally in outputs}
    judge_ = Judge(models.original, filled, request.task, names, source.labels) if real else None
    walk = Walk(models, outputs, judge_, request.strict)
    limit = _sample_limit(source, request.samples)
    with measured_beside(
        Path(original), Path(candidate), filled, chosen, request.threads
    ) as footprints:
        walk.over(source.feeds(filled, request.seed), limit, tell, endless=source.endless)
        memory = footprints.result()
    measured = latency(
        lambda: models.original.run(walk.first.arrays),
        lambda: models.candidate.run(walk.first.arrays),
        seconds=LATENCY_SECONDS,
        progress=lambda done, most: tell("latency", done, most),
    )
    run = Run(chosen.name, chosen.note, request.threads, version(), 0.0, measured, memory)
    shown = str(original), str(candidate)
    found = record(shown, walk, source, filled, request, warnings, run)
    padded, _ = part(lambda: sites(Path(original), Path(candidate)))
    found = replace(found, sites=padded or ())
    found = _with_insides(found, _Parts(models, source, filled, walk, request, tell, started))
    found = _concluded(found, request, started)
    return replace(found, candidate=str(called)) if called else found


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the parts that look inside the models need."""

    models: Models
    source: Source
    filled: Plans
    walk: Walk
    request: Request
    tell: Progress
    started: float

    @property
    def late(self) -> bool:
        """Whether the time is nearly up, where no number of samples is asked for."""
        return self.request.samples is None and perf_counter() - self.started > LAYERS_BEFORE

    @property
    def pictures(self) -> Pictures:
        request = self.request
        return Pictures(self.source, self.filled, request.preprocess, request.seed)

    def limit(self, most: int, seconds: float) -> Limit:
        """At most so many images, and so many seconds where no number of samples is asked for."""
        return limited(self.request.samples, most, seconds)


def _with_insides(found: Comparison, parts: _Parts) -> Comparison:
    """Add border, layers and tiles, each with its reason where it does not apply."""
    request, tell, pictures = parts.request, parts.tell, parts.pictures
    tell("probing", 0, None)
    opened, reason = part(lambda: open_insides(parts.models, parts.filled, parts.walk.first))
    if opened is None:
        no_tiles = reason if request.tile else _NO_TILES
        return replace(found, no_border=reason, no_layers=reason, no_tiles=no_tiles)
    insides: Insides = opened
    edge, no_border = part(
        lambda: border(
            insides, pictures, parts.limit(BORDER_IMAGES, BORDER_SECONDS), tell,
            sized=request.size is not None,
        )
    )  # fmt: skip
    limit = parts.limit(LAYER_IMAGES, LAYER_SECONDS)
    if parts.late:
        inner, no_layers = None, _LATE
    else:
        inner, no_layers = part(lambda: layers(insides, pictures, limit, tell))
    found = replace(found, border=edge, no_border=no_border, layers=inner, no_layers=no_layers)
    if request.tile is None:
        return replace(found, no_tiles=_NO_TILES)
    wanted = Wanted(request.tile, request.overlap, request.halo)
    classes = _score_axis(parts.walk.judge)
    limit = parts.limit(TILE_IMAGES, TILE_SECONDS)
    cut, no_tiles = part(
        lambda: tiles(insides, pictures, wanted, limit, tell, edge, found.sites, classes)
    )
    return replace(found, tiles=cut, no_tiles=no_tiles)


_NO_TILES = "no tiles were asked for"
_LATE = "the model is slow, and no time was left; give a number of samples to take the time"


def _score_axis(judge_: Judge | None) -> int | None:
    """The axis of scores where the task is to name every pixel's class."""
    task = judge_.choice.task if judge_ and judge_.choice else None
    return task.channel if isinstance(task, Segmentation) else None


def _concluded(found: Comparison, request: Request, started: float) -> Comparison:
    """Add the verdict, the budget and the time it all took."""
    found = replace(found, verdict=verdict(found))
    if request.limits:
        found = replace(found, judged=judge(request.limits, quantities(found)))
    return replace(found, run=replace(found.run, seconds=perf_counter() - started))


def _sample_limit(source: Source, samples: int | None) -> Limit:
    """How many samples to use at most, and for how many seconds."""
    if samples is not None:
        return Limit(samples if source.total is None else min(samples, source.total), inf)
    if source.total is not None:
        return Limit(source.total, SAMPLE_SECONDS)
    return Limit(SYNTHETIC_SAMPLES if source.endless else 2**62, SAMPLE_SECONDS)


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total
