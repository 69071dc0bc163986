"""Meet a want of placement: one Pad further up, and larger tensors from there to the window ops."""

from collections.abc import Mapping, Sequence

from onnx import NodeProto

from onnxpad import ops
from onnxpad.builder import whole
from onnxpad.compose import PadAxis, pad
from onnxpad.crossing import reshape_target
from onnxpad.cutting import Ground, cost, existing_pad
from onnxpad.edits import pad_no_more
from onnxpad.modes import Mode
from onnxpad.ort_layout import blocked
from onnxpad.placement import Placer, Want
from onnxpad.records import PaddingSite, Placement
from onnxpad.values import attributes
from onnxpad.workshop import Workshop


def hoist(
    shop: Workshop, changes: Sequence[tuple[PaddingSite, Mode]], targets: Mapping[str, str] | None
) -> dict[str, Placement]:
    """Do those changes elsewhere that cost less there; site -> where its padding stands now.

    Args:
        targets: site -> tensor of a plan to follow, {} for none; None where the cost decides.

    Raises:
        UsageError: a plan places padding where it cannot be.
    """
    if targets is not None and not targets:
        return {}
    scope = shop.scope
    barred = frozenset(scope.producers[site.node] for site, _ in changes)
    ground = Ground(scope, shop.values, barred, shop.float_pads, blocked(scope))
    places: dict[str, Placement] = {}
    for want in Placer(ground, targets).place(changes):
        padded, own = meet(shop, want, ground)
        cut, sites = want.cut, tuple(site.identity for site in want.sites)
        after = (0.0 if own else cost(ground, cut.tensor, cut.amounts) or 0.0) + cut.work
        passed = [scope.nodes[i] for i in sorted(cut.crossed)]
        place = Placement(
            cut.tensor, tuple(node.output[0] for node in passed), sites, want.before, after,
            _how(passed, len(sites), own=own) + shop.small_maps(padded),
        )  # fmt: skip
        places |= dict.fromkeys(sites, place)
    order = [site.identity for site, _ in changes]
    return {site: places[site] for site in order if site in places}


def _how(passed: Sequence[NodeProto], sites: int, *, own: bool) -> str:
    """How sites were changed whose padding is done elsewhere, in a word or two."""
    if own and not passed:
        return "by a Pad that is there"
    kinds = {node.op_type for node in passed}
    if not kinds <= ops.QUANTISE:
        return "further up, where it costs less"
    if kinds:  # on the integers, where padding that copies has its own place
        return "before Q/DQ" if "QuantizeLinear" in kinds else "before DQ"
    return "one Pad for all its readers" if sites > 1 else "in front of the op"


def meet(shop: Workshop, want: Want, ground: Ground) -> tuple[str, bool]:
    """Pad the tensor of a want and let all between it and the sites pass the larger tensor on.

    Returns the padded tensor, and whether a Pad that was there already makes it.
    """
    scope, cut = shop.scope, want.cut
    sites = {scope.producers[site.node]: site for site in want.sites}
    shop.build.name_after(want.sites[0].node)
    own = existing_pad(ground, cut.tensor, want.mode, cut.amounts, cut.readers)
    read = {cut.tensor: own or _padded(shop, want)}
    shop.place(min(cut.readers))
    inside = cut.crossed | sites.keys()
    for index in sorted(cut.crossed):
        name = scope.nodes[index].output[0]
        outside = set(scope.readers(name)) - inside
        if outside or name in scope.outputs:
            read[name] = _again(shop, index, read)
            shop.place(min(set(scope.readers(name)) & inside))
            continue
        _reread(shop, index, read)
        shop.edit.stale.add(name)
        if scope.nodes[index].op_type == "Reshape":
            _reshape(shop, index, want)
    for index, site in sites.items():
        if site.form != "Pad":
            _reread(shop, index, read)
            pad_no_more(shop.edit.node(index))
            continue
        shop.edit.removed.add(index)
        after = {site.node: read.get(site.source, site.source)}
        for reader in scope.readers(site.node):
            _reread(shop, reader, after)
    return read[cut.tensor], bool(own)


def _padded(shop: Workshop, want: Want) -> str:
    """The padded tensor's name; the tensor's own where nothing has to be invented."""
    cut = want.cut
    if not cut.amounts:
        return cut.tensor
    info = shop.scope.info(cut.tensor)
    shape = info.shape or ()
    axes = [
        PadAxis(axis, size if isinstance(size := shape[axis], int) else None, whole(b), whole(e))
        for axis, b, e in cut.amounts
    ]
    return pad(shop.build, cut.tensor, axes, want.mode, len(shape), info.dtype)


def _again(shop: Workshop, index: int, read: dict[str, str]) -> str:
    """A node once more, on the padded tensor; the first goes on for the other readers."""
    node = shop.scope.nodes[index]
    inputs = [read.get(name, name) for name in node.input]
    return shop.build.op(node.op_type, inputs, domain=node.domain, **attributes(node))


def _reread(shop: Workshop, index: int, read: dict[str, str]) -> None:
    """Let a node read the padded tensors in place of the others."""
    node = shop.edit.replaced.get(index, shop.scope.nodes[index])
    for position, name in [(p, read[n]) for p, n in enumerate(node.input) if n in read]:
        shop.edit.node(index).input[position] = name


def _reshape(shop: Workshop, index: int, want: Want) -> None:
    """Write a Reshape's shape anew, with the larger sizes."""
    node = shop.edit.node(index)
    name = node.output[0]
    shape = shop.scope.info(name).shape or ()
    grown = next(amounts for inside, amounts in want.cut.inside if inside == name)
    sizes = {axis: size + b + e for axis, b, e in grown if isinstance(size := shape[axis], int)}
    target = reshape_target(shop.scope, shop.values, shop.scope.nodes[index], sizes)
    if target is None:
        raise AssertionError("a Reshape of unknown shape is not crossed")
    node.input[1] = shop.build.constant(target)
    shop.place(index)
