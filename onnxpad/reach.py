"""How far invented pixels reach: for every map, the positions that padding can influence.

A position is clean if no path leads to it from an invented element (Alsallakh et al. 2021, arXiv
2010.02178: with small inputs no clean centre remains). What is reached is a matter of geometry: it
says where padding *can* show, not how strongly. Channels are not told apart. Values that stand for
a whole map, such as global means, carry a trace of everything everywhere; they are kept apart, as
``Spread.through``, and do not count as reach.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf, log, prod

import numpy as np
from onnx import NodeProto

from onnxpad import ops
from onnxpad.reach_axis import LARGEST, Mask
from onnxpad.reach_ops import COLLAPSING, RULES
from onnxpad.reach_state import Context, LostError, Spread
from onnxpad.records import PaddingSite, Survey
from onnxpad.scopes import Scope, subgraphs
from onnxpad.values import Values


@dataclass(frozen=True, slots=True)
class AxisReach:
    """One spatial axis of a map.

    Attributes:
        axis: index in the map.
        mask: for each of its positions, whether it is reached.
        pixels: input pixels for one position: input size / size; 1 where it cannot be told.
    """

    axis: int
    mask: Mask = field(repr=False, compare=False)
    pixels: float

    @property
    def size(self) -> int:
        """Its positions."""
        return len(self.mask)

    @property
    def share(self) -> float:
        """Reached positions / positions."""
        return float(self.mask.mean()) if self.size else 0.0

    @property
    def ends(self) -> tuple[int, int]:
        """Reached positions in a row from the begin and from the end."""
        clean = (~self.mask).nonzero()[0]
        if not len(clean):
            return self.size, self.size
        return int(clean[0]), self.size - 1 - int(clean[-1])


@dataclass(frozen=True, slots=True)
class MapReach:
    """One map. ``through``: indices of the nodes before it that read a whole map."""

    name: str
    axes: tuple[AxisReach, ...]
    through: frozenset[int]

    @property
    def share(self) -> float:
        """Share of its positions that are reached along any axis."""
        return 1 - prod(1 - a.share for a in self.axes)


@dataclass(frozen=True, slots=True)
class FinalMap:
    """A map that an output is made of.

    Attributes:
        kind: "output"; "rearranged" where an output still holds its positions, in another
            arrangement; "collapsed" where an output sums over them, as a classifier's does.
    """

    map: MapReach
    kind: str

    @property
    def dense(self) -> bool:
        """Whether an output has positions of its own."""
        return self.kind != "collapsed"


@dataclass(frozen=True, slots=True)
class Reach:
    """What was found of a graph.

    Attributes:
        maps: every map behind a window op, by the tensor's name, in the order of the nodes.
        finals: the maps that the outputs are made of.
        whole: indices of the nodes that read a whole map at once -> what they do with it.
        touched: those of them whose map is reached.
        lost: nodes behind which nothing is known, with the reason.
    """

    maps: Mapping[str, MapReach]
    finals: tuple[FinalMap, ...]
    whole: Mapping[int, str]
    touched: frozenset[int]
    lost: Mapping[int, str]


def invents_zeros(site: PaddingSite) -> bool:
    """Whether a site writes a constant of its own: zeros, or another number that windows read."""
    return site.mode.name == "zero" or (site.mode.name == "constant" and site.form == "Pad")


def reach(
    scope: Scope,
    survey: Survey,
    values: Values,
    counts: Callable[[PaddingSite], bool] = invents_zeros,
    *,
    others: bool = True,
    space: tuple[str, Mapping[int, int]] | None = None,
) -> Reach:
    """Follow invented elements through a graph; see the module for what counts.

    Args:
        scope: a graph with the sizes of its tensors; where they are unknown, so is the reach.
        survey: its padding sites, those of other graphs are passed over.
        counts: which sites are followed, zeros and other constants unless given.
        space: the input that holds the picture, its spatial axes and their sizes, where known;
            else they are known from the first window op or padding site on.
        others: follow the constants of Pads that are no sites too, those into a Concat say.
    """
    sites = {site.node: site for site in survey.sites if site.scope == scope.path}
    context = Context(scope, values, sites, counts, others)
    states: dict[str, Spread] = {}
    if space is not None and max(space[1].values(), default=0) <= LARGEST:
        states[space[0]] = Spread({a: np.zeros(n, dtype=bool) for a, n in space[1].items()})
    gone: set[str] = set()  # what comes of a map in a way that is not known
    lost: dict[int, str] = {}
    for index, node in enumerate(scope.nodes):
        if node.op_type in ("Shape", "Size", "Constant"):
            continue
        read = _reads(scope, index, node)
        if read & gone:
            gone.update(node.output)
            continue
        try:
            found = _step(context, index, node, states, read)
        except LostError as error:
            lost[index] = str(error)
            gone.update(node.output)
            continue
        except Exception:  # noqa: BLE001  # an untrusted graph holds any nonsense: not known
            lost[index] = "is not what its operator's document says"
            gone.update(node.output)
            continue
        if found is not None:
            states.update((name, found) for name in node.output if name)
    source = _space(scope, context.first)
    maps = {name: _map(name, s, source) for name, s in states.items() if s.masks}
    return Reach(
        maps, _finals(scope, maps, context.whole), context.whole,
        frozenset(context.touched), lost,
    )  # fmt: skip


_STARTS = (("", "Pad"), ("", "ConvTranspose"))


def _reads(scope: Scope, index: int, node: NodeProto) -> set[str]:
    """Names a node reads, inside its subgraphs too."""
    if next(subgraphs(node), None) is None:
        return set(node.input) - {""}
    return {name for name, readers in scope.consumers.items() if index in readers}


def _step(
    context: Context, index: int, node: NodeProto, states: Mapping[str, Spread], read: set[str]
) -> Spread | None:
    """What is known of a node's outputs; None where they are no maps."""
    known = {name: states[name] for name in read if name in states}
    starts = ops.window_op(node) is not None or ops.key(node) in (
        ("", "Pad"),
        ("", "ConvTranspose"),
    )
    if not known and not starts:
        return None
    if not starts and not any(s.masks for s in known.values()):
        return Spread({}, frozenset().union(*(s.through for s in known.values())))
    if next(subgraphs(node), None) is not None:
        raise LostError("has a graph inside that reads the map")
    domain, op_type = ops.key(node)
    if domain not in ("", ops.MICROSOFT, ops.NCHWC):
        raise LostError("is an operator that is not known")
    rule = RULES.get(op_type)
    if rule is None:
        raise LostError("is an operator whose reach is not known")
    try:
        found = rule(context, index, node, [states.get(name) for name in node.input])
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # an untrusted graph holds any nonsense; sizes are bounded where arrays are made
        raise LostError("is malformed") from None
    site = context.sites.get(node.output[0])
    if site is not None and site.form == "composed" and context.counts(site):
        return _composed(found, site)
    return found


def _composed(found: Spread, site: PaddingSite) -> Spread:
    """The invented ends of a padding made of several nodes."""
    masks = dict(found.masks)
    for axis in site.axes:
        if axis.begin is None or axis.end is None or axis.axis not in masks:
            raise LostError("pads an amount that is not known")
        mask = masks[axis.axis].copy()
        mask[: axis.begin] = True
        mask[len(mask) - axis.end :] = True
        masks[axis.axis] = mask
    return Spread(masks, found.through)


def _map(name: str, spread: Spread, space: tuple[int, ...]) -> MapReach:
    axes = sorted(spread.masks)
    along = space if len(space) == len(axes) else (0,) * len(axes)
    found = []
    for axis, size in zip(axes, along, strict=True):
        mask = spread.masks[axis]
        found.append(AxisReach(axis, mask, size / len(mask) if size else 1.0))
    return MapReach(name, tuple(found), spread.through)


def _space(scope: Scope, first: tuple[int, ...]) -> tuple[int, ...]:
    """Spatial sizes of the input that the first window op sees, itself or rearranged.

    Args:
        first: the sizes that op slides over. Of all inputs, channels first or last, it takes the
            sizes nearest to them.
    """
    found = first
    nearest = inf
    for name in scope.inputs - set(scope.initializers):
        shape = scope.info(name).shape or ()
        for sizes in (shape[2:], shape[1:-1]):
            whole = tuple(d for d in sizes if isinstance(d, int))
            if len(whole) == len(first) == len(shape) - 2:
                far = sum(abs(log(a / b)) for a, b in zip(whole, first, strict=True))
                found, nearest = (whole, far) if far < nearest else (found, nearest)
    return found


def _finals(
    scope: Scope, maps: Mapping[str, MapReach], whole: Mapping[int, str]
) -> tuple[FinalMap, ...]:
    """The nearest maps of more than one position on the way back from the outputs."""
    found: dict[str, str] = {}
    outputs = [o if isinstance(o, str) else o.name for o in scope.container.output]
    queue = [(name, "output") for name in outputs]
    seen: set[tuple[str, str]] = set()
    while queue:
        name, kind = queue.pop(0)
        if (name, kind) in seen:
            continue
        seen.add((name, kind))
        index = scope.producers.get(name)
        if name in maps and any(a.size > 1 for a in maps[name].axes):
            if found.get(name) in (None, "collapsed"):
                found[name] = kind
            continue
        if index is None or scope.nodes[index].op_type in ("Shape", "Size"):
            continue
        collapses = scope.nodes[index].op_type in COLLAPSING or index in whole
        onward = "collapsed" if collapses or kind == "collapsed" else "rearranged"
        queue += [(read, onward) for read in sorted(_reads(scope, index, scope.nodes[index]))]
    order = list(maps)
    return tuple(FinalMap(maps[n], found[n]) for n in sorted(found, key=order.index))
