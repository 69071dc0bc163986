"""What a sweep shows of one model: sentences, tables, the map of scores, profiles."""

from dataclasses import dataclass

import numpy as np

from onnxpad.measure.pair import Array
from onnxpad.measure.sweep import SIDES, Grid, Step, Strip, SweepResult, swept
from onnxpad.study import Cell, Chart, ModelStudy, Picture, Series, Table

_SPANS = {"y": "rows", "x": "columns"}


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The scores of one model.

    Attributes:
        scores: (backgrounds, rows, columns). bare: of the same places without the stimulus.
        mean: of the scores over the backgrounds, (rows, columns).
        worst: the largest change over one pixel that was found; None where none was looked for.
    """

    where: Grid
    scores: Array
    bare: Array
    mean: Array
    worst: Step | None


def shown(model: str, seen: Seen, told: tuple[str, ...], example: Array, tau: float) -> ModelStudy:
    """The record of one model.

    Args:
        told: what the score, the stimulus and the backgrounds are.
        example: (height, width, 3) of uint8: the stimulus at one of its places.
        tau: a place is blind where its score is below this share of the median.
    """
    result, where = swept(seen.mean, seen.where, tau), seen.where
    last = where.ys[-1], where.xs[-1]
    pixels = "every pixel" if where.step == 1 else f"every {where.step} pixels"
    count = f"{len(where.ys)}×{len(where.xs)} places, {pixels}"
    on = (f"{count}, upper left corners from 0, 0 to {last[0]}, {last[1]} (y, x)", *told)
    pictures = (
        Picture("score", "score of the stimulus there", seen.mean, "score", "score"),
        Picture("example", "the stimulus at one of its places", example),
    )
    charts = (
        _profile("along-x", "Score along x, mean over y", "x, pixels", where.xs, result.along_x),
        _profile("along-y", "Score along y, mean over x", "y, pixels", where.ys, result.along_y),
    )
    arrays = {
        "ys": _integers(where.ys), "xs": _integers(where.xs), "scores": seen.scores,
        "without-stimulus": seen.bare,
    }  # fmt: skip
    tables = (_table(seen, result, tau),)
    said = tuple(_said(seen, result, tau))
    return ModelStudy(model, on, said, tables, pictures, charts, arrays)


def _integers(numbers: tuple[int, ...]) -> Array:
    return np.array(numbers, np.int64)


def _profile(key: str, title: str, x: str, at: tuple[int, ...], ys: Array) -> Chart:
    values = tuple(float(y) if y == y else None for y in ys)  # NaN is not itself
    return Chart(key, title, x, "score", (Series("", tuple(map(float, at)), values),))


def _table(seen: Seen, result: SweepResult, tau: float) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = (
        ("median", result.median),
        ("blind share", result.blind),
        ("border drop", result.border_drop),
        *zip(SIDES, result.sides, strict=True),
        ("worst 1-px change", seen.worst.change if seen.worst else None),
        ("without stimulus", float(seen.bare.max())),
    )
    notes = [
        f"blind share: of the places, score below {tau:g} × median",
        "border drop: 1 − mean of the outermost places / mean of the others",
        "top, bottom, left, right: mean where the stimulus touches that border",
        "without stimulus: the highest score that the background alone gets at one of the places",
    ]
    if seen.where.step > 1:
        between = "looked for only between the places that differ most; --stride 1 looks everywhere"
        notes.append(f"worst 1-px change: {between}")
    if result.unscored:
        notes.append(f"{result.unscored} places have no finite score and are left out")
    return Table("sweep", "Scores of the stimulus", ("what", "value"), rows, tuple(notes))


def _said(seen: Seen, result: SweepResult, tau: float) -> list[str]:
    said = []
    if seen.bare.max() >= result.median:
        said.append(
            "the background alone scores as much as the stimulus mostly does "
            f"({seen.bare.max():.3g} and {result.median:.3g}): the map says little"
        )
    if result.blind is None:
        said.append(f"the median score is {result.median:.3g}: blind places mean nothing then")
    elif result.blind:
        said.append(
            f"{result.blind:.1%} of the places are blind: score below {tau:g} × the median of "
            f"{result.median:.3g}"
        )
    said += [_strip(strip, seen.where) for strip in result.strips]
    if result.border_drop is not None:
        said.append(_border(result))
    if seen.worst is not None and seen.worst.change > 0:
        (one, other), (before, after) = seen.worst.places, seen.worst.scores
        said.append(
            f"one pixel, from {one} to {other} (y, x), changes the score from {before:.3g} to "
            f"{after:.3g}"
        )
    if result.blind == 0:
        said.append(
            f"no place is blind: none scores below {tau:g} × the median of {result.median:.3g}"
        )
    return said


def _strip(strip: Strip, where: Grid) -> str:
    ends, first, last = (
        (where.ys, "top", "bottom") if strip.axis == "y" else (where.xs, "left", "right")
    )
    name = _SPANS[strip.axis]
    span = f"{strip.first} to {strip.last}" if strip.first != strip.last else f"{strip.first}"
    place = ""
    if strip.first == 0:
        place = f", at the {first}"
    elif strip.last == ends[-1]:
        place = f", at the {last}"
    return f"a blind strip: {name} {span} of {ends[-1] + 1}{place}"


def _border(result: SweepResult) -> str:
    sides = ", ".join(f"{s} {m:.3g}" for s, m in zip(SIDES, result.sides, strict=True))
    assert result.border_drop is not None
    word = "below" if result.border_drop >= 0 else "above"
    return (
        f"where the stimulus touches the border, its score is {abs(result.border_drop):.1%} {word} "
        f"that elsewhere ({sides})"
    )
