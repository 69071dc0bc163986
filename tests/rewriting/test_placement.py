"""Padding moved to where it costs least: the same results, and nothing moved that must not be."""

from collections.abc import Callable, Iterator
from math import inf

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper, shape_inference

import onnxpad
from onnxpad import placement
from onnxpad.cutting import Cut
from onnxpad.errors import UsageError
from tests.features._build import array, ints, tensor, weight
from tests.rewriting.running import Array, fault, outputs, parsed

COPYING = ("edge", "reflect", "symmetric", "wrap")
# of a result's largest value: other sizes may be summed up in another order
TOLERANCE = 1e-5


class Draft:
    """A graph written node by node; each call returns its output's name."""

    def __init__(
        self, channels: int, size: tuple[int, int] = (9, 8), *, free: bool = False
    ) -> None:
        self.channels = {"x": channels}
        self.size = size
        self.free = free
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.outputs: list[str] = []

    def op(self, kind: str, *inputs: str, channels: int = 0, **attributes: object) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        self.channels[name] = channels or self.channels.get(inputs[0], 0)
        return name

    def keep(self, *shape: int) -> str:
        self.weights.append(weight(f"w{len(self.weights)}", *shape))
        return self.weights[-1].name

    def number(self, value: float, dtype: type = np.float32) -> str:
        self.weights.append(tensor(f"n{len(self.weights)}", dtype(value)))
        return self.weights[-1].name

    def conv(self, x: str, out: int, kernel: int = 1, pad: int = 0, **attributes: object) -> str:
        bias = self.keep(out)
        return self.op(
            "Conv", x, self.keep(out, self.channels[x], kernel, kernel), bias, channels=out,
            kernel_shape=[kernel] * 2, pads=[pad] * 4, **attributes,
        )  # fmt: skip

    def model(self, *more: str, opset: int = 17) -> ModelProto:
        size = ["h", "w"] if self.free else list(self.size)
        graph = helper.make_graph(
            self.nodes, "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, self.channels["x"], *size])],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None)
             for n in (*self.outputs, *more)],
            self.weights,
        )  # fmt: skip
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
        )
        # with every shape written down, so that one that no longer holds shows
        return shape_inference.infer_shapes(made, strict_mode=True)

    def feeds(self) -> dict[str, Array]:
        return {"x": array("x", 1, self.channels["x"], *self.size)}


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every padding goes as far up as it can, whatever that costs."""

    def price(_: object, __: object, cut: Cut) -> float:
        return -100.0 * len(cut.crossed)

    monkeypatch.setattr(placement.Placer, "_price", price)


def _readers(model: ModelProto) -> set[str]:
    return {name for site in onnxpad.find_sites(model) for name in site.readers}


def check_same(model: ModelProto, mode: str, feeds: dict[str, Array]) -> onnxpad.RewriteResult:
    """Placed and not placed: equal outputs, the same sites, the same way back."""
    there = onnxpad.rewrite(model, mode, place="site")
    moved = onnxpad.rewrite(model, mode, place="auto")
    assert [c.site for c in moved.changed] == [c.site for c in there.changed]
    assert not fault(moved.model)
    shape_inference.infer_shapes(moved.model, strict_mode=True)
    for ours, theirs in zip(outputs(moved.model, feeds), outputs(there.model, feeds), strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max(initial=0) <= TOLERANCE * np.abs(theirs).max(initial=1e-30)
    assert moved.undo(parsed(moved.model)).SerializeToString() == model.SerializeToString()
    planned = onnxpad.rewrite(model, plan=moved.plan)
    assert planned.plan == moved.plan
    assert [n.SerializeToString() for n in planned.model.graph.node] == [
        n.SerializeToString() for n in moved.model.graph.node
    ]
    assert planned.model.SerializeToString() == moved.model.SerializeToString()
    if mode != "linear":
        assert _readers(moved.model) == _readers(there.model)
    return moved


def check_unmoved(model: ModelProto, mode: str, feeds: dict[str, Array]) -> None:
    """Nothing is padded but where it is read."""
    moved = check_same(model, mode, feeds)
    assert moved.changed
    assert all(c.place is None for c in moved.changed)
    there = onnxpad.rewrite(model, mode, place="site")
    assert moved.model.SerializeToString() == there.model.SerializeToString()


def _quantise(draft: Draft, x: str) -> str:
    scale, zero = draft.number(0.02), draft.number(7, np.int8)
    return draft.op("DequantizeLinear", draft.op("QuantizeLinear", x, scale, zero), scale, zero)


def _quantise_channels(draft: Draft, x: str) -> str:
    count = draft.channels[x]
    draft.weights.append(
        tensor(f"s{len(draft.weights)}", np.linspace(0.01, 0.03, count), np.float32)
    )
    scale = draft.weights[-1].name
    draft.weights.append(tensor(f"z{len(draft.weights)}", np.zeros(count), np.int8))
    zero = draft.weights[-1].name
    quantised = draft.op("QuantizeLinear", x, scale, zero, axis=1)
    return draft.op("DequantizeLinear", quantised, scale, zero, axis=1)


def _normalise(draft: Draft, x: str) -> str:
    count = draft.channels[x]
    draft.weights.append(tensor(f"v{len(draft.weights)}", np.full(count, 0.7), np.float32))
    variance = draft.weights[-1].name
    return draft.op("BatchNormalization", x, *(draft.keep(count) for _ in range(3)), variance)


def _shuffle(draft: Draft, x: str) -> str:
    count, (h, w) = draft.channels[x], draft.size
    if count % 2:
        return x

    def shape(*sizes: int) -> str:
        draft.weights.append(ints(f"shape{len(draft.weights)}", sizes))
        return draft.weights[-1].name

    split = draft.op("Reshape", x, shape(1, 2, count // 2, h, w))
    turned = draft.op("Transpose", split, perm=[0, 2, 1, 3, 4])
    return draft.op("Reshape", turned, shape(1, -1, h, w), channels=count)


def _cast(draft: Draft, x: str) -> str:
    wide = draft.op("Cast", x, to=TensorProto.DOUBLE)
    return draft.op("Cast", wide, to=TensorProto.FLOAT)


def _gate(draft: Draft, x: str) -> str:
    """A number for each channel, from the input of the network."""
    gate = draft.conv(draft.op("GlobalAveragePool", "x"), draft.channels[x])
    return draft.op("Mul", x, draft.op("Sigmoid", gate))


AFFINE: dict[str, Callable[[Draft, str], str]] = {
    "wider": lambda d, x: d.conv(x, d.channels[x] * 2),
    "thinner": lambda d, x: d.conv(x, max(d.channels[x] // 2, 1)),
    "identity": lambda d, x: d.op("Identity", x),
    "normalise": _normalise,
    "bias": lambda d, x: d.op("Add", x, d.keep(d.channels[x], 1, 1)),
    "scaled": lambda d, x: d.op("Mul", d.keep(1, d.channels[x], 1, 1), x, channels=d.channels[x]),
    "gate": _gate,
    "shuffle": _shuffle,
    "concat": lambda d, x: d.op("Concat", x, d.conv(x, 2), axis=1, channels=d.channels[x] + 2),
    "residual": lambda d, x: d.op("Add", d.conv(x, d.channels[x]), x),
}
POINTWISE: dict[str, Callable[[Draft, str], str]] = {
    "relu": lambda d, x: d.op("Relu", x),
    "clip": lambda d, x: d.op("Clip", x, d.number(-0.3), d.number(0.4)),
    "silu": lambda d, x: d.op("Mul", x, d.op("Sigmoid", x)),
    "tanh": lambda d, x: d.op("Tanh", x),
    "prelu": lambda d, x: d.op("PRelu", x, d.keep(d.channels[x], 1, 1)),
    "cast": _cast,
    "quantise": _quantise,
    "quantise channels": _quantise_channels,
}
BLOCKING: dict[str, Callable[[Draft, str], str]] = {
    "map": lambda d, x: d.op("Add", x, d.keep(1, 1, *d.size)),
    "row": lambda d, x: d.op("Mul", x, d.keep(d.size[1])),
    "softmax": lambda d, x: d.op("Softmax", x, axis=3),
    "instance": lambda d, x: d.op(
        "InstanceNormalization", x, d.keep(d.channels[x]), d.keep(d.channels[x])
    ),
    "pool": lambda d, x: d.op("MaxPool", x, kernel_shape=[3, 3], pads=[1] * 4),
    "depthwise": lambda d, x: d.op(
        "Conv", x, d.keep(d.channels[x], 1, 3, 3), kernel_shape=[3, 3], pads=[1] * 4,
        group=d.channels[x],
    ),
}  # fmt: skip
STEPS = {**AFFINE, **POINTWISE, **BLOCKING}


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """A chain of steps with forks, ending in one to three padded convolutions."""
    draft = Draft(draw(st.sampled_from([2, 3, 4])))
    made = ["x"]
    for name in draw(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=9)):
        source = made[-1] if draw(st.integers(0, 4)) else draw(st.sampled_from(made))
        made.append(STEPS[name](draft, source))
    for _ in range(draw(st.integers(1, 3))):
        source = made[-1] if draw(st.booleans()) else draw(st.sampled_from(made))
        stride, pad = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 1, 2]))
        draft.outputs.append(draft.conv(source, 3, 2 * pad + 1, pad, strides=[stride] * 2))
    if not draw(st.integers(0, 3)) and made[-1] != "x":
        draft.outputs.append(made[-1])
    return draft


@pytest.mark.usefixtures("eager")
@given(draft=drafts(), mode=st.sampled_from(["edge", "reflect", "symmetric", "wrap", "linear"]))
def test_random_graphs_as_far_up_as_can_be(draft: Draft, mode: str) -> None:
    check_same(draft.model(), mode, draft.feeds())


@given(draft=drafts(), mode=st.sampled_from(["edge", "reflect"]))
def test_random_graphs_by_cost(draft: Draft, mode: str) -> None:
    check_same(draft.model(), mode, draft.feeds())


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("mode", COPYING)
@pytest.mark.parametrize("step", [*AFFINE, *POINTWISE])
def test_moves_through(step: str, mode: str) -> None:
    draft = Draft(4)
    first = draft.op("MaxPool", "x", kernel_shape=[3, 3], pads=[1] * 4)
    y = draft.conv(STEPS[step](draft, first), 3, 3, 1)
    moved = check_same(draft.model(y), mode, draft.feeds())
    (change,) = [c for c in moved.changed if c.site.conv]
    if step.startswith("quantise"):  # in front of DQ is the site's own place
        assert change.how == "before DQ"
        return
    assert change.place is not None
    assert change.place.tensor == first
    assert sum(n.op_type == "Pad" for n in moved.model.graph.node) == (mode != "wrap")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("step", BLOCKING)
def test_does_not_move_through(step: str) -> None:
    draft = Draft(4)
    y = draft.conv(STEPS[step](draft, draft.op("Relu", "x")), 3, 3, 1)
    model = draft.model(y)
    moved = check_same(model, "edge", draft.feeds())
    last = moved.changed[-1]
    assert last.place is None


@pytest.mark.usefixtures("eager")
def test_a_gate_is_not_computed_from_what_is_padded() -> None:
    """Squeeze and excitation: the map may be padded in front of the product, not of the mean."""
    draft = Draft(4)
    shared = draft.op("Relu", "x")
    gated = draft.op("Mul", shared, draft.op("Sigmoid", draft.op("GlobalAveragePool", shared)))
    moved = check_same(draft.model(draft.conv(gated, 3, 3, 1)), "edge", draft.feeds())
    assert moved.changed[0].place is not None
    assert moved.changed[0].place.tensor == shared


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("step", POINTWISE)
def test_linear_moves_through_affine_nodes_only(step: str) -> None:
    draft = Draft(4)
    y = draft.conv(STEPS[step](draft, draft.op("Relu", "x")), 3, 3, 1)
    check_unmoved(draft.model(y), "linear", draft.feeds())


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("mode", ["constant:0.5", "mean", "partial"])
def test_what_is_no_copy_stays(mode: str) -> None:
    draft = Draft(4)
    y = draft.conv(draft.conv(draft.op("Relu", "x"), 8), 3, 3, 1)
    model = draft.model(y)
    means = {y: (0.5,) * 8} if mode == "mean" else None
    moved = onnxpad.rewrite(model, mode, place="auto", means=means)
    there = onnxpad.rewrite(model, mode, place="site", means=means)
    assert moved.changed
    assert moved.model.SerializeToString() == there.model.SerializeToString()


@pytest.mark.usefixtures("eager")
def test_a_tensor_that_others_read_stays_as_it_is() -> None:
    """The padding stops below a fork, or stands on one branch of it."""
    draft = Draft(4)
    shared = draft.op("Relu", draft.conv("x", 8))
    y = draft.conv(draft.op("Tanh", shared), 3, 3, 1)
    z = draft.op("GlobalAveragePool", shared)
    moved = check_same(draft.model(y, z), "edge", draft.feeds())
    assert moved.changed[0].place is not None
    assert moved.changed[0].place.tensor == shared


@pytest.mark.usefixtures("eager")
def test_an_output_stays_as_it_is() -> None:
    draft = Draft(4)
    out = draft.op("Relu", draft.conv("x", 8))
    y = draft.conv(out, 3, 3, 1)
    check_unmoved(draft.model(y, out), "edge", draft.feeds())


@pytest.mark.usefixtures("eager")
def test_a_tensor_whose_size_is_asked_stays_as_it_is() -> None:
    draft = Draft(4)
    inner = draft.op("Relu", draft.conv("x", 8))
    y = draft.conv(inner, 3, 3, 1)
    z = draft.op("Cast", draft.op("Shape", inner), to=TensorProto.FLOAT)
    check_unmoved(draft.model(y, z), "edge", draft.feeds())


@pytest.mark.usefixtures("eager")
def test_a_tensor_read_in_a_branch_stays_as_it_is() -> None:
    draft = Draft(4)
    inner = draft.op("Relu", draft.conv("x", 8))
    y = draft.conv(inner, 3, 3, 1)
    branches = [
        helper.make_graph(
            [helper.make_node(kind, [inner], [f"{kind}_out"])], kind, [],
            [helper.make_tensor_value_info(f"{kind}_out", TensorProto.FLOAT, None)],
        )
        for kind in ("Neg", "Abs")
    ]  # fmt: skip
    draft.weights.append(tensor("yes", np.array(True)))
    z = draft.op("If", "yes", then_branch=branches[0], else_branch=branches[1])
    check_unmoved(draft.model(y, z), "edge", draft.feeds())


@pytest.mark.usefixtures("eager")
def test_blocked_quantisation_stays() -> None:
    """One scale for each block of two rows: a row's copy has another scale."""
    draft = Draft(4, (8, 8))
    draft.weights.append(tensor("scale", np.abs(array("s", 1, 4, 4, 8)) + 0.01, np.float32))
    draft.weights.append(tensor("zero", np.zeros((1, 4, 4, 8)), np.int8))
    quantised = draft.op("QuantizeLinear", "x", "scale", "zero", axis=2, block_size=2)
    back = draft.op("DequantizeLinear", quantised, "scale", "zero", axis=2, block_size=2)
    y = draft.conv(back, 3, 3, 1)
    check_unmoved(draft.model(y, opset=21), "edge", draft.feeds())


def test_equal_padding_of_one_tensor_is_done_once() -> None:
    draft = Draft(4)
    shared = draft.op("MaxPool", "x", kernel_shape=[3, 3], pads=[1] * 4)
    made = [draft.conv(shared, 3, 3, 1), draft.conv(shared, 5, 3, 1), draft.conv(shared, 2, 5, 2)]
    moved = check_same(draft.model(*made), "reflect", draft.feeds())
    assert sum(n.op_type == "Pad" for n in moved.model.graph.node) == 2
    assert [len(c.place.sites) if c.place else 0 for c in moved.changed] == [2, 2, 0]


def test_rows_that_no_window_reads_are_not_invented() -> None:
    """Stride 2 on an even size: the last row and column of padding are never read."""
    draft = Draft(4, (8, 9))
    y = draft.conv("x", 3, 3, 1, strides=[2, 2])
    moved = check_same(draft.model(y), "reflect", draft.feeds())
    (site,) = onnxpad.find_sites(moved.model)
    assert [(a.begin, a.end) for a in site.axes] == [(1, 0), (1, 1)]


def test_padding_that_no_window_reads_is_dropped() -> None:
    draft = Draft(4, (8, 8))
    y = draft.op("Conv", "x", draft.keep(3, 4, 2, 2), channels=3, kernel_shape=[2, 2],
                 strides=[2, 2], pads=[0, 0, 1, 1])  # fmt: skip
    moved = check_same_without_sites(draft.model(y), draft.feeds())
    assert not onnxpad.find_sites(moved.model)
    assert not [n for n in moved.model.graph.node if n.op_type == "Pad"]


def check_same_without_sites(model: ModelProto, feeds: dict[str, Array]) -> onnxpad.RewriteResult:
    there = onnxpad.rewrite(model, "edge", place="site")
    moved = onnxpad.rewrite(model, "edge", place="auto")
    for ours, theirs in zip(outputs(moved.model, feeds), outputs(there.model, feeds), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return moved


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("mode", COPYING)
def test_free_sizes(mode: str) -> None:
    draft = Draft(4, free=True)
    y = draft.conv(draft.op("Relu", draft.conv(draft.op("Neg", "x"), 8)), 3, 3, 1)
    moved = check_same(draft.model(y), mode, draft.feeds())
    assert moved.changed[0].place is not None


def _inverted() -> tuple[Draft, ModelProto]:
    draft = Draft(8, (28, 28))
    thin = draft.op("MaxPool", "x", kernel_shape=[2, 2])
    wide = draft.op("Relu", draft.conv(thin, 48))
    y = draft.op(
        "Conv", wide, draft.keep(48, 1, 3, 3), channels=48, kernel_shape=[3, 3], pads=[1] * 4,
        group=48,
    )  # fmt: skip
    return draft, draft.model(y)


def test_back_to_zero_is_the_original_function() -> None:
    draft, model = _inverted()
    moved = onnxpad.rewrite(model, "reflect", place="auto")
    assert moved.changed[0].place is not None
    (site,) = onnxpad.find_sites(moved.model)
    assert (site.mode.name, site.reader_ops, site.notes) == ("reflect", ("Conv",), ("hoisted",))
    assert site.readers == (model.graph.node[-1].output[0],)
    back = onnxpad.rewrite(moved.model, "zero")
    assert not [n for n in back.model.graph.node if n.op_type == "Pad"]
    for ours, theirs in zip(
        outputs(back.model, draft.feeds()), outputs(model, draft.feeds()), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mode", ["edge", "wrap", "symmetric"])
def test_a_moved_padding_changes_its_mode(mode: str) -> None:
    draft, model = _inverted()
    moved = onnxpad.rewrite(model, "reflect", place="auto")
    again = onnxpad.rewrite(moved.model, mode, from_mode="reflect")
    straight = onnxpad.rewrite(model, mode, place="site")
    assert len(again.changed) == 1
    for ours, theirs in zip(
        outputs(again.model, draft.feeds()), outputs(straight.model, draft.feeds()), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mode", ["linear", "constant:0.5"])
def test_a_moved_padding_is_refused_what_is_no_copy(mode: str) -> None:
    _, model = _inverted()
    moved = onnxpad.rewrite(model, "reflect", place="auto")
    again = onnxpad.rewrite(moved.model, mode, from_mode="reflect")
    assert not again.changed
    assert "rewrite it to zero first" in again.refused[0].reason


def test_doing_it_again_changes_nothing() -> None:
    _, model = _inverted()
    moved = onnxpad.rewrite(model, "reflect", place="auto")
    assert not onnxpad.rewrite(moved.model, "reflect", place="auto").changed


def test_the_estimate_says_what_is_gained() -> None:
    """Six times the channels: the padding there costs several times what it does in front."""
    _, model = _inverted()
    (change,) = onnxpad.rewrite(model, "reflect", place="auto").changed
    assert change.place is not None
    assert change.place.after < change.place.before < inf
    assert len(change.place.crossed) == 2


def test_a_plan_that_cannot_be_followed_says_so() -> None:
    _, model = _inverted()
    plan = onnxpad.rewrite(model, "reflect", place="auto").plan
    site = plan.places[0][0]
    wrong = onnxpad.Plan(plan.modes, places=((site, "x"),))
    with pytest.raises(UsageError, match="cannot be had exactly"):
        onnxpad.rewrite(model, plan=wrong)


def test_a_plan_says_itself_where() -> None:
    _, model = _inverted()
    plan = onnxpad.rewrite(model, "reflect").plan
    with pytest.raises(UsageError, match="leave out --place"):
        onnxpad.rewrite(model, plan=plan, place="auto")
    with pytest.raises(UsageError, match="expected auto or site"):
        onnxpad.rewrite(model, "edge", place="input")
    with pytest.raises(UsageError, match="leaves its layers alone"):
        onnxpad.rewrite(model, "edge", halo=2, place="auto")


def test_it_is_linear_in_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is bounded by site: four times the blocks, four times the steps."""
    seen: list[Cut] = []
    original = placement.cuts

    def counted(*args: object, **kwargs: object) -> Iterator[Cut]:
        for cut in original(*args, **kwargs):  # type: ignore[arg-type]  # handed on as they came
            seen.append(cut)
            yield cut

    monkeypatch.setattr(placement, "cuts", counted)
    steps = []
    for count in (25, 100):
        draft = Draft(8)
        x = "x"
        for _ in range(count):
            x = draft.conv(draft.op("Relu", draft.conv(x, 16)), 8, 3, 1)
        seen.clear()
        onnxpad.rewrite(draft.model(x), "edge", place="auto")
        steps.append(len(seen))
    assert 0 < steps[1] <= 4.2 * steps[0]


def test_models_of_onnx_are_left_whole() -> None:
    """The caller's model is not changed by looking for places."""
    _, model = _inverted()
    before = model.SerializeToString()
    onnxpad.rewrite(model, "edge", place="auto")
    assert model.SerializeToString() == before
    onnx.checker.check_model(model)


def _padded_already(mode: str, pad: int, *, behind: bool = False) -> Draft:
    """One convolution reads a Pad of 1 that is there, another pads the same tensor with zeros."""
    draft = Draft(4)
    x = draft.op("Relu", draft.conv("x", 4))
    draft.weights.append(ints("amounts", [0, 0, 1, 1, 0, 0, 1, 1]))

    def padded() -> str:
        return draft.conv(draft.op("Pad", x, "amounts", mode=mode), 4, 3)

    def zeros() -> str:
        return draft.conv(x, 4, 2 * pad + 1, pad)

    one, other = (zeros(), padded()) if behind else (padded(), zeros())
    draft.outputs = [one, other]
    return draft


@pytest.mark.parametrize("mode", ["edge", "reflect"])
def test_a_pad_that_is_there_serves_others_too(mode: str) -> None:
    draft = _padded_already(mode, 1)
    result = check_same(draft.model(), mode, draft.feeds())
    assert [c.how for c in result.changed] == ["by a Pad that is there"]
    assert [n.op_type for n in result.model.graph.node].count("Pad") == 1
    assert [n.op_type for n in result.model.graph.node].count("Constant") == 0


@pytest.mark.parametrize(
    ("draft", "mode"),
    [
        (_padded_already("edge", 1), "reflect"),
        (_padded_already("edge", 2), "edge"),
        (_padded_already("edge", 1, behind=True), "edge"),
    ],
    ids=["another mode", "other amounts", "too late"],
)
def test_other_pads_that_are_there_do_not(draft: Draft, mode: str) -> None:
    result = check_same(draft.model(), mode, draft.feeds())
    assert [n.op_type for n in result.model.graph.node].count("Pad") == 2
    assert len(result.changed) == 1


def test_a_pad_that_changes_itself_serves_nobody() -> None:
    draft = _padded_already("edge", 1)
    placed, there = (
        onnxpad.rewrite(draft.model(), set={"*": "reflect"}, place=place)
        for place in ("auto", "site")
    )
    assert len(placed.changed) == len(there.changed) == 2
    assert not fault(placed.model)
    for ours, theirs in zip(
        outputs(placed.model, draft.feeds()), outputs(there.model, draft.feeds()), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
