import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from onnxpad.findings import Severity
from tests.rules.check import found, model, weight
from tests.rules.pads import conv, padded, pool
from tests.rules.running import run

W = weight("w", (3, 3, 3, 3))
CONV = [conv()]


def _pads(amount: int) -> list[int]:
    return [0, 0, amount, amount, 0, 0, amount, amount]


def _x(made: ModelProto) -> np.ndarray:
    shape = made.graph.input[0].type.tensor_type.shape
    size = [d.dim_value or 6 for d in shape.dim]
    return np.random.default_rng(0).standard_normal(size).astype(np.float32)


def _fails(made: ModelProto, match: str) -> None:
    with pytest.raises(Exception, match=match):
        run(made, _x(made))


@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
@pytest.mark.parametrize("amount", [6, 7, 40])
def test_reflecting_more_than_there_is_fails(opset: int, amount: int):
    made = padded(CONV, [W], mode="reflect", pads=_pads(amount), opset=opset)
    (finding,) = found("PAD402", made)
    assert finding.severity is Severity.ERROR
    assert finding.primary.detail == f"{amount} mirrored on an axis of 6"
    _fails(made, "Pad reflect")


def test_a_map_of_size_one_takes_no_reflection():
    made = padded(CONV, [W], mode="reflect", shape=(1, 3, 1, 6))
    assert found("PAD402", made)
    _fails(made, "axis length >= 2")


def test_a_pad_that_is_no_padding_site_counts_as_well():
    nodes = [helper.make_node("Concat", ["p", "p"], ["y"], axis=1)]
    made = padded(nodes, mode="reflect", pads=_pads(6))
    assert found("PAD402", made)
    _fails(made, "Pad reflect")


def test_unknown_mode():
    made = padded(CONV, [W], mode="symmetric")
    (finding,) = found("PAD402", made)
    assert finding.severity is Severity.ERROR
    _fails(made, "Invalid 'mode'")


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_wrap_before_the_standard_has_it_is_a_warning(opset: int):
    made = padded(CONV, [W], mode="wrap", opset=opset)
    (finding,) = found("PAD402", made)
    assert finding.severity is Severity.WARNING
    x = _x(made)
    expected = run(
        model([conv(source="x")], [W], (1, 3, 8, 8)),
        np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], "wrap"),
    )
    np.testing.assert_allclose(run(made, x), expected, atol=1e-5)
    assert not found("PAD402", padded(CONV, [W], mode="wrap", opset=19))


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "LpPool"])
def test_pools_padded_by_their_kernel(op: str):
    made = model([pool(op, source="x", pads=[3] * 4)], (), (1, 3, 6, 6), 18)
    assert found("PAD402", made)[0].severity is Severity.ERROR
    _fails(made, "smaller than kernel")


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_a_pad_that_onnx_runtime_folds_into_such_a_pool(op: str):
    made = padded([pool(op)], pads=_pads(3))
    (finding,) = found("PAD402", made)
    assert finding.primary.detail == "pads 3 with kernel 3"
    _fails(made, "smaller than kernel")
    run(made, _x(made), optimise=False)  # without the folding it runs


SILENT = {
    "reflect 5 of 6": padded(CONV, [W], mode="reflect", pads=_pads(5)),
    "edge 40": padded(CONV, [W], mode="edge", pads=_pads(40)),
    "wrap 40": padded(CONV, [W], mode="wrap", pads=_pads(40), opset=19),
    "constant 40": padded(CONV, [W], pads=_pads(40)),
    "reflect, free size": padded(CONV, [W], mode="reflect", shape=(1, 3, "h", "w")),
    "pool 2 of 3": model([pool("MaxPool", source="x", pads=[2] * 4)], (), (1, 3, 6, 6)),
    "folded 2 of 3": padded([pool("MaxPool")], pads=_pads(2)),
    "not folded 3 of 3": padded([pool("LpPool")], pads=_pads(3)),
    "conv": model([conv(source="x", pads=[7] * 4)], [W], (1, 3, 6, 6)),
}


@pytest.mark.parametrize("name", SILENT)
def test_is_silent_on_what_runs(name: str):
    assert not found("PAD402", SILENT[name])
    run(SILENT[name], _x(SILENT[name]))


def test_in_a_branch():
    """A Pad in the body of an If."""

    def branch(name: str, *nodes: NodeProto) -> object:
        out = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
        return helper.make_graph(nodes, name, [], [out])

    pad = helper.make_node("Pad", ["x", "pads"], ["a"], "deep", mode="reflect")
    other = helper.make_node("Identity", ["x"], ["b"])
    choose = helper.make_node(
        "If", ["yes"], ["y"], "choice", then_branch=branch("t", pad), else_branch=branch("e", other)
    )
    stored = [
        numpy_helper.from_array(np.array(_pads(9)), "pads"),
        numpy_helper.from_array(np.array(True), "yes"),
    ]
    made = model([choose], stored, (1, 3, 6, 6))
    (finding,) = found("PAD402", made)
    assert finding.primary.identity.endswith("/deep")
    _fails(made, "Pad reflect")
