"""Back through operators that move elements: join, cut, exchange axes, fold space."""

from math import prod
from typing import Any

import numpy as np
from onnx import NodeProto

from onnxpad.paths.counts import (
    Array,
    Counts,
    along,
    each,
    from_each,
    part,
    placed,
    scaled,
    stacked,
    uniform,
)
from onnxpad.paths.elements import other
from onnxpad.paths.state import NoPathsError, Rule, Walk
from onnxpad.scopes import node_name
from onnxpad.values import attributes


def _concat(walk: Walk, node: NodeProto, out: Counts) -> None:
    roles = walk.roles.get(node.output[0])
    shape = walk.scope.info(node.output[0]).shape
    if roles is None or shape is None or out.space == ():
        other(walk, node, out)
        return
    axis = int(attributes(node).get("axis", 1)) % len(shape)
    at = 0
    for name in node.input:
        theirs = walk.scope.info(name).shape
        size = theirs[axis] if theirs is not None and axis < len(theirs) else None
        if not isinstance(size, int):
            raise NoPathsError(f"a size in Concat {node_name(node)!r} is not known")
        if axis in roles.space:
            place = roles.space.index(axis)
            back = along(out, place, np.eye(out.space[place], size, -at))
        else:
            inner = _inner(walk, node.output[0], axis)
            back = part(out, at * inner, (at + size) * inner)
        walk.give(name, back)
        at += size


def _inner(walk: Walk, name: str, axis: int) -> int:
    """Channels that stand behind one element of a channel axis."""
    shape, roles = walk.scope.info(name).shape, walk.roles[name]
    behind = [shape[a] for a in roles.channels if a > axis] if shape else []
    return prod(d for d in behind if isinstance(d, int))


def _split(walk: Walk, node: NodeProto, out: Counts) -> None:
    shape = walk.scope.info(node.input[0]).shape
    own, roles = walk.sizes(node.input[0]), walk.roles.get(node.input[0])
    if own is None or roles is None or shape is None:
        other(walk, node, out)
        return
    axis = int(attributes(node).get("axis", 0)) % len(shape)
    pieces = []
    for name in node.output:
        theirs = walk.sizes(name)
        if theirs is None:
            raise NoPathsError(f"a size in Split {node_name(node)!r} is not known")
        pieces.append(walk.found.get(name) or scaled((theirs[0],), np.zeros((1, *theirs[1]))))
    if axis in roles.space:
        _split_space(walk, node, pieces, roles.space.index(axis), own)
        return
    walk.give(node.input[0], stacked(pieces))


def _split_space(
    walk: Walk, node: NodeProto, pieces: list[Counts], place: int, own: tuple[int, tuple[int, ...]]
) -> None:
    at = 0
    for piece in pieces:
        size = piece.space[place]
        walk.give(node.input[0], along(piece, place, np.eye(size, own[1][place], at)))
        at += size


def _slice(walk: Walk, node: NodeProto, out: Counts) -> None:
    own, roles = walk.sizes(node.input[0]), walk.roles.get(node.input[0])
    given, shape = attributes(node), walk.scope.info(node.input[0]).shape
    if own is None or roles is None or shape is None or out.space == ():
        other(walk, node, out)
        return
    parts = [given.get(key) for key in ("starts", "ends", "axes", "steps")]
    for place, name in enumerate(node.input[1:5]):
        parts[place] = walk.values.ints(walk.scope, name) if name else None
    starts, ends, axes, steps = parts
    if starts is None or ends is None or None in (*starts, *ends):
        raise NoPathsError(f"the ends of Slice {node_name(node)!r} are not known")
    back = out
    axes = axes or range(len(starts))
    for start, end, axis, step in zip(starts, ends, axes, steps or [1] * len(starts), strict=True):
        place = axis % len(shape)
        if place in roles.space:
            where = roles.space.index(place)
            back = along(back, where, np.eye(own[1][where])[start:end:step])
        elif place in roles.channels and len(roles.channels) == 1:
            kept = range(own[0])[start:end:step]
            if kept.step == 1:
                back = placed(back, own[0], kept.start)
            else:
                back = _scattered(walk, back, list(kept), own[0])
    walk.give(node.input[0], back)


def _crop(walk: Walk, node: NodeProto, out: Counts) -> None:
    """The Crop of old exports: border is left, top, right, bottom."""
    own, border = walk.sizes(node.input[0]), attributes(node).get("border")
    if own is None or not isinstance(border, list) or len(border) != 4 or len(out.space) != 2:
        other(walk, node, out)
        return
    back = out
    for place, begin in enumerate((border[1], border[0])):
        back = along(back, place, np.eye(out.space[place], own[1][place], int(begin)))
    walk.give(node.input[0], back)


def _scattered(walk: Walk, counts: Counts, places: list[int], channels: int) -> Counts:
    whole = each(counts)
    if whole is None:
        walk.note("channels are averaged where there are too many")
        return uniform(counts, channels, counts.space, len(places) / channels)
    blank = np.zeros((channels, *counts.space))
    blank[places] = whole
    return from_each(blank, counts.exponent)


def _transpose(walk: Walk, node: NodeProto, out: Counts) -> None:
    before, after = walk.roles.get(node.input[0]), walk.roles.get(node.output[0])
    own, shape = walk.sizes(node.input[0]), walk.scope.info(node.output[0]).shape
    if before is None or after is None or own is None or shape is None or out.space == ():
        other(walk, node, out)
        return
    perm = list(attributes(node).get("perm") or range(len(shape))[::-1])
    back = out
    # spatial axes that changed places
    order = [[perm[a] for a in after.space].index(axis) for axis in before.space]
    if order != sorted(order):
        moved = np.transpose(back.values, (0, *(o + 1 for o in order)))
        back = scaled(back.runs, moved, back.exponent)
    mine = sorted(after.channels)
    if [perm[a] for a in mine] != sorted(before.channels) and len(back.runs) > 1:
        back = _shuffled(walk, back, [shape[a] for a in mine], [perm[a] for a in mine])
    walk.give(node.input[0], back)


def _shuffled(walk: Walk, counts: Counts, dims: list[Any], axes: list[int]) -> Counts:
    """Channels in the order they had before their axes were exchanged."""
    whole = each(counts)
    if whole is None or not all(isinstance(d, int) for d in dims):
        walk.note("channels are averaged where there are too many")
        return uniform(counts, counts.channels, counts.space)
    split = whole.reshape((*dims, *counts.space))
    order = np.argsort(axes)
    rest = range(len(axes), split.ndim)
    return from_each(np.transpose(split, (*order, *rest)).reshape(whole.shape), counts.exponent)


def _depth_to_space(walk: Walk, node: NodeProto, out: Counts) -> None:
    whole, own = each(out), walk.sizes(node.input[0])
    if whole is None or own is None or len(out.space) != 2:
        other(walk, node, out)
        return
    given = attributes(node)
    block, (height, width) = int(given["blocksize"]), own[1]
    split = whole.reshape(out.channels, height, block, width, block)
    order = (0, 2, 4, 1, 3) if given.get("mode", b"DCR") == b"CRD" else (2, 4, 0, 1, 3)
    walk.give(
        node.input[0], from_each(np.transpose(split, order).reshape(own[0], *own[1]), out.exponent)
    )


def _space_to_depth(walk: Walk, node: NodeProto, out: Counts) -> None:
    whole, own = each(out), walk.sizes(node.input[0])
    if whole is None or own is None or len(out.space) != 2:
        other(walk, node, out)
        return
    block, (height, width) = int(attributes(node)["blocksize"]), out.space
    split = whole.reshape(block, block, own[0], height, width)
    back: Array = np.transpose(split, (2, 3, 0, 4, 1)).reshape(own[0], *own[1])
    walk.give(node.input[0], from_each(back, out.exponent))


MOVING: dict[str, Rule] = {
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Crop": _crop,
    "Transpose": _transpose,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
