import pickle
from math import log10

import numpy as np
import pytest

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Reference
from onnxpad.errors import DataError
from onnxpad.measure.agreement_shift import shifted
from onnxpad.measure.rings import ring_index
from onnxpad.tasks.image import CAP, ImageToImage, psnr, reference_at
from onnxpad.tasks.ssim import ssim

SIZE = (16, 20)


def images(count: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, *SIZE, channels))


def output(picture: np.ndarray) -> dict[str, np.ndarray]:
    return {"y": picture.transpose(2, 0, 1)[None]}


def test_ssim_by_the_formula() -> None:
    a, b = images(2, 2)
    b = 0.7 * a + 0.3 * b
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for y in range(SIZE[0] - 10):
        for x in range(SIZE[1] - 10):
            for c in range(2):
                p, q = (i[y : y + 11, x : x + 11, c] for i in (a, b))
                mp, mq = (window * p).sum(), (window * q).sum()
                vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
                cov = (window * (p - mp) * (q - mq)).sum()
                values.append(
                    (2 * mp * mq + 1e-4)
                    * (2 * cov + 9e-4)
                    / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4))
                )
    assert ssim(a, b, 1.0) == pytest.approx(np.mean(values), abs=1e-10)
    assert ssim(a * 255, b * 255, 255.0) == pytest.approx(np.mean(values), abs=1e-10)


def test_ssim_of_equal_and_of_small_pictures() -> None:
    (a,) = images(1)
    assert ssim(a, a, 1.0) == 1
    assert ssim(a[:10], a[:10], 1.0) is None
    with pytest.raises(ValueError, match="not two pictures"):
        ssim(a, a[:, 1:], 1.0)


def test_psnr() -> None:
    assert psnr(0.01) == pytest.approx(20)
    assert psnr(0.0) == psnr(1e-11) == CAP
    assert psnr(1e-9) == pytest.approx(90)


def test_against_a_reference() -> None:
    wanted, noise = images(6), images(6, seed=1)
    tally = ImageToImage("y", 1, 1.0, 255.0).tally()
    for i in range(6):
        ours, theirs = (wanted[i] + s * (noise[i] - 0.5) for s in (0.1, 0.2))
        tally.add(output(ours), output(theirs), Reference(wanted[i] * 255), None)
    result = tally.result(0)
    assert result is not None
    metric = result.metric("psnr")
    assert metric is not None
    known = [
        np.mean([-10 * log10(np.square(s * (n - 0.5)).mean()) for n in noise]) for s in (0.1, 0.2)
    ]
    assert metric.original == pytest.approx(known[0])
    assert metric.candidate == pytest.approx(known[1])
    assert metric.delta == pytest.approx(-20 * log10(2))
    assert metric.low == pytest.approx(metric.delta)
    structure = result.metric("ssim")
    assert structure is not None
    assert structure.delta is not None
    assert structure.delta < 0
    index = ring_index(SIZE)
    for part in result.parts:
        inside = index == int(part.label)
        errors = np.square(0.1 * (noise[:, inside] - 0.5))
        assert part.original == pytest.approx(-10 * log10(errors.mean()))
        assert part.n == errors.size
    assert len(result.parts) == index.max() + 1


def test_without_a_reference_the_candidate_stands_against_the_original() -> None:
    first, second = images(2)
    tally = ImageToImage("y").tally()
    tally.add(output(first), output(second), None, None)
    result = tally.result(0)
    assert result is not None
    assert [m.name for m in result.metrics] == ["psnr_between", "ssim_between"]
    assert result.metrics[0].candidate == pytest.approx(
        -10 * log10(np.square(first - second).mean())
    )
    assert result.metrics[0].original is None
    assert result.parts == ()


def test_a_model_against_itself() -> None:
    wanted, given = images(4), images(4, seed=2)
    tally = ImageToImage("y").tally()
    for a, b in zip(wanted, given, strict=True):
        tally.add(output(b), output(b), Reference(a * 255), None, output(b))
    result = tally.result(0)
    assert result is not None
    for name in ("psnr", "ssim"):
        metric = result.metric(name)
        assert metric is not None
        assert (metric.delta, metric.low, metric.high) == (0, 0, 0)
    assert all(part.delta == 0 for part in result.parts)
    between = result.metric("psnr_between")
    assert between is not None
    assert (between.candidate, between.low, between.high) == (CAP, CAP, CAP)


def test_floor_of_a_net_that_moves_with_its_input() -> None:
    (given,) = images(1)
    moved = shifted(output(given)["y"], (2, 3))
    tally = ImageToImage("y").tally()
    tally.add(output(given), output(given), None, None, {"y": moved})
    result = tally.result(0)
    assert result is not None
    assert (result.metrics[0].floor, result.metrics[0].floor_n) == (CAP, 1)


def test_merging_is_adding_one_after_the_other() -> None:
    wanted, given = images(5), images(5, seed=2)
    whole, first, second = (ImageToImage("y").tally() for _ in range(3))
    for i in range(5):
        for tally in (whole, first if i < 2 else second):
            tally.add(output(given[i]), output(wanted[i] * 0.9), Reference(wanted[i] * 255), None)
    first = pickle.loads(pickle.dumps(first))
    first.merge(second)
    found, known = first.result(0), whole.result(0)
    assert found is not None
    assert known is not None
    assert found.metrics == known.metrics
    for part, other in zip(found.parts, known.parts, strict=True):  # sums in another order
        assert part.original == pytest.approx(other.original, rel=1e-12)


@pytest.mark.parametrize(
    ("channel", "shape"), [(1, (1, 3, 16, 20)), (3, (1, 16, 20, 3)), (None, (1, 16, 20))]
)
def test_layouts(channel: int | None, shape: tuple[int, ...]) -> None:
    shown = ImageToImage("y", channel, 2.0).picture({"y": np.ones(shape, np.float16)})
    assert shown.shape == (16, 20, 1 if channel is None else 3)
    assert (shown == 0.5).all()


def test_references_of_every_layout() -> None:
    (wanted,) = images(1)
    for form in (wanted, wanted.transpose(2, 0, 1), wanted[None]):
        assert np.array_equal(reference_at(form, (*SIZE, 3), None, 1.0), wanted)
    grey = reference_at(wanted, (*SIZE, 1), None, 1.0)
    assert grey[0, 0, 0] == pytest.approx(wanted[0, 0] @ [0.299, 0.587, 0.114])
    assert reference_at(wanted[..., 0], (*SIZE, 1), None, 1.0).shape == (*SIZE, 1)


def test_references_are_cut_as_the_picture_was() -> None:
    wanted = np.random.default_rng(0).random((40, 60, 3))
    view = Geometry((20, 30), (8, 10), (1.0, 1.0), (-6.0, -10.0))
    found = reference_at(wanted, (16, 20, 3), view, 1.0)
    assert np.array_equal(found, wanted[12:28, 20:40])
    resized = Geometry((20, 30), (8, 10), (0.4, 1 / 3), (0.0, 0.0))
    with pytest.raises(DataError, match="the reference is 40×60×3 and the output 16×20×3"):
        reference_at(wanted, (16, 20, 3), resized, 1.0)


def test_what_does_not_fit_changes_nothing() -> None:
    tally = ImageToImage("y").tally()
    (given,) = images(1)
    bad = output(given * np.nan)
    with pytest.raises(DataError, match="NaN"):
        tally.add(output(given), bad, None, None)
    with pytest.raises(DataError, match="no picture"):
        tally.add({"y": np.zeros((1, 3))}, {"y": np.zeros((1, 3))}, None, None)
    with pytest.raises(DataError, match="the reference is"):
        tally.add(output(given), output(given), Reference(given[1:]), None)
    assert tally.result(0) is None
