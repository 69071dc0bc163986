"""The short text for preprocessing, the same on the command line, in the environment and in files.

Items stand between commas: first a preset if there is one, then what differs from it.

    imagenet
    imagenet,resize=crop:0.875,filter=bicubic
    bgr,resize=letterbox:topleft:114
    rgb,resize=short:256,filter=bicubic,mean=127,std=128
    gray,scale=1/255,mean=0.1307,std=0.3081

    rgb | bgr | gray | y            colour; without one as the input's number of channels says
    resize=stretch                  to the input's size, whatever the proportions
    resize=crop[:SHARE]             the centre SHARE (0.875, or 1) of the picture, then to size
    resize=short[:PIXELS]           short side to PIXELS, then the centre
    resize=letterbox[:topleft|centre][:FILL]    whole picture, the rest FILL (114)
    resize=none                     the centre pixels as they are
    filter=nearest|box|bilinear|hamming|bicubic|lanczos
    scale=N mean=N[:N:N] std=N[:N:N]    (pixel · scale − mean) / std, pixels 0..255; N may be 1/255

Layout (channels first or last) and type follow the model's input.
"""

from dataclasses import replace
from math import isfinite
from typing import get_args

from onnxpad.data.framing import Resize
from onnxpad.data.preprocess import PRESETS, Colour, Filter, Preprocess, usable
from onnxpad.errors import UsageError
from onnxpad.text import printable

_COLOURS: dict[str, Colour] = {"rgb": "rgb", "bgr": "bgr", "gray": "gray", "grey": "gray", "y": "y"}
_FILTERS: dict[str, Filter] = {name: name for name in get_args(Filter)}
_KEYS = ("resize", "filter", "scale", "mean", "std")
_PLACES = {"topleft": False, "centre": True, "center": True}


def parse_preprocess(text: str) -> Preprocess:
    """Read the syntax above. Raises UsageError that says what was expected."""
    items = [item.strip() for item in text.split(",")]
    found = Preprocess()
    for at, item in enumerate(items):
        key, equals, value = item.partition("=")
        key, value = key.strip().lower(), value.strip().lower()
        if equals:
            found = _keyed(found, key, value, text)
        elif key in _COLOURS:
            found = replace(found, colour=_COLOURS[key])
        elif key in PRESETS and at == 0:
            found = PRESETS[key]
        else:
            expected = f"a preset ({', '.join(PRESETS)}), " if at == 0 else ""
            raise _wrong(
                text,
                f"'{printable(item, 40)}' is not known; expected {expected}a colour (rgb, bgr, "
                f"gray, y), or KEY=VALUE with one of {', '.join(_KEYS)}",
            )
    reason = usable(found)
    if reason:
        raise _wrong(text, reason)
    return found


def _keyed(found: Preprocess, key: str, value: str, text: str) -> Preprocess:
    if key == "resize":
        return replace(found, resize=_resize(value, text))
    if key == "filter":
        if value not in _FILTERS:
            raise _wrong(text, f"filter must be one of {', '.join(_FILTERS)}")
        return replace(found, filter=_FILTERS[value])
    if key == "scale":
        return replace(found, scale=_number(value, key, text))
    if key in ("mean", "std"):
        numbers = tuple(_number(part, key, text) for part in value.split(":"))
        return replace(found, mean=numbers) if key == "mean" else replace(found, std=numbers)
    raise _wrong(text, f"'{printable(key, 40)}' is no key; expected one of {', '.join(_KEYS)}")


def _resize(value: str, text: str) -> Resize:
    kind, *rest = value.split(":")
    if kind == "stretch" and not rest:
        return Resize()
    if kind == "none" and not rest:
        return Resize("none")
    if kind == "crop" and len(rest) < 2:
        return Resize("crop", _number(rest[0], "resize=crop", text) if rest else 1.0)
    if kind == "short" and len(rest) < 2:
        pixels = _number(rest[0], "resize=short", text) if rest else 0.0
        if pixels != int(pixels) or (rest and pixels < 1):
            raise _wrong(text, "resize=short takes a whole number of pixels")
        return Resize("short", pixels)
    if kind == "letterbox" and len(rest) < 3:
        centred = _PLACES[rest.pop(0)] if rest and rest[0] in _PLACES else True
        if len(rest) < 2:
            fill = _number(rest[0], "resize=letterbox", text) if rest else 114.0
            return Resize("letterbox", centred=centred, fill=fill)
    raise _wrong(
        text,
        f"resize={printable(value, 40)} is not known; expected stretch, crop[:SHARE], "
        "short[:PIXELS], letterbox[:topleft|centre][:FILL] or none",
    )


def _number(value: str, key: str, text: str) -> float:
    """A number or a fraction."""
    top, slash, bottom = value.partition("/")
    try:
        number = float(top) / float(bottom) if slash else float(top)
    except (ValueError, ZeroDivisionError):
        number = float("nan")
    if not isfinite(number):
        raise _wrong(text, f"{key}: '{printable(value, 40)}' is no number; expected one like 1/255")
    return number


def _wrong(text: str, reason: str) -> UsageError:
    return UsageError(f"preprocess '{printable(text, 80)}': {reason}")
