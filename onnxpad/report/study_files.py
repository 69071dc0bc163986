"""A study as files to compute with and to print: arrays as .npz, pictures and charts as .png."""

import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from onnxpad.errors import WriteError
from onnxpad.files import give_name, temporary_beside, write_bytes
from onnxpad.report import heat
from onnxpad.report.study_text import short_models
from onnxpad.study import Chart, ModelStudy, Study, across
from onnxpad.text import printable

_DPI = 120
_LONGEST = 80


def save(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write a study's files below a folder that is made where it is missing.

    ``STUDY/MODEL.npz`` holds each model's arrays and pictures, ``STUDY/KEY.png`` each picture with
    the models side by side, or a chart. Files of the same names are replaced; equal studies give
    equal bytes.

    Returns the files. Raises WriteError.
    """
    target = folder / study.name
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{printable(str(target))}: cannot be made: {error.strerror or error}"
        ) from None
    written = []
    used: set[str] = set()
    for name, make in _files(study):
        path = target / _unused(name, used)
        with temporary_beside(path) as temporary:
            write_bytes(temporary, make(), path)
            give_name(temporary, path)
        written.append(path)
    return tuple(written)


def _files(study: Study) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, one in zip(short_models(study), study.models, strict=True):
        if not one.absent:
            yield f"{name.removesuffix('.onnx')}.npz", lambda one=one: _archive(one)  # type: ignore[misc]  # bound now
    for key in dict.fromkeys(p.key for one in study.models for p in one.pictures):
        yield f"{key}.png", lambda key=key: _pictures(study, key)  # type: ignore[misc]  # bound now
    for chart in across(study):
        yield f"{chart.key}.png", lambda chart=chart: _lines(chart)  # type: ignore[misc]  # bound now


def _unused(name: str, used: set[str]) -> str:
    """A file name of plain characters that no other file of the study has."""
    stem, dot, suffix = name.rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._")[:_LONGEST] or "file"
    found, number = f"{plain}{dot}{suffix}", 2
    while found.lower() in used:
        found, number = f"{plain}-{number}{dot}{suffix}", number + 1
    used.add(found.lower())
    return found


def _archive(one: ModelStudy) -> bytes:
    """The arrays, without pickles; each under its own name with odd characters replaced."""
    arrays: dict[str, Any] = {}
    used: set[str] = set()
    for name, array in (*one.arrays.items(), *((p.key, p.values) for p in one.pictures)):
        arrays[_unused(f"{name}.npy", used).removesuffix(".npy")] = np.asarray(array)
    stream = BytesIO()
    # numpy stamps every member with 1980, so that equal arrays are equal bytes
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _pictures(study: Study, key: str) -> bytes:
    found = [
        (name, p)
        for name, one in zip(short_models(study), study.models, strict=True)
        for p in one.pictures
        if p.key == key
    ]
    ranges = study.ranges()
    figure = _figure(4.0 * len(found) + 0.6, 4.2)
    figure.suptitle(_title(found[0][1].title), parse_math=False, fontsize=10)
    axes = figure.subplots(1, len(found), squeeze=False)[0]
    image = None
    for axis, (name, picture) in zip(axes, found, strict=True):
        if picture.values.ndim == 3:
            axis.imshow(picture.values, interpolation="nearest")
        else:
            low, high = heat.limits(picture, ranges)
            image = axis.imshow(
                picture.values, cmap=heat.colours(picture), vmin=low, vmax=high,
                interpolation="nearest",
                aspect="equal" if min(picture.values.shape) > 1 else "auto",
            )  # fmt: skip
        axis.set_title(_title(name), parse_math=False, fontsize=9)
    if image is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.8)
        bar.set_label(_title(found[0][1].unit), parse_math=False)
    return _png(figure)


def _lines(chart: Chart) -> bytes:
    figure = _figure(7.0, 4.2)
    axis = figure.subplots()
    for series in chart.series:
        ys = [np.nan if y is None else y for y in series.ys]
        axis.plot(series.xs, ys, marker="." if len(ys) < 60 else "", label=_label(series.name))
    axis.set_title(_title(chart.title), parse_math=False, fontsize=10)
    axis.set_xlabel(_title(chart.x), parse_math=False)
    axis.set_ylabel(_title(chart.y), parse_math=False)
    if len(chart.series) > 1:
        for text in axis.legend(fontsize=8).get_texts():
            text.set_parse_math(False)
    return _png(figure)


def _label(name: str) -> str:
    """A legend leaves out names that begin with an underscore."""
    return _title(f" {name}" if name.startswith("_") else name)


def _title(text: str) -> str:
    return printable(text, 100)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def _png(figure: Any) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def told(files: Sequence[Path], folder: Path) -> str:
    """What was written, in a sentence."""
    count = len(files)
    return f"wrote {count} file{'' if count == 1 else 's'} below {printable(str(folder))}"
