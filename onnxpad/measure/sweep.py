"""Blind spots: the score of a stimulus at every place where it is pasted.

Alsallakh et al. (2021, arXiv 2010.02178) paste a traffic light at every place of a picture and show
where a detector misses it: S(y, x) is the score with the stimulus' upper left corner at (y, x). The
blind share is |{S < tau median(S)}| / |S|. The first and last rows and columns of the grid are the
places where the stimulus touches the border of the input: their mean against the mean of all others
is the border drop. Positions are in pixels of the input; statistics in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.measure.pair import Array

Place = tuple[int, int]  # y, x of the upper left corner
SIDES = ("top", "bottom", "left", "right")
# Places of a grid whose step is not asked for, at most: at 30 ms a run under a minute.
_PLACES = 1500
# Pairs of neighbours per axis that are looked at pixel by pixel, and places on their lines.
_PAIRS, _LINES = 8, 100


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a stimulus is pasted.

    Attributes:
        ys, xs: rows and columns of its upper left corner, rising, both borders among them.
        step: between them; the last may be nearer.
    """

    ys: tuple[int, ...]
    xs: tuple[int, ...]
    step: int

    def places(self) -> list[Place]:
        """All of them, row by row."""
        return [(y, x) for y in self.ys for x in self.xs]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.ys), len(self.xs)


@dataclass(frozen=True, slots=True)
class Strip:
    """Neighbouring rows ("y") or columns ("x") of the grid that are blind: first to last, pixels.

    A row or column is blind where its own median is below tau times the median of all places.
    """

    axis: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Step:
    """Two places one pixel apart, and the scores there."""

    places: tuple[Place, Place]
    scores: tuple[float, float]

    @property
    def change(self) -> float:
        """How much the score changes."""
        return abs(self.scores[1] - self.scores[0])


@dataclass(frozen=True, slots=True, eq=False)
class SweepResult:
    """What a map of scores shows.

    Attributes:
        median: of the places with a score. unscored: places whose score is NaN or infinite.
        blind: share of places with S < tau median; None where the median is not positive.
        border_drop: 1 - mean on the border / mean of the others; None without others, or where
            their mean is not positive.
        sides: means of the first and last row and column, in the order of SIDES.
        along_y, along_x: mean of every row and of every column of the grid.
        strips: blind rows and columns; () where nothing can be blind.
    """

    median: float
    unscored: int
    blind: float | None
    border_drop: float | None
    sides: tuple[float, float, float, float]
    along_y: Array
    along_x: Array
    strips: tuple[Strip, ...]


def grid(space: tuple[int, int], stimulus: tuple[int, int], step: int | None = None) -> Grid:
    """Places for a stimulus of (height, width) in an input of (height, width).

    Without a step the smallest odd one that gives 1,500 places at most: odd, so that networks
    with strides of 2, 4, 8 meet it at all their phases. Raises ValueError where it does not fit.
    """
    room = tuple(s - k for s, k in zip(space, stimulus, strict=True))
    if min(room) < 0 or min(stimulus) < 1:
        raise ValueError(f"a stimulus of {stimulus} does not fit into {space}")
    if step is None:
        step = 1
        while len(_line(room[0], step)) * len(_line(room[1], step)) > _PLACES:
            step += 2
    return Grid(_line(room[0], step), _line(room[1], step), step)


def _line(last: int, step: int) -> tuple[int, ...]:
    """0 to last, last among them."""
    found = tuple(range(0, last + 1, step))
    return found if found[-1] == last else (*found, last)


def swept(scores: Array, where: Grid, tau: float = 0.5) -> SweepResult:
    """What a map of scores (rows, columns) on this grid shows.

    Raises ValueError where the shapes do not fit, or no place has a score.
    """
    if scores.shape != where.shape:
        raise ValueError(f"scores of shape {scores.shape} on a grid of {where.shape}")
    known = np.isfinite(scores)
    if not known.any():
        raise ValueError("no place has a score")
    values = np.where(known, scores.astype(np.float64), np.nan)
    median = float(np.nanmedian(values))
    low = values < tau * median if median > 0 else np.zeros_like(known)
    return SweepResult(
        median,
        int((~known).sum()),
        float(low.sum() / known.sum()) if median > 0 else None,
        _drop(values),
        (_mean(values[0]), _mean(values[-1]), _mean(values[:, 0]), _mean(values[:, -1])),
        np.array([_mean(row) for row in values]),
        np.array([_mean(column) for column in values.T]),
        (
            *_strips("y", where.ys, values, tau * median),
            *_strips("x", where.xs, values.T, tau * median),
        )
        if median > 0
        else (),
    )


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _drop(values: Array) -> float | None:
    inside = _mean(values[1:-1, 1:-1])
    if not inside > 0:  # NaN where there are no others
        return None
    ring = np.ones(values.shape, bool)
    ring[1:-1, 1:-1] = False
    return 1 - _mean(values[ring]) / inside


def _strips(axis: str, at: Sequence[int], lines: Array, limit: float) -> list[Strip]:
    found: list[Strip] = []
    before = False
    for pixel, line in zip(at, lines, strict=True):
        known = line[np.isfinite(line)]
        blind = bool(known.size and np.median(known) < limit)
        if blind:
            first = found.pop().first if before else pixel
            found.append(Strip(axis, first, pixel))
        before = blind
    return found


def steepest(scores: Array, where: Grid) -> list[tuple[Place, ...]]:
    """Between which neighbouring places the score changes most: lines of places 1 pixel apart.

    For each axis the pairs with the largest differences, largest first: eight, or fewer on a grid
    so coarse that their lines had more than a hundred places; none where one line has.
    """
    count = min(_PAIRS, _LINES // where.step)
    lines: list[tuple[Place, ...]] = []
    for axis in (0, 1):
        if scores.shape[axis] < 2:
            continue
        change = np.nan_to_num(np.abs(np.diff(scores, axis=axis)), nan=0.0, posinf=0.0)
        order = np.argsort(-change, axis=None, kind="stable")[:count]
        for row, column in zip(*np.unravel_index(order, change.shape), strict=True):
            y, x = where.ys[row], where.xs[column]
            if axis == 0:
                lines.append(tuple((at, x) for at in range(y, where.ys[row + 1] + 1)))
            else:
                lines.append(tuple((y, at) for at in range(x, where.xs[column + 1] + 1)))
    return lines


def worst_step(lines: Sequence[tuple[Place, ...]], scores: Sequence[Array]) -> Step | None:
    """The largest change between neighbours on these lines; None where no pair has scores.

    Args:
        scores: (places,) for each line.
    """
    best: Step | None = None
    for line, values in zip(lines, scores, strict=True):
        for at in range(len(line) - 1):
            one, other = float(values[at]), float(values[at + 1])
            if np.isfinite(one) and np.isfinite(other):
                step = Step((line[at], line[at + 1]), (one, other))
                if best is None or step.change > best.change:
                    best = step
    return best
