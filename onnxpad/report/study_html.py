"""A study as one page: what comes out, pictures beside each other on one scale, tables."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.report import heat, page
from onnxpad.report.charts import rounded
from onnxpad.report.pictures import data_uri
from onnxpad.report.study_text import Shown, cell, parts, sentences, short_models, shown
from onnxpad.study import Chart, Picture, Study, across
from onnxpad.text import printable

# Pixels a side of a drawn picture: above that only every so manieth position is drawn.
_MOST_PIXELS = 512
_SMALLEST = 220


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture: its model, the image, its size on the page, and its range with the colours."""

    model: str
    caption: str
    uri: str
    width: int
    low: str
    high: str
    ramp: str


@dataclass(frozen=True, slots=True)
class Row:
    """The pictures of one key, a model each."""

    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What the page says of one model in words and numbers."""

    name: str
    absent: str
    said: tuple[str, ...]
    on: tuple[str, ...]
    tables: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One study on the page.

    Attributes:
        first: what comes out first, for the contents; "" where there are several models.
        charts: the element and the title of each; their data stand at the end of the page.
    """

    identity: str
    title: str
    about: str
    first: str
    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    charts: tuple[tuple[str, str], ...]


def dumps(study: Study) -> str:
    """The page; ends in a newline."""
    return _page((study,), study.title)


def dumps_all(studies: Sequence[Study]) -> str:
    """One page of several studies, with contents."""
    return _page(studies, "What padding does")


def _page(studies: Sequence[Study], title: str) -> str:
    data: dict[str, dict[str, object]] = {}
    chapters = [_chapter(study, data) for study in studies]
    return page.render(
        "study.html.j2", "report.js" if data else None,
        title=printable(title), chapters=chapters, data=data,
    )  # fmt: skip


def _chapter(study: Study, data: dict[str, dict[str, object]]) -> Chapter:
    """A study as the page shows it; its charts go to `data`."""
    charts = []
    for chart in across(study):
        key = f"chart-{len(data)}"
        data[key] = _chart(chart)
        charts.append((key, printable(chart.title, 300)))
    found = tuple(
        Part(
            name, printable(one.why, 1000), sentences(one.said), sentences(one.on),
            tuple(map(shown, one.tables)),
        )
        for name, one in parts(study)
    )  # fmt: skip
    first = ""
    if len(found) == 1:
        absent = found[0].absent
        first = absent or (found[0].said[0] if found[0].said else "")
    return Chapter(
        printable(study.name), printable(study.title), printable(study.about, 2000), first, found,
        tuple(_rows(study)), tuple(charts),
    )  # fmt: skip


def _rows(study: Study) -> Iterator[Row]:
    """Several models: a row a picture. One model: all its pictures in rows of their scales."""
    ranges = study.ranges()
    names = short_models(study)
    if len(study.models) == 1:
        for many in _together(study.models[0].pictures):
            yield Row("", tuple(_figure("", p, ranges) for p in many))
        return
    keys = dict.fromkeys(p.key for one in study.models for p in one.pictures)
    for key in keys:
        found = [
            (name, p)
            for name, one in zip(names, study.models, strict=True)
            for p in one.pictures
            if p.key == key
        ]
        yield Row(printable(found[0][1].title, 300),
                  tuple(_figure(name, p, ranges) for name, p in found))  # fmt: skip


def _together(pictures: Sequence[Picture]) -> Iterator[list[Picture]]:
    """Pictures of one scale in a row; those that are alone with theirs share one."""
    scales = Counter(p.scale or p.key for p in pictures)
    lone: list[Picture] = []
    for scale, count in scales.items():
        many = [p for p in pictures if (p.scale or p.key) == scale]
        if count == 1:
            lone += many
            continue
        if lone:
            yield lone
            lone = []
        yield many
    if lone:
        yield lone


def _figure(model: str, picture: Picture, ranges: dict[str, heat.Range]) -> Figure:
    image = np.ascontiguousarray(heat.painted(_thinned(picture), ranges))
    mapped = picture.values.ndim == 2
    low, high = heat.limits(picture, ranges) if mapped else (0.0, 0.0)
    unit = f" {printable(picture.unit, 40)}" if picture.unit else ""
    height, width = image.shape[:2]
    grown = max(width, round(_SMALLEST * width / max(height, width)))
    return Figure(
        model, printable(picture.title, 300), data_uri(image), grown,
        cell(low) if mapped else "", cell(high) + unit if mapped else "",
        data_uri(heat.ramp(picture)) if mapped else "",
    )  # fmt: skip


def _thinned(picture: Picture) -> Picture:
    """A picture of at most so many pixels a side: every so manieth position, both borders kept."""
    height, width = picture.values.shape[:2]
    if max(height, width) <= _MOST_PIXELS:
        return picture
    rows, columns = (
        np.linspace(0, n - 1, min(n, _MOST_PIXELS)).round().astype(int) for n in (height, width)
    )
    values = picture.values[np.ix_(rows, columns)]
    return Picture(
        picture.key, picture.title, values, picture.scale or picture.key, picture.unit,
        picture.centre,
    )  # fmt: skip


def _chart(chart: Chart) -> dict[str, object]:
    return {
        "kind": "lines",
        "x": printable(chart.x),
        "y": printable(chart.y),
        "series": [
            {"name": _plain(s.name), "x": list(s.xs), "y": _gaps(s.ys)} for s in chart.series
        ],
    }


def _plain(name: str) -> str:
    """A name that plotly shows as it is: it reads tags such as <b> and entities."""
    return printable(name, 80).replace("&", "＆").replace("<", "‹").replace(">", "›")


def _gaps(values: Sequence[float | None]) -> list[float | None]:
    return [None if v is None else rounded(v) for v in values]
