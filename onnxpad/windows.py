"""The window ops of a model with all that is padded in front of them: what each one reads."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from onnxpad import ops
from onnxpad.geometry import Reading, Window, read_axis
from onnxpad.pad_sites import border
from onnxpad.records import PaddingSite, ScopePath, Survey
from onnxpad.scopes import Scope, identities
from onnxpad.values import Values, attributes
from onnxpad.window_sites import size_of, spatial_axes


@dataclass(frozen=True, slots=True)
class WindowAxis:
    """One spatial axis of a window op.

    Attributes:
        axis: index in the op's data.
        size: real elements, before any padding; None where it depends on the input.
        begin, end: invented elements, those of explicit Pads in front included; None where
            unknown.
        window: None where the kernel is unknown.
        ceil: whether a last window may hang over the end (ceil_mode).
    """

    axis: int
    size: int | None
    begin: int | None
    end: int | None
    window: Window | None
    ceil: bool = False

    @property
    def reading(self) -> Reading | None:
        """What is read of it; None where that is unknown, or no window fits."""
        if self.size is None or self.begin is None or self.end is None or self.window is None:
            return None
        return read_axis(self.size, self.window, self.begin, self.end, ceil=self.ceil)


@dataclass(frozen=True, slots=True)
class WindowUse:
    """A window op, its geometry, and the sites whose padding it reads.

    Attributes:
        identity: graph path and node name.
        scope: path of the graph that holds it.
        node: its first output.
        op: the operator as it is shown.
        conv: a convolution, else a pool.
        source: the tensor it slides over (padded already where a Pad stands in front).
        dtype: ONNX element type of that tensor, 0 where unknown.
        axes: every spatial axis, padded or not.
        sites: the padding sites it reads, its own last.
    """

    identity: str
    scope: ScopePath
    node: str
    op: str
    conv: bool
    source: str
    dtype: int
    axes: tuple[WindowAxis, ...]
    sites: tuple[PaddingSite, ...]

    @property
    def strided(self) -> bool:
        """Whether it steps by more than 1 with a window of more than 1 element along any axis."""
        known = [a.window for a in self.axes if a.window is not None]
        return any(w.stride > 1 for w in known) and any(w.extent > 1 for w in known)


def window_uses(scopes: Iterable[Scope], survey: Survey) -> tuple[WindowUse, ...]:
    """Every window op, in the order of the nodes, outer graphs before inner ones."""
    readers: dict[tuple[ScopePath, str], list[PaddingSite]] = {}
    for site in survey.sites:
        for reader in site.readers:
            readers.setdefault((site.scope, reader), []).append(site)
    return tuple(use for scope in scopes for use in _uses(scope, readers))


def _uses(
    scope: Scope, readers: dict[tuple[ScopePath, str], list[PaddingSite]]
) -> Iterator[WindowUse]:
    names, values = identities(scope), Values()
    for position, node in enumerate(scope.nodes):
        op = ops.window_op(node)
        if op is None or not node.output or not node.input:
            continue
        own = node.output[0]
        sites = sorted(readers.get((scope.path, own), ()), key=lambda site: site.node == own)
        yield WindowUse(
            names[position], scope.path, own, ops.op_name(node), op.conv, node.input[0],
            scope.info(node.input[0]).dtype,
            _axes(scope, position, op, [(s, _seen(scope, values, s, position)) for s in sites]),
            tuple(sites),
        )  # fmt: skip


def _seen(scope: Scope, values: Values, site: PaddingSite, reader: int) -> tuple[int, ...]:
    """A site's padded axes as a window op sees them, behind a Transpose for example."""
    own = tuple(a.axis for a in site.axes)
    if site.node in scope.nodes[reader].output:
        return own
    return dict(border(scope, values, site.node, own, site.mode).readers).get(reader, own)


def _axes(
    scope: Scope,
    position: int,
    op: ops.WindowOp,
    sites: Sequence[tuple[PaddingSite, tuple[int, ...]]],
) -> tuple[WindowAxis, ...]:
    node = scope.nodes[position]
    given = attributes(node)
    windows = ops.windows(scope, node, op, given)
    shape = scope.info(node.input[0]).shape
    spatial = spatial_axes(node, op, windows, given, shape) or ()
    ceil = not op.conv and bool(given.get("ceil_mode", 0))
    found = []
    for i, axis in enumerate(spatial):
        padded = [
            (a, site)
            for site, seen in sites
            for a, theirs in zip(site.axes, seen, strict=True)
            if theirs == axis
        ]
        begin = _sum(a.begin for a, _ in padded)
        end = _sum(a.end for a, _ in padded)
        # what explicit Pads add is in the op's data already: the first of them saw the real size
        before = next((a for a, site in padded if site.node != node.output[0]), None)
        size = size_of(shape, axis) if before is None else before.size
        found.append(WindowAxis(axis, size, begin, end, windows[i] if windows else None, ceil))
    return tuple(found)


def _sum(amounts: Iterable[int | None]) -> int | None:
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
