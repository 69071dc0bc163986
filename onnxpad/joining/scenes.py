"""Pictures larger than a model's input: a user's own where they are large enough, else made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from onnxpad.data import synthetic
from onnxpad.data.framing import Resize
from onnxpad.data.plan import InputPlan, main_input
from onnxpad.data.preprocess import Preprocess
from onnxpad.data.sample import Feed, Plans, Skipped, Source
from onnxpad.measure.pair import Array

# Pictures looked at for those that are large enough, and how many must be.
_LOOKED_AT = 24
_ENOUGH = 2


@dataclass(slots=True)
class Scenes:
    """Pictures of one size, endless where they are made.

    Attributes:
        space: spatial sizes. real: whether they are the user's own. skipped: too small, so far.
    """

    space: tuple[int, ...]
    real: bool
    pictures: Iterator[Array]
    skipped: int = 0

    def __iter__(self) -> Iterator[Array]:
        return self.pictures


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where pictures come from, at any size.

    Attributes:
        preprocess: of scenes that are made.
    """

    source: Source
    filled: Plans
    preprocess: Preprocess | None
    seed: int

    @property
    def main(self) -> InputPlan | None:
        """The input that takes them."""
        return main_input(self.filled)

    def fed(self) -> Iterator[tuple[Array, int]]:
        """The samples as they are fed, and how many rows of each are samples."""
        assert self.main is not None
        for item in self.source.feeds(self.filled, self.seed):
            if isinstance(item, Feed):
                yield item.arrays[self.main.info.name], item.count

    def own(self, spaces: Sequence[tuple[int, ...]]) -> Scenes | None:
        """The user's images at the first of these sizes, in their own pixels, that enough have."""
        from onnxpad.data.images import ImageSource

        main, source = self.main, self.source
        if not isinstance(source, ImageSource) or main is None:
            return None
        whole = replace(source.applied(main), resize=Resize("none"))
        images = replace(source, preprocess=whole, label_set=None)
        for space in spaces:
            found = Scenes(space, real=True, pictures=iter(()))
            walk = _usable(images.feeds((sized(main, space),), self.seed), main, found)
            first = [picture for _, picture in zip(range(_ENOUGH), walk, strict=False)]
            if len(first) == min(_ENOUGH, len(source.files)):
                found.pictures = chain(first, walk)
                return found
        return None

    def made(self, space: tuple[int, ...]) -> Scenes:
        """Synthetic scenes of this size, without end."""
        assert self.main is not None
        plan = sized(self.main, space)
        how = self.preprocess
        if how is None and self.source.origin == "images":
            from onnxpad.data.images import ImageSource

            assert isinstance(self.source, ImageSource)
            how = self.source.applied(self.main)

        def scenes() -> Iterator[Array]:
            at = 0
            while True:
                yield synthetic.feed((plan,), self.seed, at, preprocess=how)[plan.info.name]
                at += plan.batch

        return Scenes(space, real=False, pictures=scenes())


def sized(plan: InputPlan, space: tuple[int, ...]) -> InputPlan:
    """The same input with other spatial sizes, left free by the model."""
    assert plan.layout is not None
    shape, declared = list(plan.shape), list(plan.info.shape)
    for axis, size in zip(sorted(plan.layout.spatial), space, strict=True):
        shape[axis], declared[axis] = size, None
    return replace(plan, shape=tuple(shape), info=replace(plan.info, shape=tuple(declared)))


def _usable(feeds: Iterator[Feed | Skipped], main: InputPlan, found: Scenes) -> Iterator[Array]:
    """Pictures of whole feeds; ends where too many of the first are too small."""
    given = 0
    for item in feeds:
        if isinstance(item, Skipped):
            found.skipped += 1
        elif item.count == item.batch or not given:
            given += 1
            yield item.arrays[main.info.name]
        if found.skipped >= _LOOKED_AT and given < _ENOUGH:
            return
