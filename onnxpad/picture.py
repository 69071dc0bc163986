"""Which input of a model is its picture, volume or signal, and which of its axes are spatial."""

from dataclasses import dataclass

from onnx import helper

from onnxpad.data.plan import main_input, plans
from onnxpad.errors import OnnxpadError, UsageError
from onnxpad.runtime import TensorInfo
from onnxpad.scopes import Scope, Shape
from onnxpad.text import printable


@dataclass(frozen=True, slots=True)
class Picture:
    """The input that holds the data.

    Attributes:
        name: the model's own, untrusted.
        shape: as declared; symbols and None where free.
        axes: the spatial ones.
        batch: the axis of the batch, None where there is none.
        likely: a size for each spatial axis: declared, else one that encoders are made for.
    """

    name: str
    shape: Shape
    axes: tuple[int, ...]
    batch: int | None
    likely: tuple[int, ...]

    @property
    def size(self) -> tuple[int | None, ...]:
        """Its declared spatial sizes, None where free."""
        found = (self.shape[axis] for axis in self.axes)
        return tuple(size if isinstance(size, int) else None for size in found)

    @property
    def dims(self) -> tuple[int | None, ...]:
        """Its declared sizes, a free batch as one sample, None where free."""
        return tuple(
            size if isinstance(size, int) else 1 if axis == self.batch else None
            for axis, size in enumerate(self.shape)
        )

    def sizes(self, asked: tuple[int, ...]) -> dict[int, int]:
        """A size for each spatial axis. Raises UsageError where the numbers do not fit."""
        if len(asked) == len(self.axes) and min(asked) > 0:
            return dict(zip(self.axes, asked, strict=True))
        words = {1: "one number, its length", 2: "HxW"}.get(len(self.axes), "DxHxW")
        given = "x".join(map(str, asked))
        raise UsageError(
            f"size {given}: the input {printable(self.name)!r} takes {words}, all of them positive"
        )


def find_picture(scope: Scope) -> Picture | None:
    """The picture among the inputs of a main graph, as samples are made for it; None without.

    Args:
        scope: the main graph, with its types and shapes.
    """
    inputs = []
    for value in scope.container.input:
        name = value if isinstance(value, str) else value.name
        info = scope.info(name)
        if name in scope.initializers or not info.dtype or info.shape is None:
            continue
        kind = helper.tensor_dtype_to_np_dtype(info.dtype).name
        inputs.append(TensorInfo(name, kind, info.shape))
    try:
        found = main_input(next(plans(tuple(inputs)), ()))
    except OnnxpadError:  # more elements than could be fed: nothing to resize
        return None
    if found is None or found.layout is None:
        return None
    layout = found.layout
    likely = tuple(found.shape[axis] for axis in layout.spatial)
    return Picture(found.info.name, found.info.shape, layout.spatial, layout.batch, likely)
