"""The committed table of what is refused, by operator, mode, opset and size.

``docs/refusals.md`` is generated from it, and a test over models compares it with what a rewrite
really does, both ways. A refusal is a sentence; a row that returns "" does not apply.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, prod

from onnx import TensorProto

from onnxpad.modes import Mode
from onnxpad.ops import FLOATING
from onnxpad.records import PaddingSite, SiteAxis

_INTEGER_OPS = ("ConvInteger", "QLinearConv", "com.microsoft::QLinearConv",
                "com.microsoft::QLinearAveragePool")  # fmt: skip
_PARTIAL_OPS = ("Conv",)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row: a code, the combination in words, the test, and the sentence it gives."""

    code: str
    what: str
    applies: Callable[[PaddingSite, Mode], bool]
    reason: str


def _dynamic_amount(site: PaddingSite) -> bool:
    return any(a.begin is None or a.end is None for a in site.axes)


def _reads_integers(site: PaddingSite) -> bool:
    known = site.dtype not in FLOATING | {0}
    return known or any(op in _INTEGER_OPS for op in site.reader_ops)


def _holds(dtype: int, number: float) -> bool:
    """Whether a finite number stays finite in a tensor of floats (float32 where unknown)."""
    largest: dict[int, float] = {TensorProto.FLOAT16: 65504.0, TensorProto.DOUBLE: inf}
    return abs(number) <= largest.get(dtype, 3.4028234e38)


def _ceil_overhang(site: PaddingSite) -> bool:
    """Whether the last window may hang over the padding by an amount that no size tells."""
    if "ceil_mode" not in site.notes or site.form == "auto_pad":
        return False
    return any(a.size is None and (a.window is None or a.window.stride > 1) for a in site.axes)


# Beyond these a model is damaged or hostile, and building the padding would take all memory.
WIDEST, MOST_TAPS = 2**16, 2**20


def _too_wide(site: PaddingSite) -> bool:
    return any(max(a.begin or 0, a.end or 0) > WIDEST for a in site.axes)


def _too_many_taps(site: PaddingSite) -> bool:
    windows = [a.window for a in site.axes if a.window is not None]
    taps = prod(w.kernel for w in windows)
    work = max(((a.size or 1) * (a.window.kernel if a.window else 1) for a in site.axes), default=0)
    return taps > MOST_TAPS or work > 64 * MOST_TAPS


TABLE: tuple[Refusal, ...] = (
    Refusal(
        "width", f"padding of more than {WIDEST} elements at one end, any mode",
        lambda site, _: _too_wide(site),
        f"it pads more than {WIDEST} elements at one end, which no network needs",
    ),
    Refusal(
        "taps", f"partial for kernels of more than {MOST_TAPS} taps, or maps of that order",
        lambda site, mode: mode.name == "partial" and _too_many_taps(site),
        "its kernel or map is too large for the map of window cells",
    ),
    Refusal(
        "nchwc", "ops of com.microsoft.nchwc, any mode",
        lambda site, _: "nchwc" in site.notes,
        "ONNX Runtime's private blocked layout; rewrite the model from before it was optimised",
    ),
    Refusal(
        "space-to-batch", "a convolution on space folded into the batch, any mode",
        lambda site, _: "space_to_batch" in site.notes,
        "space is folded into the batch here (SpaceToBatch), so the tensor's border is not the "
        "image's",
    ),
    Refusal(
        "indices", "MaxPool with Indices, any mode",
        lambda site, _: "indices" in site.notes,
        "its Indices output would count in the padded tensor",
    ),
    Refusal(
        "is-partial", "a site that is partial convolution already, any other mode",
        lambda site, _: site.mode.name == "partial" and site.conv,
        "it is a partial convolution; rewrite the model from before that",
    ),
    Refusal(
        "causal", "one-sided padding of a whole receptive field in 1-D; reflect, symmetric, wrap, "
        "linear, without --allow-noncausal",
        lambda site, mode: site.causal and mode.kind.reads_far,
        "causal padding: this mode would let the output read the future; --allow-noncausal to do "
        "it all the same",
    ),
    Refusal(
        "partial-op", "partial anywhere but on Conv",
        lambda site, mode: mode.name == "partial" and site.reader_ops != _PARTIAL_OPS,
        "partial convolution is built on Conv alone; not on quantised, fused or pooling ops",
    ),
    Refusal(
        "partial-form", "partial where the padding is not the Conv's own or a zero Pad right in "
        "front of it",
        lambda site, mode: mode.name == "partial" and site.form not in ("pads", "auto_pad")
        and "direct" not in site.notes,
        "partial convolution needs zeros that the Conv reads directly; other nodes stand between",
    ),
    Refusal(
        "partial-window", "partial where the kernel's size is unknown",
        lambda site, mode: mode.name == "partial" and any(a.window is None for a in site.axes),
        "partial convolution needs the kernel's size, which the model does not say",
    ),
    Refusal(
        "partial-amount", "partial where a Pad computes its amounts at run time",
        lambda site, mode: mode.name == "partial" and site.form != "auto_pad"
        and _dynamic_amount(site),
        "partial convolution needs to know how much is padded; it is computed at run time here",
    ),
    Refusal(
        "integer", "linear, constant and mean on integer tensors",
        lambda site, mode: mode.name in ("linear", "constant", "mean") and _reads_integers(site),
        "this mode invents numbers that the integers here cannot hold exactly; a copying mode can",
    ),
    Refusal(
        "range", "constant beyond what the tensor's type can hold",
        lambda site, mode: mode.name == "constant" and not _holds(site.dtype, mode.value),
        "the number is larger than the tensor's type can hold, and would be written as infinity",
    ),
    Refusal(
        "mean-scope", "mean inside a subgraph or local function",
        lambda site, mode: mode.name == "mean" and site.scope != (("graph",),),
        "means are taken in the main graph only; this site stands in a graph inside another node",
    ),
    Refusal(
        "mean-channels", "mean where the channels are not the second axis",
        lambda site, mode: mode.name == "mean" and min(a.axis for a in site.axes) < 2,
        "which axis holds the channels is not known here",
    ),
    Refusal(
        "caller", "auto_pad as a function's attribute reference, any mode",
        lambda site, _: "caller_pads" in site.notes,
        "its auto_pad is a function's attribute, so that each caller may pad in another way; "
        "inline the function",
    ),
    Refusal(
        "same-window", "auto_pad SAME where the window is unknown or a function's attributes, any "
        "mode",
        lambda site, _: site.form == "auto_pad" and any(a.window is None for a in site.axes),
        "how much auto_pad adds follows from kernel, stride and dilation, which are not known here",
    ),
    Refusal(
        "composed-amount", "padding made of several nodes, whose amount depends on the size, any "
        "mode",
        lambda site, _: site.form == "composed" and _dynamic_amount(site),
        "how much it pads is computed by several nodes at run time; rewrite the model from before "
        "they were put there",
    ),
    Refusal(
        "hoisted", "a Pad in front of convolutions of kernel 1 that pass its copies on, constant, "
        "linear, mean or partial",
        lambda site, mode: "hoisted" in site.notes and not mode.copying and mode.name != "zero",
        "its Pad stands in front of convolutions of kernel 1, behind which only copies are still "
        "what was padded; rewrite it to zero first, which makes the padding the window op's own",
    ),
    Refusal(
        "old-auto-pad", "auto_pad SAME with a stride, unknown size, opset below 11, any mode but "
        "partial",
        lambda site, mode: site.form == "auto_pad" and _dynamic_amount(site) and site.opset < 11
        and mode.name != "partial",
        "its padding depends on the input's size, and below opset 11 Pad takes no computed pads; "
        "fix the size or export at opset 11",
    ),
    Refusal(
        "old-reference", "pads as a function's attribute reference, opset below 12",
        lambda site, _: site.form == "reference" and site.opset < 12,
        "its pads are a function's attribute, which opset 12 can first turn into a tensor",
    ),
    Refusal(
        "ceil-mode", "pools with ceil_mode, pads, a stride and unknown size, any mode",
        lambda site, _: _ceil_overhang(site),
        "with ceil_mode its end padding depends on the size, which is unknown; fix the size",
    ),
)  # fmt: skip


def refusal(site: PaddingSite, mode: Mode, *, allow_noncausal: bool = False) -> Refusal | None:
    """The first row that refuses the mode at the site, None if it can be done."""
    for row in TABLE:
        if row.code == "causal" and allow_noncausal:
            continue
        if row.applies(site, mode):
            return row
    return None


def pointless(site: PaddingSite, mode: Mode) -> str:
    """Why a mode cannot change what a max-pool returns, "" where it can.

    A copy of an element that the window holds anyway cannot raise its maximum: edge copies the
    border element, which every window that reaches the border holds when it has no gaps; reflect
    and symmetric copy elements at most p inside, which it holds when 2p <= k - 1.
    """
    if not all(op.endswith("MaxPool") for op in site.reader_ops) or not _pads_with_nothing(site):
        return ""
    amounts = [(_at_most(site, axis), axis.window) for axis in site.axes]
    if any(w is None or w.dilation != 1 for _, w in amounts):
        return ""
    near = all(w is not None and p < w.kernel for p, w in amounts)
    inside = all(w is not None and 2 * p <= w.kernel - 1 for p, w in amounts)
    if mode.name == "edge" and near:
        return "edge cannot change a max-pool: every window holds the copied element already"
    mirrored = mode.name in ("reflect", "symmetric")
    if mirrored and inside and "ceil_mode" not in site.notes:
        return f"{mode} cannot change a max-pool with 2p <= k - 1: its windows hold the copies"
    return ""


def _pads_with_nothing(site: PaddingSite) -> bool:
    """Whether what is invented now loses against every element, as a max-pool's own padding."""
    alone = "direct" in site.notes and len(site.readers) == 1
    return site.mode == Mode("constant", -inf) and (site.form in ("pads", "auto_pad") or alone)


def _at_most(site: PaddingSite, axis: SiteAxis) -> float:
    """The largest amount padded at an end of an axis; SAME pads less than a window in all."""
    if axis.begin is not None and axis.end is not None:
        return max(axis.begin, axis.end)
    return axis.window.extent // 2 if site.form == "auto_pad" and axis.window else inf


_TRIED = ("edge", "reflect", "symmetric", "wrap", "linear", "mean", "partial")
_TARGETS = tuple(Mode(name) for name in _TRIED)


def obstacles(site: PaddingSite) -> dict[str, str]:
    """Mode -> why a rewrite to it is refused or changes nothing, for the modes that are."""
    found = {}
    for mode in _TARGETS:
        row = refusal(site, mode)
        reason = row.reason if row else pointless(site, mode)
        if reason:
            found[mode.name] = reason
    return found


MODES_TRIED = len(_TARGETS)
