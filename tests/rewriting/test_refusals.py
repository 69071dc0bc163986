"""The committed table of refusals against what really happens, both ways."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

import onnxpad
from onnxpad.modes import MODE_NAMES, parse_mode
from onnxpad.refusals import TABLE, pointless
from tests.conftest import zoo_models
from tests.features import FEATURES, NOT_RUN, feeds
from tests.rewriting.make_refusals import TARGET, text
from tests.rewriting.running import fault, outputs

MODES = [f"{name}:0.5" if name == "constant" else name for name in MODE_NAMES]


def rewritten(model: ModelProto, mode: str) -> onnxpad.RewriteResult:
    """Every site of a model asked to change, pools and copying ones too."""
    sites = onnxpad.find_sites(model)
    means = {s.identity: (0.25,) * _channels(model, s.source) for s in sites}
    # names can hold what globs are made of; an identity always matches itself
    wanted = {s.identity: mode for s in sites}
    return onnxpad.rewrite(model, set=wanted, means=means if mode == "mean" else None)


def _channels(model: ModelProto, name: str) -> int:
    """Channels of a tensor, from the weights that meet it or the input it is; most have 2."""
    dims = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] == name and node.input[1] in dims:
            groups = [a.i for a in node.attribute if a.name == "group"]
            return int(dims[node.input[1]][1]) * (groups[0] if groups else 1)
    return 2


def check(model: ModelProto, mode: str) -> None:
    """Refused exactly where a row applies; done where none does."""
    sites = {site.identity: site for site in onnxpad.find_sites(model)}
    if not sites:
        return
    result = rewritten(model, mode)
    refused = {kept.site.identity: kept.reason for kept in result.refused}
    changed = {change.site.identity for change in result.changed}
    left = {kept.site.identity: kept.reason for kept in result.left}
    assert sorted([*refused, *changed, *left]) == sorted(sites)
    for identity, site in sites.items():
        row = next((r for r in TABLE if r.applies(site, parse_mode(mode))), None)
        if identity in left:
            known = ("already", "cannot change a max-pool")
            assert any(word in left[identity] for word in known), left[identity]
            assert left[identity].startswith("already") or pointless(site, parse_mode(mode))
        elif row is None:
            assert identity in changed, (identity, refused.get(identity))
        else:
            assert refused.get(identity) == row.reason


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FEATURES)
def test_features(name: str, mode: str) -> None:
    model = FEATURES[name]()
    check(model, mode)
    if not onnxpad.find_sites(model):
        return
    result = rewritten(model, mode)
    if name not in NOT_RUN:
        assert not fault(result.model) or fault(model)
        found, expected = outputs(result.model, feeds(model)), outputs(model, feeds(model))
        assert [a.shape for a in found] == [a.shape for a in expected]
        assert [a.dtype for a in found] == [a.dtype for a in expected]


@pytest.mark.zoo
@pytest.mark.parametrize("mode", [m for m in MODES if m != "mean"])
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_zoo(path: Any, mode: str) -> None:
    check(ModelProto.FromString(path.read_bytes()), mode)


def test_the_table_is_documented() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), (
        "docs/refusals.md is out of date: python -m tests.rewriting.make_refusals"
    )


def test_codes_and_reasons_are_told_apart() -> None:
    assert len({row.code for row in TABLE}) == len(TABLE)
    assert len({row.reason for row in TABLE}) == len(TABLE)
    assert all(row.what and row.reason for row in TABLE)


# --- a model for every row ---------------------------------------------------------------------


def value(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def single(
    op: str, x: Any, w: Any = None, *, opset: int = 17, kind: int = TensorProto.FLOAT,
    outputs: int = 1, **attributes: Any,
) -> ModelProto:  # fmt: skip
    """One node on x; the weights are an input, so that any size costs nothing."""
    inputs = [value("x", x, kind)] + ([value("w", w, kind)] if w is not None else [])
    names = ["y", "at"][:outputs]
    node = helper.make_node(op, [i.name for i in inputs], names, name="site", **attributes)
    graph = helper.make_graph([node], "g", inputs, [value(n, None) for n in names])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


def computed_pad() -> ModelProto:
    """A Pad of half its height, right in front of a Conv."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["h"], axis=0),
        helper.make_node("Div", ["h", "two"], ["half"]),
        helper.make_node("Concat", ["o", "o", "half", "o", "o", "o", "half", "o"], ["p"], axis=0),
        helper.make_node("Pad", ["x", "p"], ["px"], name="site"),
        helper.make_node("Conv", ["px", "w"], ["y"], name="conv", kernel_shape=[3, 3]),
    ]
    constants = {"two": np.array([2]), "o": np.array([0])}
    graph = helper.make_graph(
        nodes, "g", [value("x", [1, 2, "h", "w"]), value("w", [3, 2, 3, 3])],
        [value("y", [None] * 4)], [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def folded_space() -> ModelProto:
    """TensorFlow's dilated convolution with padding of its own on the phases."""
    model = FEATURES["space_to_batch"]()
    conv = next(n for n in model.graph.node if n.op_type == "Conv")
    conv.attribute.append(helper.make_attribute("pads", [1, 1, 1, 1]))
    for tensor in model.graph.initializer:
        if tensor.name == "uncut":
            tensor.CopyFrom(numpy_helper.from_array(np.array([2, 2, 1, 3, 7, 6]), "uncut"))
        if tensor.name == "image":
            tensor.CopyFrom(numpy_helper.from_array(np.array([1, 3, 14, 12]), "image"))
    return model


def old_reference() -> ModelProto:
    """A local function of opset 11 whose Conv takes its pads from the caller."""
    model = FEATURES["function_pads_reference"]()
    for holder in (model, *model.functions):
        for opset in holder.opset_import:
            opset.version = 11 if opset.domain == "" else opset.version
    kind = AttributeProto.INTS
    assert any(a.ref_attr_name and a.type == kind for a in model.functions[0].node[0].attribute)
    return model


def callers(attribute: str) -> ModelProto:
    """A local function whose Conv takes an attribute from the caller in place of its pads."""
    model = FEATURES["function_pads_reference"]()
    (referring,) = [a for a in model.functions[0].node[0].attribute if a.ref_attr_name]
    referring.name, referring.type = attribute, AttributeProto.STRING
    for node in model.graph.node:
        for given in node.attribute:
            if given.name == referring.ref_attr_name:
                given.CopyFrom(helper.make_attribute(given.name, "SAME_UPPER"))
    return model


def gathered() -> ModelProto:
    """SAME of a free size, mirrored by taking each axis anew."""
    model = single("Conv", [1, 2, "h", "w"], [3, 2, 3, 3], strides=[2, 2], auto_pad="SAME_LOWER")
    return onnxpad.rewrite(model, "reflect").model


def partial_already() -> ModelProto:
    return onnxpad.rewrite(FEATURES["conv_strided"](), "partial").model


IMAGE = [1, 2, 9, 8]
KERNEL = [3, 2, 3, 3]

ROWS: dict[str, tuple[Callable[[], ModelProto], str]] = {
    "width": (lambda: single("Conv", [1, 2, 9], [3, 2, 3], pads=[2**16 + 1, 0]), "edge"),
    "taps": (
        lambda: single("Conv", [1, 2, 3000, 3000], [3, 2, 1025, 1025], pads=[1] * 4), "partial",
    ),
    "nchwc": (FEATURES["nchwc_conv"], "edge"),
    "space-to-batch": (folded_space, "edge"),
    "indices": (
        lambda: single("MaxPool", IMAGE, outputs=2, kernel_shape=[2, 2], pads=[1] * 4), "wrap",
    ),
    "is-partial": (partial_already, "reflect"),
    "causal": (FEATURES["conv_1d_causal"], "reflect"),
    "partial-op": (FEATURES["fused_conv"], "partial"),
    "partial-form": (FEATURES["pad_through_pointwise"], "partial"),
    "partial-window": (lambda: single("Conv", IMAGE, ["a", "b", "c", "d"], pads=[1] * 4),
                       "partial"),
    "partial-amount": (computed_pad, "partial"),
    "integer": (FEATURES["conv_integer"], "linear"),
    "composed-amount": (gathered, "edge"),
    "range": (lambda: single("Conv", [1, 2, 9], [3, 2, 3], pads=[1, 1], kind=TensorProto.FLOAT16),
              "constant:65536"),
    "mean-scope": (FEATURES["if_own_weights"], "mean"),
    "mean-channels": (FEATURES["pad_through_transpose"], "mean"),
    "hoisted": (FEATURES["pad_before_pointwise_conv"], "linear"),
    "old-auto-pad": (FEATURES["auto_pad_dynamic_size_opset10"], "edge"),
    "old-reference": (old_reference, "edge"),
    "caller": (lambda: callers("auto_pad"), "edge"),
    "same-window": (lambda: single("Conv", IMAGE, ["a", "b", "c", "d"], auto_pad="SAME_UPPER"),
                    "edge"),
    "ceil-mode": (
        lambda: single("MaxPool", [1, 2, "h", "w"], kernel_shape=[3, 3], strides=[2, 2],
                       pads=[1] * 4, ceil_mode=1),
        "wrap",
    ),
}  # fmt: skip


def test_there_is_a_model_for_every_row() -> None:
    assert set(ROWS) == {row.code for row in TABLE}


@pytest.mark.parametrize("code", ROWS)
def test_row(code: str) -> None:
    build, mode = ROWS[code]
    model = build()
    row = next(r for r in TABLE if r.code == code)
    result = rewritten(model, mode)
    assert row.reason in {kept.reason for kept in result.refused}
    assert not result.changed
    assert result.model.SerializeToString() == model.SerializeToString()
    check(model, mode)


ANY_MODE = {"width", "nchwc", "space-to-batch", "indices", "is-partial", "ceil-mode", "caller",
            "same-window", "composed-amount"}  # fmt: skip


@pytest.mark.parametrize("code", sorted(ANY_MODE))
@pytest.mark.parametrize("mode", [m for m in MODES if m != "mean"])
def test_rows_of_any_mode(code: str, mode: str) -> None:
    model = ROWS[code][0]()
    result = rewritten(model, mode)
    assert not result.changed
    (site,) = onnxpad.find_sites(model)
    assert result.refused or site.invents(parse_mode(mode))


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "wrap", "linear"])
def test_causal_is_done_when_allowed(mode: str) -> None:
    model = FEATURES["conv_1d_causal"]()
    result = onnxpad.rewrite(model, mode, allow_noncausal=True)
    assert len(result.changed) == 1
    x = feeds(model)["x"]
    width = [(0, 0), (0, 0), (4, 0)]
    name = {"linear": "reflect"}.get(mode, mode)
    odd = {"reflect_type": "odd"} if mode == "linear" else {}
    padded = np.pad(x, width, mode=name, **odd)  # type: ignore[call-overload]  # numpy's words
    plain = FEATURES["conv_1d_causal"]()
    pads = next(a for a in plain.graph.node[0].attribute if a.name == "pads")
    pads.ints[:] = [0, 0]
    plain.graph.input[0].type.tensor_type.shape.dim[2].dim_value = padded.shape[2]
    (found,), (expected,) = outputs(result.model, {"x": x}), outputs(plain, {"x": padded})
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("mode", ["edge", "zero", "constant:0.5", "partial"])
def test_causal_modes_that_read_no_future(mode: str) -> None:
    result = onnxpad.rewrite(FEATURES["conv_1d_causal"](), mode)
    assert not result.refused
