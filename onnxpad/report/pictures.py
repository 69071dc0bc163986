"""Small pictures as data URIs, so that a page needs no other file."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onnxpad.comparison import Picture
from onnxpad.text import printable


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture with its caption, as the page shows it: name and (caption, data URI, w, h)."""

    name: str
    parts: tuple[tuple[str, str, int, int], ...]


def shown(picture: Picture) -> Shown:
    """Original, candidate and their difference. Raises ValueError for arrays of other shapes."""
    arrays = (
        ("original", picture.original),
        ("candidate", picture.candidate),
        ("difference", picture.difference),
    )
    parts = tuple((what, data_uri(a), a.shape[1], a.shape[0]) for what, a in arrays)
    return Shown(printable(picture.name), parts)


def data_uri(array: NDArray[np.uint8]) -> str:
    """A PNG of (H, W) or (H, W, 3). Raises ValueError for other shapes and types."""
    colour = array.ndim == 3 and array.shape[2] == 3
    if array.dtype != np.uint8 or not (array.ndim == 2 or colour) or not array.size:
        raise ValueError(f"no picture: {array.dtype} of {array.shape}")
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(stream.getvalue()).decode()
