import numpy as np
import pytest
from onnx import TensorProto, numpy_helper, shape_inference

from onnxpad.findings import Severity
from tests.rules.check import chain, found, model, weight
from tests.rules.pads import conv, pool
from tests.rules.running import run

FREE = (1, 3, "h", "w")
SAME = {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"}
STRIDED = SAME | {"strides": [2, 2]}
DILATED = SAME | {"dilations": [2, 2]}


def _image(size: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1, 3, size, size)).astype(np.float32)


def test_fires_on_strided_same_of_free_size():
    made = chain(("Conv", STRIDED), ("Relu", {}), ("MaxPool", STRIDED), shape=FREE)
    (finding,) = found("PAD103", made)
    assert finding.severity is Severity.WARNING
    assert [place.identity for place in finding.locations] == ["conv0", "maxpool2"]
    assert finding.primary.detail == "0+1 at 2n or 1+1 at 2n+1"


@pytest.mark.parametrize(
    ("auto_pad", "even"), [("SAME_UPPER", [0, 0, 1, 1]), ("SAME_LOWER", [1, 1, 0, 0])]
)
def test_what_it_says_is_what_onnx_runtime_pads(auto_pad: str, even: list[int]):
    layer = {"kernel_shape": [3, 3], "strides": [2, 2]}
    same = chain(("Conv", layer | {"auto_pad": auto_pad}), shape=FREE)
    (finding,) = found("PAD103", same)
    assert finding.primary.detail == f"{even[0]}+{even[2]} at 2n or 1+1 at 2n+1"
    for size, pads in ((8, even), (9, [1, 1, 1, 1])):
        explicit = chain(("Conv", layer | {"pads": pads}), shape=FREE)
        np.testing.assert_array_equal(run(same, _image(size)), run(explicit, _image(size)))


@pytest.mark.parametrize("op", ["Conv", "ConvInteger"])
@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
def test_dilated_same_convolutions_are_refused(op: str, auto_pad: str):
    kernel = weight("w", (3, 3, 3, 3))
    x = _image(12)
    made = model([conv(source="x", auto_pad=auto_pad, dilations=[2, 2])], [kernel], (1, 3, 12, 12))
    if op == "ConvInteger":
        made.graph.node[0].op_type = op
        made.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
        made.graph.output[0].type.tensor_type.elem_type = TensorProto.INT32
        whole = numpy_helper.to_array(kernel).astype(np.int8)
        made.graph.initializer[0].CopyFrom(numpy_helper.from_array(whole, "w"))
        x = x.astype(np.uint8)
    (finding,) = found("PAD103", made)
    assert finding.severity is Severity.ERROR
    with pytest.raises(Exception, match="Dilation not supported for AutoPadType"):
        run(made, x)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "VALID"])
def test_auto_pad_beside_pads_is_refused(auto_pad: str):
    layer = {"kernel_shape": [3, 3], "auto_pad": auto_pad, "pads": [1, 1, 1, 1]}
    made = chain(("Conv", layer))
    (finding,) = found("PAD103", made)
    assert finding.severity is Severity.ERROR
    with pytest.raises(Exception, match="both 'auto_pad' and 'pads'"):
        run(made, _image(32))


def test_dilated_same_pools_come_out_too_small():
    made = model(
        [pool("MaxPool", source="x", auto_pad="SAME_UPPER", dilations=[2, 2])], (), (1, 3, 12, 12)
    )
    (finding,) = found("PAD103", made)
    assert finding.severity is Severity.ERROR
    inferred = shape_inference.infer_shapes(made).graph.output[0].type.tensor_type.shape
    assert [d.dim_value for d in inferred.dim] == [1, 3, 12, 12]
    assert run(made, _image(12)).shape == (1, 3, 10, 10)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (STRIDED, (1, 3, 32, 32)),
        (SAME, FREE),
        ({"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}, FREE),
        (DILATED | {"auto_pad": "VALID", "strides": [2, 2]}, FREE),
        ({"kernel_shape": [1, 1], "auto_pad": "SAME_UPPER", "strides": [2, 2]}, FREE),
        ({"kernel_shape": [3, 3], "pads": [2, 2, 2, 2], "dilations": [2, 2]}, FREE),
    ],
)  # fmt: skip
def test_is_silent_where_the_padding_is_fixed(
    layer: dict[str, object], shape: tuple[int | str, ...]
):
    made = chain(("Conv", layer), shape=shape)
    assert not found("PAD103", made)
    run(made, _image(32))
