"""What a model wants done to a picture before it sees it.

Pixels 0..255 become values by (pixel · scale − mean) / std, channel by channel in the order of
`colour`. The presets are the recipes that published models were trained with:

    imagenet           torchvision, timm: RGB, short side / 0.875, centre, mean and std of ImageNet
    efficientnet_lite  RGB, centre 87.5 %, bicubic, (x − 127) / 128
    tf                 Keras MobileNet, Inception, DeepLab: stretched, x / 127.5 − 1
    caffe              BGR, short side / 0.875, centre, minus ImageNet's means
    unit               stretched, 0..1
    raw                stretched, 0..255
    signed             stretched, whole numbers −128..127, for int8 inputs
    yolox              BGR, letterbox at the top left on 114, 0..255
    yolo               YOLOv5 and later: RGB, letterbox at the centre on 114, 0..1
"""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias

import numpy as np

from onnxpad.data.framing import Resize, Size
from onnxpad.data.plan import InputPlan
from onnxpad.errors import DataError
from onnxpad.runtime import Array
from onnxpad.text import printable

Colour: TypeAlias = Literal["auto", "rgb", "bgr", "gray", "y"]
Filter: TypeAlias = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]

# The channels an input may have for each declared colour; gray is repeated where it has three.
_CHANNELS = {"auto": (1, 3, 4), "rgb": (3,), "bgr": (3,), "gray": (1, 3), "y": (1,)}
_AUTO = {1: "gray", 3: "RGB", 4: "RGBA"}
_WORDS = {"rgb": "RGB", "bgr": "BGR", "gray": "gray", "y": "Y of YCbCr"}
# Integer inputs with fewer steps than this between black and white were given a float's scaling.
_FEWEST_STEPS = 16

_STRETCH = Resize()


@dataclass(frozen=True, slots=True)
class Preprocess:
    """From a picture to the values of an input.

    Attributes:
        resize, filter: how the picture gets the input's size; filters are pillow's, which widen
            when they shrink a picture (no aliasing), nearest excepted.
        scale, mean, std: (pixel · scale − mean) / std; mean and std have one number for all
            channels or one for each, in the order of `colour`.
        colour: "auto" takes gray, RGB or RGBA as the input has 1, 3 or 4 channels; "y" is the luma
            of YCbCr.
        name: of the preset it started from, "" without one.
        declared: False for what is done when nobody said what to do.
    """

    resize: Resize = _STRETCH
    filter: Filter = "bilinear"
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    colour: Colour = "auto"
    name: str = ""
    declared: bool = True

    def check(self, plan: InputPlan) -> None:
        """Raise DataError where the input cannot take what this gives."""
        where = f"preprocessing: input {printable(plan.info.name)}"
        channels = channel_count(plan)
        if channels not in _CHANNELS[self.colour]:
            options = "rgb or bgr" if channels == 3 else "gray or y" if channels == 1 else "auto"
            raise DataError(
                f"{where} takes {channels} channels, which {_WORDS.get(self.colour, 'no picture')} "
                f"does not have; declare {options}, or give the samples as .npy or .npz"
            )
        for word, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (1, channels):
                raise DataError(
                    f"{where} takes {channels} channels, but {word} has {len(numbers)} numbers; "
                    "give one for all or one for each"
                )
        self._check_range(plan, where)

    def _check_range(self, plan: InputPlan, where: str) -> None:
        low, high = self.range()
        dtype = np.dtype(plan.info.dtype)
        told = f"{where} takes {dtype}, but the values go from {low:.4g} to {high:.4g}"
        if dtype.kind == "f" and max(abs(low), abs(high)) > float(np.finfo(dtype).max):
            raise DataError(f"{told}, which it cannot hold")
        if dtype.kind not in "iu":
            return
        if high - low < _FEWEST_STEPS:
            raise DataError(
                f"{told}: rounded to whole numbers almost nothing is left; declare raw (0..255) or "
                "signed (−128..127)"
            )
        bounds = np.iinfo(dtype)
        if low < bounds.min - 0.5 or high > bounds.max + 0.5:
            fitting = "signed (−128..127)" if dtype.kind == "i" else "raw (0..255)"
            raise DataError(f"{told}, which it cannot hold; declare {fitting}")

    def range(self) -> tuple[float, float]:
        """The smallest and the largest value a pixel can become."""
        ends = self.values(np.array([[0.0], [255.0]]))
        return float(ends.min()), float(ends.max())

    def values(self, pixels: Array) -> Array:
        """(…, C) pixels 0..255, channels as `colour` orders them, as float64 values (…, C).

        Also turns a reference picture into the units of the model's input.
        """
        scaled = np.asarray(pixels, np.float64) * self.scale
        found: Array = (scaled - np.array(self.mean)) / np.array(self.std)
        return found

    def pixels(self, values: Array) -> Array:
        """Back from values (…, C) to pixels 0..255."""
        found: Array = (values * np.array(self.std) + np.array(self.mean)) / self.scale
        return found

    def describe(self, plan: InputPlan) -> str:
        """One line: what is done for this input."""
        colour = _WORDS.get(self.colour) or _AUTO.get(channel_count(plan), "channels")
        low, high = self.range()
        parts = (
            colour,
            self.resize.describe(input_size(plan)),
            *((self.filter,) if self.resize.kind != "none" else ()),
            self._formula(),
            f"{low:.3g}..{high:.3g} as {plan.info.dtype}",
        )
        title = self.name or ("declared" if self.declared else "not declared")
        return f"{title}: {', '.join(p for p in parts if p)}"

    def _formula(self) -> str:
        text = "x" if self.scale == 1 else f"x/{1 / self.scale:.6g}"
        shifted, divided = any(self.mean), self.std != (1.0,)
        if shifted:
            text += f" − {_numbers(self.mean)}"
        if divided:
            text = f"({text})" if shifted else text
            text += f" / {_numbers(self.std)}"
        return text if text != "x" else ""


_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (104.0, 117.0, 123.0)
_LETTERBOX = Resize("letterbox", centred=True, fill=114.0)
_CORNER = Resize("letterbox", centred=False, fill=114.0)

PRESETS: dict[str, Preprocess] = {
    p.name: p
    for p in (
        Preprocess(
            Resize("short"),
            scale=1 / 255,
            mean=_IMAGENET_MEAN,
            std=_IMAGENET_STD,
            colour="rgb",
            name="imagenet",
        ),
        Preprocess(
            Resize("crop", 0.875),
            "bicubic",
            mean=(127.0,),
            std=(128.0,),
            colour="rgb",
            name="efficientnet_lite",
        ),
        Preprocess(mean=(127.5,), std=(127.5,), name="tf"),
        Preprocess(Resize("short"), mean=_CAFFE_MEAN, colour="bgr", name="caffe"),
        Preprocess(scale=1 / 255, name="unit"),
        Preprocess(name="raw"),
        Preprocess(mean=(128.0,), name="signed"),
        Preprocess(_CORNER, colour="bgr", name="yolox"),
        Preprocess(_LETTERBOX, scale=1 / 255, colour="rgb", name="yolo"),
    )
}


def undeclared(plan: InputPlan) -> Preprocess:
    """What is done until somebody says what to do: stretched, 0..1; integers keep 0..255."""
    dtype = np.dtype(plan.info.dtype)
    if dtype.kind not in "iu":
        return Preprocess(scale=1 / 255, declared=False)
    return Preprocess(mean=(128.0,) if dtype == np.int8 else (0.0,), declared=False)


def input_size(plan: InputPlan) -> Size:
    """Height and width of an input that takes pictures."""
    assert plan.layout is not None
    high, wide = (plan.shape[axis] for axis in plan.layout.spatial)
    return high, wide


def channel_count(plan: InputPlan) -> int:
    """Channels of an input that takes pictures."""
    assert plan.layout is not None
    return 1 if plan.layout.channel is None else plan.shape[plan.layout.channel]


def usable(preprocess: Preprocess) -> str:
    """Why these numbers cannot be used with any input, "" where they can."""
    numbers = (preprocess.scale, *preprocess.mean, *preprocess.std)
    if not all(map(isfinite, numbers)):
        return "scale, mean and std must be finite"
    if not preprocess.scale or not all(preprocess.std):
        return "scale and std must not be 0"
    if preprocess.resize.kind == "crop" and not 0 < preprocess.resize.amount <= 1:
        return "the share of a crop must be above 0 and at most 1"
    if preprocess.resize.kind == "short" and not 0 <= preprocess.resize.amount <= 16384:
        return "the short side must be 1 to 16384 pixels"
    if not 0 <= preprocess.resize.fill <= 255:
        return "the fill must be a pixel value, 0 to 255"
    return ""


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{v:.6g}" for v in values)
