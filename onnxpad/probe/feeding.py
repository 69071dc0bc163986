"""What a model is fed while it is probed: one array for every input, the main one at any size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onnxpad.runtime import Array


@dataclass(frozen=True, slots=True, eq=False)
class Feeding:
    """One feed that is known to run, and which of its arrays holds the picture.

    Attributes:
        main: name of the input whose spatial sizes vary.
        axes: its spatial axes, ascending. channel: its channel axis, None where there is none.
        arrays: an array for every input, at the sizes that run.
    """

    main: str
    axes: tuple[int, ...]
    channel: int | None
    arrays: Mapping[str, Array]

    @property
    def space(self) -> tuple[int, ...]:
        """Spatial sizes of the feed."""
        return tuple(self.arrays[self.main].shape[axis] for axis in self.axes)

    def with_main(self, main: Array) -> dict[str, Array]:
        """The feed with another picture."""
        return {**self.arrays, self.main: main}

    def sized(self, space: Sequence[int]) -> dict[str, Array]:
        """The feed with its picture cut, or repeated, to other spatial sizes."""
        main = self.arrays[self.main]
        for axis, size in zip(self.axes, space, strict=True):
            main = np.take(main, np.arange(size) % main.shape[axis], axis)
        return self.with_main(main)

    def constant(self, values: float | Sequence[float] = 0.0) -> dict[str, Array]:
        """The feed with a picture of one colour: a value for every channel, or one for all."""
        main = self.arrays[self.main]
        colour = np.asarray(values, np.float64)
        if colour.ndim and self.channel is not None:
            shape = [1] * main.ndim
            shape[self.channel] = main.shape[self.channel]
            colour = colour.reshape(shape)
        return self.with_main(np.broadcast_to(colour, main.shape).astype(main.dtype))
