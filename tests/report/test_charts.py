from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from onnxpad.comparison import BorderOutput, Layers
from onnxpad.report.charts import (
    MOST_MAPS,
    depth_chart,
    map_chart,
    mapped_layers,
    output_chart,
    ring_chart,
)
from onnxpad.report.layering import LayerRow
from onnxpad.report.pictures import data_uri, shown
from tests.report import whole
from tests.report.examples import same, scores, spatial


def row(values: np.ndarray, other: np.ndarray | None = None) -> LayerRow:
    base = whole.mean_map("layer", 0.1)
    theirs = values if other is None else other
    means = (replace(base, values=values), replace(base, values=theirs))
    return LayerRow("layer", "Conv", (None, None), means, None)


def test_rings_are_drawn_in_input_pixels() -> None:
    error = whole.context(0.4, 0.2, 0.1, stride=8)
    chart = ring_chart(BorderOutput("map", error, error))
    assert chart is not None
    assert chart["series"][0] == {"name": "original", "x": [0, 8, 16], "y": [0.4, 0.2, 0.1]}


def test_rings_without_error_are_cut_off() -> None:
    error = whole.context(*(0.5,) * 20, *(0.0,) * 200)
    chart = ring_chart(BorderOutput("map", error, whole.context(0.0)))
    assert chart is not None
    assert [len(one["x"]) for one in chart["series"]] == [25, 1]


def test_a_flat_reference_has_no_chart() -> None:
    assert ring_chart(BorderOutput("map", whole.context(), whole.context())) is None


def test_outputs_that_did_not_move_have_no_chart() -> None:
    assert output_chart(same()) is None
    assert output_chart(scores()) is None
    chart = output_chart(spatial())
    assert chart is not None
    assert chart["series"][0]["y"] == [0.25, 0.05, 0.0]


def test_depth_has_gaps_where_nothing_is_known() -> None:
    chart = depth_chart(whole.layers())
    assert chart is not None
    ours, theirs = (one["y"] for one in chart["series"])
    assert ours == [8.0 * i for i in range(11)] + [None]
    assert theirs[3] is None
    assert depth_chart(Layers(None, whole.layers().results)) is None


def test_the_worst_maps_are_kept_in_order() -> None:
    names = [r.name for r in mapped_layers(whole.layers(40))]
    assert names == [f"stem/conv{i}" for i in range(40 - MOST_MAPS, 40)]


@pytest.mark.parametrize("size", [1, 5, 119, 120, 121, 500])
def test_borders_of_large_maps_are_drawn_whole(size: int) -> None:
    values = np.arange(size * size, dtype=np.float64).reshape(size, size)
    chart = map_chart(row(values))
    assert len(chart["x"]) <= 120
    assert chart["x"][:20] == list(range(min(size, 20)))
    assert chart["x"][-20:] == list(range(max(size - 20, 0), size))
    assert chart["original"][0][-1] == pytest.approx(size - 1)
    assert chart["size"] == [size, size]


def test_maps_of_one_and_three_axes() -> None:
    assert map_chart(row(np.zeros(7)))["size"] == [1, 7]
    volume = np.arange(3.0)[:, None, None] * np.ones((3, 4, 5))
    chart = map_chart(row(volume))
    assert chart["size"] == [4, 5]
    assert chart["low"] == chart["high"] == 1.0


def test_maps_that_are_not_finite_and_of_two_sizes() -> None:
    chart = map_chart(row(np.array([[np.nan, 1.0], [np.inf, 2.0]])))
    assert chart["original"] == [[None, 1.0], [None, 2.0]]
    assert (chart["low"], chart["high"]) == (1.0, 2.0)
    nothing = map_chart(row(np.full((2, 2), np.nan)))
    assert nothing["low"] is None
    assert map_chart(row(np.zeros((2, 2)), np.zeros((3, 3))))["candidate"] is None


def test_pictures_are_png() -> None:
    picture = whole.pictures()[0]
    (what, uri, width, height), *_ = shown(picture).parts
    assert (what, width, height) == ("original", 80, 60)
    image = Image.open(BytesIO(b64decode(uri.partition(",")[2])))
    assert np.array_equal(np.asarray(image), picture.original)


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2)), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8)],
    ids=["float", "four", "empty"],
)
def test_what_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no picture"):
        data_uri(array)
