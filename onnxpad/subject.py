"""What the rules of an audit look at: one model, indexed once, with what is found lazily."""

from dataclasses import dataclass, field
from functools import cached_property

from onnxpad.errors import UsageError
from onnxpad.even_sizes import EvenSizes, even_sizes
from onnxpad.indexing import index
from onnxpad.model import Model, blaming
from onnxpad.picture import Picture, find_picture
from onnxpad.reach import Reach, reach
from onnxpad.records import ScopePath, Survey
from onnxpad.scopes import Scope
from onnxpad.shapes import without_weights
from onnxpad.sites import survey_scopes
from onnxpad.sized import confirmed
from onnxpad.sizes import obstacle
from onnxpad.values import Values
from onnxpad.windows import WindowUse, window_uses


@dataclass(frozen=True)
class Subject:
    """A model and everything static that is known of it.

    Attributes:
        model: as it was read; nothing of it is changed.
        scopes: its graphs, with the shapes that hold at the size asked about.
        survey: its padding sites and other Pads.
        targets: runtimes it is to be judged for.
        size: the size asked about, else the model's own; None where any of it is free.
        picture: the input that holds the image, volume or signal; its shape is the model's own.
    """

    model: Model
    scopes: tuple[Scope, ...]
    survey: Survey
    targets: tuple[str, ...] = ()
    size: tuple[int, ...] | None = None
    values: Values = field(default_factory=Values)
    picture: Picture | None = None

    @cached_property
    def even_sizes(self) -> EvenSizes | None:
        """Input sizes near this one without uneven padding; None without a picture."""
        if self.picture is None:
            return None
        return even_sizes(self.model.proto, self.main, self.windows, self.picture, self.size, 2)

    @cached_property
    def windows(self) -> tuple[WindowUse, ...]:
        """The window ops, in the order of the nodes."""
        return window_uses(self.scopes, self.survey)

    @cached_property
    def reach(self) -> Reach:
        """How far zero padding reaches in the main graph; at ``assumed`` where its size is free."""
        size = self.size or self.assumed
        if size is None or self.picture is None:
            return reach(self.main, self.survey, self.values)
        space = self.picture.name, self.picture.sizes(size)
        if self.assumed is None:
            return reach(self.main, self.survey, self.values, space=space)
        scopes = index(self.model.proto, self.model.folder, space)
        return reach(scopes[0], survey_scopes(scopes), Values(), space=space)

    @property
    def assumed(self) -> tuple[int, ...] | None:
        """A likely size for a model of free size that is asked about none; None for others."""
        if self.size is not None or self.picture is None:
            return None
        return self.picture.likely

    @property
    def main(self) -> Scope:
        """The main graph."""
        return self.scopes[0]

    @cached_property
    def by_path(self) -> dict[ScopePath, Scope]:
        """The graphs by their paths, which sites and window ops name."""
        return {scope.path: scope for scope in self.scopes}


def subject(
    model: Model, targets: tuple[str, ...] = (), size: tuple[int, ...] | None = None
) -> Subject:
    """Index a model for the rules, as if its input had the size asked about.

    Raises:
        ModelError: it is malformed.
        UsageError: the model cannot take an input of this size.
    """
    with blaming(model):
        scopes = index(model.proto, model.folder)
        picture = find_picture(scopes[0])
        if size is not None:
            scopes = _resized(model, scopes[0], picture, size)
        elif picture is not None and None not in picture.size:
            size = tuple(n for n in picture.size if n is not None)
        return Subject(model, scopes, survey_scopes(scopes), targets, size, picture=picture)


def _resized(
    model: Model, main: Scope, picture: Picture | None, size: tuple[int, ...]
) -> tuple[Scope, ...]:
    """The scopes with the shapes that hold at another size. Raises UsageError."""
    asked = "x".join(map(str, size))
    if picture is None:
        raise UsageError(
            f"{model.name}: no input of it is an image, volume or signal whose size could be "
            f"{asked}; leave --size out"
        )
    sizes = picture.sizes(size)
    why = obstacle(main, picture.name, picture.dims, sizes)
    bare = without_weights(model.proto)
    if not why and not confirmed(bare, picture.name, picture.axes, picture.size, size):
        why = "onnx's shape inference finds a contradiction there"
    if why:
        raise UsageError(
            f"{model.name}: does not run with an input of {asked}: {why}; ask about a size that it "
            "takes, or export it again for this one"
        )
    return index(model.proto, model.folder, (picture.name, sizes))
