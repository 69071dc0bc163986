"""Reach against brute force: the same net with its zeros replaced by a huge number, run by ORT."""

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from onnxpad.model import load_model
from onnxpad.reach import FinalMap, Reach, reach
from onnxpad.subject import subject
from tests.rules.check import chain, model

# Weights and inputs are positive, so that what this number reaches cannot cancel out.
POISON = 1e8


class Net:
    """Grows a graph twice: with zeros in its padding, and with POISON in its place."""

    def __init__(self, seed: int, size: tuple[int, int], opset: int = 17) -> None:
        self.opset = opset
        self.rng = np.random.default_rng(seed)
        self.nodes: dict[float, list] = {0.0: [], POISON: []}
        self.tensors: list[TensorProto] = []
        self.size = size
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def constant(self, array) -> str:
        name = self.name()
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op: str, inputs: list[str], **given) -> str:
        name = self.name()
        for nodes in self.nodes.values():
            nodes.append(helper.make_node(op, inputs, [name], name=name, **given))
        return name

    def padded(self, x: str, pads: list[int]) -> str:
        """An explicit Pad."""
        name, amounts = self.name(), [0, 0, *pads[:2], 0, 0, *pads[2:]]
        where = self.constant(np.array(amounts, np.int64))
        for fill, nodes in self.nodes.items():
            value = self.constant(np.array(fill, np.float32))
            nodes.append(helper.make_node("Pad", [x, where, value], [name], name=name))
        return name

    def conv(self, x: str, kernel, strides, dilations, pads) -> str:
        weight = self.constant(self.rng.uniform(0.1, 1, (2, 2, *kernel)).astype(np.float32))
        name = self.name()
        given = {"strides": strides, "dilations": dilations, "kernel_shape": kernel}
        self.nodes[0.0].append(
            helper.make_node("Conv", [x, weight], [name], name=name, pads=pads, **given)
        )
        where = self.constant(np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64))
        value = self.constant(np.array(POISON, np.float32))
        self.nodes[POISON] += [
            helper.make_node("Pad", [x, where, value], [f"{name}.padded"]),
            helper.make_node("Conv", [f"{name}.padded", weight], [name], **given),
        ]
        return name

    def model(self, fill: float, *, whole: bool = True) -> ModelProto:
        """The graph with every tensor as an output, or the last one."""
        nodes = self.nodes[fill]
        made = [n.output[0] for n in self.nodes[0.0]][0 if whole else -1 :]
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, *self.size])],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in made],
            self.tensors,
        )
        opset = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8)

    def differs(self) -> dict[str, np.ndarray]:
        """For each tensor, the positions (H, W) that the padding's value changes."""
        x = self.rng.uniform(0.1, 1, (1, 2, *self.size)).astype(np.float32)
        results = []
        for fill in self.nodes:
            model = self.model(fill)
            options = ort.SessionOptions()
            options.log_severity_level = 4
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
            session = ort.InferenceSession(model.SerializeToString(), options)
            names = [o.name for o in session.get_outputs()]
            results.append(dict(zip(names, session.run(None, {"x": x}), strict=True)))
        first, second = results
        return {n: (first[n] != second[n]).any(axis=(0, 1)) for n in first if first[n].ndim == 4}


def found(model: ModelProto) -> Reach:
    looked = subject(load_model(model))
    return reach(looked.main, looked.survey, looked.values)


def assert_exact(net: Net) -> None:
    result = found(net.model(0.0, whole=False))
    truth = net.differs()
    assert not result.lost
    assert result.maps
    for name, reached in result.maps.items():
        along = {axis.axis: axis.mask for axis in reached.axes}
        height, width = truth[name].shape
        y, x = along.get(2, np.zeros(height, bool)), along.get(3, np.zeros(width, bool))
        np.testing.assert_array_equal(y[:, None] | x, truth[name], err_msg=name)
        assert reached.share == pytest.approx(truth[name].mean())


def _layer(draw, net: Net, x: str) -> str:  # noqa: PLR0911  # one return a kind of layer
    small = st.integers(1, 3)
    pair = st.tuples(small, small).map(list)
    kind = draw(st.sampled_from(["conv", "pad", "max", "average", "up", "resize", "cut", "mirror"]))
    if kind == "conv":
        kernel, dilations = draw(pair), draw(pair)
        pads = [draw(st.integers(0, 2)) for _ in range(4)]
        return net.conv(x, kernel, draw(pair), dilations, pads)
    if kind == "pad":
        return net.padded(x, [draw(st.integers(0, 2)) for _ in range(4)])
    if kind in ("max", "average"):
        op = "MaxPool" if kind == "max" else "AveragePool"
        # larger strides than windows: onnx's shape inference and ORT disagree under ceil_mode
        strides, ceil = [draw(st.integers(1, k)) for k in (2, 3)], draw(st.integers(0, 1))
        return net.add(op, [x], kernel_shape=[2, 3], strides=strides, ceil_mode=ceil)
    if kind == "up":
        strides = draw(pair)
        kernel = [s + draw(st.integers(0, 2)) for s in strides]
        weight = net.constant(net.rng.uniform(0.1, 1, (2, 2, *kernel)).astype(np.float32))
        crop = [draw(st.integers(0, k - 1)) for k in kernel + kernel]
        return net.add("ConvTranspose", [x, weight], strides=strides, pads=crop)
    if kind == "resize":
        scales = net.constant(np.array([1, 1, draw(st.sampled_from([2, 3])), 2], np.float32))
        how = draw(st.sampled_from(["half_pixel", "asymmetric", "align_corners"]))
        mode = draw(st.sampled_from(["nearest", "linear"]))
        rounding = draw(st.sampled_from(["floor", "ceil", "round_prefer_floor"]))
        given = {"mode": mode, "coordinate_transformation_mode": how, "nearest_mode": rounding}
        return net.add("Resize", [x, "", scales], **given)
    if kind == "cut":
        starts, ends = [1, draw(st.integers(0, 2))], [2**31, -1]
        parts = [np.array(v, np.int64) for v in (starts, ends, [2, 3], [1, draw(small)])]
        return net.add("Slice", [x, *map(net.constant, parts)])
    amounts = net.constant(np.array([0, 0, 1, 0, 0, 0, 1, 2], np.int64))
    return net.add("Pad", [x, amounts], mode=draw(st.sampled_from(["edge", "reflect"])))


@st.composite
def nets(draw) -> Net:
    """Random DAGs: layers in a row, sometimes joined with an earlier map of the same size."""
    net = Net(draw(st.integers(0, 2**16)), (draw(st.integers(9, 20)), draw(st.integers(9, 20))))
    # which axes are spatial is known from the first window op on
    last = net.conv("x", [1, 1], [1, 1], [1, 1], [0, 0, 0, 0])
    sizes = {last: net.size}
    for _ in range(draw(st.integers(1, 6))):
        nodes = [list(v) for v in net.nodes.values()]
        new = _layer(draw, net, last)
        size = _size(net, new)
        if size is None:  # it does not fit: as if it had not been tried
            net.nodes = dict(zip(net.nodes, nodes, strict=True))
            continue
        sizes[new], last = size, new
        alike = [name for name, other in sizes.items() if other == size and name != new]
        if alike and draw(st.booleans()):
            other = draw(st.sampled_from(alike))
            if draw(st.booleans()):
                last = net.add("Add", [other, new])
            else:
                both = net.add("Concat", [new, other], axis=1)
                weight = net.constant(net.rng.uniform(0.1, 1, (2, 4, 1, 1)).astype(np.float32))
                last = net.add("Conv", [both, weight])
            sizes[last] = size
    net.conv(last, [1, 1], [1, 1], [1, 1], [0, 0, 0, 0])
    return net


def _size(net: Net, name: str) -> tuple[int, int] | None:
    """The size of the newest map, None where it is too small or too large to go on with."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    model = net.model(0.0)
    try:
        session = ort.InferenceSession(model.SerializeToString(), options)
        shape = session.run([name], {"x": np.ones((1, 2, *net.size), np.float32)})[0].shape
    except Exception:  # noqa: BLE001  # ORT raises its own types for what does not fit
        return None
    fits = min(shape[2:]) >= 4 and max(shape[2:]) <= 60
    return (shape[2], shape[3]) if fits else None


@settings(deadline=None)
@given(nets())
def test_reach_is_what_a_poisoned_padding_changes(net):
    assert_exact(net)


@pytest.mark.parametrize(
    "how",
    ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric"],
)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("scale", [2.0, 3.0, 0.5])
def test_resizes_read_what_ort_reads(how, mode, scale):
    net = Net(0, (13, 16), opset=19)
    last = net.conv("x", [3, 3], [1, 1], [1, 1], [1, 1, 1, 1])
    scales = net.constant(np.array([1, 1, scale, scale], np.float32))
    given = {"mode": mode, "coordinate_transformation_mode": how}
    net.add("Resize", [last, "", scales], **given)
    assert_exact(net)


def vgg19() -> list[tuple[str, dict]]:
    """Its convolutions and pools."""
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    pool = ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})
    return [layer for count in (2, 2, 4, 4, 4) for layer in [conv] * count + [pool]]


def test_vgg19_has_no_clean_centre_at_127_px():
    # Alsallakh et al. 2021, section 5: no clean centre with small inputs
    (final,) = found(chain(*vgg19(), shape=(1, 3, 127, 127))).finals
    assert isinstance(final, FinalMap)
    assert final.map.share == 1
    (large,) = found(chain(*vgg19(), shape=(1, 3, 512, 512))).finals
    assert large.map.share < 1


def test_widths_are_told_in_input_pixels():
    # one more position for each 3x3 conv, and stride 2 behind two of them
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    down = ("Conv", {"kernel_shape": [2, 2], "strides": [2, 2]})
    result = found(chain(conv, conv, down, conv, shape=(1, 3, 64, 64)))
    ends = {name: reached.axes[0].ends for name, reached in result.maps.items()}
    assert ends == {"t0": (1, 1), "t1": (2, 2), "t2": (1, 1), "t3": (2, 2)}
    assert result.maps["t3"].axes[0].pixels == 2


def test_global_pooling_is_kept_apart():
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    model = chain(conv, ("GlobalAveragePool", {}), ("Flatten", {}))
    result = found(model)
    assert result.whole == {1: "reduces"}
    assert result.touched == {1}
    (final,) = result.finals
    assert (final.map.name, final.kind, final.dense) == ("t0", "collapsed", False)
    assert final.map.share == 1 - 30 * 30 / 32**2


def test_what_is_not_known_is_said():
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    assert found(chain(conv, ("NonZero", {}))).lost == {
        1: "is an operator whose reach is not known"
    }
    assert found(chain(conv, shape=(1, 3, "h", "w"))).lost == {
        0: "works on a tensor of unknown size"
    }


def test_a_net_without_padding_is_clean():
    (final,) = found(chain(("Conv", {"kernel_shape": [3, 3]}))).finals
    assert final.map.share == 0


def test_copies_count_where_asked():
    pads = numpy_helper.from_array(np.array([0, 0, 2, 2, 0, 0, 2, 2], np.int64), "p")
    kernel = numpy_helper.from_array(np.ones((3, 3, 3, 3), np.float32), "w")
    nodes = [
        helper.make_node("Pad", ["x", "p"], ["a"], mode="reflect"),
        helper.make_node("Conv", ["a", "w"], ["y"]),
    ]
    looked = subject(load_model(model(nodes, [pads, kernel])))
    (zeros,) = reach(looked.main, looked.survey, looked.values).finals
    (copies,) = reach(looked.main, looked.survey, looked.values, lambda _: True).finals
    assert zeros.map.share == 0
    assert [axis.ends for axis in copies.map.axes] == [(2, 2), (2, 2)]


@pytest.mark.parametrize("automatic", ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
@pytest.mark.parametrize("asked", [[], [21, 24], [20, 23]])
def test_transposed_windows_of_a_given_output_size(automatic, asked):
    net = Net(1, (9, 11))
    last = net.conv("x", [3, 3], [1, 1], [1, 1], [1, 1, 1, 1])
    weight = net.constant(net.rng.uniform(0.1, 1, (2, 2, 5, 4)).astype(np.float32))
    more = {"output_shape": asked} if asked else {}
    net.add("ConvTranspose", [last, weight], strides=[2, 2], auto_pad=automatic, **more)
    assert_exact(net)


CONV = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})


@pytest.mark.parametrize(
    "layer",
    [
        ("ConvTranspose", {"kernel_shape": [2, 2], "strides": [0, 2]}),
        ("ConvTranspose", {"kernel_shape": [2, 2], "strides": [2**40, 2**40]}),
        ("ConvTranspose", {"kernel_shape": [2, 2], "pads": [2**40] * 4}),
        ("DepthToSpace", {"blocksize": 2**40}),
        ("SpaceToDepth", {"blocksize": 0}),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [1, 1], "pads": [2**40] * 4}),
        ("Crop", {"border": [-1, 0, 0, 0]}),
    ],
    ids=lambda layer: layer[0],
)
def test_damaged_and_hostile_attributes_end_the_walk(layer):
    result = found(chain(CONV, layer))
    assert list(result.lost) == [1]
