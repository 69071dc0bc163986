"""In how many ways each input pixel contributes, with each padding: R4 of the paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onnxpad.measure.foveation import Foveation
from onnxpad.measure.foveation import foveation as ratios
from onnxpad.model import Model, load_model
from onnxpad.paths.counts import Counts
from onnxpad.paths.state import NoPathsError
from onnxpad.paths.walk import count_paths
from onnxpad.picture import Picture, find_picture
from onnxpad.records import PaddingSite
from onnxpad.scopes import Scope
from onnxpad.sites import survey_scopes
from onnxpad.size_shapes import with_sizes
from onnxpad.studies.each import DoesNotApplyError, Source, each
from onnxpad.study import Chart, ModelStudy, Series, Study, Table
from onnxpad.study import Picture as Map
from onnxpad.subject import Subject, subject
from onnxpad.text import printable

MODES = ("zero", "edge", "reflect", "symmetric", "wrap", "partial")
AS_IT_IS = "as it is"
_HEADS = (
    "padding", "corner", "edge", "highest", "lowest", "left/right", "top/bottom", "within 1 %",
)  # fmt: skip
_NOTES = (
    "corner: mean of the four; edge: mean of the middles of the four sides",
    "within 1 %: share of pixels that count as much as the centre",
)
_ABOUT = (
    "The number of paths from each input pixel to the outputs when all weights are 1 and nothing "
    "is nonlinear, relative to the centre (Alsallakh et al., arXiv 2010.02178, section 4). It "
    "follows from the graph alone: nothing is run, and trained weights may count some paths more."
)


def foveation(
    models: Sequence[Source],
    size: tuple[int, ...] | None = None,
    modes: Sequence[str] = MODES,
) -> Study:
    """Maps of paths for the padding as it is and for each mode in place of zeros.

    Args:
        models: paths of .onnx files.
        size: spatial sizes of the input; a model's own, or one that encoders are made for.
        modes: of ``MODES``.

    Raises ModelError for a single model that cannot be read; among several it is said.
    """
    found = each(models, [size] * len(models), lambda path, asked: _one(path, asked, modes))
    return Study("foveation", "Foveation: paths from each input pixel", _ABOUT, found)


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Maps of paths of one model.

    Attributes:
        maps: by padding, AS_IT_IS first: (height, width) relative to the centre.
        sites: of the model, by the sizes they are counted at.
        notes: what was left out of the count, and how often.
    """

    maps: dict[str, NDArray[np.float64]]
    sites: tuple[PaddingSite, ...]
    notes: dict[str, int]


def _one(path: Path, size: tuple[int, ...] | None, modes: Sequence[str]) -> ModelStudy:
    found = paths(load_model(path), size, modes)
    return _shown(path, found.sites, found.maps, found.notes)


def paths(model: Model, size: tuple[int, ...] | None, modes: Sequence[str]) -> Paths:
    """Count them for the padding as it is and for each mode in place of zeros.

    Raises DoesNotApplyError with the reason where they cannot be counted, ModelError, UsageError.
    """
    known = subject(model)
    picture = find_picture(known.main)
    if picture is None:
        raise DoesNotApplyError("none of its inputs is a picture, a volume or a signal")
    asked = size or (picture.likely if None in picture.size else None)
    if asked is not None:
        known = subject(model, size=asked)
    scope, sites = _settled(known, picture)
    same = all(site.mode.name == "zero" for site in sites if site.conv)
    names = [AS_IT_IS, *(mode for mode in modes if not (same and mode == "zero"))]
    try:
        counted = [
            count_paths(
                scope, known.values, sites, picture.name, None if name == AS_IT_IS else name
            )
            for name in names
        ]  # fmt: skip
    except NoPathsError as error:
        raise DoesNotApplyError(f"its paths cannot be counted: {error}") from None
    maps = {name: _map(counts) for name, (counts, _) in zip(names, counted, strict=True)}
    return Paths(maps, sites, counted[0][1])


def _settled(known: Subject, picture: Picture) -> tuple[Scope, tuple[PaddingSite, ...]]:
    """The main graph with all sizes that can be known, and the padding sites by them."""
    size = known.size or picture.likely
    at = picture.sizes(size)
    dims = tuple(at.get(axis, own) for axis, own in enumerate(picture.dims))
    scope = with_sizes(known.main, {picture.name: dims})
    return scope, survey_scopes((scope, *known.scopes[1:])).sites


def _map(counts: Counts) -> NDArray[np.float64]:
    """(height, width) of the mean over the channels, relative to the centre."""
    weights = np.array(counts.runs, np.float64) / counts.channels
    plane = np.tensordot(weights, counts.values, 1)
    while plane.ndim > 2:  # of a volume the middle
        plane = plane[len(plane) // 2]
    plane = np.atleast_2d(plane)
    height, width = plane.shape
    middle = plane[(height - 1) // 2 : height // 2 + 1, (width - 1) // 2 : width // 2 + 1].mean()
    relative: NDArray[np.float64] = plane / middle if middle else np.full_like(plane, np.nan)
    return relative


def _shown(
    path: Path,
    sites: Sequence[PaddingSite],
    maps: dict[str, NDArray[np.float64]],
    notes: dict[str, int],
) -> ModelStudy:
    found = {name: ratios(plane) for name, plane in maps.items()}
    size = "×".join(map(str, maps[AS_IT_IS].shape))
    zeros = sum(site.conv and site.mode.name == "zero" for site in sites)
    where = f"at {size} pixels, from the graph alone"
    on = (
        f"{where}; {zeros} zero-padded convolution sites change with the mode",
        *(f"{what} ({count}×)" for what, count in notes.items()),
    )
    table = Table(
        "ratios", "Paths relative to the centre", _HEADS,
        tuple((name, *_row(one)) for name, one in found.items()),
        _NOTES,
    )  # fmt: skip
    pictures = tuple(
        Map(_key(name), f"padding {name}", plane, "paths", "× centre")
        for name, plane in maps.items()
    )
    series = tuple(
        Series(name, tuple(range(plane.shape[1])), tuple(map(float, plane.mean(axis=0))))
        for name, plane in maps.items()
    )
    chart = Chart("profile", "Paths by column, mean over the rows", "column", "× centre", series)
    return ModelStudy(
        path.as_posix(), on, tuple(_said(found[AS_IT_IS], zeros)), (table,), pictures, (chart,)
    )


def _key(name: str) -> str:
    return name.replace(" ", "-")


def _row(one: Foveation) -> tuple[float, ...]:
    return (
        one.corner, one.edge, one.highest, one.lowest, one.left_right, one.top_bottom, one.uniform,
    )  # fmt: skip


def _said(own: Foveation, zeros: int) -> list[str]:
    much = f"corners count {own.corner:.3g}× and the middles of the sides {own.edge:.3g}×"
    said = [f"as it is, {much} the centre; {own.uniform:.0%} of the pixels count as much as it"]
    for ratio, one, other in (
        (own.left_right, "left", "right"),
        (own.top_bottom, "upper", "lower"),
    ):
        if np.isfinite(ratio) and abs(ratio - 1) > 1e-9:
            stronger, weaker = (one, other) if ratio > 1 else (other, one)
            by = max(ratio, 1 / ratio)
            said.append(f"the {stronger} half counts {by:.3g}× the {weaker} half: uneven padding")
    if not zeros:
        said.append("no convolution pads with zeros, so that the modes change nothing")
    return [printable(text, 400) for text in said]
