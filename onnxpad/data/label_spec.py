"""The short text for labels, the same on the command line, in the environment and in files.

    folders[=NAMES.txt]      the sub-folder of a picture is its class
    csv=FILE  FILE.csv       columns file, label; labels are numbers or names
    coco=FILE FILE.json      COCO's annotations: boxes
    yolo=DIR                 one .txt a picture: class x y w h, as shares of the picture
    masks=DIR[,map=MAP]      one picture of class numbers a picture
    references=DIR           one picture a picture: what an image-to-image model should give
    array=FILE FILE.npy      one label a sample, beside samples in an .npy or .npz file

`folders`, `csv` and `masks` also take `,names=FILE`: the class names, one a line, in the order of
their numbers. Without it names are numbered in alphabetical order. MAP says what the numbers in a
mask mean: `5:1,2:2,255:ignore,*:0` (`*`: all others, without it they stay); without a map 255 is
ignored.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from onnxpad.data.labels import IGNORED
from onnxpad.errors import UsageError
from onnxpad.text import printable

Form: TypeAlias = Literal["folders", "csv", "coco", "yolo", "masks", "references", "array"]

_FORMS: dict[str, Form] = {
    "folders": "folders",
    "csv": "csv",
    "coco": "coco",
    "yolo": "yolo",
    "masks": "masks",
    "references": "references",
    "array": "array",
}
_SUFFIXES: dict[str, Form] = {".csv": "csv", ".json": "coco", ".npy": "array", ".npz": "array"}
_OPTION = re.compile(r",(?=(?:map|names)=)")
_NAMED: tuple[Form, ...] = ("folders", "csv", "masks")
_EXPECTED = (
    "folders, csv=FILE, coco=FILE, yolo=DIR, masks=DIR, references=DIR, array=FILE, or a .csv, "
    ".json or .npy file"
)


@dataclass(frozen=True, slots=True)
class ValueMap:
    """What the numbers in a mask mean.

    Attributes:
        pairs: number in the file, class (IGNORED: none).
        other: the class of all other numbers; None: they stay as they are.
    """

    pairs: tuple[tuple[int, int], ...] = ((255, IGNORED),)
    other: int | None = None


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """Where labels come from.

    Attributes:
        path: the file or folder; None only for class folders.
        names: a file of class names.
        values: of masks; None where no map was given.
    """

    form: Form
    path: Path | None = None
    names: Path | None = None
    values: ValueMap | None = None

    def within(self, folder: Path) -> "LabelSpec":
        """The same with relative paths taken from `folder`."""
        return replace(
            self,
            path=folder / self.path if self.path else None,
            names=folder / self.names if self.names else None,
        )


def parse_labels(text: str) -> LabelSpec:
    """Read the syntax above. Raises UsageError that says what was expected."""
    head, *options = _OPTION.split(text.strip())
    spec = _head(head, text)
    for option in options:
        key, _, value = option.partition("=")
        if key == "map" and spec.form == "masks":
            spec = replace(spec, values=_value_map(value, text))
        elif key == "names" and spec.form in _NAMED:
            spec = replace(spec, names=Path(value))
        else:
            raise _wrong(text, f"{spec.form} takes no {key}=")
    return spec


def _head(head: str, text: str) -> LabelSpec:
    key, equals, value = head.partition("=")
    form = _FORMS.get(key.strip().lower())
    if form == "folders":
        return LabelSpec(form, names=Path(value) if value else None)
    if form is not None and equals and value:
        return LabelSpec(form, Path(value))
    guessed = _SUFFIXES.get(Path(head).suffix.lower())
    if form is None and guessed is not None:
        return LabelSpec(guessed, Path(head))
    raise _wrong(text, f"expected {_EXPECTED}")


def _value_map(value: str, text: str) -> ValueMap:
    pairs: dict[int, int] = {}
    other: int | None = None
    for item in filter(None, re.split(r"[,\s]+", value)):
        matched = re.fullmatch(r"(\d{1,9}|\*):(\d{1,9}|ignore)", item)
        if matched is None:
            raise _wrong(
                text,
                f"map: '{printable(item, 40)}'; expected NUMBER:CLASS, NUMBER:ignore or *:CLASS",
            )
        target = IGNORED if matched[2] == "ignore" else int(matched[2])
        if matched[1] == "*":
            other = target
        elif pairs.setdefault(int(matched[1]), target) != target:
            raise _wrong(text, f"map: {matched[1]} has two meanings")
    if not pairs and other is None:
        raise _wrong(text, "map: it is empty")
    return ValueMap(tuple(pairs.items()), other)


def _wrong(text: str, reason: str) -> UsageError:
    return UsageError(f"labels '{printable(text, 80)}': {reason}")
