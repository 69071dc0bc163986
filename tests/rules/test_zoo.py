"""Which rules find something in real models, at default selection, and why that is right."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from onnxpad.auditing import audit_model
from onnxpad.findings import Severity
from onnxpad.rules import RULES
from tests.conftest import zoo_models
from tests.rules.check import found

pytestmark = pytest.mark.zoo

# Codes by model. The reasons, once for all:
# PAD101  every strided padded convolution whose size is even: 5 of 5 in the MobileNet-like nets at
#         224, at the end for TensorFlow's SAME (0+1), at the begin for PyTorch's 1+1 (of which the
#         last is not read); DenseNet at its first two. Not in deeplab (257 = 2^8 + 1), not where
#         strided ops do not pad (SqueezeNet, espcn, pnet). basic_pitch: steps of 256 samples over
#         43844 + 128 + 128 leave 68 of the padding at the end unread.
# PAD110  free sizes and strided ops: PP-OCR, silero.
# PAD201  basic_pitch pads zeros onto the output of a Sigmoid.
# PAD204  reflect first, zeros further in: style transfer, and spectrograms in front of 2-D layers.
# PAD301  every net that pads zeros and can be followed: not silero (inside If), not pnet (no pads).
#         espcn: 2 + 1 + 1 + 1 = 5 px of 224 from each side.
# PAD501  fns_candy: ConvTranspose of kernel 3, stride 2.
# PAD503  dense outputs behind ops on whole maps: deeplab's image-level pooling, squeeze and excite
#         in PP-OCR, InstanceNormalization in fns_candy.
EXPECTED = {
    "SqueezeNet_fp16_winml": "PAD301",
    "basic_pitch_nmp": "PAD101 PAD201 PAD204 PAD301",
    "ch_PP-OCRv4_det_infer": "PAD110 PAD301 PAD503",
    "deeplab_v3_1_default_1": "PAD301 PAD503",
    "efficientnet_lite0_ortquant_qdq": "PAD101 PAD301",
    "efficientnet_lite0_torchscript_op13": "PAD101 PAD301",
    "espcn_x3_core_from_ortext": "PAD301",
    "facenet_mtcnn_pnet": "",
    "fns_candy": "PAD204 PAD301 PAD501 PAD503",
    "keras_mlperftiny_resnet8_cifar10": "PAD101 PAD301",
    "keras_upscalerjs_rdn_x2_dynHW": "PAD301",
    "light_densenet121": "PAD101 PAD301",
    "mnist_cntk_winml": "PAD301",
    "road_segmentation_adas_0001": "PAD101 PAD301",
    "silero_vad": "PAD110 PAD204",
    "tflite_mobilenet_v2_1.0_224_quant": "PAD101 PAD301",
    "ultraface_RFB-320": "PAD101 PAD301",
    "winml_cifar_ImageClassifier": "PAD301",
    "yolox_nano": "PAD101 PAD301",
}

MODELS = zoo_models()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_codes(path: Path):
    codes = sorted({finding.code for finding in audit_model(path).findings})
    assert codes == EXPECTED[path.stem].split()


def test_every_model_is_in_the_table():
    assert {path.stem for path in MODELS} == set(EXPECTED)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_proportion(path: Path):
    """Models that run as they were trained: no errors, at most one warning for each rule."""
    findings = audit_model(path).findings
    assert all(finding.severity < Severity.ERROR for finding in findings)
    warned = Counter(f.code for f in findings if f.severity is Severity.WARNING)
    assert max(warned.values(), default=0) <= 1
    assert all(finding.primary == finding.locations[0] for finding in findings)


def test_the_control_has_no_finding_whatever_is_selected(zoo: Path):
    """facenet_mtcnn_pnet pads nothing: no rule about padding finds anything, default or not."""
    path = zoo / "models" / "facenet_mtcnn_pnet.onnx"
    about_padding = [r for r in RULES if r.check is not None and r.code < "PAD5"]
    assert audit_model(path, rules=about_padding).findings == ()


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


@pytest.mark.parametrize("name", ["basic_pitch_nmp", "fns_candy", "silero_vad"])
def test_mixed_modes_counts_what_stands_in_the_file(zoo: Path, name: str):
    path = zoo / "models" / f"{name}.onnx"
    modes: Counter[bytes] = Counter()
    for node in _nodes(onnx.load(path, load_external_data=False).graph):
        if node.op_type == "Pad":
            given = [a.s for a in node.attribute if a.name == "mode"]
            modes[given[0] if given else b"constant"] += 1
    (finding,) = found("PAD204", path)
    assert finding.facts["reflect"] == modes[b"reflect"] > 0
