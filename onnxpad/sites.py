"""Find every padding site of a model: facts, no judgement.

A padding site is one place where a graph invents pixels on spatial axes: a window op's own pads,
its auto_pad, a Pad (or a composition of Slice, Gather and Concat that pads) whose values reach a
window op. Pads that serve anything else come back as ``OtherPad`` with the reason.
"""

from dataclasses import dataclass, replace
from math import inf, nan, prod
from pathlib import Path

from onnx import ModelProto, NodeProto, TensorProto

from onnxpad import ops
from onnxpad.geometry import Window, is_causal, same_pads, same_pads_any_size
from onnxpad.indexing import index
from onnxpad.model import Model, load_model
from onnxpad.modes import Mode
from onnxpad.recognise import Composed, composed_paddings, rescaling
from onnxpad.scopes import Path as ScopePath
from onnxpad.scopes import Scope, node_name
from onnxpad.trace import Trace, follow
from onnxpad.values import Values, attributes


@dataclass(frozen=True, slots=True)
class SiteAxis:
    """One padded axis of a site.

    Attributes:
        axis: index in the padded tensor.
        size: elements before padding, None where it depends on the input.
        begin, end: invented elements, None where they are computed from the size at run time.
        window: the window that reads them first; None where its kernel is unknown.
    """

    axis: int
    size: int | None
    begin: int | None
    end: int | None
    window: Window | None


@dataclass(frozen=True, slots=True)
class PaddingSite:
    """One place where a graph invents pixels.

    Attributes:
        identity: graph path and node name; globs, plans and reports use it.
        scope: path of the graph that holds it.
        node: first output of the node that pads (unique in its graph).
        op: the op that pads, as it is shown.
        form: "pads", "auto_pad", "reference" (a function's attribute), "Pad", or "composed".
        mode: what is invented now.
        source: the tensor that is padded.
        rank: axes of that tensor, 0 where unknown.
        dtype: its ONNX element type, 0 where unknown.
        axes: the padded axes, in order.
        readers: first outputs of the window ops that read the padding.
        reader_ops: their operators as shown, each once.
        conv: whether a convolution reads it (else only pools do).
        causal: whether it lets a 1-D convolution read only the past.
        opset: version of the default operator set where it stands.
        notes: what makes it special: "ceil_mode", "indices", "space_to_batch", "nchwc", ...
    """

    identity: str
    scope: ScopePath
    node: str
    op: str
    form: str
    mode: Mode
    source: str
    rank: int
    dtype: int
    axes: tuple[SiteAxis, ...]
    readers: tuple[str, ...]
    reader_ops: tuple[str, ...]
    conv: bool
    causal: bool
    opset: int
    notes: tuple[str, ...] = ()

    @property
    def dynamic(self) -> bool:
        """Whether a size or an amount is known only at run time."""
        return any(None in (a.size, a.begin, a.end) for a in self.axes)


@dataclass(frozen=True, slots=True)
class OtherPad:
    """A Pad that is no padding site, and why."""

    identity: str
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """All that is to be known of a model's padding, in the order of its nodes."""

    sites: tuple[PaddingSite, ...]
    others: tuple[OtherPad, ...]
    window_ops: int
    transposed: int


def find_sites(source: str | Path | ModelProto) -> tuple[PaddingSite, ...]:
    """The padding sites of a model, in the order of its nodes.

    Raises:
        ModelError: the model cannot be read.
    """
    return survey(load_model(source)).sites


def survey(model: Model) -> Survey:
    """Find the padding sites of a model and the Pads that are none."""
    return survey_scopes(index(model.proto))


def survey_scopes(scopes: tuple[Scope, ...]) -> Survey:
    """The same over scopes that were indexed already."""
    values = Values()
    sites: list[PaddingSite] = []
    others: list[OtherPad] = []
    counted = transposed = 0
    for scope in scopes:
        names = _identities(scope)
        composed = {c.output: c for c in composed_paddings(scope, values)}
        counting: set[int] = set()
        here: list[tuple[int, PaddingSite]] = []
        for index, node in enumerate(scope.nodes):
            op = ops.window_op(node)
            counted += op is not None
            transposed += node.op_type == "ConvTranspose"
            found: PaddingSite | OtherPad | None = None
            if op is not None:
                found = _window_site(scope, values, node, op)
            elif ops.key(node) == ("", "Pad") and node.output:
                found = _pad_site(scope, values, node)
            elif node.output and node.output[0] in composed:
                found = _composed_site(scope, values, node, composed[node.output[0]])
            if isinstance(found, PaddingSite):
                scaling = _rescaling(scope, values, found)
                counting |= scaling or set()
                mode = found.mode if scaling is None else Mode("partial")
                here.append((index, replace(found, identity=names[index], mode=mode)))
            elif found is not None:
                others.append(replace(found, identity=names[index]))
        sites += [site for index, site in here if index not in counting]
    return Survey(tuple(sites), tuple(others), counted, transposed)


def _rescaling(scope: Scope, values: Values, site: PaddingSite) -> frozenset[int] | None:
    """The nodes that rescale a site's convolution, None where it is no partial convolution."""
    if site.mode.name != "zero" or site.reader_ops != ("Conv",):
        return None
    axes = tuple(
        (a.axis, a.size, a.begin, a.end, a.window)
        for a in site.axes
        if a.begin is not None and a.end is not None and a.window is not None
    )
    if len(axes) != len(site.axes):
        return None
    conv = scope.nodes[scope.producers[site.readers[0]]]
    return rescaling(scope, values, conv, site.source, axes)


def _identities(scope: Scope) -> list[str]:
    """Graph path and node name; the first output where the name is missing or not unique."""
    counts: dict[str, int] = {}
    for node in scope.nodes:
        counts[node.name] = counts.get(node.name, 0) + 1
    prefix = f"{scope.label}/" if scope.label else ""
    return [
        prefix + (n.name if counts[n.name] == 1 else next((o for o in n.output if o), n.name))
        for n in scope.nodes
    ]


def _window_site(
    scope: Scope, values: Values, node: NodeProto, op: ops.WindowOp
) -> PaddingSite | None:
    windows = ops.windows(scope, node, op)
    given = attributes(node)
    automatic = given.get("auto_pad", b"NOTSET").decode(errors="replace")
    reference = any(a.name == "pads" and a.ref_attr_name for a in node.attribute)
    info = scope.info(node.input[0])
    spatial = _spatial(node, op, windows, given, info.shape)
    if spatial is None:
        return None
    sizes = [_size(info.shape, axis) for axis in spatial]
    pads: list[tuple[int | None, int | None]]
    if reference:
        form, pads = "reference", [(None, None)] * len(spatial)
    elif automatic.startswith("SAME"):
        if windows is None:
            return None
        form = "auto_pad"
        lower = automatic == "SAME_LOWER"
        pads = [_same(s, w, lower=lower) for s, w in zip(sizes, windows, strict=True)]
    else:
        form, amounts = "pads", list(given.get("pads", ()))
        if automatic == "VALID" or len(amounts) != 2 * len(spatial):
            return None
        half = len(spatial)
        pads = [(amounts[i], amounts[i + half]) for i in range(half)]
    axes = tuple(
        SiteAxis(axis, size, begin, end, windows[i] if windows else None)
        for i, (axis, size, (begin, end)) in enumerate(zip(spatial, sizes, pads, strict=True))
        if (begin, end) != (0, 0)
    )
    if not axes:
        return None
    return PaddingSite(
        "", scope.path, node.output[0], ops.op_name(node), form, _own_mode(node, op, given),
        node.input[0], len(info.shape) if info.shape else len(spatial) + 2, info.dtype, axes,
        (node.output[0],), (ops.op_name(node),), op.conv,
        op.conv and _causal(axes, windows), scope.opset, _notes(scope, node, op, given),
    )  # fmt: skip


def _spatial(
    node: NodeProto,
    op: ops.WindowOp,
    windows: tuple[Window, ...] | None,
    given: dict[str, object],
    shape: tuple[int | str | None, ...] | None,
) -> tuple[int, ...] | None:
    """Indices of the spatial axes of a window op's data."""
    if windows is not None:
        count = len(windows)
    elif shape is not None:
        count = len(shape) - 2
    else:
        pads = given.get("pads")
        if not isinstance(pads, list):
            return None
        count = len(pads) // 2
    first = 1 if ops.channels_last(node, op) else 2
    return tuple(range(first, first + count))


def _size(shape: tuple[int | str | None, ...] | None, axis: int) -> int | None:
    size = shape[axis] if shape is not None and axis < len(shape) else None
    return size if isinstance(size, int) else None


def _same(size: int | None, window: Window, *, lower: bool) -> tuple[int | None, int | None]:
    if size is not None:
        return same_pads(size, window, lower=lower)
    return same_pads_any_size(window, lower=lower) or (None, None)


def _own_mode(node: NodeProto, op: ops.WindowOp, given: dict[str, object]) -> Mode:
    """What a window op itself invents: convolutions zeros, max-pools -inf, averages nothing."""
    if node.op_type.endswith("MaxPool"):
        return Mode("constant", -inf)
    if node.op_type.endswith("AveragePool") and not given.get("count_include_pad", 0):
        return Mode("partial")
    return Mode("zero")


def _causal(axes: tuple[SiteAxis, ...], windows: tuple[Window, ...] | None) -> bool:
    """One-sided padding of a whole receptive field, where only one axis has a window at all."""
    sliding = [w for w in windows or () if w.kernel > 1]
    if len(axes) != 1 or len(sliding) != 1:
        return False
    axis = axes[0]
    if axis.window is None or axis.begin is None or axis.end is None:
        return False
    return is_causal(axis.window, axis.begin, axis.end)


def _notes(
    scope: Scope, node: NodeProto, op: ops.WindowOp, given: dict[str, object]
) -> tuple[str, ...]:
    return tuple(
        note
        for note, holds in (
            ("ceil_mode", not op.conv and bool(given.get("ceil_mode", 0))),
            ("indices", node.op_type == "MaxPool" and len(node.output) > 1 and node.output[1]),
            ("nchwc", node.domain == ops.NCHWC),
            ("space_to_batch", op.conv and _space_to_batch(scope, node.input[0])),
        )
        if holds
    )


def _space_to_batch(scope: Scope, name: str, steps: int = 8) -> bool:
    """Whether space was folded into the batch before this tensor, as dilated convs once were.

    There a border of the tensor is not the border of the image: neighbours lie in other entries
    of the batch. The sign is Reshape, Transpose, Reshape with another batch size at the end.
    """
    wanted = ("Reshape", "Transpose", "Reshape")
    seen: list[NodeProto] = []
    for _ in range(steps):
        node = scope.producer(name)
        if node is None or not node.input:
            return False
        if node.op_type == wanted[len(seen)]:
            seen.append(node)
            if len(seen) == len(wanted):
                break
        elif seen or node.op_type not in ops.UNARY | ops.PER_CHANNEL | {"Conv"}:
            return False
        name = node.input[0]
    if len(seen) < len(wanted):
        return False
    before, after = scope.info(seen[-1].input[0]).shape, scope.info(seen[0].output[0]).shape
    middle = scope.info(seen[1].output[0]).shape
    if before is None or after is None or middle is None or len(middle) <= len(after):
        return False
    return before[0] != after[0] and isinstance(after[0], int)


def _pad_site(scope: Scope, values: Values, node: NodeProto) -> PaddingSite | OtherPad:
    given = attributes(node)
    info = scope.info(node.input[0])
    amounts = _pad_amounts(scope, values, node, given)
    if amounts is None:
        return OtherPad("", "its pads are computed in a way that cannot be followed")
    begins, ends, rank = amounts
    padded = [i for i in range(rank) if (begins[i], ends[i]) != (0, 0)]
    if not padded:
        return OtherPad("", "it pads nothing")
    known = [v for i in padded for v in (begins[i], ends[i]) if v is not None]
    if any(v < 0 for v in known):
        return OtherPad("", "it crops (negative pads)")
    trace = follow(scope, values, node.output[0], tuple(padded))
    axes = tuple(SiteAxis(i, _size(info.shape, i), begins[i], ends[i], None) for i in padded)
    mode = _pad_mode(scope, values, node, given)
    return _explicit(scope, node, "Pad", mode, node.input[0], rank, axes, trace)


def _pad_amounts(
    scope: Scope, values: Values, node: NodeProto, given: dict[str, object]
) -> tuple[list[int | None], list[int | None], int] | None:
    """(begins, ends, rank) over all axes, from whichever place this opset keeps them."""
    amounts: list[int | None]
    if "pads" in given:
        amounts = list(given["pads"])  # type: ignore[call-overload]  # an INTS attribute
    else:
        found = values.ints(scope, node.input[1]) if len(node.input) > 1 else None
        if found is None:
            return None
        amounts = list(found)
    half = len(amounts) // 2
    shape = scope.info(node.input[0]).shape
    if len(node.input) < 4 or not node.input[3]:
        return (amounts[:half], amounts[half:], half) if len(amounts) == 2 * half else None
    named = values.ints(scope, node.input[3])
    if shape is None or named is None or None in named or len(named) != half:
        return None
    begins: list[int | None] = [0] * len(shape)
    ends: list[int | None] = [0] * len(shape)
    for position, axis in enumerate(named):
        if axis is None or not -len(shape) <= axis < len(shape):
            return None
        begins[axis], ends[axis] = amounts[position], amounts[position + half]
    return begins, ends, len(shape)


def _pad_mode(scope: Scope, values: Values, node: NodeProto, given: dict[str, object]) -> Mode:
    name = given.get("mode", b"constant")
    text = name.decode(errors="replace") if isinstance(name, bytes) else "constant"
    if text != "constant":
        return Mode(text if text in ("edge", "reflect", "wrap") else "constant", nan)
    if "value" in given:
        fill: float | None = float(given["value"])  # type: ignore[arg-type]  # a FLOAT attribute
    elif len(node.input) > 2 and node.input[2]:
        fill = values.number(scope, node.input[2])
    else:
        fill = 0.0
    if fill is None:
        return Mode("constant", nan)
    neutral = _zero_point(scope, values, node)
    return Mode("zero") if fill == neutral else Mode("constant", fill - neutral)


def _zero_point(scope: Scope, values: Values, node: NodeProto) -> float:
    """The integer that means 0 in what a Pad pads: its reader's zero point, 0 for floats."""
    if scope.info(node.input[0]).dtype not in (TensorProto.INT8, TensorProto.UINT8):
        return 0.0
    for index in scope.readers(node.output[0]):
        reader = scope.nodes[index]
        op = ops.window_op(reader)
        position = 2 if reader.op_type == "DequantizeLinear" else op.zero_point if op else -1
        if 0 <= position < len(reader.input) and reader.input[position]:
            return values.number(scope, reader.input[position]) or 0.0
    return 0.0


def _composed_site(
    scope: Scope, values: Values, node: NodeProto, found: Composed
) -> PaddingSite | None:
    trace = follow(scope, values, found.output, tuple(a for a, *_ in found.axes))
    shape = scope.info(found.source).shape
    axes = tuple(
        SiteAxis(axis, _size(shape, axis), begin, end, None) for axis, begin, end in found.axes
    )
    rank = len(shape) if shape else max(a.axis for a in axes) + 1
    site = _explicit(scope, node, "composed", found.mode, found.source, rank, axes, trace)
    return site if isinstance(site, PaddingSite) else None


def _explicit(
    scope: Scope, node: NodeProto, form: str, mode: Mode, source: str, rank: int,
    axes: tuple[SiteAxis, ...], trace: Trace,
) -> PaddingSite | OtherPad:  # fmt: skip
    """A site that stands as nodes of its own, if every way its border takes ends in a window op."""
    if trace.blocked:
        return OtherPad("", trace.blocked)
    if not trace.readers:
        return OtherPad("", "no window op reads it")
    read = [scope.nodes[i] for i, _ in trace.readers]
    for reader, (_, theirs) in zip(read, trace.readers, strict=True):
        op = ops.window_op(reader)
        windows = ops.windows(scope, reader, op) if op else None
        spatial = _spatial(reader, op, windows, attributes(reader), None) if op else None
        if spatial is None or not set(theirs) <= set(spatial):
            return OtherPad("", f"it pads the batch or channel axis of {node_name(reader)!r}")
    axes = _with_windows(scope, axes, trace)
    first = ops.window_op(read[0])
    windows = ops.windows(scope, read[0], first) if first else None
    return PaddingSite(
        "", scope.path, node.output[0], ops.op_name(node), form, mode, source, rank,
        scope.info(source).dtype, axes, tuple(r.output[0] for r in read),
        tuple(dict.fromkeys(ops.op_name(r) for r in read)),
        any((o := ops.window_op(r)) is not None and o.conv for r in read),
        _causal(axes, windows), scope.opset, _explicit_notes(scope, node, read),
    )  # fmt: skip


def _explicit_notes(scope: Scope, node: NodeProto, read: list[NodeProto]) -> tuple[str, ...]:
    """ "direct" where every reader reads the padded tensor itself and pads nothing of its own."""
    own = (attributes(r) for r in read)
    plain = all(
        not any(o.get("pads", ())) and o.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
        for o in own
    )
    direct = plain and all(r.input[0] == node.output[0] for r in read)
    return ("direct",) if direct else ()


def _with_windows(scope: Scope, axes: tuple[SiteAxis, ...], trace: Trace) -> tuple[SiteAxis, ...]:
    """The axes with the window of the first reader that slides along each."""
    index, theirs = trace.readers[0]
    node = scope.nodes[index]
    op = ops.window_op(node)
    windows = ops.windows(scope, node, op) if op else None
    if op is None or windows is None:
        return axes
    first = 1 if ops.channels_last(node, op) else 2
    return tuple(replace(a, window=windows[t - first]) for a, t in zip(axes, theirs, strict=True))


def padded_share(axes: tuple[SiteAxis, ...]) -> float | None:
    """Invented elements as a share of the padded tensor's plane, None where sizes are unknown."""
    if any(None in (a.size, a.begin, a.end) for a in axes):
        return None
    real = prod(a.size or 0 for a in axes)
    padded = prod((a.size or 0) + (a.begin or 0) + (a.end or 0) for a in axes)
    return 1 - real / padded
