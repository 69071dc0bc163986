"""Labels in a file for each picture: YOLO's text, masks, reference pictures."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from onnxpad.data.framing import Size
from onnxpad.data.label_names import MAX_CLASS, read_names, read_text
from onnxpad.data.label_set import Entries, Entry
from onnxpad.data.label_spec import ValueMap
from onnxpad.data.labels import BadLabel, Boxes, Label, Mask, Reference
from onnxpad.data.pictures import MAX_PIXELS, SUFFIXES, Unreadable, decode
from onnxpad.errors import DataError
from onnxpad.runtime import Array
from onnxpad.text import one_line, printable

MAX_YOLO_BYTES = 4 * 2**20
# Shares of a picture that rounding may carry beyond its border.
_SLACK = 0.01
# Masks looked at to see whether 255 is a class of theirs.
_LOOKED_AT = 4
_INDEXED = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L", "I;16N")


def yolo(folder: Path) -> Entries:
    """One text file a picture; classes.txt, where there is one, holds the names."""
    found = _files(folder, (".txt",))
    names = found.pop("classes.txt", None)
    listed = read_names(names) if names else ()
    return Entries("boxes", _title(folder), found, _read_yolo, listed)


def masks(folder: Path, values: ValueMap | None, names: Path | None) -> Entries:
    """One picture of class numbers a picture. Raises DataError."""
    found = _files(folder, tuple(SUFFIXES))
    if values is None:
        _look_at(list(found.values())[:_LOOKED_AT])
    listed = read_names(names) if names else ()
    read = partial(_read_mask, values=values or ValueMap())
    return Entries("mask", _title(folder), found, read, listed)


def references(folder: Path) -> Entries:
    """One picture a picture."""
    return Entries("reference", _title(folder), _files(folder, tuple(SUFFIXES)), _read_reference)


def _title(folder: Path) -> str:
    return printable(folder.name or str(folder))


def _files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Files by their path below the folder. Raises DataError where there are none."""
    if not folder.is_dir():
        raise DataError(f"labels: there is no folder {printable(str(folder))}")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
    if not files:
        raise DataError(
            f"labels: {printable(str(folder))} holds no files of the kind ({', '.join(suffixes)})"
        )
    return {p.relative_to(folder).as_posix(): p for p in files}


def _read_yolo(entry: Entry, size: Size) -> Label:
    assert isinstance(entry, Path)
    try:
        lines = read_text(entry, MAX_YOLO_BYTES).splitlines()
    except DataError as error:
        raise BadLabel(str(error)) from None
    boxes, ids = [], []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if not cells:
            continue
        found = _yolo_box(cells)
        if isinstance(found, str):
            raise BadLabel(f"{printable(entry.name)}, line {number}: {found}")
        boxes.append(found[1])
        ids.append(found[0])
    shares = np.array(boxes, np.float64).reshape(-1, 4)
    return Boxes.of(shares * (size[1], size[0], size[1], size[0]), ids)


def _yolo_box(cells: list[str]) -> tuple[int, tuple[float, ...]] | str:
    """Class and left, top, right, bottom as shares of the picture, or what is wrong."""
    told = printable(" ".join(cells[:6]), 60)
    polygon = len(cells) >= 7 and len(cells) % 2 == 1
    if len(cells) != 5 and not polygon:
        return f"expected class x y width height, found {told}"
    try:
        index, numbers = int(cells[0]), [float(cell) for cell in cells[1:]]
    except ValueError:
        return f"expected a class number and shares of the picture, found {told}"
    if not 0 <= index < MAX_CLASS:
        return f"class {printable(cells[0], 20)} is out of range"
    if not all(-_SLACK <= n <= 1 + _SLACK for n in numbers):  # NaN fails as well
        return f"expected shares of the picture, 0 to 1, found {told}"
    if polygon:
        xs, ys = numbers[::2], numbers[1::2]
        return index, (min(xs), min(ys), max(xs), max(ys))
    x, y, wide, high = numbers
    return index, (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def _read_mask(entry: Entry, size: Size, values: ValueMap) -> Label:
    assert isinstance(entry, Path)
    found = _numbers(entry)
    if found.shape != size:
        raise BadLabel(
            f"its mask {printable(entry.name)} has {found.shape[1]}×{found.shape[0]} pixels, the "
            f"image {size[1]}×{size[0]}"
        )
    mapped = found.copy() if values.other is None else np.full_like(found, values.other)
    for number, index in values.pairs:
        mapped[found == number] = index
    return Mask(mapped)


def _numbers(file: Path) -> Array:
    """The numbers in a mask, (H, W) int32. Raises BadLabel."""
    name = printable(file.name)
    try:
        with Image.open(file) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise BadLabel(f"its mask {name} has too many pixels")
            if picture.mode not in _INDEXED:
                raise BadLabel(
                    f"its mask {name} holds colours ({picture.mode}); expected one number a pixel "
                    "(modes L, P, I)"
                )
            return np.asarray(picture).astype(np.int32)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        reason = one_line(str(error), 120) or type(error).__name__
        raise BadLabel(f"its mask {name} cannot be read: {reason}") from None


def _look_at(files: list[Path]) -> None:
    """Raise DataError where masks of 0 and 255 leave open what 255 means."""
    seen: set[int] = set()
    for file in files:
        try:
            seen.update(map(int, np.unique(_numbers(file))))
        except BadLabel:
            continue  # named when its picture is read
    if 255 in seen and seen <= {0, 255}:
        raise DataError(
            f"labels: the masks ({printable(files[0].name)} and others) hold 0 and 255 only; say "
            "what 255 means: ,map=255:1 makes it class 1, ,map=255:ignore leaves it out"
        )


def _read_reference(entry: Entry, size: Size) -> Label:
    del size
    assert isinstance(entry, Path)
    try:
        picture = decode(entry)
    except Unreadable as error:
        raise BadLabel(f"its reference {printable(entry.name)}: {error}") from None
    if isinstance(picture, Image.Image):
        grey = picture.mode in ("1", "L", "LA")
        pixels = np.asarray(picture.convert("L" if grey else "RGB"))
        return Reference(pixels[..., None] if grey else pixels)
    return Reference(picture)
