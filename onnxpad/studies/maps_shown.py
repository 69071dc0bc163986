"""The study of maps as a record: sentences, tables, charts and pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onnxpad.measure.constant_response import ConstantResponse
from onnxpad.measure.layers import ConstantResponses
from onnxpad.measure.mean_map import Line, MeanMap, profile
from onnxpad.measure.pair import Array
from onnxpad.studies.planes import across_word, corner_names, plane, sides, spread
from onnxpad.study import Cell, Chart, ModelStudy, Picture, Series, Table
from onnxpad.text import count, printable

MOST_PICTURES = 24
_MARGINALS = 6
_EVERYWHERE = "all"
_WIDTHS = (
    (
        "width: input pixels from each border to where the layer's map is constant again, half-way "
        "between the other borders; all: the deviation reaches the middle"
    ),
    "largest, rms: deviation from the interior / RMS of the interior",
)
_CORNERS = (
    "deviation in the four corners / RMS of the interior",
    "they differ where kernels are not symmetric",
)
_LINES = (
    "z: by how many standard deviations of the interior the row or column stands out",
    "step: its difference from the nearest interior one / RMS of such differences inside",
    "a line artifact has more than 3 of both",
)


@dataclass(frozen=True, slots=True)
class Colour:
    """The constant response to one colour.

    Attributes:
        name: "zeros" or "mean colour". told: the colour in words.
        found: None where it was not measured; why says the reason.
    """

    name: str
    told: str
    found: ConstantResponses | None
    why: str

    @property
    def layers(self) -> tuple[ConstantResponse, ...]:
        """Those that could be measured."""
        return self.found.original if self.found else ()


@dataclass(frozen=True, slots=True)
class Found:
    """What running one model showed.

    Attributes:
        size: of the input. fed, ran: what it was fed, and where it ran, in sentences.
        no_means: why there are no mean maps. short: whether time ended the walk.
        unseen: layers whose maps do not follow the input's space.
    """

    model: str
    size: tuple[int, ...]
    fed: str
    ran: str
    colours: tuple[Colour, ...]
    means: tuple[MeanMap, ...]
    no_means: str
    short: bool
    unseen: int


def shown(found: Found) -> ModelStudy:
    """The record."""
    said = tuple(printable(text, 600) for text in _said(found))
    return ModelStudy(
        found.model, tuple(_on(found)), said, tuple(_tables(found)), tuple(_pictures(found)),
        tuple(_charts(found)), dict(_arrays(found)),
    )  # fmt: skip


def _on(found: Found) -> Iterator[str]:
    size = "×".join(map(str, found.size))
    images = max((m.images for m in found.means), default=0)
    ended = ", as many as time allowed (--samples takes the time)" if found.short else ""
    if found.means:
        yield f"mean maps of {count(images, 'image')} of {size}{ended}: {found.fed}"
    else:
        yield f"no mean maps: {found.no_means}"
    for one in found.colours:
        yield f"{one.name}: {one.told if one.found else one.why}"
    if found.unseen:
        layers = count(found.unseen, "layer")
        yield f"{layers} left out, whose maps do not follow the size of the input"
    yield found.ran


def _said(found: Found) -> Iterator[str]:
    yield from _lines_said(found.means)
    for one in found.colours:
        if one.layers:
            yield from _constant_said(one)


def _lines_said(means: Sequence[MeanMap]) -> Iterator[str]:
    judged = [m for m in means if not m.unjudged]
    marked = [m for m in judged if m.artifacts]
    if marked:
        worst, line = max(
            ((m, line) for m in marked for line in m.artifacts),
            key=lambda found: min(abs(found[1].z), abs(found[1].step)),
        )
        axes = worst.values.ndim
        where = f"{across_word(line.axis, axes)} {line.distance} from the {_side(line, axes)}"
        yield (
            f"line artifacts in the mean maps of {len(marked)} of {len(judged)} layers; the "
            f"strongest is {where} of {worst.layer}: z = {line.z:.3g}"
        )
    elif judged:
        yield f"no line artifact in the mean maps of {count(len(judged), 'layer')}"
    if len(judged) < len(means):
        yield f"{count(len(means) - len(judged), 'layer')} too small to look for lines in"


def _side(line: Line, axes: int) -> str:
    begin, end = sides(line.axis, axes)
    return begin if line.side == "begin" else end


def _constant_said(one: Colour) -> Iterator[str]:
    sure = [r for r in one.layers if not r.unsure]
    marked = [r for r in sure if not r.clean]
    what = "zeros at the first layer" if one.name == "zeros" else "an image of the mean colour"
    if not sure:
        yield f"{what}: no layer has an interior to be held against: {one.layers[0].unsure}"
        return
    if not marked:
        yield f"{what}: all {count(len(sure), 'layer')} stay constant, padding leaves nothing"
        return
    whole = [r for r in marked if r.widths is None]
    most = max((width(r) or 0.0 for r in marked), default=0.0)
    told = f"{what}: artifacts in {len(marked)} of {count(len(sure), 'layer')}"
    scaled = [r for r in marked if r.relative is not None]
    if scaled:
        worst = max(scaled, key=lambda r: r.relative or 0.0)
        told += f", up to {worst.relative:.3g}× the interior in {worst.layer}"
    told += f", up to {most:.4g} px wide" if most else ""
    told += f", and everywhere in {count(len(whole), 'layer')}" if whole else ""
    yield told
    differ = [r for r in marked if max(r.corners) - min(r.corners) > r.tolerance]
    if differ:
        yield f"the corners differ from each other in {len(differ)} of them"


def width(one: ConstantResponse) -> float | None:
    """The widest of all sides in input pixels; None where the deviation reaches the middle."""
    found = one.widths_px
    return None if found is None else max((w for side in found for w in side), default=0.0)


def _tables(found: Found) -> Iterator[Table]:
    for one in found.colours:
        if not one.layers:
            continue
        key = one.name.replace(" ", "-")
        axes = len(one.layers[0].size)
        names = [side for axis in range(axes) for side in sides(axis, axes)]
        heads = ("layer", "op", "size", *(f"{n} px" for n in names), "largest", "rms", "share")
        rows = tuple(_width_row(r) for r in one.layers)
        tones = tuple("" if r.clean or r.unsure else "bad" for r in one.layers)
        notes = (*_WIDTHS, *_doubts(one.layers))
        yield Table(key, f"Constant response: {one.told}", heads, rows, notes, tones)
        marked = [r for r in one.layers if not r.clean and r.scale > 0]
        if marked:
            rows = tuple(
                (r.layer, *(c / r.scale for c in r.corners),
                 (max(r.corners) - min(r.corners)) / r.scale)
                for r in marked
            )  # fmt: skip
            heads = ("layer", *corner_names(axes), "largest difference")
            yield Table(f"{key}-corners", f"Corners: {one.name}", heads, rows, _CORNERS)
    marked_maps = [(m, line) for m in found.means for line in m.artifacts]
    if marked_maps:
        marked_maps.sort(key=lambda both: -min(abs(both[1].z), abs(both[1].step)))
        lines = tuple(
            (m.layer, across_word(line.axis, m.values.ndim), _side(line, m.values.ndim),
             line.distance, line.z, line.step)
            for m, line in marked_maps
        )  # fmt: skip
        heads = ("layer", "line", "side", "distance", "z", "step")
        yield Table("lines", "Line artifacts, the strongest first", heads, lines, _LINES,
                    ("bad",) * len(lines))  # fmt: skip


def _doubts(layers: Sequence[ConstantResponse]) -> Iterator[str]:
    """What else is counted in, or stands in doubt."""
    apart = sorted({kind for r in layers for kind in r.apart})
    if apart:
        yield f"{', '.join(apart)} in front of some layers have border effects of their own"
    unsure = [r for r in layers if r.unsure]
    if unsure:
        yield f"{count(len(unsure), 'layer')} in doubt: {unsure[0].unsure}"


def _width_row(one: ConstantResponse) -> tuple[Cell, ...]:
    size = "×".join(map(str, one.size))
    sides_px = one.widths_px
    widths: list[Cell] = (
        [_EVERYWHERE] * (2 * len(one.size))
        if sides_px is None
        else [w for side in sides_px for w in side]
    )
    rms = one.rms / one.scale if one.scale > 0 else None
    return (one.layer, one.op, size, *widths, one.relative, rms, one.share)


def _charts(found: Found) -> Iterator[Chart]:
    lines = []
    sizes = []
    for one in found.colours:
        depth = tuple(float(i + 1) for i in range(len(one.layers)))
        if depth:
            lines.append(Series(one.name, depth, tuple(width(r) for r in one.layers)))
            sizes.append(Series(one.name, depth, tuple(r.relative for r in one.layers)))
    if lines:
        yield Chart(
            "width", "Width of the artifacts against depth (gaps: everywhere)", "layer",
            "input px", tuple(lines),
        )  # fmt: skip
        yield Chart("size", "Largest deviation against depth", "layer", "× interior", tuple(sizes))
    judged = [m for m in found.means if m.images and min(m.values.shape) > 1]
    if not judged:
        return
    axes = judged[0].values.ndim
    for axis in range(axes):
        word = across_word(axis, axes)
        series = tuple(_marginal(m, axis) for m in spread(judged, _MARGINALS))
        yield Chart(
            f"{word}s", f"Mean maps by {word}, deviations from the mean {word}",
            f"{word}, input px", "standard deviations", series,
        )  # fmt: skip


def _marginal(one: MeanMap, axis: int) -> Series:
    """A profile of a mean map: (value − mean) / standard deviation of the profile."""
    along = profile(one.values, axis)
    scatter = float(along.std())
    ys = (along - along.mean()) / (scatter or 1.0)
    xs = tuple(i * one.stride[axis] for i in range(len(along)))
    return Series(one.layer, xs, tuple(map(float, ys)))


def _pictures(found: Found) -> Iterator[Picture]:
    for m in spread([m for m in found.means if m.images], MOST_PICTURES):
        size = "×".join(map(str, m.values.shape))
        title = f"mean map of {m.layer}, {size}"
        yield Picture(f"mean {m.layer}", title, plane(m.values), f"mean {m.layer}")
    for one in found.colours[:1]:
        for r, values in spread(list(_deviations(one)), MOST_PICTURES):
            title = f"{one.name}: deviation in {r.layer}, {'×'.join(map(str, r.size))}"
            yield Picture(
                f"{one.name} {r.layer}", title, plane(values), f"{one.name} {r.layer}",
                "× interior" if r.scale > 0 else "",
            )  # fmt: skip


def _deviations(one: Colour) -> Iterator[tuple[ConstantResponse, Array]]:
    """Deviation maps, relative to the interior where that is not zero."""
    for r in one.layers:
        if r.deviation is not None:
            yield r, r.deviation / r.scale if r.scale > 0 else r.deviation


def _arrays(found: Found) -> Iterator[tuple[str, Array]]:
    """Every layer's maps; pictures hold some of them again."""
    for m in found.means:
        if m.images:
            yield f"mean map {m.layer}", m.values
    for one in found.colours:
        for r in one.layers:
            if r.deviation is not None:
                yield f"deviation {one.name} {r.layer}", r.deviation
