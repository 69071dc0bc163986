"""A rewritten convolution equals numpy.pad followed by the same convolution without padding."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import checker, helper

import onnxpad
from tests.truth.oracle import OPSETS, Array, model_of, numpy_pad, run

MODES = ("constant:0.75", "edge", "reflect", "symmetric", "wrap", "linear")
# The padded values are the same bits; only the order of a sum inside Conv may differ with the
# memory layout, by a few units in the last place.
TOLERANCE = {np.float32: 2e-6, np.float64: 4e-15, np.float16: 4e-3}


@dataclass(frozen=True)
class Case:
    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    auto: str
    groups: int
    opset: int
    dynamic: bool
    seed: int

    @property
    def amounts(self) -> list[tuple[int, int]]:
        if not self.auto:
            return list(self.pads)
        found = []
        for n, k, s, d in zip(self.sizes, self.kernel, self.stride, self.dilation, strict=True):
            total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            low = (total + 1) // 2 if self.auto == "SAME_LOWER" else total // 2
            found.append((low, total - low))
        return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    dims = draw(st.integers(1, 3))

    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(dims))

    pads = tuple(zip(several(0, 5), several(0, 5), strict=True))
    return Case(
        several(1, 8), several(1, 4), several(1, 3), several(1, 3), pads,
        draw(st.sampled_from(["", "", "SAME_UPPER", "SAME_LOWER"])), draw(st.integers(1, 2)),
        draw(st.sampled_from(OPSETS)), draw(st.booleans()), draw(st.integers(0, 9)),
    )  # fmt: skip


def _arrays(case: Case, kind: type = np.float32) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(case.seed)
    x = random.normal(1, 1, (2, 2 * case.groups, *case.sizes)).astype(kind)
    w = random.normal(0, 1, (2 * case.groups, 2, *case.kernel)).astype(kind)
    return x, w, random.normal(0, 1, 2 * case.groups).astype(kind)


def _conv(case: Case, **padding: object) -> object:
    return helper.make_node(
        "Conv", ["x", "w", "b"], ["y"], name="conv", kernel_shape=case.kernel,
        strides=case.stride, dilations=case.dilation, group=case.groups, **padding,
    )  # fmt: skip


def _padding(case: Case) -> dict[str, object]:
    if case.auto:
        return {"auto_pad": case.auto}
    return {"pads": [b for b, _ in case.pads] + [e for _, e in case.pads]}


def _truth(case: Case, mode: str, x: Array, w: Array, b: Array) -> Array:
    name, _, value = mode.partition(":")
    padded = numpy_pad(x, case.amounts, name, float(value or 0))
    plain = model_of([_conv(case)], {"x": padded}, {"w": w, "b": b}, case.opset)
    return run(plain, x=padded)


def _fits(case: Case) -> bool:
    pairs = zip(case.sizes, case.amounts, case.kernel, case.dilation, strict=True)
    return all(n + sum(p) >= d * (k - 1) + 1 for n, p, k, d in pairs)


def _old_auto_pad(case: Case) -> bool:
    depends = any(s > 1 and k > 1 for s, k in zip(case.stride, case.kernel, strict=True))
    return bool(case.auto) and case.dynamic and case.opset < 11 and depends


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(case=cases())
def test_mode(mode: str, case: Case) -> None:
    assume(_fits(case) and any(map(any, case.amounts)))
    x, w, b = _arrays(case)
    model = model_of(
        [_conv(case, **_padding(case))], {"x": x}, {"w": w, "b": b}, case.opset,
        dynamic=case.dynamic,
    )  # fmt: skip
    before = model.SerializeToString()
    result = onnxpad.rewrite(model, mode, allow_noncausal=True)
    if _old_auto_pad(case):
        assert [k.reason for k in result.refused if "opset 11" in k.reason]
        return
    assert len(result.changed) == 1
    checker.check_model(result.model)
    expected = _truth(case, mode, x, w, b)
    found = run(result.model, x=x)
    assert found.shape == expected.shape
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[np.float32] * scale * 8)
    assert model.SerializeToString() == before
    assert result.undo(result.model).SerializeToString() == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(case=cases())
def test_partial(case: Case) -> None:
    """out = r (W * x0) + b with r = window cells / real cells, 0 real cells giving b."""
    assume(_fits(case) and any(map(any, case.amounts)))
    # ONNX Runtime refuses dilated auto_pad SAME, rewritten or not
    assume(not (case.auto and max(case.dilation) > 1))
    x, w, b = _arrays(case)
    model = model_of(
        [_conv(case, **_padding(case))], {"x": x}, {"w": w, "b": b}, case.opset,
        dynamic=case.dynamic,
    )  # fmt: skip
    result = onnxpad.rewrite(model, "partial")
    assert len(result.changed) == 1
    checker.check_model(result.model)
    unscaled = _truth(case, "zero", x, w, np.zeros_like(b))
    ones = np.ones((1, 1, *case.sizes), np.float32)
    counts = _count(case, ones)
    ratio = np.prod(case.kernel) / np.maximum(counts, 1)
    expected = unscaled * ratio + b.reshape(1, -1, *([1] * len(case.sizes)))
    found = run(result.model, x=x)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[np.float32] * scale * 8)
    again = onnxpad.rewrite(result.model, "partial")
    assert not again.changed
    assert again.model.SerializeToString() == result.model.SerializeToString()


def _count(case: Case, ones: Array) -> Array:
    padded = numpy_pad(ones, case.amounts, "zero")
    node = helper.make_node(
        "Conv", ["x", "w"], ["y"], kernel_shape=case.kernel, strides=case.stride,
        dilations=case.dilation,
    )  # fmt: skip
    weights = np.ones((1, 1, *case.kernel), np.float32)
    return run(model_of([node], {"x": padded}, {"w": weights}, case.opset), x=padded)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
@pytest.mark.parametrize("mode", [*MODES, "partial"])
@pytest.mark.parametrize("opset", [7, 9, 11, 13, 19, 22])
@pytest.mark.parametrize("dynamic", [False, True])
def test_other_floats(kind: type, mode: str, opset: int, dynamic: bool) -> None:
    case = Case((5, 6), (3, 3), (1, 2), (1, 1), ((1, 1), (2, 0)), "", 1, opset, dynamic, 0)
    x, w, b = _arrays(case, kind)
    model = model_of(
        [_conv(case, **_padding(case))], {"x": x}, {"w": w, "b": b}, opset, dynamic=dynamic
    )
    found = run(onnxpad.rewrite(model, mode).model, x=x)
    if mode == "partial":
        unscaled = _truth(case, "zero", x, w, np.zeros_like(b)).astype(np.float64)
        ratio = 9 / np.maximum(_count(case, np.ones((1, 1, 5, 6), np.float32)), 1)
        expected = unscaled * ratio + b.astype(np.float64).reshape(1, -1, 1, 1)
    else:
        expected = _truth(case, mode, x, w, b)
    assert found.dtype == kind
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[kind] * scale)
