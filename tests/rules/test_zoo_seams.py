"""What the rules on reach and on other causes of seams say of real models."""

from pathlib import Path

import pytest

from onnxpad.findings import Severity
from tests.rules.check import found

pytestmark = pytest.mark.zoo


def severities(code: str, zoo: Path, *targets: str) -> dict[str, Severity]:
    """Model -> how bad what a rule finds in it is, for the models where it finds something."""
    results = {p.stem: found(code, p, targets) for p in sorted((zoo / "models").glob("*.onnx"))}
    return {name: findings[0].severity for name, findings in results.items() if findings}


def test_dense_models_whose_padding_reaches_everywhere_are_warned_of(zoo: Path) -> None:
    found_in = severities("PAD301", zoo)
    assert {name for name, s in found_in.items() if s is Severity.WARNING} == {
        "deeplab_v3_1_default_1",
        "road_segmentation_adas_0001",
        "ultraface_RFB-320",
        "yolox_nano",
    }
    # no padding; sequences
    assert not {"facenet_mtcnn_pnet", "silero_vad"} & set(found_in)


def test_widths_of_super_resolution_nets(zoo: Path) -> None:
    """Sums of the pads of their convolutions, all in the low resolution: 2 + 1 + 1 + 1; 10."""
    for name, width in {
        "espcn_x3_core_from_ortext": 5,
        "keras_upscalerjs_rdn_x2_dynHW": 10,
    }.items():
        (finding,) = found("PAD301", zoo / "models" / f"{name}.onnx")
        widths = {v for k, v in finding.facts.items() if k.endswith("_px")}
        assert widths == {width}


def test_checkerboards(zoo: Path) -> None:
    assert severities("PAD501", zoo) == {"fns_candy": Severity.WARNING}


def test_dense_models_with_global_operators(zoo: Path) -> None:
    assert set(severities("PAD503", zoo)) == {
        "ch_PP-OCRv4_det_infer",
        "deeplab_v3_1_default_1",
        "fns_candy",
    }


def test_equal_kernels_are_told_alike_in_float_and_quantised(zoo: Path) -> None:
    twins = ("efficientnet_lite0_ortquant_qdq", "efficientnet_lite0_torchscript_op13")
    places = [
        [p.identity for p in found("PAD504", zoo / "models" / f"{name}.onnx")[0].locations]
        for name in twins
    ]
    assert places == [["/_blocks.11/_depthwise_conv/Conv"]] * 2


def test_targets(zoo: Path) -> None:
    assert not severities("PAD411", zoo, "cuda")
    assert not severities("PAD413", zoo, "openvino")
    assert set(severities("PAD412", zoo, "tensorrt")) == {
        "efficientnet_lite0_torchscript_op13",
        "silero_vad",
    }
    assert set(severities("PAD414", zoo, "coreml")) == {
        "basic_pitch_nmp",
        "efficientnet_lite0_torchscript_op13",
        "fns_candy",
        "silero_vad",
    }
