"""A pool rewritten with --pools equals numpy.pad and plain windows over it; Indices are refused.

Truth is numpy alone: positions by the ONNX formula, windows cut out of numpy.pad's array. With
ceil_mode the last window may hang over the declared padding; what hangs over counts as padding.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import NodeProto, TensorProto, checker, helper

import onnxpad
from tests.truth.oracle import Array, model_of, numpy_pad, run

MODES = ("zero", "constant:0.75", "edge", "reflect", "symmetric", "wrap", "linear")
COPYING = ("edge", "reflect", "symmetric", "wrap")
# Means and roots of sums of at most 64 values near 1, added in another order.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Pool:
    """One pooling node; ``pads`` are (begin, end) pairs, left out under ``auto``."""

    op: str
    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    auto: str = ""
    ceil: bool = False
    counted: bool = False
    opset: int = 22
    dynamic: bool = False
    integers: bool = False

    @property
    def extents(self) -> list[int]:
        return [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]

    @property
    def counts(self) -> list[int]:
        """Window positions along each axis, by the formula of the operator's document."""
        found = []
        for n, (b, e), x, s in zip(
            self.sizes, self.amounts, self.extents, self.stride, strict=True
        ):
            span = n + b + e - x
            count = (-(-span // s) if self.ceil and not self.auto else span // s) + 1
            if self.ceil and not self.auto and (count - 1) * s >= n + b:
                count -= 1  # a window that would start in the end padding is dropped
            found.append(count)
        return found

    @property
    def amounts(self) -> list[tuple[int, int]]:
        if not self.auto:
            return list(self.pads)
        found = []
        for n, x, s in zip(self.sizes, self.extents, self.stride, strict=True):
            total = max((-(-n // s) - 1) * s + x - n, 0)
            low = (total + 1) // 2 if self.auto == "SAME_LOWER" else total // 2
            found.append((low, total - low))
        return found

    @property
    def reach(self) -> list[tuple[int, int]]:
        """What is padded: the declared amounts, and what the last window reads beyond them."""
        each = zip(self.sizes, self.amounts, self.extents, self.stride, self.counts, strict=True)
        return [
            (b, max(e, (c - 1) * s + x - b - n) if (b, e) != (0, 0) else e)
            for n, (b, e), x, s, c in each
        ]

    @property
    def node(self) -> NodeProto:
        attributes: dict[str, Any] = {"kernel_shape": self.kernel, "strides": self.stride}
        if max(self.dilation) > 1:
            attributes["dilations"] = self.dilation
        if self.auto:
            attributes["auto_pad"] = self.auto
        else:
            attributes["pads"] = [b for b, _ in self.pads] + [e for _, e in self.pads]
        if self.ceil:
            attributes["ceil_mode"] = 1
        if self.op == "AveragePool":
            attributes["count_include_pad"] = int(self.counted)
        if self.op == "LpPool":
            attributes["p"] = 2
        return helper.make_node(self.op, ["x"], ["y"], name="pool", **attributes)

    @property
    def array(self) -> Array:
        random = np.random.default_rng(sum(self.sizes))
        shape = (2, 2, *self.sizes)
        if self.integers:
            return random.integers(0, 256, shape).astype(np.uint8)
        # negative on the whole: a max-pool that reads zeros is not one that reads nothing
        return random.normal(-1, 1, shape).astype(np.float32)


def pooled(case: Pool, padded: Array) -> Array:
    """Plain windows over an array that is padded already."""
    axes = tuple(range(2, padded.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(padded, case.extents, axis=axes)
    places = tuple(
        slice(0, (c - 1) * s + 1, s) for c, s in zip(case.counts, case.stride, strict=True)
    )
    taps = tuple(slice(None, None, d) for d in case.dilation)
    cut = windows[(slice(None), slice(None), *places, *taps)]
    inner = tuple(range(-len(axes), 0))
    if case.op == "MaxPool":
        return np.asarray(cut.max(axis=inner))
    if case.op == "AveragePool":
        return np.asarray(cut.astype(np.float64).mean(axis=inner))
    return np.asarray(np.sqrt((cut.astype(np.float64) ** 2).sum(axis=inner)))


def truth(case: Pool, mode: str) -> Array:
    name, _, value = mode.partition(":")
    return pooled(case, numpy_pad(case.array, case.reach, name, float(value or 0)))


def untouched(case: Pool) -> Array:
    """A max-pool as it is: what it pads with loses against everything."""
    lowest = 0 if case.integers else -np.inf
    return pooled(case, numpy_pad(case.array, case.reach, "constant", lowest))


def cannot_matter(case: Pool, mode: str) -> bool:
    """The statements about max-pools: copies that every window holds anyway, axis by axis."""
    each = zip(case.dilation, case.amounts, strict=True)
    if case.op != "MaxPool" or any(d > 1 for d, p in each if any(p)):
        return False
    amounts = [(max(p), k) for p, k in zip(case.amounts, case.kernel, strict=True) if any(p)]
    if mode == "edge":
        return all(p < k for p, k in amounts)
    inside = all(2 * p <= k - 1 for p, k in amounts)
    return mode in ("reflect", "symmetric") and not case.ceil and inside


def own_mode(case: Pool) -> str:
    if case.op == "AveragePool":
        return "zero" if case.counted else "partial"
    return "zero" if case.op == "LpPool" else "nothing"


def in_words_of_opset(case: Pool) -> bool:
    """Whether the operator has these attributes in this opset, and ONNX Runtime runs it."""
    ceil_since = 18 if case.op == "LpPool" else 10
    dilation_since = {"MaxPool": 10, "AveragePool": 19, "LpPool": 18}[case.op]
    plain = case.opset >= ceil_since or not case.ceil
    dense = case.opset >= dilation_since or max(case.dilation) == 1
    typed = case.opset >= 12 or not case.integers
    return plain and dense and typed


def fits(case: Pool) -> bool:
    pairs = list(zip(case.sizes, case.amounts, case.extents, strict=True))
    whole = all(n + sum(p) >= x for n, p, x in pairs)
    # the padding of a pool is smaller than its kernel, or ONNX Runtime refuses the original (and,
    # because it fuses zero Pads into pools, the rewritten model as well)
    small = all(max(p) < k for p, k in zip(case.amounts, case.kernel, strict=True))
    # an axis without pads is no padded axis, even where ceil_mode lets a window hang over it
    inside = all(
        any(p) or (c - 1) * s + x <= n
        for n, p, x, s, c in zip(
            case.sizes, case.amounts, case.extents, case.stride, case.counts, strict=True
        )
    )
    return whole and inside and any(map(any, case.amounts)) and small


@st.composite
def cases(draw: st.DrawFn, op: str) -> Pool:
    dims = draw(st.integers(1, 3))

    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(dims))

    kernel = several(1, 4)
    pads = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in kernel)
    dilation = st.just((1,) * dims) | st.tuples(*[st.integers(1, 3)] * dims)
    return Pool(
        op, several(1, 9), kernel, several(1, 3), draw(dilation),
        pads, draw(st.sampled_from(["", "", "", "SAME_UPPER", "SAME_LOWER"])),
        draw(st.booleans()), draw(st.booleans()),
        draw(st.sampled_from([7, 9, 10, 11, 12, 13, 18, 19, 22])), draw(st.booleans()),
        op == "MaxPool" and draw(st.booleans()),
    )  # fmt: skip


def check(case: Pool, mode: str) -> None:
    x = case.array
    model = model_of([case.node], {"x": x}, {}, case.opset, dynamic=case.dynamic)
    before = model.SerializeToString()
    result = onnxpad.rewrite(model, mode, pools=True)
    assert model.SerializeToString() == before
    if reason := refused_for(case, mode):
        assert reason in result.refused[0].reason
        return
    if cannot_matter(case, mode):
        np.testing.assert_array_equal(truth(case, mode), untouched(case))
    if not result.changed:
        (left,) = result.left
        known = f"already {mode}" if own_mode(case) == mode else "cannot change a max-pool"
        assert known in left.reason
        assert own_mode(case) == mode or cannot_matter(case, mode)
        assert result.model.SerializeToString() == before
        return
    # with a free size there are sizes at which a mirrored even window does matter
    assert case.dynamic or not cannot_matter(case, mode)
    checker.check_model(result.model)
    expected, found = truth(case, mode), run(result.model, x=x)
    assert found.shape == expected.shape
    if case.op == "MaxPool" and mode != "linear":
        np.testing.assert_array_equal(found, expected)
    else:  # linear continued several times adds its terms in another order too
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
    assert result.undo(result.model).SerializeToString() == before


def refused_for(case: Pool, mode: str) -> str:
    """A word of the reason why this cannot be done, "" where it can."""
    if case.integers and mode in ("linear", "constant:0.75"):
        return "integers"
    if own_mode(case) == mode:
        return ""
    depends = any(s > 1 and k > 1 for s, k in zip(case.stride, case.kernel, strict=True))
    if case.dynamic and case.auto and depends and case.opset < 11:
        return "opset 11"
    padded = [s for s, p in zip(case.stride, case.amounts, strict=True) if any(p)]
    if case.dynamic and case.ceil and not case.auto and max(padded) > 1:
        return "ceil_mode"
    return ""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "LpPool"])
def test_pool(op: str, mode: str) -> None:
    @settings(max_examples=60, suppress_health_check=[*HealthCheck])
    @given(case=cases(op))
    def examples(case: Pool) -> None:
        assume(in_words_of_opset(case) and fits(case))
        check(case, mode)

    examples()


GRID = list(
    product((1, 2, 3, 4, 5, 7), (2, 3, 4, 5), (1, 2, 3), (1, 2), (0, 1, 2, 3), (0, 1, 2, 3), (0, 1))
)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_what_cannot_change_a_max_pool(mode: str) -> None:
    """The statements over a grid, both ways: where they do not hold, some data is changed."""
    spared = harmed = 0
    for size, kernel, stride, dilation, begin, end, ceil in GRID:
        if begin + end == 0 or max(begin, end) >= kernel:
            continue
        case = Pool(
            "MaxPool", (size,), (kernel,), (stride,), (dilation,), ((begin, end),), ceil=bool(ceil)
        )
        if size + begin + end < case.extents[0]:
            continue
        # each element in turn is the largest: whatever reads a copy of it shows
        peaks = np.where(np.eye(size, dtype=bool), 1.0, -1.0).reshape(size, 1, size)
        same = np.array_equal(
            pooled(case, numpy_pad(peaks, case.reach, mode)),
            pooled(case, numpy_pad(peaks, case.reach, "constant", -np.inf)),
        )
        if cannot_matter(case, mode):
            assert same, case
            spared += 1
        else:
            harmed += not same
    assert spared > 100
    assert harmed > 100


@pytest.mark.parametrize("mode", [*MODES, "partial"])
@pytest.mark.parametrize("pools", [False, True])
def test_max_pool_with_indices(mode: str, pools: bool) -> None:
    """Indices count in the padded tensor: refused, whatever the mode."""
    x = np.zeros((1, 1, 5, 5), np.float32)
    node = helper.make_node(
        "MaxPool", ["x"], ["y", "at"], name="pool", kernel_shape=[2, 2], pads=[1, 1, 1, 1]
    )
    model = model_of([node], {"x": x}, {}, 17)
    model.graph.output.append(helper.make_tensor_value_info("at", TensorProto.INT64, [None] * 4))
    result = onnxpad.rewrite(model, mode, pools=pools)
    assert not result.changed
    assert result.model.SerializeToString() == model.SerializeToString()
    if pools:
        assert "Indices" in result.refused[0].reason
    named = onnxpad.rewrite(model, set={"pool": mode})
    assert "Indices" in named.refused[0].reason


def test_indices_that_nobody_asked_for() -> None:
    """An output without a name is no output."""
    node = helper.make_node(
        "MaxPool", ["x"], ["y", ""], name="pool", kernel_shape=[2, 2], pads=[1, 1, 1, 1]
    )
    model = model_of([node], {"x": np.zeros((1, 1, 5, 5), np.float32)}, {}, 17)
    assert onnxpad.rewrite(model, "wrap", pools=True).changed


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "LpPool"])
def test_last_window_hangs_over(op: str, mode: str) -> None:
    """Size 5, kernel 3, stride 2, pads (1, 0) and ceil_mode: the last window reads one beyond."""
    case = Pool(op, (5,), (3,), (2,), (1,), ((1, 0),), ceil=True)
    assert case.counts == [3]
    assert case.reach == [(1, 1)]
    check(case, mode)


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("opset", [10, 21, 22])
def test_window_that_starts_in_the_padding_is_dropped(mode: str, opset: int) -> None:
    """Where the padding stands in the tensor, nothing drops such a window: less is padded."""
    case = Pool("MaxPool", (5,), (2,), (2,), (1,), ((1, 1),), ceil=True, opset=opset)
    assert case.counts == [3]
    check(replace(case, op="AveragePool"), mode)
    check(case, mode)


@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("dynamic", [False, True])
def test_pools_are_left_without_the_flag(mode: str, dims: int, dynamic: bool) -> None:
    case = Pool(
        "AveragePool", (6,) * dims, (3,) * dims, (2,) * dims, (1,) * dims, ((1, 1),) * dims,
        dynamic=dynamic,
    )  # fmt: skip
    model = model_of([case.node], {"x": case.array}, {}, 17, dynamic=dynamic)
    result = onnxpad.rewrite(model, mode)
    assert not result.changed
    assert "--pools" in result.left[0].reason


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_zero_pad_in_front_of_a_max_pool_matters(mode: str) -> None:
    """Zeros can be the largest in a window, as -inf cannot: this is no case of the statements."""
    case = Pool("MaxPool", (6, 7), (3, 3), (2, 2), (1, 1), ((1, 1), (1, 1)))
    x = case.array
    pad = helper.make_node("Pad", ["x", "pads"], ["p"], name="pad")
    bare = replace(case, pads=((0, 0), (0, 0))).node
    bare.input[0] = "p"
    pads = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    model = model_of([pad, bare], {"x": x}, {"pads": pads}, 17)
    result = onnxpad.rewrite(model, mode, pools=True)
    assert len(result.changed) == 1
    np.testing.assert_array_equal(run(result.model, x=x), truth(case, mode))
    assert (run(model, x=x) != truth(case, mode)).any()


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_infinite_pad_in_front_of_a_max_pool_does_not(mode: str) -> None:
    case = Pool("MaxPool", (6, 7), (3, 3), (2, 2), (1, 1), ((1, 1), (1, 1)))
    pad = helper.make_node("Pad", ["x", "pads", "low"], ["p"], name="pad")
    bare = replace(case, pads=((0, 0), (0, 0))).node
    bare.input[0] = "p"
    constants = {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "low": np.float32(-np.inf).reshape(())}
    model = model_of([pad, bare], {"x": case.array}, constants, 17)
    result = onnxpad.rewrite(model, mode, pools=True)
    assert "cannot change a max-pool" in result.left[0].reason
    np.testing.assert_array_equal(truth(case, mode), untouched(case))
