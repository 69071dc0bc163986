"""How well the position can be read from a layer's features: how much a network knows of places."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from onnxpad.data.plan import InputPlan
from onnxpad.data.stationary import stationary
from onnxpad.joining.limit import Progress
from onnxpad.joining.opening import Opened, open_one
from onnxpad.joining.request import Request
from onnxpad.measure.pair import Array
from onnxpad.measure.position import LayerPosition
from onnxpad.studies.each import DoesNotApplyError, Source, each
from onnxpad.studies.pictured import pictured
from onnxpad.studies.position_run import INPUT, Pictures, Positions
from onnxpad.study import Chart, ModelStudy, Picture, Series, Study, Table

# A read-out of nothing has an R² of 0 give or take a few hundredths.
NOTHING = 0.05
# Layers that are read unless more are asked for: solving for each costs its channels cubed.
LAYERS = 20
_AXES = ("x", "y", "z")
_ABOUT = (
    "A linear read-out (ridge regression) of the position from the features of a layer at that "
    "position, judged on images that were not fitted: R² 1 is perfect, 0 is as good as always "
    "saying the middle. It stands in for the trained read-out of Islam et al., arXiv 2001.08248. "
    "On noise that is alike everywhere a network without padding cannot know where it is; location "
    "leaks in from padded borders as far as the receptive field (Kayhan and van Gemert, arXiv "
    "2003.07064)."
)
_NOTES = (
    "R²: on images that were not fitted, mean of the axes",
    "shuffled: the same read-out of shuffled positions, about 0 if the figures can be trusted",
    "Spearman: rank correlation of read and true coordinate, mean over images; λ: the penalty",
)


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total


def position(
    models: Sequence[Source],
    requests: Sequence[Request] | None = None,
    *,
    margin: int = 0,
    layers: int = LAYERS,
    progress: Progress = _silent,
) -> Study:
    """R² and Spearman's correlation of positions read from each layer.

    A layer's features at a position are its channels there, standardised. Of four images two are
    fitted, one chooses the penalty λ of the ridge regression among ten powers of 10, and one is
    judged on. Without data the images are 1/f noise whose statistics are the same everywhere.

    Args:
        models: paths of .onnx files.
        requests: data, preprocess, size, samples (48 at most unless given), seed, provider and
            threads, one for each model; None for noise.
        margin: input pixels; positions nearer to a border are neither fitted nor judged.
        layers: at most so many are read, evenly chosen; the input is one of them.
        progress: told (stage, done, total).

    Raises:
        UsageError, DataError: a request, or data that do not exist or do not fit.
        ModelError, RunError: a single model that cannot be read or run; among several it is said.
    """
    asked = requests or [Request()] * len(models)
    found = each(models, asked, lambda path, one: _one(path, one, (margin, layers), progress))
    return Study("position", "Positions read from features", _ABOUT, found)


def _one(path: Path, request: Request, how: tuple[int, int], tell: Progress) -> ModelStudy:
    opened, (margin, most) = open_one(path, request), how
    main = pictured(opened)
    inside = opened.inside()
    if not inside.probe.anatomy.layers:
        why = inside.probe.anatomy.refused or "no layer slides a window over space"
        raise DoesNotApplyError(f"its layers cannot be seen: {why}")
    fed, told = _fed(opened, main)
    run = Positions(inside, fed, request.samples, margin, most, request.seed, tell)
    layers, left = run.read(), run.left
    space = "×".join(map(str, inside.probe.feeding.space))
    on = [f"{run.images} images of {space}: {told}", f"seed {request.seed}; {opened.provider.note}"]
    on += opened.source.warnings(opened.filled) if request.data is not None else ()
    on += [f"positions at least {margin} px from every border"] * bool(margin)
    on += [f"left out: {text}" for text in left[:4]]
    on += [f"and {len(left) - 4} more"] * (len(left) > 4)
    return ModelStudy(
        path.as_posix(), tuple(on), tuple(_said(layers, noise=request.data is None)),
        tuple(_tables(layers)), tuple(_pictures(layers)), tuple(_charts(layers)), _arrays(layers),
    )  # fmt: skip


def _fed(opened: Opened, main: InputPlan) -> tuple[Pictures, str]:
    """The pictures, again and again the same, and what they are."""
    request = opened.request
    if request.data is not None:
        return opened.pictures.fed, opened.source.note(opened.filled)

    def noise() -> Iterator[tuple[Array, int]]:
        at = 0
        while True:
            yield stationary(main, request.seed, at, request.preprocess), main.batch
            at += main.batch

    how = request.preprocess
    values = f"; preprocessing {how.describe(main)}" if how else ", values 0..1"
    return noise, f"stationary 1/f noise{values}"


def _said(layers: list[LayerPosition], *, noise: bool) -> Iterator[str]:
    own = next((one for one in layers if one.layer == INPUT), None)
    deep = [one for one in layers if one.layer != INPUT]
    if not deep:
        yield "no layer could be read"
        return
    best, last = max(deep, key=lambda one: one.whole), deep[-1]
    knows = [one for one in deep if one.whole > NOTHING]
    where = f"best in {best.layer} (R² {best.whole:.2f}), {last.whole:.2f} in the last layer"
    highest = max(best.whole, 0.0)
    if not knows:
        yield (
            f"no layer tells where it is: R² at most {highest:.2f} ({best.layer}), where "
            f"{NOTHING} and less counts as nothing"
        )
    else:
        yield f"{len(knows)} of {len(deep)} layers tell where they are: {where}"
    if not noise:
        yield (
            "on these images that says little of padding: photographs have the sky up"
            + (f" (the pixels alone give R² {own.whole:.2f})" if own else "")
            + "; leave the data out for the claim about padding"
        )
    off = max(abs(one.shuffled) for one in layers)
    if off > NOTHING:
        yield f"few images: shuffled positions give R² up to {off:.2f} away from 0 in some layer"


def _names(axes: int) -> tuple[str, ...]:
    return _AXES[:axes][::-1]


def _tables(layers: list[LayerPosition]) -> Iterator[Table]:
    names = _names(max((len(one.r2) for one in layers), default=0))
    heads = (
        "layer", "op", "stride", "channels", "R²", *(f"R² {a}" for a in names),
        *(f"Spearman {a}" for a in names), "shuffled", "λ",
    )  # fmt: skip
    rows = tuple(
        (
            one.layer, one.op, "×".join(dict.fromkeys(map(str, one.stride))), one.channels,
            one.whole, *one.r2, *one.spearman, one.shuffled, one.ridge,
        )
        for one in layers
    )  # fmt: skip
    yield Table("layers", "Layers", heads, rows, _NOTES)


def _pictures(layers: list[LayerPosition]) -> Iterator[Picture]:
    """What the best and the last layer read, on average, at each position of a picture."""
    deep = [one for one in layers if one.layer != INPUT and one.read.ndim == 3]
    if not deep:
        return
    best = max(deep, key=lambda one: one.whole)
    for word, one in (("best", best), ("last", deep[-1])):
        for name, values in zip(_names(2), one.read, strict=True):
            title = f"{name} as read, {word} layer: {one.layer}, R² {one.whole:.2f}"
            unit = "−1 begin, 1 end"
            yield Picture(f"{word}-{name}", title, values, "coordinate", unit, 0.0)


def _charts(layers: list[LayerPosition]) -> Iterator[Chart]:
    if not layers:
        return
    series = Series("", tuple(range(len(layers))), tuple(one.whole for one in layers))
    yield Chart("r2", "Position read from each layer", "layer, 0 the input", "R²", (series,))
    best = max(layers, key=lambda one: one.whole)
    lines = tuple(
        Series(name, best.depths, tuple(None if np.isnan(v) else float(v) for v in values))
        for name, values in (("read", best.error), ("always the middle", best.guess))
    )
    yield Chart(
        "rings", "Error of the position read, best layer", "distance to the border in px",
        "RMS error, 1 is half the map", lines,
    )  # fmt: skip


def _arrays(layers: list[LayerPosition]) -> dict[str, Array]:
    found: dict[str, Array] = {
        "r2": np.array([one.r2 for one in layers]),
        "shuffled": np.array([one.shuffled for one in layers]),
        "layers": np.array([one.layer for one in layers]),
    }
    return found | {f"read {one.layer}": one.read.astype(np.float32) for one in layers}
