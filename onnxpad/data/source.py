"""Where samples come from: synthetic scenes, a folder of images, arrays, a user's function."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onnxpad.data import synthetic
from onnxpad.data.arrays import ArraySource
from onnxpad.data.framing import Size
from onnxpad.data.functions import FunctionSource
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.labels import LabelFacts
from onnxpad.data.plan import plans
from onnxpad.data.preprocess import Preprocess
from onnxpad.data.sample import Feed, Plans, Sample, Skipped, Source, batch_size
from onnxpad.data.scene_input import asked_size, picture_input
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo
from onnxpad.text import printable

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class SyntheticSource:
    """Dead leaves and 1/f noise, see onnxpad.data.synthetic.

    Attributes:
        preprocess: gives scenes the range a model was trained on; without it they are 0..1.
        known: the shape of the input that takes pictures where a size was asked for.
    """

    preprocess: Preprocess | None = None
    known: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    origin: str = "synthetic"
    total: int | None = None
    endless: bool = True
    labels: LabelFacts | None = None

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        kinds = {p.role for p in plans}
        words = [
            text
            for role, text in (("scene", "dead-leaves scenes"), ("signal", "1/f noise"))
            if role in kinds
        ]
        how = self.preprocess
        values = f"; preprocessing {how.describe(picture_input(plans))}" if how else ""
        return f"synthetic: {' and '.join(words) or 'constants'}{values}"

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """None: that the samples are synthetic stands in the note."""
        del plans
        return ()

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """Scene after scene, for ever."""
        batch = batch_size(plans)
        at = 0
        while True:
            samples = tuple(Sample(f"scene {at + row}") for row in range(batch))
            arrays = synthetic.feed(plans, seed, at, preprocess=self.preprocess)
            yield Feed(arrays, batch, batch, samples[0].name, samples)
            at += batch


def open_source(
    data: Path | str | None,
    inputs: tuple[TensorInfo, ...],
    *,
    preprocess: Preprocess | None = None,
    labels: LabelSpec | None = None,
    size: Size | None = None,
    threads: int | None = None,
) -> Source:
    """The source of samples that `data` names.

    Args:
        data: None for synthetic scenes, a folder of images, an image, a .npy or .npz file, or
            `module:function`.
        inputs: the model's.
        preprocess: what is done to pictures (arrays and functions give what the model takes).
        labels: where the labels are.
        size: height and width of pictures for a model that leaves them free.
        threads: that may decode images; None for as many as there are cores, four at most.

    Raises:
        DataError: it is none of these, or does not fit the inputs.
    """
    if data is None:
        return _synthetic(inputs, preprocess, labels, size)
    path = Path(data)
    if not path.exists():
        if _FUNCTION.fullmatch(str(data)):
            _only_pictures(labels is not None, "labels: a function gives its labels itself")
            _only_pictures(size is not None, "size: a function gives samples of the size it likes")
            return FunctionSource.open(str(data), inputs)
        raise DataError(f"data {printable(str(data))}: there is no such file or folder")
    if path.suffix.lower() in (".npy", ".npz") and path.is_file():
        _only_pictures(size is not None, "size: arrays are used as they are")
        return ArraySource.open(path, inputs, labels, preprocessed=preprocess is not None)
    from onnxpad.data.images import ImageSource

    return ImageSource.open(path, inputs, preprocess, labels, size, threads)


def _synthetic(
    inputs: tuple[TensorInfo, ...],
    preprocess: Preprocess | None,
    labels: LabelSpec | None,
    size: Size | None,
) -> Source:
    _only_pictures(labels is not None, "labels: synthetic scenes have none; give data as well")
    known = asked_size(inputs, size)
    if preprocess is not None:
        preprocess.check(picture_input(next(plans(inputs, known))))
    return SyntheticSource(preprocess, known)


def _only_pictures(given: bool, reason: str) -> None:
    if given:
        raise DataError(reason)
