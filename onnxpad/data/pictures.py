"""Picture files: decoded, coloured, fitted into an input. Decoding is pillow's and tifffile's.

Eight-bit pictures stay pillow's; deeper ones become float32 arrays (H, W, C) in 0..255, so that
nothing of their depth is lost. (Pillow itself cuts PNGs of 16 bits *and* colour to eight bits.)
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from onnxpad.data.framing import Frame, Geometry, Size, frame, geometry
from onnxpad.data.preprocess import Preprocess
from onnxpad.runtime import Array
from onnxpad.text import one_line

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)
# A small file can decode to any size: larger pictures than this are skipped before decoding.
MAX_PIXELS = 100_000_000
# Larger ones than this are decoded one at a time, however many threads there are.
_LARGE = 16_000_000
_ONE_LARGE = threading.Lock()
# Luma of RGB as pillow and JPEG weigh it (ITU-R BT.601).
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_TIFF = (".tif", ".tiff")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}

Picture: TypeAlias = Image.Image | Array


class Unreadable(Exception):  # noqa: N818  # never reaches a user: it becomes a skipped sample
    """A picture cannot be used; the text is printable and says why."""


def prepare_pillow() -> None:
    """Load pillow's formats before threads need them, and silence its remarks on odd metadata.

    The filter stays: one that comes and goes while threads decode would not hold for all of them.
    """
    Image.init()
    warnings.filterwarnings("ignore", module=r"PIL\.")


def decode(file: Path) -> Picture:
    """The picture, upright. Raises Unreadable."""
    try:
        return _decode(file)
    except (
        OSError,
        ValueError,
        TypeError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        Image.DecompressionBombError,
    ) as error:
        raise Unreadable(one_line(str(error), 120) or type(error).__name__) from None


def _decode(file: Path) -> Picture:
    try:
        with Image.open(file) as picture:
            if file.suffix.lower() not in _TIFF or not _beyond_pillow(picture):
                _bound(picture.width * picture.height, f"{picture.width}×{picture.height}")
                with _one_at_a_time(picture.width * picture.height):
                    return _upright(picture)
    except UnidentifiedImageError:
        if file.suffix.lower() not in _TIFF:
            raise Unreadable("this is no picture that pillow can read") from None
    return _tiff(file)


def _upright(picture: Image.Image) -> Picture:
    turned = ImageOps.exif_transpose(picture)
    turned.load()
    if not turned.mode.startswith("I"):
        return turned
    return np.asarray(turned).astype(np.float32)[..., None] / 257


def _beyond_pillow(picture: Image.Image) -> bool:
    """Whether a TIFF holds more than pillow keeps: floats, or colours of more than eight bits."""
    bits: Any = getattr(picture, "tag_v2", {}).get(258, (8,))
    deep = max(bits if isinstance(bits, tuple) else (bits,)) > 8
    return picture.mode == "F" or (deep and not picture.mode.startswith("I"))


def _tiff(file: Path) -> Array:
    """The first page of a TIFF by tifffile, upright, as float32 in 0..255."""
    try:
        tifffile: Any = import_module("tifffile")
    except ImportError:
        raise Unreadable("this TIFF needs tifffile: pip install onnxpad[tiff]") from None
    with tifffile.TiffFile(file) as opened:
        page = opened.pages[0]
        shape = tuple(page.shape)
        _bound(prod(shape[:2]), "×".join(map(str, shape)))
        if len(shape) == 2:
            shape = (*shape, 1)
        if len(shape) != 3 or shape[2] not in _MODES:
            raise Unreadable(
                f"a TIFF of {'×'.join(map(str, shape))} is no picture of 1, 3 or 4 channels"
            )
        with _one_at_a_time(prod(shape[:2])):
            values: Array = np.asarray(page.asarray()).reshape(shape)
    return _to_255(values)


def _to_255(values: Array) -> Array:
    if values.dtype.kind == "u":
        return values.astype(np.float32) * np.float32(255 / np.iinfo(values.dtype).max)
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind != "f" or not (low >= 0 and high <= 1):
        raise Unreadable(
            f"its {values.dtype} pixels go from {low:.4g} to {high:.4g}; expected unsigned "
            "integers or floats in 0..1 (give other samples as .npy)"
        )
    return values.astype(np.float32) * np.float32(255)


def _bound(pixels: int, told: str) -> None:
    if pixels > MAX_PIXELS:
        raise Unreadable(f"{told} pixels are too many")


@contextmanager
def _one_at_a_time(pixels: int) -> Iterator[None]:
    if pixels <= _LARGE:
        yield
        return
    with _ONE_LARGE:
        yield


def size_of(picture: Picture) -> Size:
    """Height and width."""
    if isinstance(picture, Image.Image):
        return picture.height, picture.width
    return int(picture.shape[0]), int(picture.shape[1])


def fit(picture: Picture, how: Preprocess, size: Size, channels: int) -> tuple[Array, Geometry]:
    """Pixels (H, W, C) in 0..255, in the channel order of `how`, and where the picture lies.

    Raises Unreadable when the picture does not fit.
    """
    source = size_of(picture)
    steps = frame(how.resize, source, size)
    if isinstance(steps, str):
        raise Unreadable(steps)
    part = _part(_coloured(picture, how, channels), steps, Image.Resampling[how.filter.upper()])
    return _place(part, steps.at, size, how.resize.fill), geometry(steps, source, size)


def _coloured(picture: Picture, how: Preprocess, channels: int) -> Picture:
    mode = {"gray": "L", "y": "L", "rgb": "RGB", "bgr": "RGB"}.get(how.colour, _MODES[channels])
    if isinstance(picture, Image.Image):
        found = (
            picture.convert("YCbCr").getchannel(0) if how.colour == "y" else picture.convert(mode)
        )
        return _three(found) if how.colour == "gray" and channels == 3 else _turned(found, how)
    values = _deep_coloured(picture, mode)
    if how.colour == "gray":
        return values.repeat(channels, axis=2)
    return values[..., ::-1] if how.colour == "bgr" else values


def _three(picture: Image.Image) -> Image.Image:
    return Image.merge("RGB", [picture] * 3)


def _turned(picture: Image.Image, how: Preprocess) -> Image.Image:
    return Image.merge("RGB", picture.split()[::-1]) if how.colour == "bgr" else picture


def _deep_coloured(values: Array, mode: str) -> Array:
    count = values.shape[2]
    if mode == "L":
        luma: Array = values if count == 1 else (values[..., :3] @ _LUMA)[..., None]
        return luma
    colour = values.repeat(3, axis=2) if count == 1 else values[..., :3]
    if mode == "RGB":
        return colour
    alpha = values[..., 3:] if count == 4 else np.full((*values.shape[:2], 1), 255, values.dtype)
    return np.concatenate([colour, alpha], axis=2)


def _part(picture: Picture, steps: Frame, resample: Image.Resampling) -> Array:
    """The window of the picture at its new size, (h, w, C)."""
    top, left, bottom, right = steps.window
    size, box = (steps.resized[1], steps.resized[0]), (left, top, right, bottom)
    if isinstance(picture, Image.Image):
        part = np.asarray(picture.resize(size, resample, box))
        return part[..., None] if part.ndim == 2 else part
    planes = [
        Image.fromarray(np.ascontiguousarray(picture[..., c])) for c in range(picture.shape[2])
    ]
    resized = np.stack([np.asarray(p.resize(size, resample, box)) for p in planes], axis=-1)
    clipped: Array = np.clip(resized, 0, 255)  # bicubic and lanczos overshoot
    return clipped


def _place(part: Array, at: tuple[int, int], size: Size, fill: float) -> Array:
    """`part` with its corner `at` on a canvas of `size`; what lies beyond is cut off."""
    inner = part[max(-at[0], 0) :, max(-at[1], 0) :][: size[0], : size[1]]
    if inner.shape[:2] == size:
        return inner
    canvas: Array = np.full((*size, part.shape[2]), fill, np.result_type(part, np.float32))
    y, x = max(at[0], 0), max(at[1], 0)
    inner = inner[: size[0] - y, : size[1] - x]
    canvas[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return canvas
