"""Where samples come from: synthetic scenes, a folder of images, or arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from onnxpad.data import synthetic
from onnxpad.data.arrays import ArraySource
from onnxpad.data.sample import Feed, Plans, Skipped, Source, batch_size
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo
from onnxpad.text import printable


@dataclass(frozen=True, slots=True)
class SyntheticSource:
    """Dead leaves and 1/f noise, see onnxpad.data.synthetic."""

    origin: str = "synthetic"
    total: int | None = None

    @property
    def known(self) -> Mapping[str, tuple[int, ...]]:
        """Nothing: scenes come in any size."""
        return {}

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        kinds = {p.role for p in plans}
        words = [
            text
            for role, text in (("scene", "dead-leaves scenes"), ("signal", "1/f noise"))
            if role in kinds
        ]
        return f"synthetic: {' and '.join(words) or 'constants'}"

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """None: that the samples are synthetic stands in the note."""
        del plans
        return ()

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """Scene after scene, for ever."""
        batch = batch_size(plans)
        at = 0
        while True:
            yield Feed(synthetic.feed(plans, seed, at), batch, batch, f"scene {at}")
            at += batch


def open_source(data: Path | None, inputs: tuple[TensorInfo, ...]) -> Source:
    """The source `data` names: None, a folder of images or one image, a .npy or .npz file.

    Raises DataError when it is none of these or does not fit the inputs.
    """
    if data is None:
        return SyntheticSource()
    if data.suffix.lower() in (".npy", ".npz") and data.is_file():
        return ArraySource.open(data, inputs)
    if not data.exists():
        raise DataError(f"data {printable(str(data))}: there is no such file or folder")
    from onnxpad.data.images import ImageSource

    return ImageSource.open(data)
