"""The labels of a folder of pictures, each read when its picture is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from onnxpad.data.framing import Size
from onnxpad.data.labels import BadLabel, Boxes, ClassLabel, Kind, Label, LabelFacts
from onnxpad.text import printable

_NAMED = 3


@dataclass(frozen=True, slots=True)
class SizedBoxes:
    """Boxes, and the size of the picture they were drawn in where that is known."""

    boxes: Boxes
    size: Size | None


# What is kept of a label until its picture is read.
Entry: TypeAlias = ClassLabel | SizedBoxes | Path


@dataclass(frozen=True, slots=True)
class Entries:
    """Labels as their files hold them, before they are matched with pictures.

    Attributes:
        entries: by the picture's path as the labels name it.
        read: turns an entry and the picture's size into a label; raises BadLabel.
        title: of the file or folder, printable.
        troubles: printable sentences on what was left out.
    """

    kind: Kind
    title: str
    entries: Mapping[str, Entry]
    read: Callable[[Entry, Size], Label]
    names: tuple[str, ...] = ()
    highest: int | None = None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels matched with pictures.

    Attributes:
        keys: the key of the entry of each picture that has one.
        bare: pictures without a label. unused: labels without a picture.
    """

    source: Entries
    keys: Mapping[str, str]
    bare: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def facts(self) -> LabelFacts:
        """What a task must know."""
        found = self.source
        return LabelFacts(found.kind, found.title, len(self.keys), found.names, found.highest)

    def label(self, picture: str, size: Size) -> Label | None:
        """The label of a picture of this size; None without one. Raises BadLabel."""
        key = self.keys.get(picture)
        return None if key is None else self.source.read(self.source.entries[key], size)

    def warnings(self) -> tuple[str, ...]:
        """Pictures without labels, labels without pictures, labels left out."""
        texts = list(self.source.troubles)
        if self.bare:
            texts.append(
                f"{len(self.bare)} of {len(self.bare) + len(self.keys)} images have no label in "
                f"{self.source.title}: {named(self.bare)}"
            )
        if self.unused:
            texts.append(
                f"{self.source.title}: {len(self.unused)} of {len(self.source.entries)} labels "
                f"belong to no image in the folder: {named(self.unused)}"
            )
        return tuple(texts)


def as_it_is(entry: Entry, size: Size) -> Label:
    """The label of an entry that holds it. Raises BadLabel for boxes of another size."""
    if isinstance(entry, SizedBoxes):
        if entry.size not in (None, size):
            assert entry.size is not None
            raise BadLabel(
                f"its boxes are for {entry.size[1]}×{entry.size[0]} pixels, the image has "
                f"{size[1]}×{size[0]}"
            )
        return entry.boxes
    assert isinstance(entry, ClassLabel)
    return entry


def named(names: Iterable[str]) -> str:
    """The first few names, printable."""
    listed = list(names)
    shown = ", ".join(printable(name, 60) for name in listed[:_NAMED])
    return shown + (", …" if len(listed) > _NAMED else "")
