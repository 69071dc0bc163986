import pytest

from onnxpad.findings import Severity
from tests.rules.check import chain, found

CONV = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
HEAD = [("GlobalAveragePool", {}), ("Flatten", {})]


def test_warns_where_half_of_a_dense_output_is_reached():
    (finding,) = found("PAD301", chain(*[CONV] * 6, shape=(1, 3, 32, 40)))
    assert finding.severity is Severity.WARNING
    # 6 px from each border: 20 of 32 and 28 of 40 are clean
    assert finding.facts == {
        "share": pytest.approx(1 - 20 * 28 / (32 * 40)), "dense": 1,
        "axis2_share": pytest.approx(12 / 32), "axis2_begin_px": 6, "axis2_end_px": 6,
        "axis3_share": pytest.approx(12 / 40), "axis3_begin_px": 6, "axis3_end_px": 6,
    }  # fmt: skip
    assert finding.primary.identity == "conv5"
    assert "56% of the positions, 6+6 input px (begin+end)" in finding.message


def test_notes_a_thin_border_of_a_dense_output():
    (finding,) = found("PAD301", chain(CONV, shape=(1, 3, 64, 64)))
    assert finding.severity is Severity.NOTE


def test_notes_a_classifier_whose_last_map_is_reached_everywhere():
    (finding,) = found("PAD301", chain(*[CONV] * 20, *HEAD))
    assert finding.severity is Severity.NOTE
    assert finding.facts["share"] == 1
    assert "every position" in finding.message


def test_notes_free_sizes_at_a_likely_one():
    (finding,) = found("PAD301", chain(*[CONV] * 200, shape=(1, 3, "h", "w")))
    assert finding.severity is Severity.NOTE
    assert "every position" in finding.message
    assert finding.message.endswith("were the input 224×224")


def test_is_asked_about_a_size():
    (finding,) = found("PAD301", chain(*[CONV] * 6, shape=(1, 3, "h", "w")), size=(32, 40))
    assert finding.severity is Severity.WARNING
    assert finding.facts["share"] == pytest.approx(1 - 20 * 28 / (32 * 40))


@pytest.mark.parametrize(
    "layers",
    [
        [("Conv", {"kernel_shape": [3, 3]})],
        [("MaxPool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})],
        [("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})],
        [("Conv", {"kernel_shape": [1, 1]}), *HEAD],
        [("ConvTranspose", {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]})],
    ],
    ids=["valid", "max-pool", "average-pool", "pointwise", "transposed"],
)
def test_is_silent_where_no_zeros_are_invented(layers):
    assert not found("PAD301", chain(*layers))


def test_is_silent_where_a_crop_takes_the_border_away():
    crop = ("Conv", {"kernel_shape": [7, 7]})
    cropped = chain(CONV, ("Pad", {"pads": [0, 0, -1, -1, 0, 0, -1, -1]}), crop, opset=10)
    assert not found("PAD301", cropped)
