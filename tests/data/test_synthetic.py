from itertools import pairwise

import numpy as np
import pytest

from onnxpad.data.layout import Dim
from onnxpad.data.plan import plans
from onnxpad.data.synthetic import feed
from onnxpad.runtime import Array, TensorInfo


def made(shape: tuple[Dim, ...], dtype: str = "float32", seed: int = 0, sample: int = 0) -> Array:
    chosen = next(plans((TensorInfo("x", dtype, shape),)))
    return feed(chosen, seed, sample)["x"]


SHAPES = [
    (1, 3, 64, 48),
    (1, 64, 48, 3),
    (3, 64, 48),
    (64, 48, 3),
    (1, 1, 16, 16, 16),
    (1, 4000),
    (1, 2, 4000),
    (1, 4000, 2),
    (100,),
    (1, 3, 1, 1),
    (1, 1, 2, 300),
    (1, 7, 9, 9),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int8", "int32"])
def test_shape_type_and_range(shape: tuple[int, ...], dtype: str) -> None:
    values = made(shape, dtype)
    assert values.shape == shape
    assert values.dtype == np.dtype(dtype)
    assert values.flags.c_contiguous
    low, high = {"uint8": (0, 255), "int8": (-128, 127), "int32": (-32768, 32767)}.get(
        dtype, (-1, 1)
    )
    assert low <= values.min()
    assert values.max() <= high
    assert np.isfinite(values).all()


def test_scenes_use_their_range() -> None:
    scene = made((1, 3, 128, 128))
    assert 0 <= scene.min() < 0.1
    assert 0.9 < scene.max() <= 1
    whole = made((1, 3, 128, 128), "uint8")
    np.testing.assert_array_equal(whole, np.rint(made((1, 3, 128, 128), "float64") * 255))
    np.testing.assert_array_equal(whole.astype(int) - 128, made((1, 3, 128, 128), "int8"))


def test_layouts_show_the_same_scene() -> None:
    first = made((1, 3, 64, 48))
    np.testing.assert_array_equal(made((1, 64, 48, 3)).transpose(0, 3, 1, 2), first)
    np.testing.assert_array_equal(made((3, 64, 48)), first[0])


def test_seed_and_number_fix_a_sample_whatever_came_before() -> None:
    np.testing.assert_array_equal(made((2, 3, 32, 32))[1], made((1, 3, 32, 32), sample=1)[0])
    assert not np.array_equal(made((1, 3, 32, 32)), made((1, 3, 32, 32), seed=1))


def test_the_first_scene_stays_what_it_is() -> None:
    """A change of the generator changes every number onnxpad prints: it must be meant."""
    scene = made((1, 1, 16, 16), "uint8")
    assert scene[0, 0, 0, :6].tolist() == FIRST_ROW


FIRST_ROW = [129, 128, 115, 110, 121, 124]


def test_statistics_of_scenes_are_natural() -> None:
    """Spectra of natural images fall as 1/f² in power; borders are like the inside."""
    size, count = 64, 40
    power = np.zeros((size, size))
    mean = np.zeros((size, size))
    edges = np.zeros(size - 1)
    for sample in range(count):
        grey = made((1, 1, size, size), "float64", sample=sample)[0, 0]
        window = np.hanning(size)[:, None] * np.hanning(size)
        power += np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
        mean += grey / count
        edges += np.abs(np.diff(grey, axis=1)).mean(axis=0)
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))) * size
    bands = [(3, 5), (5, 9), (9, 15), (15, 24)]
    levels = [np.log(power[(radius >= a) & (radius < b)].mean()) for a, b in bands]
    middle = [np.log((a + b) / 2) for a, b in bands]
    slope = np.polyfit(middle, levels, 1)[0]
    assert -3 < slope < -1.5
    assert abs(edges[:4].mean() / edges[20:44].mean() - 1) < 0.25
    assert abs(mean[0].mean() - mean[24:40, 24:40].mean()) < 0.15


def test_signals_fall_as_one_over_f_and_do_not_wrap() -> None:
    signals = [made((1, 4096), "float64", sample=i)[0] for i in range(20)]
    power = np.mean([np.abs(np.fft.rfft(s * np.hanning(4096))) ** 2 for s in signals], axis=0)
    bands = [(8, 32), (32, 128), (128, 512), (512, 2000)]
    levels = [power[a:b].mean() * np.sqrt(a * b) for a, b in bands]
    assert all(0.7 < a / b < 1.4 for a, b in pairwise(levels))
    ends = np.mean([abs(s[0] - s[-1]) for s in signals])
    steps = np.mean([np.abs(np.diff(s)).mean() for s in signals])
    assert ends > 2 * steps


def test_roles_with_values_of_their_own() -> None:
    inputs = (
        TensorInfo("audio", "float32", (1, 1000)),
        TensorInfo("state", "float32", (2, None, 4)),
        TensorInfo("sr", "int64", ()),
        TensorInfo("lengths", "int64", (1,)),
        TensorInfo("ids", "int64", (1, 50)),
        TensorInfo("mask", "bool", (1, 4)),
        TensorInfo("training", "bool", ()),
    )
    values = feed(next(plans(inputs)), 0, 0)
    assert values["state"].shape == (2, 1, 4)
    assert not values["state"].any()
    assert values["sr"] == 16000
    assert values["sr"].shape == ()
    assert values["lengths"].tolist() == [1000]
    assert set(values["ids"].ravel()) <= set(range(10))
    assert values["mask"].all()
    assert not values["training"]
