"""How much a model's answer depends on where the crop begins: consistency under shifts."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from onnxpad.joining.limit import Progress
from onnxpad.joining.opening import open_one
from onnxpad.joining.request import Request
from onnxpad.measure.agreement import AgreementSums
from onnxpad.measure.pair import Array
from onnxpad.measure.paired import Interval, mean_interval, share_interval
from onnxpad.studies.canvas import canvases
from onnxpad.studies.each import Source, each
from onnxpad.studies.pictured import pictured
from onnxpad.studies.shift_run import DIAGONAL, Shifts
from onnxpad.study import Cell, Chart, ModelStudy, Series, Study, Table
from onnxpad.tasks.moved import Alike, whole_pixels, words
from onnxpad.text import printable

_ABOUT = (
    "Consistency: how alike the outputs are for two random crops of the same picture (Zhang, arXiv "
    "1904.11486, whose figures on ImageNet are 85.1 % for torchvision's ResNet-18 and 89.2 % for "
    "ResNet-50), and for a crop and one that begins some pixels further; with labels, accuracy "
    "along the diagonal (Kayhan and van Gemert, arXiv 2003.07064). Crops lie inside a larger "
    "picture: no pixel is invented. Strides and pooling cost consistency too, not padding alone."
)


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total


def shift(
    models: Sequence[Source],
    requests: Sequence[Request] | None = None,
    *,
    pixels: Sequence[int] = (),
    progress: Progress = _silent,
) -> Study:
    """Agreement of a model with itself under random crops and shifts of 1, 2, 4, ... pixels.

    Pictures are made a seventh larger than the input, 256 pixels for 224, and cropped. What agrees
    is what the task has: the top class, labels of pixels, boxes, PSNR, or the cosine of outputs.
    Every model sees the same crops of the same samples, and is held against the first one on them.

    Args:
        models: paths of .onnx files.
        requests: data, labels, preprocess, size, task, samples, seed, provider and threads, one
            for each model; None for synthetic scenes. Without a number of samples as many as about
            20 seconds allow, 256 at most.
        pixels: to shift by; () for 1, 2, 3, 4, 8, ... and all the room there is.
        progress: told (stage, done, total).

    Raises:
        UsageError, DataError: a request, shifts larger than the room, or data that do not fit.
        ModelError, RunError: a single model that cannot be read or run; among several it is said.
    """
    first: list[tuple[str, Shifts]] = []
    by = tuple(sorted(set(pixels)))

    def one(path: Path, request: Request) -> ModelStudy:
        opened = open_one(path, request, labelled=True)
        main = pictured(opened)
        most = request.samples
        if most is None and first:
            most = first[0][1].samples  # the same samples as the first, however long that takes
        run = Shifts(opened, main, canvases(opened, main), most, by, progress)
        run.run()
        study = _shown(path, run, first[0] if first else None)
        first.append((path.name, run))
        return study

    found = each(models, requests or [Request()] * len(models), one)
    return Study("shift", "Consistency under shifts", _ABOUT, found)


def _shown(path: Path, run: Shifts, first: tuple[str, Shifts] | None) -> ModelStudy:
    assert run.choice is not None
    opened, request = run.opened, run.opened.request
    size = "×".join(str(run.main.shape[axis]) for axis in _spatial(run))
    room = "×".join(map(str, run.canvases.room))
    skipped = f"; {run.canvases.skipped} could not be used" if run.canvases.skipped else ""
    on = (
        f"{run.samples} samples{skipped}, crops of {size} {run.canvases.told}",
        f"crops move by up to {room} px, from the upper left corner of the picture",
        opened.source.note(opened.filled),
        *opened.source.warnings(opened.filled),
        run.choice.sentence,
        f"seed {request.seed}; {opened.provider.note}",
        *((f"first sample that does not fit: {printable(run.refused)}",) if run.refused else ()),
    )
    arrays: dict[str, Array] = {
        "random": np.array([(a.part, a.whole) for a in run.random.values()]),
        "samples": np.array(list(run.random)),
    }
    for (name, pixels), many in run.moved.items():
        arrays[f"{name} {pixels}"] = np.array([(a.part, a.whole) for a in many])
    return ModelStudy(
        path.as_posix(), on, tuple(_said(run, first)), tuple(_tables(run)), (),
        tuple(_charts(run)), arrays,
    )  # fmt: skip


def _spatial(run: Shifts) -> tuple[int, ...]:
    assert run.main.layout is not None
    return run.main.layout.spatial


def _value(many: Iterable[Alike]) -> float | None:
    """Σ part / Σ whole."""
    kept = list(many)
    whole = sum(one.whole for one in kept)
    return sum(one.part for one in kept) / whole if whole else None


def _interval(run: Shifts, many: Iterable[Alike]) -> Interval | None:
    """Wilson's for shares of samples, else the bootstrap's."""
    kept = list(many)
    if run.choice is not None and run.choice.task.name == "classification":
        found = AgreementSums(int(sum(one.part for one in kept)), len(kept)).result()
        return Interval(found.low, found.high)
    parts, wholes = (np.array([getattr(a, k) for a in kept]) for k in ("part", "whole"))
    return share_interval(parts, wholes, run.opened.request.seed) if kept else None


def _said(run: Shifts, first: tuple[str, Shifts] | None) -> Iterator[str]:
    assert run.choice is not None
    what, unit = words(run.choice.task)
    random = list(run.random.values())
    value = _value(random)
    if value is None:
        yield "nothing to compare in random crops: the model shows nothing there"
        return
    low = _told(_interval(run, random))
    yield f"consistency under random crops {_number(value, unit)}{low}: {what}"
    values = [(_value(many), pixels, name) for (name, pixels), many in run.moved.items()]
    worst = min(((v, p, n) for v, p, n in values if v is not None), default=None)
    one = _value(run.moved.get((DIAGONAL, 1), ()))
    if one is not None and worst is not None:
        yield (
            f"one pixel along the diagonal gives {_number(one, unit)}; lowest "
            f"{_number(worst[0], unit)} at {worst[1]} px along {worst[2]}"
        )
    yield from _accuracy(run)
    if first is not None:
        yield from _against(run, *first)
    if run.opened.source.origin == "synthetic":
        yield "on synthetic scenes: how stable the model is on real ones is not known from them"


def _accuracy(run: Shifts) -> Iterator[str]:
    found = [(m.delta, d, m) for d in run.accuracy if (m := run.top1(d)) and m.delta is not None]
    if found:
        delta, pixels, metric = min(found, key=lambda one: (one[0], one[1]))
        change = f"falls most at {pixels} px, by {-delta:.3g}" if delta < 0 else "does not fall"
        low = _told(None if metric.low is None or metric.high is None
                    else Interval(-metric.high, -metric.low)) if delta < 0 else ""  # fmt: skip
        start = f"{metric.original:.3g} in the upper left corner"
        yield f"top1 along the diagonal, {start}, {change}{low}"


def _against(run: Shifts, name: str, other: Shifts) -> Iterator[str]:
    """This model against the first one, on the crops that both have."""
    assert run.choice is not None
    if other.choice is None or other.choice.task.name != run.choice.task.name:
        yield f"another task than {printable(name, 60)}: not held against it"
        return
    names = [one for one in run.random if one in other.random]
    each_ = [
        mine.part / mine.whole - theirs.part / theirs.whole
        for mine, theirs in ((run.random[n], other.random[n]) for n in names)
    ]
    if not each_:
        yield f"no sample in common with {printable(name, 60)}"
        return
    mean = float(np.mean(each_))
    interval = mean_interval(np.array(each_), run.opened.request.seed)
    sure = interval is not None and (interval.low > 0 or interval.high < 0)
    verdict = ("more" if mean > 0 else "less") if sure else "no more and no less, beyond doubt,"
    yield (
        f"{verdict} consistent than {printable(name, 60)}: {mean:+.3g}{_told(interval)} by sample, "
        f"on the same crops of {len(each_)} samples"
    )


def _told(interval: Interval | None) -> str:
    return "" if interval is None else f" (95 %: {interval.low:.3g} to {interval.high:.3g})"


def _number(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".strip()


def _tables(run: Shifts) -> Iterator[Table]:
    assert run.choice is not None
    assert run.view is not None
    what, unit = words(run.choice.task)
    names = [name for name, _ in run.directions]
    top1 = {pixels: run.top1(pixels) for pixels in run.distances}
    labelled = any(top1.values())
    heads = ["shift px", *(f"along {n}" if n != DIAGONAL else n for n in names), "low", "high"]
    heads += ["whole output px"] * bool(_dense(run)) + ["top1", "top1 change", "from", "to"] * (
        labelled
    )
    rows = []
    for pixels in run.distances:
        diagonal = run.moved.get((DIAGONAL, pixels), [])
        interval = _interval(run, diagonal)
        row: list[Cell] = [pixels, *(_value(run.moved.get((n, pixels), ())) for n in names)]
        row += [None, None] if interval is None else [interval.low, interval.high]
        if _dense(run):
            row.append("yes" if whole_pixels(run.view, run.choice.task, pixels) else "no")
        metric = top1[pixels]
        if labelled:
            row += (
                [metric.candidate, metric.delta, metric.low, metric.high] if metric else [None] * 4
            )
        rows.append(tuple(row))
    notes = [f"{what}{f', in {unit}' if unit else ''}; low, high: 95 % of the diagonal"]
    if _dense(run):
        notes.append("no whole output px: the outputs cannot lie exactly on each other")
    title = "Agreement with the crop in the upper left corner"
    yield Table("shifts", title, tuple(heads), tuple(rows), tuple(notes))


def _dense(run: Shifts) -> bool:
    """Whether an output that is compared has space."""
    view, choice = run.view, run.choice
    return bool(view and choice and any(view.spatial(name) for name in choice.task.outputs))


def _charts(run: Shifts) -> Iterator[Chart]:
    assert run.choice is not None
    what, unit = words(run.choice.task)
    ys = tuple(_value(run.moved.get((DIAGONAL, pixels), ())) for pixels in run.distances)
    yield Chart(
        "agreement", "Agreement under a shift along the diagonal", "shift in px",
        f"{what}, {unit}" if unit else what, (Series("", tuple(run.distances), ys),),
    )  # fmt: skip
    metrics = [(pixels, m) for pixels in run.distances if (m := run.top1(pixels)) is not None]
    if metrics:
        xs = (0, *(pixels for pixels, _ in metrics))
        right = (metrics[0][1].original, *(m.candidate for _, m in metrics))
        yield Chart("accuracy", "Accuracy along the diagonal", "shift in px", "top1",
                    (Series("", xs, right),))  # fmt: skip
