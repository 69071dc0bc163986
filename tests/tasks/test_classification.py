import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad.data.labels import ClassLabel
from onnxpad.errors import DataError
from onnxpad.tasks.classification import Classification, class_scores, rank, top_class
from onnxpad.tasks.task import one_sample


@pytest.mark.parametrize("shape", [(1, 5), (1, 5, 1, 1), (1, 1, 1, 5)])
def test_scores_of_every_layout(shape: tuple[int, ...]) -> None:
    assert class_scores(np.arange(5, dtype=np.float16).reshape(shape)).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("shape", [(5,), (2, 5), (1, 5, 7), (1, 1), ()])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="no class scores"):
        class_scores(np.zeros(shape))


@given(st.lists(st.integers(0, 4), min_size=2, max_size=12), st.data())
def test_rank_is_the_place_in_a_stable_sort(scores: list[int], data: st.DataObject) -> None:
    label = data.draw(st.integers(0, len(scores) - 1))
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    assert rank(np.array(scores, np.float64), label) == order.index(label)
    assert top_class(np.array(scores)) == order[0]


def test_unsigned_scores_are_cast_before_they_are_compared() -> None:
    task = Classification("s")
    tally = task.tally()
    out = {"s": np.array([[255, 0, 254]], np.uint8)}
    tally.add(out, out, ClassLabel(0), None)
    result = tally.result(0)
    assert result is not None
    assert result.metrics[0].original == 1


def _outputs(tops: list[int], classes: int = 7) -> list[dict[str, np.ndarray]]:
    return [{"s": np.eye(classes, dtype=np.float32)[[t]]} for t in tops]


def test_brute_force() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(size=(60, 9)), rng.normal(size=(60, 9))
    labels = rng.integers(0, 9, 60)
    tally = Classification("s").tally()
    for i in range(60):
        tally.add(
            {"s": ours[i : i + 1]}, {"s": theirs[i : i + 1]}, ClassLabel(int(labels[i])), None
        )
    result = tally.result(0)
    assert result is not None
    top1, top5, agreed = result.metrics
    for metric, k in ((top1, 1), (top5, 5)):
        right = [
            np.array([label in np.argsort(-s)[:k] for s, label in zip(side, labels, strict=True)])
            for side in (ours, theirs)
        ]
        assert metric.original == right[0].mean()
        assert metric.candidate == right[1].mean()
        assert metric.delta == right[1].mean() - right[0].mean()
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low < metric.delta < metric.high
        assert metric.n == 60
        if k == 1:
            assert result.flips is not None
            assert result.flips.gained == int((right[1] & ~right[0]).sum())
            assert result.flips.lost == int((right[0] & ~right[1]).sum())
    assert agreed.candidate == (ours.argmax(1) == theirs.argmax(1)).mean()


def test_offset_skips_the_background() -> None:
    tally = Classification("s", offset=1).tally()
    for out in _outputs([3, 3, 1]):
        tally.add(out, out, ClassLabel(2), None)
    result = tally.result(0)
    assert result is not None
    assert result.metrics[0].original == pytest.approx(2 / 3)


def test_a_model_against_itself() -> None:
    tally = Classification("s").tally()
    for out, label in zip(_outputs([0, 1, 2, 2]), [0, 1, 1, 2], strict=True):
        tally.add(out, out, ClassLabel(label), None, moved=out)
    result = tally.result(0)
    assert result is not None
    for metric in result.metrics[:2]:
        assert (metric.delta, metric.low, metric.high) == (0, 0, 0)
    assert result.metrics[2].candidate == 1
    assert result.metrics[2].floor == 1
    assert result.flips is not None
    assert result.flips.p == 1


def test_a_clear_loss_is_one() -> None:
    tally = Classification("s").tally()
    for i in range(40):
        ours, theirs = _outputs([1, 2 if i % 2 else 1])
        tally.add(ours, theirs, ClassLabel(1), None)
    result = tally.result(0)
    assert result is not None
    top1 = result.metrics[0]
    assert top1.delta == -0.5
    assert top1.high is not None
    assert top1.high < 0
    assert result.flips is not None
    assert result.flips.lost == 20
    assert result.flips.p < 1e-5


def test_floor_and_merging() -> None:
    whole, first, second = (Classification("s").tally() for _ in range(3))
    outs = _outputs([0, 1, 2, 3])
    others = _outputs([0, 1, 2, 4])
    moved = _outputs([0, 5, 2, 3])
    for i in range(4):
        truth = ClassLabel(i) if i % 2 else None
        for tally in (whole, first if i < 2 else second):
            tally.add(outs[i], others[i], truth, None, moved[i])
    first.merge(second)
    result = whole.result(0)
    assert result is not None
    assert first.result(0) == result
    assert (result.samples, result.labelled) == (4, 2)
    agreed = result.metric("agreement")
    assert agreed is not None
    assert (agreed.candidate, agreed.floor, agreed.floor_n) == (0.75, 0.75, 4)


def test_without_labels_there_is_agreement_alone() -> None:
    tally = Classification("s").tally()
    assert tally.result(0) is None
    for out in _outputs([0, 1]):
        tally.add(out, out, None, None)
    result = tally.result(0)
    assert result is not None
    assert [m.name for m in result.metrics] == ["agreement"]
    assert result.flips is None


def test_nan_scores_are_wrong_and_said() -> None:
    tally = Classification("s").tally()
    good = {"s": np.array([[1.0, 0.0]])}
    bad = {"s": np.array([[1.0, np.nan]])}
    tally.add(good, bad, ClassLabel(0), None)
    tally.add(good, good, ClassLabel(0), None)
    tally.add(bad, bad, ClassLabel(0), None)
    result = tally.result(0)
    assert result is not None
    assert (result.metrics[0].original, result.metrics[0].candidate) == (2 / 3, 1 / 3)
    agreed = result.metric("agreement")
    assert agreed is not None
    assert (agreed.candidate, agreed.n) == (0.5, 2)
    assert result.samples == 3
    assert "candidate gave NaN scores on 2 samples" in result.notes[1]


@pytest.mark.parametrize(("index", "offset"), [(7, 0), (6, 1), (-1, 0)])
def test_labels_beyond_the_classes_change_nothing(index: int, offset: int) -> None:
    tally = Classification("s", offset).tally()
    (out,) = _outputs([0])
    with pytest.raises(DataError, match="none of the 7 classes"):
        tally.add(out, out, ClassLabel(index), None)
    assert tally.result(0) is None


def test_two_class_counts_are_refused() -> None:
    tally = Classification("s").tally()
    with pytest.raises(DataError, match="other shapes"):
        tally.add({"s": np.zeros((1, 3))}, {"s": np.zeros((1, 4))}, None, None)


def test_rows_of_a_batch() -> None:
    batch = {"s": np.arange(6).reshape(2, 3), "t": np.zeros(3)}
    found = one_sample(batch, 1, 2)
    assert found["s"].tolist() == [[3, 4, 5]]
    assert found["t"].shape == (3,)
    assert one_sample(batch, 0, 1)["s"].shape == (2, 3)
