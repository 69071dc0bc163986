"""find_sites: where a graph invents pixels, what it invents, and what only looks like it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import onnxpad
from onnxpad.geometry import Window
from onnxpad.model import load_model
from onnxpad.sites import survey
from tests.features import FEATURES, FILES

LAST = 2**63 - 1


def node(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op, inputs, [output], name=f"make_{output}", **attributes)


class Graph:
    """A model under construction: x of a shape, nodes one by one, the last one's output is y."""

    def __init__(self, shape: Sequence[Any] = (1, 2, 9, 8), opset: int = 17) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, Any] = {}
        self.shape, self.opset = shape, opset

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(node(op, inputs, output, **attributes))
        return output

    def number(self, value: int) -> str:
        self.constants[f"n{value}"] = np.array([value])
        return f"n{value}"

    def cut(self, x: str, start: int, stop: int, axis: int, output: str, step: int = 1) -> str:
        where = [self.number(v) for v in (start, stop, axis, step)]
        return self.add("Slice", [x, *where], output)

    def conv(self, x: str, *kernel: int, channels: int = 2, **attributes: Any) -> str:
        size = kernel or (3,) * (len(self.shape) - 2)
        self.constants["w"] = np.ones((3, channels, *size), np.float32)
        return self.add("Conv", [x, "w"], "y", **attributes)

    @property
    def model(self) -> ModelProto:
        made = helper.make_graph(
            self.nodes, "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(a, n) for n, a in self.constants.items()],
        )  # fmt: skip
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        return model


def modes(graph: Graph) -> list[str]:
    return [str(site.mode) for site in onnxpad.find_sites(graph.model)]


# --- padding in other words --------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 2, 9, 8), ("n", 2, "h", "w")], ids=["fixed", "dynamic"])
def test_circular_of_torch(shape: Sequence[Any]) -> None:
    """Tail, whole, head, axis by axis: one site with both axes."""
    g = Graph(shape)
    g.add("Concat", [g.cut("x", -2, LAST, 2, "t2"), "x", g.cut("x", 0, 2, 2, "h2")], "r", axis=2)
    g.add("Concat", [g.cut("r", -1, LAST, 3, "t3"), "r", g.cut("r", 0, 1, 3, "h3")], "p", axis=3)
    g.conv("p")
    (site,) = onnxpad.find_sites(g.model)
    assert (str(site.mode), site.form, site.source) == ("wrap", "composed", "x")
    assert [(a.axis, a.begin, a.end) for a in site.axes] == [(2, 2, 2), (3, 1, 1)]
    assert [a.size for a in site.axes] == ([9, 8] if shape[0] == 1 else [None, None])


def test_circular_of_old_torch() -> None:
    """Until 1.9: the head goes behind first, the tail is then cut from what that made."""
    g = Graph()
    g.add("Concat", ["x", g.cut("x", 0, 1, 3, "h")], "long", axis=3)
    g.add("Concat", [g.cut("long", -2, -1, 3, "t"), "long"], "p", axis=3)
    g.conv("p")
    (site,) = onnxpad.find_sites(g.model)
    assert (str(site.mode), site.source) == ("wrap", "x")
    assert [(a.axis, a.begin, a.end) for a in site.axes] == [(3, 1, 1)]


@pytest.mark.parametrize(("begin", "end"), [(2, 0), (0, 2)])
def test_circular_at_one_end(begin: int, end: int) -> None:
    g = Graph()
    if begin:
        g.add("Concat", [g.cut("x", -begin, LAST, 3, "t"), "x"], "p", axis=3)
    else:
        g.add("Concat", ["x", g.cut("x", 0, end, 3, "h")], "p", axis=3)
    g.conv("p")
    (site,) = onnxpad.find_sites(g.model)
    assert str(site.mode) == "wrap"
    assert [(a.axis, a.begin, a.end) for a in site.axes] == [(3, begin, end)]


def test_edge_by_concat() -> None:
    g = Graph()
    first, last = g.cut("x", 0, 1, 3, "f"), g.cut("x", -1, LAST, 3, "l")
    g.add("Concat", [first, "x", last], "p", axis=3)
    g.conv("p")
    assert modes(g) == ["edge"]


@pytest.mark.parametrize(("start", "stop", "mode"), [(1, -LAST, "symmetric"), (2, 0, "reflect")])
def test_mirrors_by_concat(start: int, stop: int, mode: str) -> None:
    """Backwards slices of two: with the border element, and without it."""
    g = Graph()
    g.add("Concat", [g.cut("x", start, stop, 3, "f", step=-1), "x"], "p", axis=3)
    g.conv("p")
    assert modes(g) == [mode]


def test_one_element_is_all_modes_but_one_amount() -> None:
    """A size of 1 continues the same in every mode; where it stands still tells begin and end."""
    g = Graph((1, 2, 1, 8))
    head, tail = g.cut("x", 0, 1, 2, "h"), g.cut("x", 0, 1, 2, "t")
    g.add("Concat", [head, "x", tail], "rows", axis=2)
    tail = g.cut("rows", -2, LAST, 3, "t3")
    g.add("Concat", [tail, "rows", g.cut("rows", 0, 2, 3, "h3")], "p", axis=3)
    g.conv("p")
    (site,) = onnxpad.find_sites(g.model)
    assert str(site.mode) == "wrap"
    assert [(a.axis, a.begin, a.end) for a in site.axes] == [(2, 1, 1), (3, 2, 2)]


def test_edge_of_one_and_symmetric_of_two_are_one_site() -> None:
    """Padded by 1 along one axis and by 2 along the other, as onnxpad itself composes it."""
    g = Graph()
    g.conv("x", 3, 5, pads=[1, 2, 1, 2])
    result = onnxpad.rewrite(g.model, "symmetric")
    (site,) = onnxpad.find_sites(result.model)
    assert str(site.mode) == "symmetric"
    assert [(a.axis, a.begin, a.end) for a in site.axes] == [(2, 1, 1), (3, 2, 2)]
    back = onnxpad.rewrite(result.model, "zero")
    assert "Concat" not in {n.op_type for n in back.model.graph.node}
    assert onnxpad.find_sites(back.model)[0].axes == onnxpad.find_sites(g.model)[0].axes


@pytest.mark.parametrize("pads", [[1, 0, 1, 0], [0, 2, 0, 1]])
def test_partial_of_unknown_rank_is_known_again(pads: list[int]) -> None:
    """Rescaling it once more would be wrong: what computes the scale is no site either."""
    g = Graph()
    g.conv("x", kernel_shape=[3, 3], pads=pads)
    model = g.model
    model.graph.input[0].type.tensor_type.ClearField("shape")
    result = onnxpad.rewrite(model, "partial")
    assert [str(s.mode) for s in onnxpad.find_sites(result.model)] == ["partial"]
    assert not onnxpad.rewrite(result.model, "partial").changed


def test_wrap_of_pad_below_opset_19() -> None:
    """Against the operator's document, but written by an exporter of today and run by runtimes."""
    model = FEATURES["pad_wrap"]()
    model.opset_import[0].version = 18
    (site,) = onnxpad.find_sites(model)
    assert str(site.mode) == "wrap"


@pytest.mark.parametrize(
    ("feature", "mode"),
    [
        ("pad_edge", "edge"),
        ("pad_reflect", "reflect"),
        ("pad_reflect_opset9", "reflect"),
        ("pad_wrap", "wrap"),
        ("pad_initializer", "zero"),
        ("pad_negative_zero_value", "zero"),
        ("pad_value_constant_node", "zero"),
        ("pad_nonzero", "constant:0.5"),
        ("pad_value_from_input", "constant:unknown"),
        ("circular_slice_concat", "wrap"),
    ],
)
def test_modes_of_features(feature: str, mode: str) -> None:
    (site,) = onnxpad.find_sites(FEATURES[feature]())
    assert str(site.mode) == mode


def test_roll_is_no_padding() -> None:
    """torch.roll: two slices joined, as long as before."""
    g = Graph()
    g.add("Concat", [g.cut("x", -2, LAST, 3, "a"), g.cut("x", 0, -2, 3, "b")], "p", axis=3)
    g.conv("p")
    assert modes(g) == []


def test_strips_of_another_tensor_are_no_padding() -> None:
    g = Graph()
    other = g.add("Relu", ["x"], "r")
    strips = g.cut(other, -1, LAST, 3, "t"), g.cut(other, 0, 1, 3, "h")
    g.add("Concat", [strips[0], "x", strips[1]], "p", axis=3)
    g.conv("p")
    assert modes(g) == []


def test_joined_channels_are_no_padding() -> None:
    """A slice of itself as more channels: an axis no window slides along."""
    g = Graph()
    g.add("Concat", ["x", g.cut("x", 0, 1, 1, "more")], "p", axis=1)
    g.conv("p", 3, 3, channels=3)
    assert modes(g) == []


def test_circular_that_something_else_reads() -> None:
    """What is read beside the convolution is the model's own business."""
    g = Graph()
    g.add("Concat", [g.cut("x", -1, LAST, 3, "t"), "x", g.cut("x", 0, 1, 3, "h")], "p", axis=3)
    g.add("ReduceMax", ["p"], "top")
    g.add("Add", ["p", "top"], "q")
    g.conv("q")
    g.add("ReduceMean", ["p"], "z", axes=[3])
    assert modes(g) == []


# --- causal ------------------------------------------------------------------------------------


def one_sided(form: str, begin: int = 4, end: int = 0, dilation: int = 2) -> Graph:
    """A convolution of 3 taps over time, padded at one end."""
    flat = form == "image"
    g = Graph((1, 2, 1, 12) if flat else (1, 2, 12))
    kernel = (1, 3) if flat else (3,)
    dilations = [1, dilation] if flat else [dilation]
    if form == "pad":
        g.constants["pads"] = np.array([0, 0, begin, 0, 0, end])
        g.conv(g.add("Pad", ["x", "pads"], "p"), *kernel, dilations=dilations)
    elif flat:
        g.conv("x", *kernel, dilations=dilations, pads=[0, begin, 0, end])
    else:
        g.conv("x", *kernel, dilations=dilations, pads=[begin, end])
    return g


@pytest.mark.parametrize("form", ["own", "pad", "image"])
def test_causal(form: str) -> None:
    model = one_sided(form).model
    (site,) = onnxpad.find_sites(model)
    assert site.causal
    for mode in ("reflect", "symmetric", "wrap", "linear"):
        assert "future" in onnxpad.rewrite(model, mode).refused[0].reason
        assert onnxpad.rewrite(model, mode, allow_noncausal=True).changed
        replaced = onnxpad.rewrite(model, mode, fallback="edge")
        assert [str(c.mode) for c in replaced.changed] == ["edge"]
    for mode in ("edge", "constant:0.5", "partial"):
        assert onnxpad.rewrite(model, mode).changed


@pytest.mark.parametrize("form", ["own", "pad", "image"])
@pytest.mark.parametrize(("begin", "end", "dilation"), [(2, 2, 2), (0, 4, 2), (3, 0, 2), (4, 1, 2)])
def test_not_causal(form: str, begin: int, end: int, dilation: int) -> None:
    model = one_sided(form, begin, end, dilation).model
    (site,) = onnxpad.find_sites(model)
    assert not site.causal
    assert onnxpad.rewrite(model, "reflect").changed


def test_one_sided_padding_of_an_image_is_not_causal() -> None:
    """Two axes have windows: there is no time here."""
    g = Graph()
    g.conv("x", pads=[0, 2, 0, 0])
    (site,) = onnxpad.find_sites(g.model)
    assert not site.causal


def test_chomped_padding_is_not_seen_as_causal() -> None:
    """TCNs pad both ends and cut the end off again: causal in effect, not recognised as such."""
    g = Graph((1, 2, 12))
    g.constants["w"] = np.ones((3, 2, 3), np.float32)
    g.add("Conv", ["x", "w"], "c", dilations=[2], pads=[4, 4])
    g.cut("c", 0, -4, 2, "y")
    (site,) = onnxpad.find_sites(g.model)
    assert not site.causal


# --- what a site says ----------------------------------------------------------------------------


def test_facts_of_a_site() -> None:
    g = Graph(("n", 2, 9, "w"))
    g.conv("x", 3, 5, strides=[2, 1], dilations=[1, 2], pads=[1, 3, 0, 4])
    (site,) = onnxpad.find_sites(g.model)
    assert (site.identity, site.op, site.form) == ("make_y", "Conv", "pads")
    assert (site.source, site.node, site.rank, site.dtype) == ("x", "y", 4, TensorProto.FLOAT)
    assert (site.conv, site.causal, site.opset, site.dynamic) == (True, False, 17, True)
    facts = [(a.axis, a.size, a.begin, a.end, a.window) for a in site.axes]
    assert facts == [(2, 9, 1, 0, Window(3, 2, 1)), (3, None, 3, 4, Window(5, 1, 2))]


def test_only_padded_axes_are_listed() -> None:
    g = Graph()
    g.conv("x", pads=[0, 1, 0, 1])
    (site,) = onnxpad.find_sites(g.model)
    assert [a.axis for a in site.axes] == [3]


@pytest.mark.parametrize(
    ("feature", "identities"),
    [
        ("nameless_nodes", ["a", "y"]),
        ("nodes_of_one_name", ["a", "y"]),
        ("names_with_odd_characters", ["net/block[0]/conv*?", "<i>é</i>\x1b[31m "]),
        ("if_shared_weights", ["choose.else_branch/conv_else", "choose.then_branch/conv_then"]),
        ("loop_body", ["loop.body/conv"]),
        ("scan_body", ["scan.body/conv"]),
        ("function_called_twice", ["function org.example::block/conv"]),
        ("function_overloads",
         ["function org.example::block:near/conv", "function org.example::block:wide/conv"]),
        ("nested_if", [
            "choose.else_branch/conv", "choose.then_branch/inner.else_branch/conv",
            "choose.then_branch/inner.then_branch/conv",
        ]),
    ],
)  # fmt: skip
def test_identities(feature: str, identities: list[str]) -> None:
    found = [site.identity for site in onnxpad.find_sites(FEATURES[feature]())]
    assert sorted(found) == sorted(identities)


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        ("pad_into_concat", "Concat"),
        ("pad_into_add", "Add"),
        ("pad_channels", "Add"),
        ("pad_batch", "batch or channel"),
        ("pad_channels_and_space", "batch or channel"),
        ("pad_negative", "crops"),
        ("pad_mixed_sign", "crops"),
        ("pad_nothing", "pads nothing"),
        ("pad_is_output", "output"),
        ("pad_read_beside_the_conv", "ReduceMax"),
        ("pad_from_input", "computed"),
        ("if_reads_outer_pad", "If"),
        ("space_to_batch", "Reshape"),
    ],
)
def test_other_pads_say_why(feature: str, reason: str) -> None:
    model = FEATURES[feature]()
    found = survey(load_model(model))
    (other,) = found.others
    assert reason in other.reason
    assert other.identity == "pad"
    result = onnxpad.rewrite(model, "edge", pools=True)
    assert result.others == found.others
    kept = [n for n in result.model.graph.node if n.name == "pad"]
    assert kept == [n for n in model.graph.node if n.name == "pad"]


@pytest.mark.parametrize(
    "feature",
    ["conv_without_padding", "conv_zero_pads", "auto_pad_valid", "pad_nothing", "conv_transpose"],
)
def test_no_sites(feature: str) -> None:
    assert onnxpad.find_sites(FEATURES[feature]()) == ()


def test_counts_of_a_survey() -> None:
    assert survey(load_model(FEATURES["conv_transpose"]())).transposed == 1
    assert survey(load_model(FEATURES["nameless_nodes"]())).window_ops == 2


@pytest.mark.parametrize("feature", FEATURES)
def test_finding_changes_nothing(feature: str) -> None:
    model = FEATURES[feature]()
    data = model.SerializeToString()
    first = onnxpad.find_sites(model)
    assert onnxpad.find_sites(model) == first
    assert model.SerializeToString() == data
    assert len({site.identity for site in first}) == len(first)


@pytest.mark.parametrize("name", FILES)
def test_path_and_proto_give_the_same(name: str, tmp_path: Any) -> None:
    path = FILES[name](tmp_path)
    assert onnxpad.find_sites(path) == onnxpad.find_sites(str(path))
    if "pads" not in name and "offsets" not in name:  # a proto has no folder to read pads from
        proto = ModelProto.FromString(path.read_bytes())
        assert onnxpad.find_sites(path) == onnxpad.find_sites(proto)
