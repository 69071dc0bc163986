"""Samples from a folder of images, read with pillow.

Until preprocessing is declared, pictures are resized to the input and scaled to 0..1 (integer
inputs keep 0..255), and the result carries a warning that says so.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from onnxpad.data import synthetic
from onnxpad.data.plan import InputPlan
from onnxpad.data.sample import Feed, Plans, Skipped, order
from onnxpad.errors import DataError
from onnxpad.text import one_line, printable

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)
# A small file can decode to any size: larger pictures than this are skipped before decoding.
MAX_PIXELS = 100_000_000
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The image files below a folder, sorted by path."""

    root: Path
    files: tuple[Path, ...]
    origin: str = "images"

    @classmethod
    def open(cls, path: Path) -> "ImageSource":
        """List the images of a folder and its sub-folders; one image is a folder of one.

        Raises DataError when there are none.
        """
        if path.is_file():
            if path.suffix.lower() not in SUFFIXES:
                raise DataError(
                    f"data {printable(path.name)}: expected a folder of images, an image, or a "
                    ".npy or .npz file"
                )
            return cls(path.parent, (path,))
        files = tuple(sorted(p for p in path.rglob("*") if _is_image(p, path)))
        if not files:
            raise DataError(
                f"data {printable(str(path))}: the folder holds no images "
                f"({', '.join(sorted(s[1:] for s in SUFFIXES))})"
            )
        return cls(path, files)

    @property
    def total(self) -> int | None:
        """How many files."""
        return len(self.files)

    @property
    def known(self) -> Mapping[str, tuple[int, ...]]:
        """Nothing: images are resized."""
        return {}

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        del plans
        return f"images from {printable(str(self.root), 60)}"

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """That nobody said how the model wants its pictures."""
        plan = _picture_input(plans)
        high, wide = _size(plan)
        whole = np.dtype(plan.info.dtype).kind in "iu"
        values = "kept at 0..255" if whole else "scaled to 0..1"
        text = (
            f"preprocessing is not declared: images were resized to {wide}×{high} and {values}, "
            "which may not be what the model was trained on"
        )
        return (text,)

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """Each image once; the last feed is filled up with its own first images."""
        plan = _picture_input(plans)
        pictures: list[np.ndarray] = []
        name = ""
        for index in order(len(self.files), seed):
            file = self.files[index]
            shown = printable(str(file.relative_to(self.root)))
            picture = _decode(file, _size(plan), _channels(plan))
            if isinstance(picture, str):
                yield Skipped(shown, picture)
                continue
            name = name if pictures else shown
            pictures.append(picture)
            if len(pictures) == plan.batch:
                yield _feed(plans, plan, pictures, name, seed)
                pictures = []
        if pictures:
            yield _feed(plans, plan, pictures, name, seed)


def _feed(plans: Plans, plan: InputPlan, pictures: list[np.ndarray], name: str, seed: int) -> Feed:
    full = np.stack([pictures[i % len(pictures)] for i in range(plan.batch)])
    arrays = synthetic.feed(tuple(p for p in plans if p is not plan), seed, 0)
    return Feed(
        {**arrays, plan.info.name: synthetic.place(full, plan)}, len(pictures), plan.batch, name
    )


def _is_image(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()


def _picture_input(plans: Plans) -> InputPlan:
    """The one input that takes pictures. Raises DataError."""
    scenes = [p for p in plans if p.role == "scene"]
    others = [p for p in plans if p.role == "signal"]
    if len(scenes) != 1 or others or scenes[0].layout is None or len(_size(scenes[0])) != 2:
        told = ", ".join(f"{printable(p.info.name)} {p.shape}" for p in plans)
        raise DataError(
            f"images fit a model with one image input, this one takes {told}; "
            "give the samples as .npy or .npz"
        )
    if _channels(scenes[0]) not in _MODES:
        raise DataError(
            f"input {printable(scenes[0].info.name)} takes {_channels(scenes[0])} channels, "
            "images have 1, 3 or 4; give the samples as .npy or .npz"
        )
    return scenes[0]


def _size(plan: InputPlan) -> tuple[int, ...]:
    assert plan.layout is not None
    return tuple(plan.shape[axis] for axis in plan.layout.spatial)


def _channels(plan: InputPlan) -> int:
    assert plan.layout is not None
    return 1 if plan.layout.channel is None else plan.shape[plan.layout.channel]


def _decode(file: Path, size: tuple[int, ...], channels: int) -> np.ndarray | str:
    """(H, W, C) in 0..1, or the reason why not."""
    try:
        # Pillow warns about strange metadata and large pictures; the latter are measured here.
        with warnings.catch_warnings(), Image.open(file) as picture:
            warnings.simplefilter("ignore")
            if picture.width * picture.height > MAX_PIXELS:
                return f"{picture.width}×{picture.height} pixels are too many"
            ready = _eight_bit(ImageOps.exif_transpose(picture)).convert(_MODES[channels])
            pixels = np.asarray(ready.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        MemoryError,
        Image.DecompressionBombError,
    ) as e:
        return one_line(str(e), 120) or type(e).__name__
    return pixels.reshape(size[0], size[1], channels) / 255.0


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Pictures of 16 bits and more scaled down; pillow itself would cut their bright parts off."""
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.float64)
    return Image.fromarray(np.clip(values / 257.0, 0, 255).round().astype(np.uint8))
