"""Make zero padding implicit again: a Pad in front becomes the op's own pads."""

from onnx import NodeProto, helper

from onnxpad import ops
from onnxpad.implicit import KEEPS_ZERO, conv_takes_pads, keeps_own_pads, only_windows_read
from onnxpad.pad_sites import border, pad_mode
from onnxpad.records import PaddingSite
from onnxpad.scopes import Scope
from onnxpad.values import attributes
from onnxpad.workshop import Workshop


def fold(shop: Workshop, site: PaddingSite, index: int) -> bool:
    """Make zero padding implicit: the readers' own pads in place of nodes. False if not exact."""
    if any(a.begin is None or a.end is None for a in site.axes):
        return False
    axes = tuple(a.axis for a in site.axes)
    trace = border(shop.scope, shop.values, site.node, axes, site.mode)
    if not all(_keeps_zero(shop, i, site) for i in trace.between):
        return False
    seen = [site.node, *(shop.scope.nodes[i].output[0] for i in trace.between)]
    if len(trace.between) != len(set(trace.between)) or not only_windows_read(
        shop.scope, seen, trace.between
    ):
        return False
    if not all(_takes_pads(shop, site, *reader) for reader in trace.readers):
        return False
    readers = [(shop.edit.node(i), theirs) for i, theirs in trace.readers]
    source = shop.edit.node(index).input[0] if site.form == "Pad" else site.source
    for node, theirs in readers:
        _add_pads(shop.scope, node, site, theirs)
        node.input[0] = source if node.input[0] == site.node else node.input[0]
    for passed in trace.between:
        node = shop.scope.nodes[passed]
        for position, name in enumerate(node.input):
            if name == site.node:
                shop.edit.node(passed).input[position] = source
        shop.edit.stale.update(node.output)
    shop.edit.removed.add(index)
    shop.folded.add(index)
    return True


def _keeps_zero(shop: Workshop, index: int, site: PaddingSite) -> bool:
    """Whether a border of zeros is one behind the node too, as the node will be.

    A hoisted padding is the window ops' own, done earlier: what lies between needs not keep it.
    """
    node = shop.scope.nodes[index]
    if node.op_type != "Pad":
        # a Reshape may name the padded sizes
        return node.op_type in KEEPS_ZERO or ("hoisted" in site.notes and node.op_type != "Reshape")
    if index in shop.edit.removed:
        return index in shop.folded
    return pad_mode(shop.scope, shop.values, shop.edit.replaced.get(index, node)).name == "zero"


def _takes_pads(shop: Workshop, site: PaddingSite, index: int, theirs: tuple[int, ...]) -> bool:
    """Whether zeros in front of an op can be its own pads."""
    node = shop.scope.nodes[index]
    now = shop.edit.replaced.get(index, node)
    if shop.scope.owner(now.input[0]) is None:
        return False  # its own padding has become nodes already, which would pad these zeros
    op = ops.window_op(node)
    if op is None or op.conv:
        return conv_takes_pads(node)
    if not keeps_own_pads(node):
        return False
    given = attributes(node)
    counted = node.op_type == "AveragePool" and given.get("count_include_pad", 0) == 1
    return counted and not given.get("ceil_mode", 0) and _narrow(shop, site, now, theirs)


def _narrow(shop: Workshop, site: PaddingSite, pool: NodeProto, theirs: tuple[int, ...]) -> bool:
    """Whether a pool's pads would stay smaller than its kernel, as runtimes want them to be."""
    sizes = [w.kernel for w in ops.windows(shop.scope, pool, ops.WindowOp()) or ()]
    wanted = NodeProto()
    wanted.CopyFrom(pool)
    _add_pads(shop.scope, wanted, site, theirs)
    return all(p < k for p, k in zip(attributes(wanted)["pads"], sizes * 2, strict=False))


def _add_pads(scope: Scope, node: NodeProto, site: PaddingSite, theirs: tuple[int, ...]) -> None:
    op = ops.window_op(node)
    windows = ops.windows(scope, node, op) if op else None
    count = len(windows) if windows else site.rank - 2
    first = 1 if op is not None and ops.channels_last(node, op) else 2
    pads = list(attributes(node).get("pads") or [0] * (2 * count))
    for axis, position in zip(site.axes, theirs, strict=True):
        pads[position - first] += axis.begin or 0
        pads[position - first + count] += axis.end or 0
    for position in range(len(node.attribute) - 1, -1, -1):
        if node.attribute[position].name in ("pads", "auto_pad"):
            del node.attribute[position]
    node.attribute.append(helper.make_attribute("pads", pads))
