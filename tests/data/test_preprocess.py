import numpy as np
import pytest

from onnxpad.data.plan import InputPlan, plans
from onnxpad.data.preprocess import PRESETS, Preprocess, undeclared
from onnxpad.data.preprocess_syntax import parse_preprocess
from onnxpad.errors import DataError, UsageError
from onnxpad.runtime import TensorInfo


def plan(dtype: str = "float32", channels: int = 3, size: int = 32) -> InputPlan:
    return next(plans((TensorInfo("x", dtype, (1, channels, size, size)),)))[0]


# values


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("unit", 0, 1),
        ("raw", 0, 255),
        ("tf", -1, 1),
        ("signed", -128, 127),
        ("efficientnet_lite", -127 / 128, 1),
        ("yolox", 0, 255),
        ("yolo", 0, 1),
        ("imagenet", -0.485 / 0.229, (1 - 0.406) / 0.225),
        ("caffe", -123, 151),
        ("scale=1/128,mean=1", -1, 127 / 128),
    ],
)
def test_ranges(text: str, low: float, high: float) -> None:
    assert parse_preprocess(text).range() == pytest.approx((low, high))


def test_each_channel_has_its_own_numbers() -> None:
    pixels = np.full((2, 2, 3), 255.0)
    found = PRESETS["imagenet"].values(pixels)
    expected = (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(found[0, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(PRESETS["imagenet"].pixels(found), pixels, rtol=1e-12)


def test_presets_bear_their_names() -> None:
    assert all(parse_preprocess(name) is preset for name, preset in PRESETS.items())
    assert all(
        f"    {name} " in str(__import__(Preprocess.__module__, fromlist=["x"]).__doc__)
        for name in PRESETS
    )


def test_undeclared_keeps_integers_and_scales_floats() -> None:
    assert undeclared(plan()).range() == (0, 1)
    assert undeclared(plan("float16")).range() == (0, 1)
    assert undeclared(plan("uint8")).range() == (0, 255)
    assert undeclared(plan("int8")).range() == (-128, 127)
    assert not undeclared(plan()).declared


# what it says


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unit", "unit: RGB, stretched to 32×32, bilinear, x/255, 0..1 as float32"),
        ("raw", "raw: RGB, stretched to 32×32, bilinear, 0..255 as float32"),
        (
            "yolox",
            "yolox: BGR, letterbox 32×32 at the top left on 114, bilinear, 0..255 as float32",
        ),
        (
            "imagenet",
            (
                "imagenet: RGB, short side to 37, then the centre 32×32, bilinear, (x/255 − 0.485 "
                "0.456 0.406) / 0.229 0.224 0.225, -2.12..2.64 as float32"
            ),
        ),
        (
            "efficientnet_lite",
            (
                "efficientnet_lite: RGB, the centre 87.5 % resized to 32×32, bicubic, "
                "(x − 127) / 128, -0.992..1 as float32"
            ),
        ),
        (
            "bgr,resize=none,mean=128",
            "declared: BGR, the centre 32×32 pixels as they are, x − 128, -128..127 as float32",
        ),
    ],
)
def test_description(text: str, expected: str) -> None:
    assert parse_preprocess(text).describe(plan()) == expected


# what cannot be


@pytest.mark.parametrize(
    ("text", "dtype", "channels", "words"),
    [
        ("imagenet", "float32", 1, "takes 1 channels, which RGB does not have; declare gray or y"),
        ("y", "float32", 3, "takes 3 channels, which Y of YCbCr does not have; declare rgb or bgr"),
        ("mean=1:2:3", "float32", 1, "takes 1 channels, but mean has 3 numbers"),
        ("std=1:2", "float32", 3, "takes 3 channels, but std has 2 numbers"),
        ("unit", "uint8", 3, "takes uint8, but the values go from 0 to 1.*declare raw"),
        ("imagenet", "int8", 3, "almost nothing is left; declare raw"),
        ("raw", "int8", 3, "go from 0 to 255, which it cannot hold; declare signed"),
        ("signed", "uint8", 3, r"go from -128 to 127, which it cannot hold; declare raw"),
        ("scale=1000", "float16", 3, "takes float16, but the values go from 0 to 2.55e.05"),
    ],
)
def test_what_an_input_cannot_take(text: str, dtype: str, channels: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_preprocess(text).check(plan(dtype, channels))


@pytest.mark.parametrize(
    ("text", "dtype", "channels"),
    [
        ("raw", "uint8", 3),
        ("raw", "uint8", 1),
        ("raw", "float16", 4),
        ("signed", "int8", 3),
        ("gray,unit", "float32", 1),
        ("gray", "float32", 3),
        ("raw", "int32", 3),
    ],
)
def test_what_it_can(text: str, dtype: str, channels: int) -> None:
    parse_preprocess(text.replace("gray,unit", "unit,gray")).check(plan(dtype, channels))


# the syntax


def test_a_preset_is_the_start_and_the_rest_differs_from_it() -> None:
    found = parse_preprocess("imagenet, resize=crop:0.875 ,filter=BICUBIC")
    assert (found.resize.kind, found.resize.amount, found.filter) == ("crop", 0.875, "bicubic")
    assert (found.mean, found.colour) == (PRESETS["imagenet"].mean, "rgb")


def test_every_way_to_resize() -> None:
    read = [
        parse_preprocess(f"resize={text}").resize
        for text in (
            "stretch",
            "crop",
            "crop:1/2",
            "short",
            "short:256",
            "letterbox",
            "letterbox:topleft",
            "letterbox:centre:0",
            "letterbox:128",
            "none",
        )
    ]
    assert [(r.kind, r.amount, r.centred, r.fill) for r in read] == [
        ("stretch", 0, True, 0),
        ("crop", 1, True, 0),
        ("crop", 0.5, True, 0),
        ("short", 0, True, 0),
        ("short", 256, True, 0),
        ("letterbox", 0, True, 114),
        ("letterbox", 0, False, 114),
        ("letterbox", 0, True, 0),
        ("letterbox", 0, True, 128),
        ("none", 0, True, 0),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not known; expected a preset .imagenet, "),
        ("imagenett", "'imagenett' is not known; expected a preset .imagenet"),
        ("rgb,imagenet", "'imagenet' is not known; expected a colour"),
        ("mena=1", "'mena' is no key; expected one of resize, filter"),
        ("mean=a", "mean: 'a' is no number; expected one like 1/255"),
        ("mean=1:2:", "mean: '' is no number"),
        ("scale=1/0", "scale: '1/0' is no number"),
        ("scale=nan", "scale: 'nan' is no number"),
        ("scale=0", "must not be 0"),
        ("std=1:0:1", "must not be 0"),
        ("filter=cubic", "filter must be one of nearest, box, bilinear"),
        ("resize=fit", "resize=fit is not known; expected stretch, crop"),
        ("resize=crop:2", "share of a crop must be above 0 and at most 1"),
        ("resize=crop:0", "share of a crop"),
        ("resize=short:2.5", "takes a whole number of pixels"),
        ("resize=short:0", "takes a whole number of pixels"),
        ("resize=short:99999", "1 to 16384"),
        ("resize=letterbox:left", "'left' is no number"),
        ("resize=letterbox:256", "the fill must be a pixel value"),
        ("resize=stretch:3", "is not known"),
        ("rgb\x1b[2J", r"rgb\\x1b"),
    ],
)
def test_bad_texts(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse_preprocess(text)
    assert str(caught.value).isprintable()
