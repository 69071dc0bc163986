import pickle

import numpy as np
import pytest

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import IGNORED, Mask
from onnxpad.errors import DataError
from onnxpad.measure.rings import ring_index
from onnxpad.tasks.confusion import mask_at
from onnxpad.tasks.result import TaskResult
from onnxpad.tasks.segmentation import Segmentation

K, SIZE = 4, (11, 14)
VIEW = Geometry(SIZE, SIZE, (1.0, 1.0), (0.0, 0.0))


def one_hot(labels: np.ndarray, channel: int = 1) -> dict[str, np.ndarray]:
    scores = np.eye(K, dtype=np.float32)[labels]
    return {"m": (scores.transpose(2, 0, 1) if channel == 1 else scores)[None]}


def scenes(count: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        mask = rng.integers(-1, K - 1, SIZE)  # the last class is never there
        found = []
        for noise in (0.2, 0.4):
            wrong = rng.random(SIZE) < noise
            found.append(np.where(wrong, rng.integers(0, K, SIZE), np.maximum(mask, 0)))
        made.append((mask, found[0], found[1]))
    return made


def brute(masks: list[np.ndarray], founds: list[np.ndarray]) -> tuple[float, float]:
    """mIoU and pixel accuracy by loops over classes and pixels."""
    ious, right, total = [], 0, 0
    for k in range(K):
        inner = union = present = 0
        for mask, found in zip(masks, founds, strict=True):
            for truth, said in zip(mask.ravel(), found.ravel(), strict=True):
                if truth == IGNORED:
                    continue
                inner += truth == k and said == k
                union += truth == k or said == k
                present += truth == k
        right, total = right + inner, total + present
        if present:
            ious.append(inner / union)
    return float(np.mean(ious)), right / total


def run(samples: list, channel: int = 1, *, against_itself: bool = False) -> TaskResult:
    tally = Segmentation("m", channel).tally()
    for mask, ours, theirs in samples:
        original, candidate = one_hot(ours, channel), one_hot(theirs, channel)
        tally.add(original, original if against_itself else candidate, Mask(mask), VIEW)
    result = tally.result(0)
    assert result is not None
    return result


@pytest.mark.parametrize("channel", [1, 3])
def test_against_plain_loops(channel: int) -> None:
    samples = scenes(5)
    result = run(samples, channel)
    masks, ours, theirs = ([s[i] for s in samples] for i in range(3))
    miou, accuracy = result.metric("mIoU"), result.metric("pixel_accuracy")
    assert miou is not None
    assert accuracy is not None
    first, second = brute(masks, ours), brute(masks, theirs)
    assert (miou.original, accuracy.original) == pytest.approx(first, abs=1e-12)
    assert (miou.candidate, accuracy.candidate) == pytest.approx(second, abs=1e-12)
    for metric in (miou, accuracy):
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low < metric.delta < metric.high < 0
    agreed = result.metric("agreement")
    assert agreed is not None
    same = np.mean([a == b for a, b in zip(ours, theirs, strict=True)])
    assert agreed.candidate == pytest.approx(same)


def test_rings_and_classes() -> None:
    samples = scenes(3)
    result = run(samples)
    parts = {(p.kind, p.label, p.metric): p for p in result.parts}
    index = ring_index(SIZE)
    for d in range(index.max() + 1):
        masks = [np.where(index == d, mask, IGNORED) for mask, _, _ in samples]
        for name, place in (("mIoU", 0), ("pixel_accuracy", 1)):
            part = parts["ring", str(d), name]
            assert part.original == pytest.approx(brute(masks, [s[1] for s in samples])[place])
            assert part.candidate == pytest.approx(brute(masks, [s[2] for s in samples])[place])
            assert part.n == sum(int((m != IGNORED).sum()) for m in masks)
    classes = [p for p in result.parts if p.kind == "class"]
    assert [p.label for p in classes] == ["0", "1", "2"]
    miou = result.metric("mIoU")
    assert miou is not None
    assert np.mean([p.original for p in classes]) == pytest.approx(miou.original)


def test_a_model_against_itself() -> None:
    result = run(scenes(6), against_itself=True)
    for metric in result.metrics[:2]:
        assert (metric.delta, metric.low, metric.high) == (0, 0, 0)
    assert result.metrics[2].candidate == 1
    assert all(part.delta == 0 for part in result.parts)


def test_merging_is_adding_one_after_the_other() -> None:
    samples = scenes(6)
    task = Segmentation("m")
    whole, first, second = (task.tally() for _ in range(3))
    for i, (mask, ours, theirs) in enumerate(samples):
        for tally in (whole, first if i < 2 else second):
            truth = Mask(mask) if i != 1 else None
            tally.add(one_hot(ours), one_hot(theirs), truth, VIEW, one_hot(theirs))
    first = pickle.loads(pickle.dumps(first))
    first.merge(second)
    assert first.result(1) == whole.result(1)
    result = whole.result(1)
    assert result is not None
    assert (result.labelled, result.samples) == (5, 6)


def test_masks_are_sampled_where_the_output_looks() -> None:
    mask = np.arange(24).reshape(4, 6)
    view = Geometry((4, 6), (8, 12), (2.0, 2.0), (0.0, 0.0))
    assert mask_at(mask, (4, 6), view).tolist() == mask.tolist()
    assert mask_at(mask, (2, 3), view).tolist() == mask[1::2, 1::2].tolist()
    assert mask_at(mask, (2, 3), None).tolist() == mask[1::2, 1::2].tolist()
    # a letterbox: 4×6 at the top left of 6×6
    box = Geometry((4, 6), (6, 6), (1.0, 1.0), (0.0, 0.0))
    found = mask_at(mask, (6, 6), box)
    assert found[:4].tolist() == mask.tolist()
    assert (found[4:] == IGNORED).all()
    with pytest.raises(DataError, match="the mask is 4×6 pixels and the picture 5×5"):
        mask_at(mask, (5, 5), Geometry((5, 5), (5, 5), (1.0, 1.0), (0.0, 0.0)))


def test_smaller_outputs_are_said() -> None:
    labels = np.zeros((2, 3), np.int64)
    tally = Segmentation("m").tally()
    view = Geometry((4, 6), (4, 6), (1.0, 1.0), (0.0, 0.0))
    tally.add(one_hot(labels), one_hot(labels), Mask(np.zeros((4, 6), np.int32)), view)
    result = tally.result(0)
    assert result is not None
    assert "compared at the output's size" in result.notes[0]


def test_one_channel_is_yes_or_no() -> None:
    task = Segmentation("m")
    shares = np.array([[[[0.2, 0.7], [0.5, 1.0]]]])
    assert task.labels(shares)[0].tolist() == [[0, 1], [0, 1]]
    assert task.labels(shares * 10 - 3)[0].tolist() == [[0, 1], [1, 1]]  # logits
    assert task.labels(shares)[1] == 2


@pytest.mark.parametrize("shape", [(1, 3, 4), (1, 1, 3, 4), (1, 3, 4, 1)])
def test_outputs_that_are_labels(shape: tuple[int, ...]) -> None:
    task = Segmentation("m", None, classes=5)
    values = np.array([0, 1, 2, 3, 4, 5, -1, 0, 1, 2, 3, 4], np.int32).reshape(shape)
    labels, classes = task.labels(values)
    assert labels.tolist() == [[0, 1, 2, 3], [4, -1, -1, 0], [1, 2, 3, 4]]
    assert classes == 5


def test_nan_pixels_are_wrong_and_agree_with_nothing() -> None:
    labels = np.zeros(SIZE, np.int64)
    good, bad = one_hot(labels), one_hot(labels)
    bad["m"][0, 2, :5] = np.nan
    tally = Segmentation("m").tally()
    tally.add(good, bad, Mask(labels), VIEW)
    result = tally.result(0)
    assert result is not None
    share = 6 / 11
    for name in ("pixel_accuracy", "mIoU", "agreement"):
        metric = result.metric(name)
        assert metric is not None
        assert metric.candidate == pytest.approx(share)
    assert result.metrics[0].low is None  # one sample has no interval


def test_what_does_not_fit_changes_nothing() -> None:
    tally = Segmentation("m").tally()
    out = one_hot(np.zeros(SIZE, np.int64))
    with pytest.raises(DataError, match="the mask holds class 4; the model knows 0 to 3"):
        tally.add(out, out, Mask(np.full(SIZE, 4)), VIEW)
    with pytest.raises(DataError, match="no map of class scores"):
        tally.add({"m": np.zeros((1, 3))}, {"m": np.zeros((1, 3))}, None, VIEW)
    with pytest.raises(DataError, match="other shapes"):
        tally.add(out, {"m": out["m"][:, :, 1:]}, None, VIEW)
    assert tally.result(0) is None


def test_nothing_labelled_gives_no_metric() -> None:
    tally = Segmentation("m").tally()
    out = one_hot(np.zeros(SIZE, np.int64))
    tally.add(out, out, Mask(np.full(SIZE, IGNORED)), VIEW)
    result = tally.result(0)
    assert result is not None
    assert [m.name for m in result.metrics] == ["agreement"]
