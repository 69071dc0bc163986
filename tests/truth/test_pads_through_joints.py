"""Borders that part and meet again between a Pad and its convolution: x * sigmoid(x)."""

import numpy as np
import pytest
from onnx import ModelProto, checker, parser

import onnxpad
from tests.truth.oracle import run

HEAD = """<ir_version: 8, opset_import: ["" : 17]>
g (float[1,2,5,5] x) => (float[1,2,?,?] y)
<int64[8] pads = {0,0,1,1,0,0,1,1}, float[2,2,3,3] w = {%s}, float[2] scale = {2.0,0.5},
 float[2] shift = {0.25,-1.0}, float[1,2,1,1] gain = {1.5,-0.5}, float[7] row = {1,2,3,4,5,6,7}>
{ p = Pad(x, pads)
""" % ",".join(str(v) for v in np.random.default_rng(0).standard_normal(36).round(2))  # noqa: UP031

PASSED = {
    "silu": "s = Sigmoid(p)\n h = Mul(p, s)",
    "silu_turned": "s = Sigmoid(p)\n h = Mul(s, p)",
    "gelu": "e = Erf(p)\n s = Add(e, gain)\n m = Mul(p, gain)\n h = Mul(m, s)",
    "residual": "a = Tanh(p)\n b = Relu(a)\n c = Add(a, b)\n h = Sub(p, c)",
    "many": "a = Tanh(p)\n b = Relu(p)\n h = Max(a, gain, b)",
    "layer_norm": """t = Transpose<perm = [0,2,3,1]>(p)
        n = LayerNormalization<axis = -1>(t, scale, shift)\n h = Transpose<perm = [0,3,1,2]>(n)""",
    "cast_like": "h = CastLike(p, gain)",
}
BLOCKED = {
    "turned_square": "t = Transpose<perm = [0,1,3,2]>(p)\n h = Mul(p, t)",
    "other_tensor": "q = Pad(x, pads)\n s = Softmax<axis = 3>(q)\n h = Mul(p, s)",
    "map_of_places": "s = Sigmoid(p)\n m = Mul(s, row)\n h = Mul(p, m)",
    "norm_over_width": "h = LayerNormalization<axis = 3>(p, row, row)",
}


def _model(body: str) -> ModelProto:
    return parser.parse_model(f"{HEAD}{body}\n y = Conv(h, w)\n}}")


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("name", PASSED)
def test_the_pad_is_the_convolutions(name: str, mode: str) -> None:
    model = _model(PASSED[name])
    result = onnxpad.rewrite(model, mode)
    checker.check_model(result.model, full_check=True)
    assert len(result.changed) == 1
    x = np.random.default_rng(1).standard_normal((1, 2, 5, 5)).astype(np.float32)
    rest = _model(PASSED[name])
    del rest.graph.node[0]
    rest.graph.input[0].name = "p"
    for axis in (2, 3):
        rest.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = 7
    wanted = run(rest, p=np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode=mode))
    assert np.allclose(run(result.model, x=x), wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", BLOCKED)
def test_where_the_operands_differ_along_the_border_it_stays(name: str) -> None:
    result = onnxpad.rewrite(_model(BLOCKED[name]), "edge")
    assert not result.changed
    assert any("it feeds" in other.reason for other in result.others)
