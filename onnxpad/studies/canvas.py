"""Pictures larger than a model's input, so that crops of them need no invented pixels."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.framing import Resize, Size
from onnxpad.data.images import ImageSource
from onnxpad.data.plan import InputPlan
from onnxpad.data.sample import Feed, Sample, Skipped
from onnxpad.joining.opening import Opened
from onnxpad.joining.scenes import sized
from onnxpad.measure.pair import Array
from onnxpad.measure.resampling import resize_matrix

# A network is usually tested on 224 of 256 pixels: a seventh of the input is room to move in.
_ROOM = 7


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """One run's pictures.

    Attributes:
        picture: of the input's layout, each spatial size larger by the room.
        samples: of its first rows.
    """

    picture: Array
    samples: tuple[Sample, ...]


@dataclass(slots=True)
class Canvases:
    """Larger pictures of a model's samples.

    Attributes:
        room: by how much each spatial size is larger than the input's.
        told: how they were made. skipped: samples that could not be used, so far.
    """

    opened: Opened
    main: InputPlan
    room: tuple[int, ...]
    told: str
    skipped: int = 0

    def __iter__(self) -> Iterator[Canvas]:
        source, filled = self.opened.source, self.opened.filled
        seed = self.opened.request.seed
        if source.origin == "synthetic":
            yield from self._scenes()
        if isinstance(source, ImageSource):
            size = self.space[0], self.space[1]
            how = larger(source.applied(self.main).resize, self._size, size)
            whole = replace(source.applied(self.main), resize=how)
            source = replace(source, preprocess=whole)
            filled = tuple(sized(p, self.space) if p is self.main else p for p in filled)
        for item in source.feeds(filled, seed):
            if isinstance(item, Skipped):
                self.skipped += 1
            else:
                yield self._of(item)

    @property
    def space(self) -> tuple[int, ...]:
        """Spatial sizes of the pictures."""
        assert self.main.layout is not None
        sizes = (self.main.shape[axis] for axis in self.main.layout.spatial)
        return tuple(n + more for n, more in zip(sizes, self.room, strict=True))

    @property
    def _size(self) -> Size:
        assert self.main.layout is not None
        high, wide = (self.main.shape[axis] for axis in self.main.layout.spatial)
        return high, wide

    def _scenes(self) -> Iterator[Canvas]:
        plan, request, at = sized(self.main, self.space), self.opened.request, 0
        while True:
            made = synthetic.feed((plan,), request.seed, at, preprocess=request.preprocess)
            samples = tuple(Sample(f"scene {at + row}") for row in range(plan.batch))
            yield Canvas(made[plan.info.name], samples)
            at += plan.batch

    def _of(self, item: Feed) -> Canvas:
        picture = item.arrays[self.main.info.name]
        samples = (item.samples or (Sample(item.name),))[: item.count]
        assert self.main.layout is not None
        for axis, size in zip(self.main.layout.spatial, self.space, strict=True):
            if picture.shape[axis] != size:
                picture = _resized(picture, axis, size)
        return Canvas(picture, samples)


def canvases(opened: Opened, main: InputPlan) -> Canvases:
    """The samples of a model, larger by a seventh: 256 pixels for an input of 224."""
    assert main.layout is not None
    room = tuple(max(main.shape[axis] // _ROOM, 1) for axis in main.layout.spatial)
    canvas = Canvases(opened, main, room, "")
    size = "×".join(map(str, canvas.space))
    source = opened.source
    if source.origin == "synthetic":
        told = f"out of synthetic scenes of {size}"
    elif isinstance(source, ImageSource):
        how = source.applied(main).resize
        kind = larger(how, canvas._size, (canvas.space[0], canvas.space[1]))
        told = f"out of the images, {kind.describe((canvas.space[0], canvas.space[1]))}"
    else:
        told = f"out of the samples, enlarged to {size} (linear)"
    canvas.told = told
    return canvas


def larger(how: Resize, size: Size, space: Size) -> Resize:
    """How a picture is fitted into `space` so that it looks as it does in `size`, with more around.

    Where a crop of the picture is shown, more of it is, as far as there is more; a picture that is
    shown whole is shown larger.
    """
    if how.kind == "crop":
        share = min(b / a for a, b in zip(size, space, strict=True))
        return replace(how, amount=min(how.amount * share, 1.0))
    if how.kind == "short":
        usual = how.amount or max(round(n * 8 / _ROOM) for n in size)
        return replace(how, amount=max(usual, float(max(space))))
    return how


def _resized(picture: Array, axis: int, size: int) -> Array:
    """Linear along one axis; values of whole numbers stay such."""
    matrix = resize_matrix(picture.shape[axis], size, size / picture.shape[axis], "linear")
    assert matrix is not None
    found = np.moveaxis(np.tensordot(matrix, picture.astype(np.float64), (1, axis)), 0, axis)
    if picture.dtype.kind in "iu":
        found = np.rint(found)
    return np.ascontiguousarray(found, picture.dtype)
