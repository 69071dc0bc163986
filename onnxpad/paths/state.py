"""What is known on the way back through a graph, and the way to add to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from onnx import NodeProto

from onnxpad.paths.counts import Counts, added, uniform
from onnxpad.paths.roles import Roles, sizes
from onnxpad.records import PaddingSite
from onnxpad.scopes import Scope
from onnxpad.values import Values


class NoPathsError(Exception):
    """Paths cannot be counted in this graph; says why."""


@dataclass(slots=True)
class Walk:
    """What is known on the way back.

    Attributes:
        sites: by the first output of the node that pads.
        mode: what zero padding of convolutions is replaced by; None leaves every site as it is.
        live: tensors that depend on the main input.
        found: paths from each tensor so far.
        notes: what could not be followed exactly, and at how many nodes.
    """

    scope: Scope
    values: Values
    roles: Mapping[str, Roles]
    sites: Mapping[str, PaddingSite]
    mode: str | None
    live: frozenset[str]
    found: dict[str, Counts] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def sizes(self, name: str) -> tuple[int, tuple[int, ...]] | None:
        """(channels, spatial sizes) of a map, None where it is none."""
        return sizes(self.scope, name, self.roles)

    def note(self, what: str) -> None:
        """Count something that was not followed exactly."""
        self.notes[what] = self.notes.get(what, 0) + 1

    def mode_of(self, site: PaddingSite | None) -> str:
        """What a site invents in this walk."""
        if site is None:
            return "zero"
        if self.mode is not None and site.conv and site.mode.name == "zero":
            return self.mode
        # of the value of a constant, as of minus infinity, no path goes back to the image
        return site.mode.name if site.conv else "zero"

    def partial_in_front(self, reader: str) -> list[PaddingSite]:
        """The Pads whose padding this convolution reads, if it is to be a partial convolution."""
        if self.mode != "partial":
            return []
        explicit = (site for site in self.sites.values() if site.node != reader)
        return [s for s in explicit if reader in s.readers and self.mode_of(s) == "partial"]

    def give(self, name: str, counts: Counts) -> None:
        """Add paths to a tensor, in its own shape."""
        if name not in self.live:
            return
        own = self.sizes(name)
        if own is None:
            if counts.space:
                counts = uniform(counts, 1, ())
        elif (counts.channels, counts.space) != own:
            if counts.space:
                self.note("positions are lost in a change of shape")
            counts = uniform(counts, *own)
        held = self.found.get(name)
        self.found[name] = counts if held is None else added(held, counts)


Rule = Callable[[Walk, NodeProto, Counts], None]
