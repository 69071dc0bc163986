"""Even sizes against the table of arXiv 2010.02178 worked out by hand, and against real runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto

from onnxpad.even_sizes import axis_of
from onnxpad.geometry import Window, read_axis
from onnxpad.model import load_model
from onnxpad.sizes import axis_sizes
from onnxpad.subject import Subject, subject
from tests.sizes import nets, truth


def looked_at(model, size=None) -> Subject:
    return subject(load_model(model), size=size)


def along(one: Subject, axis: int, low: int, high: int):
    """The sizes of one axis, each from low to high."""
    assert one.picture is not None
    candidates = range(low, high + 1)
    return axis_sizes(one.main, one.windows, one.picture.name, one.picture.dims, axis, candidates)


TABLE = [
    (nets.RESNET, {193, 225, 257, 289}, 5),
    (nets.MOBILENET, {193, 225, 257, 289}, 5),
    (nets.VGG, {192, 224, 256, 288}, 0),
    (nets.DENSENET, {189, 221, 253, 285}, 2),
    (nets.CONVNEXT, {192, 224, 256, 288}, 0),
]
NAMES = ["ResNet", "MobileNet", "VGG", "DenseNet", "ConvNeXt"]


@pytest.mark.parametrize(("steps", "even", "uneven"), TABLE, ids=NAMES)
@pytest.mark.parametrize("axis", [2, 3])
def test_the_papers_table(steps, even, uneven, axis):
    found = along(looked_at(nets.architecture(steps)), axis, 180, 300)
    assert set(found.even(224)) == even
    assert found.runs.all()
    assert found.strided == len(steps)
    strided = [one for one in found.at(224) if one.strided]
    assert [one.uneven for one in strided] == [i < uneven for i in range(len(strided))]


def test_yolov8_near_640():
    model = nets.architecture(nets.YOLOV8, (640, 640))
    one = looked_at(model)
    assert one.even_sizes is not None
    assert one.even_sizes.shapes == ((641, 641), (609, 609))
    assert one.even_sizes.axes[0].sizes[:3] == (641, 609, 673)
    assert one.even_sizes.axes[0].period == (1, 32)
    assert sum(layer.uneven for layer in along(one, 2, 640, 641).at(640)) == 5


@pytest.mark.parametrize(
    ("steps", "size", "rows"),
    [(nets.DENSENET, 225, 1), (nets.VGG, 225, 1), (nets.CONVNEXT, 225, 1)],
)
def test_rows_dropped_at_225(steps, size, rows):
    layers = along(looked_at(nets.architecture(steps)), 2, 224, size).at(size)
    lost = [one.reading.lost for one in layers if one.strided and one.reading]
    assert sum(n > 0 for n in lost) == rows
    assert max(lost) == 1


def test_shortcuts_of_one_element_are_apart():
    net = nets.Net()
    main = net.window("x", "Conv", 3, 2, 1)
    beside = net.window("x", "Conv", 1, 2, 0)
    found = along(looked_at(net.model(net.op("Add", main, beside), (32, 32))), 2, 30, 40)
    assert found.strided == 1
    assert set(found.even(32)) == {31, 33, 35, 37, 39}
    shortcut = next(one for one in found.at(32) if one.shortcut)
    assert not shortcut.uneven
    assert shortcut.reading is not None
    assert shortcut.reading.lost == 1


@given(
    size=st.integers(1, 24),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    begin=st.integers(0, 4),
    end=st.integers(0, 4),
)
def test_readings_equal_what_the_runtime_reads(size, kernel, stride, dilation, begin, end):
    found = read_axis(size, Window(kernel, stride, dilation), begin, end)
    if dilation * (kernel - 1) + 1 > begin + size + end:
        assert found is None
        return
    assert found is not None
    read = truth.read_rows(size, kernel, stride, dilation, begin, end)
    last = int(np.flatnonzero(read).max()) + 1
    # elements between the taps of one window are passed over, not left at the end
    assert found.end == max(last - begin - size, 0)
    assert found.lost == min(max(begin + size - last, 0), begin + size) - max(0, begin - last)
    assert found.begin == begin
    assert found.unread == begin + size + end - last


@pytest.mark.parametrize("sizes", ["scales", "shape", "floor"])
@pytest.mark.parametrize("down", [("MaxPool", 2, 2, 0), ("Conv", 3, 2, 1)], ids=["pool", "conv"])
def test_a_u_net_runs_where_the_runtime_runs_it(sizes, down):
    model = nets.u_net(3, down=down, sizes=sizes)
    found = along(looked_at(model), 2, 16, 60)
    feeds = [truth.picture(size, 32) for size in found.sizes]
    assert found.runs.tolist() == truth.runs(model, feeds)
    assert set(found.even(32)) <= {
        s for s, fits in zip(found.sizes, found.runs, strict=True) if fits
    }
    if sizes == "shape":
        assert found.runs.all()
    else:
        assert set(np.flatnonzero(found.runs) + 16) == {16, 24, 32, 40, 48, 56}


def test_only_sizes_that_run_are_offered():
    # padded strided convolutions are even at 1 modulo 8, up-sampling by 2 runs at 0 modulo 8
    one = looked_at(nets.u_net(3, down=("Conv", 3, 2, 1)))
    assert one.even_sizes is not None
    assert one.even_sizes.shapes == ()
    offered = looked_at(nets.u_net(3, down=("Conv", 3, 2, 1), sizes="shape")).even_sizes
    assert offered is not None
    assert offered.shapes == ((225, 225), (217, 217))
    offered = looked_at(nets.u_net(3)).even_sizes
    assert offered is not None
    assert offered.shapes == ((224, 224), (232, 232))


def test_a_classifier_with_fixed_weights_is_stuck():
    net = nets.Net()
    flat = net.op("Flatten", net.window("x", "Conv", 3, 2, 1))
    weight = net.constant(np.ones((nets.CHANNELS * 16 * 16, 5)), np.float32)
    model = net.model(net.op("Gemm", flat, weight), (32, 32))
    found = axis_of(*_parts(model), 0, 32)
    # 31 and 32 both give 16 positions: the weights fit
    assert [s for s, fits in zip(found.sizes, found.runs, strict=True) if fits] == [31, 32]
    assert "Gemm 'n2' has weights for maps of one size only" in found.why_not(33)


def _parts(model):
    one = looked_at(model)
    return one.main, one.windows, one.picture


def test_positions_folded_into_the_batch_do_not_count_as_running():
    net = nets.Net()
    pooled = net.window(net.window("x", "Conv", 3, 1, 1), "AveragePool", 8, 8, 0)
    model = net.model(net.op("Reshape", pooled, net.constant([-1, nets.CHANNELS])), (8, 8))
    # the runtime runs it and gives four samples for one
    assert truth.runs(_freed(model), [truth.picture(16, 16)]) == [True]
    found = axis_of(*_parts(model), 0, 8)
    assert [s for s, fits in zip(found.sizes, found.runs, strict=True) if fits] == list(
        range(8, 16)
    )
    assert "several samples" in found.why_not(16)


def _freed(fixed):
    model = ModelProto()
    model.CopyFrom(fixed)
    for axis in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = f"d{axis}"
    return model


def test_nothing_is_claimed_behind_an_unknown_operator():
    net = nets.Net()
    strange = net.op("Strange", "x", domain="some.domain")
    model = net.model(net.window(strange, "Conv", 3, 2, 1), (32, 32))
    found = along(looked_at(model), 2, 30, 40)
    assert found.even(32) == ()
    assert found.untold == ("n1",)
    assert next((o.node, o.reason) for o in found.unknown) == (
        "n0", "is an operator whose sizes are not followed",
    )  # fmt: skip


def test_one_dimension():
    net = nets.Net()
    weight = net.constant(np.ones((2, 2, 4)), np.float32)
    out = net.op("Conv", "x", weight, kernel_shape=[4], strides=[2], pads=[1, 1])
    found = along(looked_at(net.model(out, (16,))), 2, 10, 20)
    assert set(found.even(16)) == {10, 12, 14, 16, 18, 20}
