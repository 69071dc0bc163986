"""Padding that stands as nodes: every form of Pad, and circular padding as Slice and Concat.

Truth is the rest of the same model, built without its padding and fed with numpy.pad's array.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

import onnxpad
from tests.truth.oracle import Array, ir_version, run

MODES = ("edge", "reflect", "symmetric", "wrap", "linear", "constant:0.75")
# linear adds its terms in another order than numpy, and a mean is rounded: a few units of float32
TOLERANCE = 2e-6

Width = Sequence[tuple[int, int]]


def padded(x: Array, width: Width, mode: str, zero: float = 0) -> Array:
    """numpy.pad with a pair for every axis, in onnxpad's words; ``zero`` is what 0 means."""
    name, _, value = mode.partition(":")
    if name == "linear":
        return np.pad(x, width, mode="reflect", reflect_type="odd")
    if name in ("zero", "constant"):
        return np.pad(x, width, mode="constant", constant_values=float(value or 0) + zero)
    return np.pad(x, width, mode=name)  # type: ignore[call-overload]  # numpy's own words


@dataclass
class Part:
    """Nodes and constants, from a tensor of one name to a tensor of another."""

    nodes: list[NodeProto]
    constants: dict[str, Array] = field(default_factory=dict)


def node(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op, inputs, [output], name=f"{op}_{output}", **attributes)


def model(
    parts: Sequence[Part], source: str, x: Array, opset: int, *, free: Sequence[int] = ()
) -> ModelProto:
    """``source`` is the input, with ``free`` axes; the output is y."""
    rank = max([x.ndim, *(a.ndim for p in parts for n, a in p.constants.items() if n == "w_y")])
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    shape = [f"d{i}" if i in free else d for i, d in enumerate(x.shape)]
    graph = helper.make_graph(
        [n for part in parts for n in part.nodes], "g",
        [helper.make_tensor_value_info(source, kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * rank)],
        [numpy_helper.from_array(a, n) for part in parts for n, a in part.constants.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = max(ir_version(opset), 4)
    return made


def image(*shape: int) -> Array:
    return np.random.default_rng(5).normal(0.4, 1, shape or (1, 2, 7, 6)).astype(np.float32)


def kernel(*shape: int) -> Array:
    return np.random.default_rng(6).normal(0, 1, shape or (3, 2, 3, 3)).astype(np.float32)


def conv(x: str = "p", w: Array | None = None, y: str = "y", **attributes: Any) -> Part:
    weights = kernel() if w is None else w
    return Part([node("Conv", [x, f"w_{y}"], y, **attributes)], {f"w_{y}": weights})


def close(found: Array, expected: Array, mode: str) -> None:
    assert found.shape == expected.shape
    if mode == "linear":
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * scale * 4)
    else:
        np.testing.assert_array_equal(found, expected)


def ops(proto: ModelProto) -> list[str]:
    return [n.op_type for n in proto.graph.node]


# --- the ways a Pad is told how much to pad -------------------------------------------------

WIDTH: Width = [(0, 0), (0, 0), (1, 2), (2, 0)]
FLAT = [0, 0, 1, 2, 0, 0, 2, 0]


def pad_attribute(fill: float) -> Part:
    more = {"value": fill} if fill else {}
    return Part([node("Pad", ["x"], "p", pads=FLAT, mode="constant", **more)])


def _with_fill(inputs: list[str], fill: float, constants: dict[str, Array]) -> Part:
    if fill:
        inputs = [inputs[0], inputs[1], "fill", *inputs[3:]]
        constants["fill"] = np.array(fill, np.float32)
    return Part([node("Pad", inputs, "p")], constants)


def pad_initializer(fill: float) -> Part:
    return _with_fill(["x", "pads"], fill, {"pads": np.array(FLAT)})


def pad_constant_node(fill: float) -> Part:
    part = _with_fill(["x", "pads"], fill, {})
    make = node("Constant", [], "pads", value=numpy_helper.from_array(np.array(FLAT)))
    return Part([make, *part.nodes], part.constants)


def pad_chain(fill: float) -> Part:
    """As torch.onnx writes F.pad: last axis first, then turned round."""
    part = _with_fill(["x", "pads"], fill, {})
    given = {"torch_pads": np.array([2, 0, 1, 2])}
    return Part([*turned("torch_pads").nodes, *part.nodes],
                part.constants | turned("torch_pads").constants | given)  # fmt: skip


def turned(pairs: str) -> Part:
    """(begin, end) pairs from the last axis to the first → pads of a tensor of rank 4."""
    nodes = [
        node("ConstantOfShape", ["four"], "zeros", value=numpy_helper.from_array(np.array([0]))),
        node("Concat", [pairs, "zeros"], "all", axis=0),
        node("Reshape", ["all", "pairs"], "rows"),
        node("Slice", ["rows", "last", "before", "axis", "back"], "up"),
        node("Transpose", ["up"], "columns", perm=[1, 0]),
        node("Reshape", ["columns", "flat"], "line"),
        node("Cast", ["line"], "pads", to=TensorProto.INT64),
    ]
    numbers = {
        "four": [4], "pairs": [-1, 2], "last": [-1], "before": [-(2**63) + 1], "axis": [0],
        "back": [-1], "flat": [-1],
    }  # fmt: skip
    return Part(nodes, {k: np.array(v) for k, v in numbers.items()})


def pad_axes(fill: float) -> Part:
    return _with_fill(
        ["x", "pads", "", "axes"], fill, {"pads": np.array([1, 2, 2, 0]), "axes": np.array([2, 3])}
    )


def pad_axes_backwards(fill: float) -> Part:
    constants = {"pads": np.array([2, 1, 0, 2]), "axes": np.array([-1, -2])}
    return _with_fill(["x", "pads", "", "axes"], fill, constants)


FORMS: list[tuple[Callable[[float], Part], int]] = [
    (pad_attribute, 7),
    (pad_attribute, 10),
    (pad_initializer, 11),
    (pad_initializer, 13),
    (pad_initializer, 19),
    (pad_initializer, 22),
    (pad_constant_node, 13),
    (pad_chain, 11),
    (pad_chain, 18),
    (pad_axes, 18),
    (pad_axes_backwards, 21),
]


def _name(value: object) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("form", "opset"), FORMS, ids=_name)
@pytest.mark.parametrize("fill", [0.0, 0.25])
@pytest.mark.parametrize("free", [(), (0, 2, 3)], ids=["fixed", "dynamic"])
def test_form(
    form: Callable[[float], Part], opset: int, fill: float, mode: str, free: Sequence[int]
) -> None:
    x, rest = image(), conv(strides=[1, 2])
    given = model([form(fill), rest], "x", x, opset, free=free)
    result = onnxpad.rewrite(given, mode, from_mode=f"constant:{fill}" if fill else None)
    assert len(result.changed) == 1
    checker.check_model(result.model)
    after = padded(x, WIDTH, mode)
    close(run(result.model, x=x), run(model([rest], "p", after, opset), p=after), mode)
    assert result.undo(result.model).SerializeToString() == given.SerializeToString()
    again = onnxpad.rewrite(result.model, mode, from_mode=f"constant:{fill}" if fill else None)
    assert again.model.SerializeToString() == result.model.SerializeToString()


@pytest.mark.parametrize(("form", "opset"), FORMS, ids=_name)
def test_other_constants_stay_unless_named(form: Callable[[float], Part], opset: int) -> None:
    given = model([form(0.25), conv()], "x", image(), opset)
    for mode in ("edge", "constant:0.75"):
        result = onnxpad.rewrite(given, mode)
        assert not result.changed
        assert "constant:0.25" in result.left[0].reason
        assert onnxpad.rewrite(given, set={result.left[0].site.identity: mode}).changed


# --- what stands between the Pad and the convolution -----------------------------------------


@dataclass(frozen=True)
class Between:
    """A tail from p to y, the padded tensor's shape and pads, and whether 0 stays 0 on the way."""

    make: Callable[[], list[Part]]
    shape: tuple[int, ...]
    width: Width
    keeps_zero: bool = True
    opset: int = 17


SPACE: Width = [(0, 0), (0, 0), (1, 2), (2, 1)]
IMAGE = (1, 2, 7, 6)


def _through(*steps: NodeProto, **constants: Array) -> Callable[[], list[Part]]:
    return lambda: [Part(list(steps), constants), conv("q")]


SCALE = {"s": np.array(0.03, np.float32), "z": np.array(101, np.uint8)}
MOMENTS = {n: kernel(2) ** 2 + np.float32(0.1) for n in ("gain", "bias", "mean", "spread")}

BETWEEN = {
    "nothing": Between(lambda: [conv("p")], IMAGE, SPACE),
    "own_pads": Between(lambda: [conv("p", pads=[0, 1, 1, 0])], IMAGE, SPACE),
    "relu": Between(_through(node("Relu", ["p"], "q")), IMAGE, SPACE),
    "leaky": Between(_through(node("LeakyRelu", ["p"], "q", alpha=0.3)), IMAGE, SPACE),
    "prelu": Between(
        _through(node("PRelu", ["p", "slope"], "q"), slope=kernel(2, 1, 1)), IMAGE, SPACE
    ),
    "sigmoid": Between(_through(node("Sigmoid", ["p"], "q")), IMAGE, SPACE, keeps_zero=False),
    "clip": Between(
        _through(node("Clip", ["p", "low", "high"], "q"),
                 low=np.array(0.2, np.float32), high=np.array(1, np.float32)),
        IMAGE, SPACE, keeps_zero=False,
    ),
    "bias": Between(
        _through(node("Add", ["p", "b"], "q"), b=kernel(1, 2, 1, 1)), IMAGE, SPACE,
        keeps_zero=False,
    ),
    "batch_normalisation": Between(
        _through(node("BatchNormalization", ["p", *MOMENTS], "q"), **MOMENTS), IMAGE, SPACE,
        keeps_zero=False,
    ),
    "cast": Between(
        _through(node("Cast", ["p"], "h", to=TensorProto.FLOAT16),
                 node("Cast", ["h"], "q", to=TensorProto.FLOAT)),
        IMAGE, SPACE,
    ),
    "transpose": Between(
        _through(node("Transpose", ["p"], "q", perm=[0, 3, 1, 2])), (1, 7, 6, 2),
        [(0, 0), (1, 2), (2, 1), (0, 0)],
    ),
    "unsqueeze": Between(
        lambda: [
            Part([node("Unsqueeze", ["p", "two"], "q")], {"two": np.array([2])}),
            conv("q", kernel(3, 2, 1, 4)),
        ],
        (1, 2, 9), [(0, 0), (0, 0), (3, 1)],
    ),
    "unsqueeze_squeeze": Between(
        lambda: [
            Part([node("Unsqueeze", ["p", "two"], "u"), node("Squeeze", ["u", "two"], "q")],
                 {"two": np.array([2])}),
            conv("q", kernel(3, 2, 4)),
        ],
        (1, 2, 9), [(0, 0), (0, 0), (3, 1)],
    ),
    "reshape": Between(
        lambda: [
            Part([node("Reshape", ["p", "to"], "q")], {"to": np.array([1, 2, 1, 13])}),
            conv("q", kernel(3, 2, 1, 4)),
        ],
        (1, 2, 9), [(0, 0), (0, 0), (3, 1)], keeps_zero=False,
    ),
    "q_dq": Between(
        _through(node("QuantizeLinear", ["p", "s", "z"], "i"),
                 node("DequantizeLinear", ["i", "s", "z"], "q"), **SCALE),
        IMAGE, SPACE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", [*MODES, "partial"])
@pytest.mark.parametrize("name", BETWEEN)
def test_between(name: str, mode: str) -> None:
    case = BETWEEN[name]
    x = image(*case.shape)
    given = model([pad(case.width), *case.make()], "x", x, case.opset)
    result = onnxpad.rewrite(given, set={"Pad_p": mode})
    if mode == "partial" and name != "nothing":
        assert "directly" in result.refused[0].reason
        return
    assert len(result.changed) == 1
    checker.check_model(result.model)
    if mode == "partial":
        close(run(result.model, x=x), _partial(x, case.width, kernel(), case.opset), "linear")
        return
    after = padded(x, case.width, mode)
    expected = run(model(case.make(), "p", after, case.opset), p=after)
    if name == "q_dq" and mode == "linear":  # the last bit decides a rounding here and there
        assert np.mean(np.abs(run(result.model, x=x) - expected) > TOLERANCE) < 0.02
        return
    close(run(result.model, x=x), expected, mode)


def pad(width: Width, mode: str = "constant", output: str = "p") -> Part:
    amounts = np.array([b for b, _ in width] + [e for _, e in width])
    pads = f"pads_of_{output}"
    return Part([node("Pad", ["x", pads], output, mode=mode)], {pads: amounts})


# --- amounts that are computed from the size -------------------------------------------------


def tf_same(opset: int, stride: int, kernel_size: int, *, torch: bool) -> Part:
    """TF-SAME for H and W of x: total = max((ceil(n / s) - 1) s + k - n, 0), more at the end.

    Below opset 12 Max has no integers, so that exporters go through floats. ``torch``: joined in
    torch's order and turned round; else written as the eight amounts.
    """
    numbers = {
        "s": stride, "s1": stride - 1, "k": kernel_size, "i1": 1, "i2": 2, "i0": 0,
    }  # fmt: skip
    constants = {k: np.array([v]) for k, v in numbers.items()}
    nodes = [node("Shape", ["x"], "shape")]
    for axis, at in (("h", 2), ("w", 3)):
        constants[f"{axis}_at"] = np.array([at])
        nodes += [
            node("Gather", ["shape", f"{axis}_at"], axis, axis=0),
            node("Add", [axis, "s1"], f"{axis}_up"),
            node("Div", [f"{axis}_up", "s"], f"{axis}_out"),
            node("Sub", [f"{axis}_out", "i1"], f"{axis}_last"),
            node("Mul", [f"{axis}_last", "s"], f"{axis}_start"),
            node("Add", [f"{axis}_start", "k"], f"{axis}_end"),
            node("Sub", [f"{axis}_end", axis], f"{axis}_need"),
            *_at_least_zero(f"{axis}_need", f"{axis}_total", opset),
            node("Div", [f"{axis}_total", "i2"], f"{axis}_b"),
            node("Sub", [f"{axis}_total", f"{axis}_b"], f"{axis}_e"),
        ]
    if torch:
        nodes.append(node("Concat", ["w_b", "w_e", "h_b", "h_e"], "pairs_wh", axis=0))
        more = turned("pairs_wh")
        nodes += more.nodes
        constants |= more.constants
    else:
        names = ["i0", "i0", "h_b", "w_b", "i0", "i0", "h_e", "w_e"]
        nodes.append(node("Concat", names, "pads", axis=0))
    return Part([*nodes, node("Pad", ["x", "pads"], "p")], constants)


def _at_least_zero(name: str, output: str, opset: int) -> list[NodeProto]:
    if opset >= 12:
        return [node("Max", [name, "i0"], output)]
    return [
        node("Cast", [name], f"{output}_f", to=TensorProto.FLOAT),
        node("Relu", [f"{output}_f"], f"{output}_r"),
        node("Cast", [f"{output}_r"], output, to=TensorProto.INT64),
    ]


def same_width(x: Array, stride: int, kernel_size: int) -> Width:
    found: list[tuple[int, int]] = [(0, 0), (0, 0)]
    for n in x.shape[2:]:
        total = max((-(-n // stride) - 1) * stride + kernel_size - n, 0)
        found.append((total // 2, total - total // 2))
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("opset", [11, 13, 18, 19])
@pytest.mark.parametrize("torch", [False, True], ids=["eight", "torch"])
@pytest.mark.parametrize("free", [(), (2, 3), (0, 1, 2, 3)], ids=["fixed", "hw", "all"])
def test_tf_same(mode: str, opset: int, torch: bool, free: Sequence[int]) -> None:
    """One model, several sizes: those that need nothing at an end, and those below the kernel."""
    rest = conv(w=kernel(3, 2, 5, 5), strides=[2, 2])
    x = image(1, 2, 9, 8)
    given = model([tf_same(opset, 2, 5, torch=torch), rest], "x", x, opset, free=free)
    result = onnxpad.rewrite(given, mode)
    assert len(result.changed) == 1, result
    checker.check_model(result.model)
    for size in ((9, 8), (8, 8), (10, 3), (2, 2), (1, 3)) if free else ((9, 8),):
        x = image(1, 2, *size)
        after = padded(x, same_width(x, 2, 5), mode)
        expected = run(model([rest], "p", after, opset), p=after)
        close(run(result.model, x=x), expected, mode)
    again = onnxpad.rewrite(result.model, mode)
    assert again.model.SerializeToString() == result.model.SerializeToString()


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
def test_tf_same_can_be_nothing(mode: str) -> None:
    """Kernel 1, stride 2: at some sizes the amounts are 0, at none they are negative."""
    rest = conv(w=kernel(3, 2, 1, 1), strides=[2, 2])
    given = model([tf_same(13, 2, 1, torch=True), rest], "x", image(), 13, free=(2, 3))
    result = onnxpad.rewrite(given, mode)
    for size in ((7, 6), (1, 1)):
        x = image(1, 2, *size)
        close(run(result.model, x=x), run(model([rest], "p", x, 13), p=x), mode)


# --- circular padding as Slice and Concat ----------------------------------------------------


def circular(opset: int, amounts: dict[int, tuple[int, int]]) -> Part:
    """x → p: per axis Concat(last b, all, first e), as torch.onnx writes it."""
    nodes, constants, name = [], {}, "x"
    for axis, (begin, end) in amounts.items():
        out = "p" if axis == max(amounts) else f"axis{axis}"
        parts = []
        for part, start, stop in (("tail", -begin, 2**63 - 1), ("head", 0, end)):
            if not (begin if part == "tail" else end):
                continue
            cut = f"{out}_{part}"
            if opset < 10:
                attributes = {"axes": [axis], "starts": [start], "ends": [stop]}
                nodes.append(node("Slice", [name], cut, **attributes))
            else:
                numbers = {"start": start, "stop": stop, "axis": axis}
                constants |= {f"{cut}_{k}": np.array([v]) for k, v in numbers.items()}
                nodes.append(node("Slice", [name, *(f"{cut}_{k}" for k in numbers)], cut))
            parts.append(cut)
        joined = [*parts[: bool(begin)], name, *parts[bool(begin) :]]
        nodes.append(node("Concat", joined, out, axis=axis))
        name = out
    return Part(nodes, constants)


CIRCLES: dict[str, tuple[tuple[int, ...], dict[int, tuple[int, int]]]] = {
    "1d": ((1, 2, 9), {2: (2, 2)}),
    "2d": ((1, 2, 7, 6), {2: (1, 1), 3: (2, 2)}),
    "2d_width": ((1, 2, 7, 6), {3: (2, 2)}),
    "2d_uneven": ((1, 2, 7, 6), {2: (0, 2), 3: (1, 0)}),
    "3d": ((1, 2, 4, 5, 6), {2: (1, 1), 3: (1, 1), 4: (1, 1)}),
}


@pytest.mark.parametrize("mode", [*MODES, "zero"])
@pytest.mark.parametrize("opset", [9, 11, 13, 20])
@pytest.mark.parametrize("name", CIRCLES)
@pytest.mark.parametrize("dynamic", [False, True])
def test_circular(mode: str, opset: int, name: str, dynamic: bool) -> None:
    shape, amounts = CIRCLES[name]
    x, spatial = image(*shape), range(2, len(shape))
    rest = conv(w=kernel(3, 2, *(3 for _ in spatial)))
    free = (0, *spatial) if dynamic else ()
    given = model([circular(opset, amounts), rest], "x", x, opset, free=free)
    width = [amounts.get(i, (0, 0)) for i in range(len(shape))]
    wrapped = padded(x, width, "wrap")
    close(run(given, x=x), run(model([rest], "p", wrapped, opset), p=wrapped), "wrap")
    if mode != "wrap":
        left = onnxpad.rewrite(given, mode)
        assert bool(left.changed) == (mode == "zero")  # zero means every copying mode
    result = onnxpad.rewrite(given, mode, from_mode="wrap")
    if mode == "wrap":
        assert result.left[0].reason == "already wrap"
        return
    assert len(result.changed) == 1
    checker.check_model(result.model)
    after = padded(x, width, mode)
    close(run(result.model, x=x), run(model([rest], "p", after, opset), p=after), mode)
    before = {n.output[0] for n in given.graph.node if n.op_type == "Slice"}
    assert before.isdisjoint(o for n in result.model.graph.node for o in n.output)
    if mode == "zero":
        assert ops(result.model) == ["Conv"]
    assert result.undo(result.model).SerializeToString() == given.SerializeToString()


def _partial(x: Array, width: Width, w: Array, opset: int, **attributes: Any) -> Array:
    """r (W * x0), r = window cells / real cells, counted by a convolution of ones."""
    zeros = padded(x, width, "zero")
    real = padded(np.ones((1, 1, *x.shape[2:]), np.float32), width, "zero")
    ones = conv(w=np.ones((1, 1, *w.shape[2:]), np.float32), **attributes)
    counts = run(model([ones], "p", real, opset), p=real)
    plain = run(model([conv(w=w, **attributes)], "p", zeros, opset), p=zeros)
    return plain * (float(np.prod(w.shape[2:])) / np.maximum(counts, 1))


@pytest.mark.parametrize("opset", [9, 13, 20])
@pytest.mark.parametrize("name", CIRCLES)
@pytest.mark.parametrize("dynamic", [False, True])
def test_circular_to_partial(opset: int, name: str, dynamic: bool) -> None:
    """Zeros take the wrapped values' place before anything is rescaled."""
    shape, amounts = CIRCLES[name]
    x, spatial = image(*shape), range(2, len(shape))
    w = kernel(3, 2, *(3 for _ in spatial))
    free = (0, *spatial) if dynamic else ()
    given = model([circular(opset, amounts), conv(w=w)], "x", x, opset, free=free)
    result = onnxpad.rewrite(given, "partial", from_mode="wrap")
    width = [amounts.get(i, (0, 0)) for i in range(len(shape))]
    close(run(result.model, x=x), _partial(x, width, w, opset), "linear")
    (site,) = onnxpad.find_sites(result.model)
    assert str(site.mode) == "partial"
    assert result.undo(result.model).SerializeToString() == given.SerializeToString()


@pytest.mark.parametrize("source", ["edge", "reflect", "wrap"])
def test_copying_pads_to_partial(source: str) -> None:
    x, w = image(), kernel()
    given = model([pad(SPACE, source), conv("p", w, strides=[2, 1])], "x", x, 19)
    result = onnxpad.rewrite(given, "partial", from_mode=source)
    close(run(result.model, x=x), _partial(x, SPACE, w, 19, strides=[2, 1]), "linear")


def test_circular_width_and_zero_height_are_two_sites() -> None:
    """Panoramas: wrapped around, with zeros at the poles."""
    part, rest = circular(13, {3: (1, 1)}), conv(pads=[1, 0, 1, 0])
    x = image()
    given = model([part, rest], "x", x, 13)
    modes = {str(s.mode): s for s in onnxpad.find_sites(given)}
    assert set(modes) == {"wrap", "zero"}
    result = onnxpad.rewrite(given, "edge")
    assert [str(c.site.mode) for c in result.changed] == ["zero"]
    after = padded(padded(x, [(0, 0)] * 3 + [(1, 1)], "wrap"),
                   [(0, 0), (0, 0), (1, 1), (0, 0)], "edge")  # fmt: skip
    close(run(result.model, x=x), run(model([conv()], "p", after, 13), p=after), "edge")


# --- zero as a target ------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["constant", "edge", "reflect", "wrap"])
@pytest.mark.parametrize("name", BETWEEN)
def test_to_zero(name: str, source: str) -> None:
    """Into the Conv's own pads where everything between keeps 0 as 0, else a Pad of zeros."""
    case = BETWEEN[name]
    opset = 19 if source == "wrap" else case.opset
    x = image(*case.shape)
    given = model([pad(case.width, source), *case.make()], "x", x, opset)
    result = onnxpad.rewrite(given, "zero")
    after = padded(x, case.width, "zero")
    expected = run(model(case.make(), "p", after, opset), p=after)
    close(run(result.model, x=x), expected, "zero")
    if case.keeps_zero:
        assert len(result.changed) == 1
        assert "Pad" not in ops(result.model)
    elif source == "constant":
        assert not result.changed
        assert result.model.SerializeToString() == given.SerializeToString()
    else:
        assert ops(result.model).count("Pad") == 1
    assert result.undo(result.model).SerializeToString() == given.SerializeToString()
    again = onnxpad.rewrite(result.model, "zero")
    assert again.model.SerializeToString() == result.model.SerializeToString()


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("mode", ["edge", "reflect"])
def test_computed_amounts_stay_a_pad(opset: int, mode: str) -> None:
    part = tf_same(opset, 2, 5, torch=True)
    part.nodes[-1].attribute.append(helper.make_attribute("mode", mode))
    rest = conv(w=kernel(3, 2, 5, 5), strides=[2, 2])
    given = model([part, rest], "x", image(), opset, free=(2, 3))
    result = onnxpad.rewrite(given, "zero")
    assert len(result.changed) == 1
    x = image(1, 2, 9, 8)
    after = padded(x, same_width(x, 2, 5), "zero")
    close(run(result.model, x=x), run(model([rest], "p", after, opset), p=after), "zero")


def quantised(
    fill: int, zero: int, tail: str, width: Width = SPACE, kind: type = np.uint8
) -> tuple[ModelProto, list[Part], Array]:
    """(x → Pad with a fill → tail → DequantizeLinear → Conv, the same without Pad, x)."""
    x = np.random.default_rng(8).integers(0, 120, (1, 7, 6, 2) if tail == "transpose" else IMAGE)
    x = x.astype(kind)
    numbers = {"fill": np.array(fill, kind), "s": np.array(0.03, np.float32),
               "z": np.array(zero, kind)}  # fmt: skip
    first = pad(width)
    first.nodes[0].input.append("fill")
    step = {
        "direct": node("Identity", ["p"], "i"),
        "transpose": node("Transpose", ["p"], "i", perm=[0, 3, 1, 2]),
    }[tail]
    rest = [Part([step, node("DequantizeLinear", ["i", "s", "z"], "q")], numbers), conv("q")]
    return model([first, *rest], "x", x, 17), rest, x


@pytest.mark.parametrize("tail", ["direct", "transpose"])
@pytest.mark.parametrize(("fill", "zero"), [(101, 101), (0, 0), (0, 101), (7, 101)])
@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_integers_fold_where_the_fill_is_the_zero_point(
    tail: str, fill: int, zero: int, kind: type
) -> None:
    width = SPACE if tail == "direct" else [(0, 0), (1, 2), (2, 1), (0, 0)]
    given, rest, x = quantised(fill, zero, tail, width, kind)
    (site,) = onnxpad.find_sites(given)
    assert (site.mode.name == "zero") == (fill == zero)
    result = onnxpad.rewrite(given, set={site.identity: "zero"})
    after = np.pad(x, width, mode="constant", constant_values=zero)
    close(run(result.model, x=x), run(model(rest, "p", after, 17), p=after), "zero")
    if fill == zero:
        assert "Pad" not in ops(result.model)


@pytest.mark.parametrize("source", ["edge", "reflect"])
@pytest.mark.parametrize("op", ["QLinearConv", "ConvInteger"])
def test_integer_convolutions_take_their_zero_point(op: str, source: str) -> None:
    x = np.random.default_rng(9).integers(0, 200, IMAGE).astype(np.uint8)
    scales = {"s": np.array(0.03, np.float32), "z": np.array(101, np.uint8)}
    w = {"k": np.random.default_rng(1).integers(-9, 9, (3, 2, 3, 3)).astype(np.int8)}
    if op == "ConvInteger":
        tail = [node(op, ["p", "k", "z"], "i"), node("Cast", ["i"], "y", to=TensorProto.FLOAT)]
        w = {"k": w["k"].astype(np.uint8)}
    else:
        w["kz"] = np.array(0, np.int8)
        inputs = ["p", "s", "z", "k", "s", "kz", "s", "z"]
        tail = [node(op, inputs, "i"), node("DequantizeLinear", ["i", "s", "z"], "y")]
    rest = Part(tail, scales | w)
    result = onnxpad.rewrite(model([pad(SPACE, source), rest], "x", x, 17), "zero")
    assert "Pad" not in ops(result.model)
    after = np.pad(x, SPACE, mode="constant", constant_values=101)
    close(run(result.model, x=x), run(model([rest], "p", after, 17), p=after), "zero")


def pool(op: str, **attributes: Any) -> Part:
    return Part([node(op, ["p"], "y", kernel_shape=[3, 3], **attributes)])


@pytest.mark.parametrize("source", ["constant", "edge"])
@pytest.mark.parametrize(
    ("rest", "width", "folds"),
    [
        (pool("MaxPool"), [1, 1], False),
        (pool("LpPool", p=2), [1, 1], False),
        (pool("AveragePool"), [1, 1], False),
        (pool("AveragePool", count_include_pad=1), [1, 1], True),
        (pool("AveragePool", count_include_pad=1, ceil_mode=1, strides=[2, 2]), [1, 1], False),
        # ONNX Runtime wants a pool's padding to be smaller than its kernel
        (pool("AveragePool", count_include_pad=1), [3, 1], False),
    ],
)
def test_pools(rest: Part, width: list[int], folds: bool, source: str) -> None:
    """Zeros are not what pools pad with, but for averages that count them."""
    both: Width = [(0, 0), (0, 0), (width[0], width[0]), (width[1], width[1])]
    x = image() - 2
    result = onnxpad.rewrite(model([pad(both, source), rest], "x", x, 19), "zero", pools=True)
    assert ("Pad" not in ops(result.model)) == folds
    after = padded(x, both, "zero")
    expected = run(model([rest], "p", after, 19), p=after)
    np.testing.assert_allclose(run(result.model, x=x), expected, rtol=0, atol=1e-6)


def test_two_readers_fold_together() -> None:
    both = [conv("p", y="a"), conv("p", y="b"), Part([node("Add", ["a", "b"], "y")])]
    x = image()
    result = onnxpad.rewrite(model([pad(SPACE, "edge"), *both], "x", x, 17), "zero")
    assert ops(result.model) == ["Conv", "Conv", "Add"]
    after = padded(x, SPACE, "zero")
    close(run(result.model, x=x), run(model(both, "p", after, 17), p=after), "zero")


@pytest.mark.parametrize(
    "other",
    [
        [node("MaxPool", ["p"], "m", kernel_shape=[3, 3])],
        [node("DeformConv", ["p", "w_y", "offset"], "m")],
    ],
    ids=["max_pool", "deform_conv"],
)
def test_one_reader_that_cannot_keeps_the_pad(other: list[NodeProto]) -> None:
    x = image()
    more = {"offset": np.full((1, 18, 8, 7), 0.25, np.float32)}
    rest = [Part(other, more if other[0].op_type == "DeformConv" else {}), conv("p", y="y")]
    given = model([pad(SPACE, "edge"), *rest], "x", x, 19)
    given.graph.output.append(helper.make_tensor_value_info("m", TensorProto.FLOAT, None))
    result = onnxpad.rewrite(given, "zero")
    assert ops(result.model).count("Pad") == 1
    after = padded(x, SPACE, "zero")
    close(run(result.model, x=x), run(model(rest, "p", after, 19), p=after), "zero")


def test_a_pad_whose_size_is_read_stays() -> None:
    """The Conv would not mind, but Shape would see a smaller tensor."""
    rest = [
        conv("p", y="c"),
        Part([node("Shape", ["p"], "n"), node("Cast", ["n"], "f", to=TensorProto.FLOAT),
              node("ReduceSum", ["f"], "t"), node("Add", ["c", "t"], "y")]),
    ]  # fmt: skip
    x = image()
    result = onnxpad.rewrite(model([pad(SPACE, "edge"), *rest], "x", x, 17), "zero")
    after = padded(x, SPACE, "zero")
    close(run(result.model, x=x), run(model(rest, "p", after, 17), p=after), "zero")


@pytest.mark.parametrize("source", ["constant", "edge"])
def test_two_pads_in_a_row(source: str) -> None:
    """Both fold: zeros around zeros."""
    second = pad(SPACE, source, "p2")
    second.nodes[0].input[0] = "p"
    given = model([pad(SPACE, source), second, conv("p2")], "x", image(), 17)
    result = onnxpad.rewrite(given, "zero")
    x = image()
    after = padded(padded(x, SPACE, "zero"), SPACE, "zero")
    close(run(result.model, x=x), run(model([conv("p2")], "p2", after, 17), p2=after), "zero")
    assert ops(result.model) == ["Conv"]
    assert result.undo(result.model).SerializeToString() == given.SerializeToString()


@pytest.mark.parametrize(
    ("modes", "first", "then"),
    [
        ({"Pad_p": "zero", "Pad_p2": "edge"}, "zero", "edge"),
        ({"Pad_p": "zero", "Pad_p2": "wrap"}, "zero", "wrap"),
        ({"Pad_p": "zero", "Pad_p2": "zero"}, "zero", "zero"),
        ({"Pad_p": "edge", "Pad_p2": "zero"}, "edge", "zero"),
        ({"Pad_p": "wrap", "Pad_p2": "reflect"}, "wrap", "reflect"),
    ],
)
@pytest.mark.parametrize("source", ["constant", "reflect"])
def test_two_pads_each_its_mode(modes: dict[str, str], first: str, then: str, source: str) -> None:
    """What the second pads is what the first left."""
    second = pad(SPACE, source, "p2")
    second.nodes[0].input[0] = "p"
    x = image()
    given = model([pad(SPACE, source), second, conv("p2")], "x", x, 17)
    result = onnxpad.rewrite(given, set=modes)
    after = padded(padded(x, SPACE, first), SPACE, then)
    close(run(result.model, x=x), run(model([conv("p2")], "p2", after, 17), p2=after), "zero")


@pytest.mark.parametrize("first", ["zero", "edge", "wrap"])
@pytest.mark.parametrize("then", ["zero", "edge", "wrap"])
def test_a_pad_and_the_own_pads_each_its_mode(first: str, then: str) -> None:
    x, own = image(), [(0, 0), (0, 0), (1, 1), (1, 1)]
    given = model([pad(SPACE), conv("p", pads=[1, 1, 1, 1])], "x", x, 17)
    result = onnxpad.rewrite(given, set={"Pad_p": first, "Conv_y": then})
    after = padded(padded(x, SPACE, first), own, then)
    close(run(result.model, x=x), run(model([conv("p")], "p", after, 17), p=after), "zero")


def test_a_conv_that_pads_by_itself_keeps_the_pad() -> None:
    """auto_pad counts on the padded size: what it adds would change."""
    rest = conv("p", auto_pad="SAME_UPPER", strides=[2, 2])
    x = image()
    result = onnxpad.rewrite(model([pad(SPACE, "edge"), rest], "x", x, 17), "zero")
    after = padded(x, SPACE, "zero")
    close(run(result.model, x=x), run(model([rest], "p", after, 17), p=after), "zero")
