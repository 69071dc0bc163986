"""A stimulus, what it is pasted on, and the pasting: in values as the model takes them.

Preprocessing maps pixels one by one once a picture has its size, so that pasting values and pasting
pixels are the same thing. A stimulus keeps its own pixels: it is never resized, unless asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from onnxpad.data.arrange import arrange
from onnxpad.data.framing import Resize, Size
from onnxpad.data.pictures import Picture, Unreadable, decode, fit, prepare_pillow, size_of
from onnxpad.data.plan import InputPlan
from onnxpad.data.preprocess import Preprocess, channel_count, input_size
from onnxpad.data.sample import Feed, Plans, Source
from onnxpad.errors import DataError
from onnxpad.runtime import Array
from onnxpad.text import one_line, printable

_GREY = 127.5


@dataclass(frozen=True, slots=True, eq=False)
class Stimulus:
    """What is pasted.

    Attributes:
        size: height and width in pixels of the input.
        front: its values on the input's axes without the batch, times their opacity where there
            is one. under: the share of what lies below it that stays visible; None where nothing
            does.
    """

    size: Size
    front: Array
    under: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Backgrounds:
    """What a stimulus is pasted on.

    Attributes:
        arrays: each on the input's axes with a batch of 1, or without batch. told: what they are.
    """

    arrays: tuple[Array, ...]
    told: str


def read_stimulus(
    file: Path, how: Preprocess, plan: InputPlan, size: Size | None = None
) -> Stimulus:
    """A picture file in its own pixels, or resized; what is transparent in it stays so.

    Raises DataError where it cannot be read or does not fit into the input.
    """
    name = printable(file.name)
    picture = _decoded(file, "stimulus")
    size = size or size_of(picture)
    room = input_size(plan)
    if size[0] > room[0] or size[1] > room[1]:
        raise DataError(
            f"stimulus {name} of {size[0]}×{size[1]} pixels (height × width) does not fit into the "
            f"input's {room[0]}×{room[1]}; give a smaller one, or resize it with --stimulus-size"
        )
    whole = replace(how, resize=Resize("stretch"))
    pixels, _ = fit(picture, whole, size, channel_count(plan))
    values = how.values(pixels)[None]
    opacity = _opacity(picture, size)
    if opacity is None:
        return Stimulus(size, _one(arrange(values, plan), plan))
    cover = opacity[None, :, :, None]
    exact = replace(plan, info=replace(plan.info, dtype="float64"))
    covered = np.broadcast_to(cover, values.shape)
    return Stimulus(
        size,
        _one(arrange(values * cover, exact), plan),
        _one(arrange(1 - covered, exact), plan),
    )


def _opacity(picture: Picture, size: Size) -> Array | None:
    """(h, w) of 0..1; None where the picture covers everything."""
    if not isinstance(picture, Image.Image) or not picture.has_transparency_data:
        return None
    alpha = picture.convert("RGBA").getchannel("A").resize((size[1], size[0]))
    found = np.asarray(alpha, np.float64) / 255
    return None if found.min() == 1 else found


def backgrounds(
    asked: str | None, source: Source, filled: Plans, how: Preprocess, plan: InputPlan,
    most: int, seed: int,
) -> Backgrounds:  # fmt: skip
    """What was asked for: a picture file or a colour; else the first samples; else one colour.

    Without anything the colour is the mean that preprocessing subtracts, mid-grey where it
    subtracts none. Raises DataError.
    """
    if asked is None and source.origin != "synthetic":
        return _samples(source, filled, plan, most, seed)
    size, channels = input_size(plan), channel_count(plan)
    if asked is None:
        subtracted = any(how.mean)
        pixel = how.pixels(np.zeros(channels)) if subtracted else np.full(channels, _GREY)
        pixels = np.broadcast_to(np.clip(pixel, 0, 255), (*size, channels))
        told = "the mean colour of its preprocessing" if subtracted else "mid-grey"
    elif Path(asked).is_file():
        picture = _decoded(Path(asked), "background")
        pixels = _fitted(picture, how, size, channels, asked)
        told = f"the picture {printable(Path(asked).name, 60)}"
    else:
        colour = Image.new("RGB", (size[1], size[0]), _colour(asked))
        pixels = _fitted(colour, replace(how, resize=Resize("stretch")), size, channels, asked)
        told = f"the colour {printable(asked, 20)}"
    return Backgrounds((arrange(how.values(pixels)[None], plan),), told)


def _samples(source: Source, filled: Plans, plan: InputPlan, most: int, seed: int) -> Backgrounds:
    found: list[Array] = []
    for item in source.feeds(filled, seed):
        if isinstance(item, Feed):
            array = item.arrays[plan.info.name]
            if plan.layout is not None and plan.layout.batch is None:
                found.append(array)
            else:
                found += [array[row : row + 1] for row in range(item.count)]
        if len(found) >= most:
            break
    if not found:
        raise DataError("none of the samples can be used as a background")
    told = f"{len(found[:most])} of its samples ({source.note(filled)})"
    return Backgrounds(tuple(found[:most]), told)


def pasted(background: Array, stimulus: Stimulus, places: Sequence[tuple[int, int]],
           plan: InputPlan, rows: int) -> Array:  # fmt: skip
    """A batch of `rows`, the stimulus at another place (y, x) in each.

    Rows without a place are the background. Without a batch axis there is one place.
    """
    layout = plan.layout
    assert layout is not None
    if layout.batch is None:
        batch = background.copy()
        each = [batch]
    else:
        batch = np.repeat(background, rows, axis=0)
        each = list(islice(batch, len(places)))
    shift = 0 if layout.batch is None else 1
    down, along = (axis - shift for axis in layout.spatial)
    (high, wide), whole = stimulus.size, np.dtype(plan.info.dtype).kind in "iu"
    for one, (y, x) in zip(each, places, strict=True):
        cut: list[slice] = [slice(None)] * one.ndim
        cut[down], cut[along] = slice(y, y + high), slice(x, x + wide)
        part = one[tuple(cut)]
        if stimulus.under is None:
            part[...] = stimulus.front
        else:
            mixed = part * stimulus.under + stimulus.front
            part[...] = np.rint(mixed) if whole else mixed
    return batch


def as_picture(array: Array, how: Preprocess, plan: InputPlan) -> Array:
    """(height, width, 3) of uint8: a sample on the input's axes, as a person sees it."""
    layout = plan.layout
    assert layout is not None
    one = array if layout.batch is None else array[0]
    shift = 0 if layout.batch is None else 1
    if layout.channel is None:
        one, last = one[..., None], one.ndim
    else:
        last = layout.channel - shift
    down, along = (axis - shift for axis in layout.spatial)
    pixels = how.pixels(np.transpose(one, (down, along, last)).astype(np.float64))
    pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, axis=2)
    if how.colour == "bgr":
        pixels = pixels[..., ::-1]
    found: Array = np.clip(np.rint(np.nan_to_num(pixels)), 0, 255).astype(np.uint8)
    return found


def _one(array: Array, plan: InputPlan) -> Array:
    """Without the batch axis."""
    assert plan.layout is not None
    return array if plan.layout.batch is None else np.asarray(array[0])


def _decoded(file: Path, role: str) -> Picture:
    prepare_pillow()
    if not file.is_file():
        raise DataError(f"{role} {printable(str(file))}: there is no such file")
    try:
        return decode(file)
    except Unreadable as error:
        raise DataError(f"{role} {printable(file.name)}: {error}") from None


def _fitted(picture: Picture, how: Preprocess, size: Size, channels: int, name: str) -> Array:
    try:
        return fit(picture, how, size, channels)[0]
    except Unreadable as error:
        raise DataError(f"background {printable(name)}: {error}") from None


def _colour(text: str) -> tuple[int, ...]:
    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError:
        raise DataError(
            f"background {printable(one_line(text, 60))!r}: neither a file nor a colour; give a "
            "picture, or a colour such as grey or #7b7468"
        ) from None
