"""Samples from a folder of images, decoded ahead of the models' runs.

Until preprocessing is declared, pictures are resized to the input and scaled to 0..1 (integer
inputs keep 0..255), and the result carries a warning that says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.ahead import ahead, waiting
from onnxpad.data.arrange import arrange
from onnxpad.data.framing import Size
from onnxpad.data.label_set import LabelSet
from onnxpad.data.label_source import open_labels
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.labels import BadLabel, Label, LabelFacts, Reference
from onnxpad.data.pictures import SUFFIXES, Unreadable, decode, fit, prepare_pillow, size_of
from onnxpad.data.plan import InputPlan
from onnxpad.data.plan import plans as make_plans
from onnxpad.data.preprocess import Preprocess, channel_count, input_size, undeclared
from onnxpad.data.sample import Feed, Plans, Sample, Skipped, order
from onnxpad.data.scene_input import asked_size, picture_input
from onnxpad.errors import DataError
from onnxpad.runtime import Array, TensorInfo
from onnxpad.text import printable


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The image files below a folder, sorted by path.

    Attributes:
        preprocess: as declared; None: nobody said what to do.
        known: the shape of the input that takes pictures where a size was asked for.
        threads: that may decode; None for as many as there are cores, four at most.
    """

    root: Path
    files: tuple[Path, ...]
    preprocess: Preprocess | None = None
    label_set: LabelSet | None = None
    known: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    threads: int | None = None
    origin: str = "images"
    endless: bool = False

    @classmethod
    def open(
        cls,
        path: Path,
        inputs: tuple[TensorInfo, ...],
        preprocess: Preprocess | None = None,
        labels: LabelSpec | None = None,
        size: Size | None = None,
        threads: int | None = None,
    ) -> "ImageSource":
        """List the images of a folder and its sub-folders; one image is a folder of one.

        Raises DataError when there are none, when labels cannot be read or match nothing, and when
        the model does not take such pictures.
        """
        prepare_pillow()
        root, files = _listed(path)
        known = asked_size(inputs, size)
        if preprocess is not None:
            preprocess.check(picture_input(next(make_plans(inputs, known))))
        names = [f.relative_to(root).as_posix() for f in files]
        found = open_labels(labels, names) if labels else None
        return cls(root, files, preprocess, found, known, threads)

    @property
    def total(self) -> int | None:
        """How many files."""
        return len(self.files)

    @property
    def labels(self) -> LabelFacts | None:
        """What the labels have in common."""
        return self.label_set.facts if self.label_set else None

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed, how it was made, where the labels are from."""
        plan = picture_input(plans)
        labels = f"; labels: {self.labels.kind}, {self.labels.note}" if self.labels else ""
        return (
            f"images from {printable(str(self.root), 60)}; preprocessing "
            f"{self.applied(plan).describe(plan)}{labels}"
        )

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """That nobody said how the model wants its pictures; labels that match nothing."""
        texts = self.label_set.warnings() if self.label_set else ()
        if self.preprocess is not None:
            return texts
        plan = picture_input(plans)
        high, wide = input_size(plan)
        whole = np.dtype(plan.info.dtype).kind in "iu"
        values = "kept at 0..255" if whole else "scaled to 0..1"
        text = (
            f"preprocessing is not declared: images were resized to {wide}×{high} and {values}, "
            "which may not be what the model was trained on"
        )
        return (text, *texts)

    def applied(self, plan: InputPlan) -> Preprocess:
        """What is done to the pictures for this input."""
        return self.preprocess or undeclared(plan)

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """Each image once; the last feed is filled up with its own first images."""
        plan = picture_input(plans)
        how = self.applied(plan)
        how.check(plan)
        prepare_pillow()
        files = [self.files[index] for index in order(len(self.files), seed)]
        most = waiting(4 * prod(plan.shape))
        ready: list[tuple[Array, Sample]] = []
        decoded = ahead(lambda file: self._read(file, plan, how), files, most, self.threads)
        for item in decoded:
            if isinstance(item, Skipped):
                yield item
                continue
            ready.append(item)
            if len(ready) == plan.batch:
                yield _feed(plans, plan, ready, how, seed)
                ready = []
        if ready:
            yield _feed(plans, plan, ready, how, seed)

    def _read(self, file: Path, plan: InputPlan, how: Preprocess) -> tuple[Array, Sample] | Skipped:
        """Pixels (H, W, C) and what is known of them; runs in threads of its own."""
        path = file.relative_to(self.root).as_posix()
        name = printable(path)
        try:
            picture = decode(file)
            pixels, where = fit(picture, how, input_size(plan), channel_count(plan))
            label = self._label(path, size_of(picture), how)
        except (Unreadable, BadLabel) as error:
            return Skipped(name, str(error))
        return pixels, Sample(name, label, where)

    def _label(self, path: str, size: Size, how: Preprocess) -> Label | None:
        label = self.label_set.label(path, size) if self.label_set else None
        if isinstance(label, Reference) and how.colour == "bgr":
            return Reference(label.array[..., ::-1])
        return label


def _feed(
    plans: Plans,
    plan: InputPlan,
    ready: list[tuple[Array, Sample]],
    how: Preprocess,
    seed: int,
) -> Feed:
    pixels = np.stack([ready[i % len(ready)][0] for i in range(plan.batch)])
    arrays = synthetic.feed(tuple(p for p in plans if p is not plan), seed, 0)
    samples = tuple(sample for _, sample in ready)
    return Feed(
        {**arrays, plan.info.name: arrange(how.values(pixels), plan)},
        len(ready),
        plan.batch,
        samples[0].name,
        samples,
    )


def _listed(path: Path) -> tuple[Path, tuple[Path, ...]]:
    """The folder and its images. Raises DataError."""
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(
                f"data {printable(path.name)}: expected a folder of images, an image, or a "
                ".npy or .npz file"
            )
        return path.parent, (path,)
    files = tuple(sorted(p for p in path.rglob("*") if _is_image(p, path)))
    if not files:
        raise DataError(
            f"data {printable(str(path))}: the folder holds no images "
            f"({', '.join(sorted(s[1:] for s in SUFFIXES))})"
        )
    return path, files


def _is_image(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()
