from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from onnxpad.comparison import Comparison, Skip
from onnxpad.measure.difference import Difference
from onnxpad.measure.rings import RingProfile
from onnxpad.report.terminal import render, text
from tests.report import whole
from tests.report.examples import HOSTILE, comparison, same, samples, scores, spatial

GOLDEN = """\
net.onnx → net.reflect.onnx: map differs by 20% of its maximum

output  shape    max |Δ|  / max |y|  mean |Δ|  RMS Δ  / RMS y
map     1×4×6×6      0.8        20%       0.1   0.19      19%
scores  1×10       0.004       0.2%     0.001  0.002     0.4%

map: RMS Δ / RMS y by distance to the border, 2 of 3 rings differ
█████ ▂▂▂▂▂
 25%    5%    0
  0     1     2

agreement  scores: 9 of 10 samples, 90.0 % [59.6, 98.2]
latency    2 → 2.4 ms, ×1.20 [1.18, 1.23]; original against itself [0.99, 1.01]
samples    10 of 10; images from photos; seed 0; x 1×3×6×6 float32
engine     ONNX Runtime 1.31.1, 1 thread; CPU, as asked
"""


def test_golden() -> None:
    assert text(comparison()) == GOLDEN


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_too_wide(width: int) -> None:
    long = comparison(spatial("a" * 90), scores("b" * 90), warnings=("word " * 60,))
    for line in text(long, width).splitlines():
        assert len(line) <= width


def test_equal_outputs_are_said_in_one_sentence() -> None:
    shown = text(comparison(same()))
    assert "every output is the same, element by element" in shown
    assert "rings" not in shown
    assert "max |Δ|" not in shown


def test_untrusted_names_cannot_speak_to_the_terminal() -> None:
    found = comparison(spatial(HOSTILE), scores(HOSTILE))
    found = replace(found, original=HOSTILE, samples=samples())
    found = replace(
        found,
        samples=replace(found.samples, inputs=(replace(found.samples.inputs[0], name=HOSTILE),)),
    )
    shown = text(found, 200)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[31m[bold red]x[/]\\u202e" in shown
    assert ":smile:" in shown


def test_warnings_come_before_numbers() -> None:
    shown = text(comparison(warnings=("the moon is full",)))
    assert shown.index("warning: the moon is full") < shown.index("max |Δ|")


def test_skipped_samples_are_counted_and_named() -> None:
    skips = tuple(Skip(f"{i}.png", "broken") for i in range(8))
    shown = text(replace(comparison(), samples=samples(*skips)), 200)
    assert "8 samples were skipped: 0.png (broken), " in shown
    assert "4.png (broken), 3 more" in shown
    one = text(replace(comparison(), samples=samples(skips[0])), 200)
    assert "1 sample was skipped: 0.png (broken)\n" in one


def test_not_finite_outputs_are_the_headline() -> None:
    broken = replace(
        spatial(), difference=replace(spatial().difference, nonfinite_candidate=3, unlike=3)
    )
    assert "map is NaN or infinite where the other model's is not" in text(comparison(broken), 200)


def test_outputs_of_other_shapes_are_the_headline() -> None:
    other = replace(same(), uncompared=2)
    assert "map has other shapes on 2 samples" in text(comparison(other), 200)


def test_originals_of_zeros_have_no_percentages() -> None:
    zero = replace(
        spatial(),
        difference=Difference(10, 0.5, 0.1, 0.2, 0.0, 0.0, 0, 0, 0),
        rings=RingProfile((8, 2), (0.1, 0.0), (0.2, 0.0), (0.5, 0.0), 0.0),
    )
    shown = text(comparison(zero))
    assert "map differs, where the original is 0" in shown
    assert "map: RMS Δ by distance" in shown
    assert "–" in shown


def test_agreement_that_was_not_measured_says_why() -> None:
    blind = replace(scores(), agreement=None, no_agreement="no data; give --data")
    shown = text(comparison(blind, replace(blind, name="other")))
    assert shown.count("not measured: no data; give --data") == 1


def test_many_outputs_are_cut_with_their_number() -> None:
    shown = text(comparison(*(scores(f"s{i}") for i in range(15))))
    assert "s11" in shown
    assert "s12" not in shown
    assert "and 3 more" in shown


@pytest.mark.parametrize("make", [whole.full, whole.many], ids=lambda make: make.__name__)
def test_every_row_where_all_is_asked_for(make: Callable[[], Comparison]) -> None:
    console = Console(file=StringIO(), width=200)
    console.print(render(make(), every=True))
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "-v shows all" in text(make())
    assert "more (" not in shown
    for output in make().outputs:
        assert output.name in shown


def test_wide_profiles_are_binned_to_80_columns() -> None:
    size = 336
    values = tuple(1 / (1 + d) for d in range(size))
    wide = replace(spatial(), rings=RingProfile((8,) * size, values, values, values, 1.0))
    shown = text(comparison(wide))
    assert "336 of 336 rings differ" in shown
    assert "4–5" in shown
    assert "32+" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_colours_only_on_a_terminal() -> None:
    plain = Console(file=StringIO(), width=80)
    colour = Console(
        file=StringIO(), width=80, force_terminal=True, color_system="standard", no_color=False
    )
    for console in (plain, colour):
        console.print(render(comparison(warnings=("w",))))
    assert isinstance(plain.file, StringIO)
    assert isinstance(colour.file, StringIO)
    assert "\x1b" not in plain.file.getvalue()
    assert "\x1b[" in colour.file.getvalue()
