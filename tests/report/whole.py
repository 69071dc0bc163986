"""Comparisons in which everything, or nothing, was measured."""

from dataclasses import replace
from fractions import Fraction
from math import inf, nan

import numpy as np

from onnxpad.budget import Limit, Quantity, judge
from onnxpad.comparison import (
    Border,
    BorderOutput,
    Comparison,
    Layers,
    Picture,
    SeamOutput,
    TileHalo,
    Tiles,
    Verdict,
)
from onnxpad.measure.constant_response import ConstantResponse
from onnxpad.measure.context import ContextError, Ratio
from onnxpad.measure.drift import Drift
from onnxpad.measure.layers import ConstantResponses, LayerResults
from onnxpad.measure.mean_map import Line, MeanMap
from onnxpad.measure.paired import Flips
from onnxpad.measure.tiles import Seams
from onnxpad.tasks.result import Metric, Part, TaskResult
from tests.report.examples import HOSTILE, comparison, samples, scores, spatial

ONE = (Fraction(1), Fraction(1))


def task(name: str = "classification") -> TaskResult:
    return TaskResult(
        name,
        250,
        250,
        (
            Metric("top1", 0.888, 0.732, -0.156, -0.204, -0.112, 250),
            Metric("top5", 0.968, 0.92, -0.048, -0.08, 0.0, 250),
            Metric("agreement", None, 0.78, None, 0.725, 0.827, 250, 0.952, 250),
        ),
        (
            Part("class", "tench", "top1", 0.9, 0.8, 10),
            Part("class", "goldfish", "top1", 0.9, 0.3, 10),
            Part("class", "no truth", "top1", None, None, 0),
        ),
        Flips(180, 3, 42, 25),
        ("scores of 1001 classes: the first is taken as background",),
    )


def segmentation() -> TaskResult:
    rings = tuple(
        Part("ring", str(d), "mIoU", 0.5 + d / 50, 0.52 + d / 52, 900 - d) for d in range(20)
    )
    return TaskResult(
        "segmentation",
        0,
        8,
        (
            Metric("psnr", 31.2, 30.8, -0.4, None, None, 1),
            Metric("agreement", None, 0.99, None, None, None, 8, 0.97, 8),
            Metric("snr_db", None, 21.0, None, 20.0, 22.5, 8),
        ),
        rings,
        None,
        (),
    )


def context(*error: float, ratio: Ratio | None = None, stride: int = 1) -> ContextError:
    counts = tuple(4 * (40 - 2 * d) for d in range(len(error)))
    return ContextError(
        counts, error, tuple(e * 2 for e in error), 2.0, (Fraction(stride),) * 2, 12, 0, 0, 0, ratio
    )


def border(name: str = "map") -> Border:
    fall = tuple(0.4 * 0.5**d for d in range(16))
    twice = tuple(2.1 * v for v in fall)
    overlap = tuple((px, context(*(v * 0.4**px for v in fall))) for px in (1, 2, 4, 8))
    return Border(
        (BorderOutput(name, context(*fall), context(*twice, ratio=Ratio(2.1, 1.8, 2.4)), overlap),),
        (64, 64),
        (192, 192),
        12,
        1,
        (),
        True,
    )


def response(layer: str, width: int | None, largest: float = 0.4) -> ConstantResponse:
    dirty = width is None or width > 0
    return ConstantResponse(
        layer,
        "Conv",
        (28, 28),
        (8.0, 8.0),
        1.5,
        1e-5,
        largest if dirty else 0.0,
        0.2 if dirty else 0.0,
        (0.3, 0.1, 0.0) if dirty else (0.0, 0.0, 0.0),
        (0.5,) * 4 if dirty else (0.0,) * 4,
        None if width is None else ((width, width),) * 2,
        ("AveragePool",) if layer.endswith("7") else (),
        "",
    )


def mean_map(layer: str, frame: float, size: int = 28) -> MeanMap:
    grid = np.indices((size, size)).min(axis=0)
    edge = np.minimum(grid, np.minimum(*(size - 1 - np.indices((size, size)))))
    wave = 0.1 * np.sin(np.arange(size) / 5)
    values = 1.0 + wave + wave[:, None] - frame * (edge == 0)
    lines = tuple(
        Line(axis, side, 0, -12.0 * frame, -9.0 * frame)
        for axis in (0, 1)
        for side in ("begin", "end")
    )
    return MeanMap(layer, "Conv", 8, values, (8.0, 8.0), lines, "", 0)


def layers(count: int = 12, prefix: str = "stem/conv") -> Layers:
    names = [f"{prefix}{i}" for i in range(count)]
    return Layers(
        ConstantResponses(
            tuple(response(n, None if i == 11 else i) for i, n in enumerate(names)),
            tuple(None if i == 3 else response(n, 0) for i, n in enumerate(names)),
            True,
        ),
        LayerResults(
            tuple(mean_map(n, 0.1 * i, 8 + 4 * i) for i, n in enumerate(names)),
            tuple(mean_map(n, 0.02 * i, 8 + 4 * i) for i, n in enumerate(names)),
            tuple(
                Drift(n, "Conv", (0.2 * i, 0.1, 0.0), 0.05 * i, 1.0, (8.0, 8.0), 8, 0)
                for i, n in enumerate(names)
            ),
            1,
        ),
    )


def seams(scale: float) -> Seams:
    error = tuple(scale * 0.2 * 0.4**d for d in range(10))
    return Seams((100,) * 10, error, ONE, 1.2 * scale, 1.0, tuple(e / 4 for e in error), 3, 0)


def tiles(name: str = "map") -> Tiles:
    return Tiles(
        (SeamOutput(name, seams(1.0), seams(1.4), seams(0.5)),),
        64,
        8,
        3,
        ((0.01, 4, 1.306), (0.001, None, None)),
        TileHalo("edge", 4, 1.265625, "as asked"),
    )


def pictures(name: str = "photo.png") -> tuple[Picture, ...]:
    rows, columns = np.indices((60, 80))
    colour = np.stack([rows * 4, columns * 3, rows + columns], axis=-1).astype(np.uint8)
    other = colour.copy()
    other[:4] = 0
    grey = np.abs(colour.astype(int) - other).max(axis=-1).astype(np.uint8)
    return (
        Picture(name, colour, other, grey),
        Picture("grey.png", colour[..., 0], other[..., 0], grey),
    )


def full() -> Comparison:
    measured = {
        "top1_delta": Quantity(-0.156, -0.204, -0.112),
        "agreement": Quantity(0.78, 0.725, 0.827),
        "latency": Quantity(1.2, 1.18, 1.23),
    }
    limits = (
        Limit("latency", "<=", 1.5),
        Limit("agreement", ">=", 0.8),
        Limit("top1_delta", ">=", -0.01),
        Limit("border", "<=", 1.0),
    )
    return replace(
        comparison(warnings=("preprocessing was not declared: images are scaled to 0–1",)),
        verdict=Verdict(
            "worse",
            (
                "border error and accuracy disagree: the border error falls to ×0.70, top1 falls",
                "top1 falls by 0.156 [0.112, 0.204]",
            ),
        ),
        task=task(),
        border=border(),
        layers=layers(),
        tiles=tiles(),
        judged=judge(limits, measured),
        sites=(
            ("stem/conv0", "zero", "edge"),
            ("stem/conv1", "zero", "edge"),
            ("head/pool", "constant", "constant"),
        ),
        pictures=pictures(),
    )


def bare() -> Comparison:
    """Nothing was measured, and every reason is told."""
    return replace(
        comparison(scores()),
        verdict=Verdict("unknown", ("neither border nor accuracy were measured",)),
        no_task="no labels; give --data with labels",
        no_border="no spatial output",
        no_layers="no data",
        no_tiles="no --tile",
    )


def mixed() -> Comparison:
    """Some measured, some with values that are no numbers."""
    broken = context(nan, inf, 0.1, ratio=Ratio(nan, None, None))
    found = border()
    return replace(
        full(),
        verdict=Verdict("mixed", ("agreement is within its floor", "the border got worse")),
        task=segmentation(),
        border=replace(
            found,
            outputs=(
                BorderOutput("nan", broken, broken, ()),
                BorderOutput("flat", context(), context(), ()),
                BorderOutput("none", context(0.0, 0.0), context(0.0, 0.0), ()),
            ),
            mixed=("ReduceMean", "InstanceNormalization"),
            real=False,
        ),
        layers=Layers(None, layers(2).results),
        tiles=None,
        no_tiles="the model takes one size only",
        judged=(),
        pictures=(),
    )


def many(count: int = 15) -> Comparison:
    names = [f"out{i}" for i in range(count)]
    found, seam = border(), tiles()
    return replace(
        full(),
        outputs=tuple(spatial(n) for n in names),
        border=replace(found, outputs=tuple(replace(found.outputs[0], name=n) for n in names)),
        tiles=replace(seam, outputs=tuple(replace(seam.outputs[0], name=n) for n in names)),
        layers=Layers(layers(60).constant, None),
    )


def hostile(name: str = HOSTILE) -> Comparison:
    """Every name that comes from outside is `name`."""
    base = full()
    assert base.task is not None
    return replace(
        base,
        original=f"{name}/a.onnx",
        candidate=f"b{name}",
        outputs=(spatial(name), scores(name)),
        samples=replace(samples(), note=name),
        warnings=(name,),
        verdict=Verdict("worse", (name,)),
        task=replace(task(), notes=(name,), parts=(Part("class", name, "top1", 0.1, 0.2, 3),)),
        border=replace(border(name), mixed=(name,)),
        layers=layers(prefix=name),
        tiles=tiles(name),
        sites=((name, "zero", name),),
        pictures=pictures(name),
    )
