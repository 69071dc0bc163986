"""Pictures of outputs: which samples, which scale, which channel."""

import numpy as np

from onnxpad.joining.examples import MOST, Examples
from onnxpad.tally import OutputTally


def _tally(axes: tuple[int, ...] | None) -> OutputTally:
    tally = OutputTally("y", "y", "float32", (), real=True)
    tally.axes = axes
    return tally


def test_colours_share_one_scale() -> None:
    ours = np.zeros((1, 3, 4, 6), np.float32)
    ours[0, 0, 1, 2] = 2.0
    theirs = ours * 0.5
    kept = Examples()
    kept.add("a", _tally((2, 3)), ours, theirs)
    (picture,) = kept.pictures
    assert picture.original.shape == picture.candidate.shape == (4, 6, 3)
    assert picture.original[1, 2].tolist() == [255, 0, 0]
    assert picture.candidate[1, 2, 0] == 128
    assert picture.difference[1, 2] == 255
    assert picture.difference.sum() == 255


def test_channels_last_and_class_scores() -> None:
    scores = np.zeros((1, 4, 6, 7), np.float32)
    scores[..., 2] = 1.0
    other = scores.copy()
    other[0, 0, 0, 5] = 3.0
    kept = Examples()
    kept.add("a", _tally((1, 2)), scores, other)
    (picture,) = kept.pictures
    assert picture.original.shape == (4, 6)
    assert np.count_nonzero(picture.difference) == 1
    assert picture.difference[0, 0] == 255


def test_few_are_kept_and_only_maps() -> None:
    kept = Examples()
    for number in range(MOST + 3):
        kept.add(str(number), _tally((2, 3)), np.ones((1, 1, 5, 5)), np.ones((1, 1, 5, 5)))
        kept.add(str(number), _tally(None), np.ones((1, 10)), np.ones((1, 10)))
    assert [p.name for p in kept.pictures] == ["0", "1", "2", "3"]


def test_large_maps_are_thinned_and_nan_is_black() -> None:
    ours = np.full((1, 1, 1200, 900), np.nan)
    ours[0, 0, :600] = 1.0
    kept = Examples()
    kept.add("a", _tally((2, 3)), ours, np.zeros_like(ours))
    assert max(kept.pictures[0].original.shape) <= 512
    assert kept.pictures[0].difference[-1, -1] == 0
