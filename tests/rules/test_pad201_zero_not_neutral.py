import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from onnxpad.findings import Confidence, Severity
from tests.rules.check import found, model, weight
from tests.rules.pads import conv
from tests.rules.running import run

W = weight("w", (3, 3, 3, 3))
SHAPE = (1, 3, 6, 6)


def _before(*nodes: NodeProto, dtype: int = TensorProto.FLOAT, **stored: object) -> ModelProto:
    """Nodes from ``x`` to ``p``, then a padded Conv."""
    tensors = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in stored.items()]
    layer = conv(pads=[1, 1, 1, 1])
    made = model([*nodes, layer], [W, *tensors], SHAPE, 17, dtype)
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    return made


def _node(op: str, *inputs: str, out: str = "p", **given: object) -> NodeProto:
    return helper.make_node(op, inputs, [out], **given)


OUTSIDE = {
    "Clip": _before(_node("Clip", "x", "low"), low=0.1),
    "Sigmoid of Relu": _before(_node("Relu", "x", out="r"), _node("Sigmoid", "r")),
    "Relu plus one": _before(_node("Relu", "x", out="r"), _node("Add", "r", "one"), one=1),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_warns_where_zero_cannot_occur(name: str):
    (finding,) = found("PAD201", OUTSIDE[name])
    assert finding.severity is Severity.WARNING
    assert finding.confidence is Confidence.HIGH
    shown = ModelProto()
    shown.CopyFrom(OUTSIDE[name])
    shown.graph.output[0].name = "p"
    del shown.graph.node[-1]
    x = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    assert run(shown, x).min() > 0  # every value of the tensor that is padded with 0


@pytest.mark.parametrize("op", ["Sigmoid", "HardSigmoid", "Softmax", "Softplus", "Exp"])
def test_notes_zero_at_the_end_of_an_off_centre_range(op: str):
    (finding,) = found("PAD201", _before(_node(op, "x")))
    assert finding.severity is Severity.NOTE
    assert op in finding.primary.detail
    at_zero = run(model([_node(op, "x")], (), SHAPE), np.zeros(SHAPE, np.float32))
    assert at_zero.min() > 0.1  # what the op makes of 0 is not 0


def test_notes_a_black_border_around_an_integer_image():
    cast, scale = _node("Cast", "x", out="c", to=1), _node("Div", "c", "most")
    (finding,) = found("PAD201", _before(cast, scale, dtype=TensorProto.UINT8, most=255))
    assert "integer input" in finding.primary.detail
    grey = _node("Sub", "d", "one")
    scale = _node("Div", "c", "half", out="d")
    centred = _before(cast, scale, grey, dtype=TensorProto.UINT8, half=127.5, one=1)
    assert not found("PAD201", centred)


def _normalised(op: str, scale: float, bias: float) -> ModelProto:
    inputs = ["x", "s", "b"] + ["m", "v"] * (op == "BatchNormalization")
    more = {"m": np.zeros(3), "v": np.ones(3)} if op == "BatchNormalization" else {}
    return _before(_node(op, *inputs), s=np.full(3, scale), b=np.full(3, bias), **more)


@pytest.mark.parametrize("op", ["BatchNormalization", "InstanceNormalization"])
def test_notes_a_shift_of_more_than_a_standard_deviation(op: str):
    (finding,) = found("PAD201", _normalised(op, 0.5, -1.25))
    assert finding.confidence is Confidence.MEDIUM
    assert finding.facts["deviations"] == pytest.approx(2.5)
    assert not found("PAD201", _normalised(op, 1.0, 0.4))


def test_the_shift_is_what_a_normalisation_gives():
    made = _normalised("InstanceNormalization", 0.5, -1.25)
    del made.graph.node[-1]
    made.graph.output[0].name = "p"
    y = run(made, np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32))
    assert abs(y.mean()) / y.std() == pytest.approx(2.5, rel=1e-3)


def test_one_finding_for_each_cause():
    nodes = [
        _node("Sigmoid", "x", out="a"), _node("Relu", "x", out="r"), _node("Sigmoid", "r", out="b"),
        *(conv(source=s, target=f"y{i}", pads=[1] * 4) for i, s in enumerate(["a", "a", "b"])),
        helper.make_node("Sum", ["y0", "y1", "y2"], ["y"]),
    ]  # fmt: skip
    findings = found("PAD201", model(nodes, [W], SHAPE))
    assert [(f.severity, len(f.locations)) for f in findings] == [
        (Severity.WARNING, 1),
        (Severity.NOTE, 2),
    ]


SILENT = {
    "Relu": _before(_node("Relu", "x")),
    "Relu6": _before(_node("Clip", "x", "low", "high"), low=0, high=6),
    "Tanh": _before(_node("Tanh", "x")),
    "the input itself": model([conv(source="x", pads=[1] * 4)], [W], SHAPE),
    "Swish": _before(_node("Sigmoid", "x", out="s"), _node("Mul", "x", "s")),
    "Relu of Sigmoid minus": _before(_node("Sigmoid", "x", out="s"), _node("Sub", "s", "h"), h=0.5),
    "no padding": model([_node("Sigmoid", "x"), conv()], [W], SHAPE),
    "max-pooled": model(
        [
            _node("Sigmoid", "x"),
            helper.make_node("MaxPool", ["p"], ["y"], kernel_shape=[3, 3], pads=[1] * 4),
        ],
        (),
        SHAPE,
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_is_silent_where_zero_is_neutral_or_nothing_is_known(name: str):
    assert not found("PAD201", SILENT[name])
