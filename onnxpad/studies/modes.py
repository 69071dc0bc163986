"""Every way to pad, held against a model as it is: R14 of the paper."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from onnxpad.errors import OnnxpadError
from onnxpad.joining.limit import Progress
from onnxpad.joining.opening import Opened, open_one
from onnxpad.joining.request import Request
from onnxpad.measure.foveation import Foveation
from onnxpad.measure.foveation import foveation as ratios
from onnxpad.model import load_model
from onnxpad.rewriting import rewrite
from onnxpad.studies.each import Source, each, request
from onnxpad.studies.foveation import AS_IT_IS, paths
from onnxpad.studies.maps import opened_inside
from onnxpad.studies.modes_build import (
    HALO,
    MODES,
    Candidate,
    base_mode,
    built,
    convolution_sites,
    wanted,
)
from onnxpad.studies.modes_run import Outcomes, measured
from onnxpad.studies.modes_shown import Found, shown
from onnxpad.study import ModelStudy, Study

CHOICES = (*MODES, HALO)
HALO_PIXELS = 8
_ABOUT = (
    "Every padding mode in place of the model's own, without retraining, held against the model "
    "as it is (after the overview of alternatives of Alsallakh et al., arXiv 2010.02178). Paths "
    "follow from the graph; all else is measured here, on the same samples for every mode. The "
    "verdict needs both: the error at the border, and the task."
)


def modes(
    models: Sequence[Source],
    chosen: Sequence[str] = CHOICES,
    halo: int = HALO_PIXELS,
    requests: Sequence[Request] | None = None,
    progress: Progress | None = None,
) -> Study:
    """One table for each model: mode × foveation, constant response, context error, task, latency.

    Each candidate is built by ``rewrite`` in a temporary folder and measured as by ``compare``:
    corner and left/right of onnxpad.measure.foveation; width (input pixels) and RMS (× interior) of
    the last layer's constant response with zeros at the first; the ratio of the summed context
    error to the original's with its 95 % interval over images; accuracy or agreement beside its
    natural floor; the ratio of latencies, interleaved, with the original's to itself.

    Args:
        models: paths of .onnx files.
        chosen: of ``CHOICES``. halo: pixels per side of the halo, rounded up to the stride.
        requests: for each model the data, preprocessing, task, samples and provider; None: the
            defaults, which take about a minute.
        progress: progress(stage, done, total).

    Raises UsageError, DataError, ModelError, RunError for a single model; of several it is said.
    """
    tell = progress or _silent
    asked = requests or [request(model) for model in models]
    found = each(models, asked, lambda path, given: _one(path, chosen, halo, given, tell))
    return Study("modes", "Modes: every padding in place of the model's own", _ABOUT, found)


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total


def _one(
    path: Path, chosen: Sequence[str], halo: int, given: Request, tell: Progress
) -> ModelStudy:
    sites = convolution_sites(path)
    opened = open_one(path, given, labelled=True)
    tell("probing", 0, None)
    inside = opened_inside(opened)
    base = base_mode(sites)
    planned = wanted(sites, chosen, halo)
    with TemporaryDirectory(prefix="onnxpad-") as folder:
        candidates: list[Candidate] = []
        for one in built(path, planned, base, given, Path(folder)):
            candidates.append(one)
            tell("rewriting", len(candidates), len(planned))
        running = [one for one in candidates if one.path is not None]
        if running:
            outcomes = measured(opened, inside, running, tell)
        else:
            outcomes = Outcomes((), None, "", "")
    foveated, no_paths = _foveated(opened, base, candidates)
    last = inside.probe.anatomy.layers[-1].name
    return shown(
        Found(path.as_posix(), inside.probe.feeding.space, last, opened.provider.note,
              tuple(candidates), outcomes, foveated, no_paths)
    )  # fmt: skip


def _foveated(
    opened: Opened, base: str | None, candidates: Sequence[Candidate]
) -> tuple[dict[str, Foveation], str]:
    """Ratios of paths by the candidates' names, and why some are missing.

    Of a halo, and of modes that some sites refuse, nothing is counted.
    """
    size = opened.feed.arrays[_main(opened)].shape
    space = tuple(size[axis] for axis in _axes(opened))
    plain = {c.mode for c in candidates if c.path is not None and not c.halo and c.whole}
    found: dict[str, Foveation] = {}
    try:
        own = paths(load_model(opened.path), space, ())
        found[AS_IT_IS] = ratios(own.maps[AS_IT_IS])
        zeroed = rewrite(opened.path, "zero") if base else None
        if zeroed is not None and zeroed.refused:
            return found, "its own padding is no zero padding, and cannot be counted as another"
        source = load_model(opened.path if zeroed is None else zeroed.model)
        maps = paths(source, space, sorted(plain - {"zero"})).maps
    except OnnxpadError as error:
        return found, str(error)
    found |= {mode: ratios(values) for mode, values in maps.items() if mode != AS_IT_IS}
    if base and "zero" in plain:
        found["zero"] = ratios(maps[AS_IT_IS])
    return found, ""


def _main(opened: Opened) -> str:
    main = opened.pictures.main
    assert main is not None
    return main.info.name


def _axes(opened: Opened) -> tuple[int, ...]:
    main = opened.pictures.main
    assert main is not None
    assert main.layout is not None
    return tuple(sorted(main.layout.spatial))
