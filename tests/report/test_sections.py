from dataclasses import replace

import pytest

from onnxpad.budget import Limit, Quantity, judge
from onnxpad.comparison import BorderOutput
from onnxpad.measure.context import Ratio
from onnxpad.report.accuracy import accuracy
from onnxpad.report.borders import border, told_ratio, tone
from onnxpad.report.figures import brief, interval, percent, plain, signed, times
from onnxpad.report.layering import layers, rows_of, width
from onnxpad.report.overview import budget, unmeasured, verdict
from onnxpad.report.sections import BAD, GOOD, PLAIN
from onnxpad.report.sites import abridged_all
from onnxpad.report.terminal import text
from tests.report import whole

ALL = (whole.full, whole.bare, whole.mixed, whole.many, whole.hostile)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_no_line_is_too_wide(make, width: int) -> None:
    assert max(map(len, text(make(), width).splitlines())) <= width


def test_the_verdict_is_the_first_line_and_its_reasons_the_next() -> None:
    lines = text(whole.full()).splitlines()
    assert lines[0] == "net.onnx → net.reflect.onnx: worse"
    assert lines[1].startswith("- border error and accuracy disagree")
    assert "- the budget is missed" in lines[:6]


def test_what_was_not_measured_has_a_line_with_the_reason() -> None:
    shown = text(whole.bare())
    assert "not measured: accuracy (no labels; give --data with labels)" in shown
    assert "Tiles" not in shown
    assert unmeasured(whole.full()) == ()


def test_one_reason_for_several_is_said_once() -> None:
    found = replace(whole.bare(), no_border="no data", no_layers="no data")
    assert "border against real context, layers (no data)" in unmeasured(found)


def test_tones_follow_the_interval_of_the_delta() -> None:
    rows = accuracy(whole.task(), "").grids[0].rows
    assert [row[3].tone for row in rows] == [BAD, PLAIN]
    floor = accuracy(whole.task(), "").grids[1].rows[0]
    assert (floor[4].text, floor[4].tone) == ("beyond it", BAD)
    assert accuracy(whole.segmentation(), "").grids[1].rows[0][4].tone == GOOD


def test_ratio_tones() -> None:
    assert tone(Ratio(2.1, 1.8, 2.4)) == BAD
    assert tone(Ratio(0.5, 0.4, 0.6)) == GOOD
    assert tone(Ratio(1.1, 0.9, 1.3)) == PLAIN
    assert tone(Ratio(1.0, None, None)) == PLAIN
    assert tone(None) == PLAIN


def test_a_candidate_with_errors_beside_an_original_without() -> None:
    assert told_ratio(whole.context(0.5), whole.context(0.0)).startswith("border error 0.5, where")
    assert told_ratio(whole.context(0.0), whole.context(0.0)).startswith("neither")


def test_overlap_advice_takes_the_fewest_pixels_that_are_enough() -> None:
    found = whole.border()
    said = [line.text for line in border(found, "").lines]
    assert any(line.startswith("4 px of real surroundings") and "8 px" in line for line in said)
    one = found.outputs[0]
    weak = BorderOutput("map", one.original, one.candidate, one.overlap[:1])
    said = [line.text for line in border(replace(found, outputs=(weak,)), "").lines]
    assert any(line.startswith("even 1 px of real surroundings") for line in said)


def test_layers_come_worst_first_and_are_cut() -> None:
    section = layers(whole.layers(), "")
    assert section.grids[0].rows[0][0].text == "stem/conv11"
    assert section.grids[0].more == 2
    assert layers(whole.layers(), "", every=True).grids[0].more == 0


def test_layers_are_joined_by_name() -> None:
    rows = rows_of(whole.layers())
    assert [row.name for row in rows] == [f"stem/conv{i}" for i in range(12)]
    assert all(None not in row.means and row.drift is not None for row in rows)
    assert rows[3].responses[1] is None
    assert rows[2].responses[0] is not None
    assert width(rows[2].responses[0]) == 16.0


def test_missed_limits_come_first() -> None:
    limits = (Limit("a", ">=", 0), Limit("b", ">=", 1), Limit("c", "<=", 0.5))
    found = {"a": Quantity(1, 1, 1), "b": Quantity(0, 0, 0), "c": Quantity(0.5, 0.4, 0.6)}
    section = budget(judge(limits, found))
    assert [row[0].text for row in section.grids[0].rows] == ["b>=1", "c<=0.5", "a>=0"]
    assert section.title == "Budget: 1 limit missed"
    assert budget(judge(limits[:1], found)).title == "Budget: held"
    assert "not proven" in budget(judge(limits[2:], found)).title


def test_without_a_verdict_the_outputs_are_the_headline() -> None:
    assert verdict(whole.comparison())[0].text == "map differs by 20% of its maximum"


def test_figures() -> None:
    assert percent(None) == "–"
    assert percent(-0.032) == "-3.2%"
    assert plain(float("inf")) == "+∞"
    assert signed(-0.1564) == "−0.156"
    assert signed(0.0) == "0"
    assert signed(-1.234, "dB") == "−1.23"
    assert interval(-0.1, 0.2, sign=True) == "[−0.100, +0.200]"
    assert times(0.0066) == "×0.0066"
    assert brief(0.00079) == "0.0008"
    assert brief(0.000051) == "5e-05"


def test_names_are_cut_where_they_differ() -> None:
    names = [f"Model/expanded_conv_{i}/project/BatchNorm/FusedBatchNorm" for i in range(9)]
    assert len(set(abridged_all(names, 32))) == 9
    assert abridged_all(["short"], 32) == ["short"]
    assert all(len(name) == 32 for name in abridged_all(names, 32))


def test_without_outputs_nothing_is_called_the_same() -> None:
    nothing = replace(whole.comparison(), outputs=())
    assert "no output could be compared" in text(nothing)
    assert "the same" not in text(nothing)
