"""What the rules of an audit look at: one model, indexed once, with what is found lazily."""

from dataclasses import dataclass, field
from functools import cached_property

from onnxpad.indexing import index
from onnxpad.model import Model, blaming
from onnxpad.records import Survey
from onnxpad.scopes import Scope
from onnxpad.sites import survey_scopes
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
        size: the size asked about, None for the model's own.
    """

    model: Model
    scopes: tuple[Scope, ...]
    survey: Survey
    targets: tuple[str, ...] = ()
    size: tuple[int, ...] | None = None
    values: Values = field(default_factory=Values)

    @cached_property
    def windows(self) -> tuple[WindowUse, ...]:
        """The window ops, in the order of the nodes."""
        return window_uses(self.scopes, self.survey)

    @property
    def main(self) -> Scope:
        """The main graph."""
        return self.scopes[0]


def subject(
    model: Model, targets: tuple[str, ...] = (), size: tuple[int, ...] | None = None
) -> Subject:
    """Index a model for the rules. Raises ModelError where it is malformed."""
    with blaming(model):
        scopes = index(model.proto, model.folder)
        return Subject(model, scopes, survey_scopes(scopes), targets, size)
