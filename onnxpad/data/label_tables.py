"""Labels of many pictures in one place: class folders, CSV, COCO's JSON."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from onnxpad.data.label_names import Classes, classes, read_names, read_text
from onnxpad.data.label_set import Entries, SizedBoxes, as_it_is, named
from onnxpad.data.labels import Boxes, ClassLabel
from onnxpad.errors import DataError
from onnxpad.text import one_line, printable

MAX_JSON_BYTES = 512 * 2**20
_FILE_WORDS = ("file", "filename", "file_name", "image", "img", "path", "image_path", "name", "id")
_LABEL_WORDS = ("label", "class", "class_id", "target", "category", "y", "label_id", "class_name")


def folders(pictures: Sequence[str], names: Path | None) -> Entries:
    """The first folder of each picture's path is its class. Raises DataError."""
    words = {p: PurePosixPath(p).parts[0] for p in pictures if "/" in p}
    numbered = _numbered(words.values(), names, "class folders")
    entries = {p: ClassLabel(numbered.numbers[word]) for p, word in words.items()}
    return _classes("class folders", entries, numbered)


def table(path: Path, names: Path | None) -> Entries:
    """A CSV file with a column of paths and one of classes. Raises DataError."""
    words: dict[str, str] = {}
    for line, file, word in _rows(path):
        if words.setdefault(file, word) != word:
            raise DataError(
                f"{printable(path.name)}, line {line}: {printable(file, 60)} has a second class, "
                f"{printable(word, 40)}"
            )
    if not words:
        raise DataError(f"{printable(path.name)}: it holds no labels")
    numbered = _numbered(words.values(), names, printable(path.name))
    entries = {file: ClassLabel(numbered.numbers[word]) for file, word in words.items()}
    return _classes(printable(path.name), entries, numbered)


def _numbered(words: Iterable[str], names: Path | None, where: str) -> Classes:
    listed = read_names(names) if names else ()
    return classes(words, listed, where)


def _classes(title: str, entries: dict[str, ClassLabel], numbered: Classes) -> Entries:
    highest = max((label.index for label in entries.values()), default=None)
    return Entries("class", title, entries, as_it_is, numbered.names, highest)


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, file, class of every row. Raises DataError."""
    text = read_text(path)
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count), strict=True)
    columns: tuple[int, int] | None = None
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if columns is None:
                columns, header = _columns(cells)
                if header:
                    continue
            if len(cells) <= max(columns) or not cells[columns[0]] or not cells[columns[1]]:
                raise DataError(
                    f"{printable(path.name)}, line {reader.line_num}: expected a file and a class, "
                    f"found {printable(' | '.join(cells), 60)}"
                )
            yield reader.line_num, cells[columns[0]].replace("\\", "/"), cells[columns[1]]
    except csv.Error as error:
        raise DataError(
            f"{printable(path.name)}, line {reader.line_num}: {one_line(str(error))}"
        ) from None


def _columns(first: list[str]) -> tuple[tuple[int, int], bool]:
    """The columns of file and class, and whether the first row is a header."""
    words = [cell.lower() for cell in first]
    file = next((words.index(w) for w in _FILE_WORDS if w in words), None)
    label = next((words.index(w) for w in _LABEL_WORDS if w in words), None)
    if file is None and label is None:
        return (0, 1), False
    if file is None:
        file = 0 if label else 1
    return (file, (1 if file == 0 else 0) if label is None else label), True


class _Image(BaseModel):
    id: int | str
    file_name: str
    width: int | None = None
    height: int | None = None


_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Annotation(BaseModel):
    image_id: int | str
    category_id: int
    bbox: tuple[_Finite, _Finite, _Finite, _Finite]
    iscrowd: bool = False


class _Category(BaseModel):
    id: int
    name: str = ""


class _Coco(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def coco(path: Path) -> Entries:
    """COCO's annotations; categories are numbered from 0 in the order of their ids.

    Raises DataError.
    """
    name = printable(path.name)
    try:
        found = _Coco.model_validate_json(read_text(path, MAX_JSON_BYTES))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = " ".join(map(str, problem["loc"]))
        raise DataError(
            f"{name}: these are no COCO annotations: {printable(place, 60)}"
            f"{': ' if place else ''}{one_line(problem['msg'], 160)}"
        ) from None
    order = {c: at for at, c in enumerate(sorted({c.id for c in found.categories}))}
    drawn: dict[int | str, list[tuple[tuple[float, ...], int, bool]]] = {
        i.id: [] for i in found.images
    }
    strays, empty = 0, 0
    for at, one in enumerate(found.annotations):
        if one.category_id not in order:
            raise DataError(
                f"{name}: annotation {at} is of category {one.category_id}, which is not listed"
            )
        left, top, wide, high = one.bbox
        strays += one.image_id not in drawn
        empty += wide <= 0 or high <= 0
        if one.image_id in drawn and wide > 0 and high > 0:
            box = (left, top, left + wide, top + high)
            drawn[one.image_id].append((box, order[one.category_id], one.iscrowd))
    entries = {i.file_name.replace("\\", "/"): _boxes(drawn[i.id], i) for i in found.images}
    by_id = {c.id: c.name for c in found.categories}
    names = tuple(by_id[c] for c in order)
    troubles = [
        f"{name}: {count} annotations {what} were left out"
        for count, what in ((strays, "of images that are not listed"), (empty, "of no extent"))
        if count
    ]
    return Entries("boxes", name, entries, as_it_is, names, len(order) - 1, tuple(troubles))


def _boxes(drawn: list[tuple[tuple[float, ...], int, bool]], image: _Image) -> SizedBoxes:
    size = (image.height, image.width) if image.height and image.width else None
    columns = list(zip(*drawn, strict=True)) or [(), (), ()]
    return SizedBoxes(Boxes.of(*map(list, columns)), size)


def no_image(entries: Entries, pictures: Sequence[str]) -> DataError:
    """The error where nothing matches."""
    return DataError(
        f"labels: none of {len(entries.entries)} labels in {entries.title} belongs to an image; "
        f"they name {named(entries.entries)}, the images are {named(pictures)}"
    )
