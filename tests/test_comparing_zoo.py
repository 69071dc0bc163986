"""Real models through the whole comparison, with one configuration file for all of them."""

from importlib import import_module
from pathlib import Path

import pytest

import onnxpad
from onnxpad.comparing import compare_as
from onnxpad.comparison import Comparison
from onnxpad.config.files import load_config
from onnxpad.config.settings import settings_for
from onnxpad.joining.request import Request
from tests.conftest import zoo_models

pytestmark = pytest.mark.zoo

module = import_module("onnxpad.comparing")

# COCO's panoptic numbers → Pascal VOC's classes.
VOC = (
    "5:1,2:2,16:3,9:4,44:5,6:6,3:7,17:8,62:9,21:10,67:11,18:12,19:13,4:14,1:15,64:16,20:17,63:18,"
    "7:19,72:20,*:0"
)
CONFIG = """
seed = 0
provider = "cpu"

[[models]]
match = ["efficientnet_lite0_*", "SqueezeNet_*", "tflite_mobilenet_*"]
data = "{images}/imagenet250"
labels = "csv={images}/imagenet250/labels.csv"
preprocess = "efficientnet_lite"

[[models]]
match = "SqueezeNet_*"
preprocess = "caffe,resize=crop:0.875,filter=bicubic"

[[models]]
match = "tflite_mobilenet_*"
preprocess = "raw,resize=crop:0.875,filter=bicubic"

[[models]]
match = ["keras_mlperftiny_*", "winml_cifar_*"]
data = "{images}/cifar200"
labels = "folders"
preprocess = "raw"

[[models]]
match = "winml_cifar_*"
preprocess = "tf"

[[models]]
match = "mnist_*"
data = "{images}/mnist200"
labels = "folders"
preprocess = "raw"

[[models]]
match = "yolox_*"
data = "{images}/coco64/images"
labels = "yolo={images}/coco64/labels"
preprocess = "yolox"

[[models]]
match = "deeplab_*"
data = "{images}/coco64/images"
labels = "masks={images}/coco64/masks,map={voc}"
preprocess = "tf"

[[models]]
match = "ultraface_*"
data = "{images}/faces"
preprocess = "raw,mean=127,std=128"
"""


@pytest.fixture(autouse=True)
def short_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATENCY_SECONDS", 0.05)


def compared(
    zoo: Path, folder: Path, name: str, candidate: Path | None = None, samples: int | None = None
) -> Comparison:
    """A model against another, or itself, by the shared file."""
    file = folder / "onnxpad.toml"
    file.write_text(CONFIG.format(images=(zoo / "images").as_posix(), voc=VOC))
    model = zoo / "models" / f"{name}.onnx"
    settings = settings_for(model, load_config(file), {"samples": samples}, {})
    return compare_as(model, candidate or model, Request.of(settings))


def rewritten(zoo: Path, folder: Path, name: str, mode: str = "edge") -> Path:
    path = folder / f"{name}.{mode}.onnx"
    onnxpad.rewrite(zoo / "models" / f"{name}.onnx", mode).save(path)
    return path


def all_zero(found: Comparison) -> None:
    """Every delta of a model against itself, latency excepted."""
    assert found.identical
    assert found.verdict is not None
    assert found.verdict.word == "no difference"
    if found.task is not None:
        for metric in found.task.metrics:
            if metric.delta is not None:
                assert (metric.delta, metric.low, metric.high) == (0, 0, 0)
        assert all(part.delta in (0, None) for part in found.task.parts)
    if found.border is not None:
        for one in found.border.outputs:
            assert one.candidate.error == one.original.error
    if found.layers is not None and found.layers.results is not None:
        assert all(not any(d.rings) for d in found.layers.results.drifts)
    if found.layers is not None and found.layers.constant is not None:
        assert found.layers.constant.original == found.layers.constant.candidate
    assert all(a == b for _, a, b in found.sites)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("efficientnet_lite0_ortquant_qdq", 0.872),
        ("SqueezeNet_fp16_winml", 0.632),
        ("tflite_mobilenet_v2_1.0_224_quant", 0.888),
        ("keras_mlperftiny_resnet8_cifar10", 0.720),
        ("winml_cifar_ImageClassifier", 0.645),
        ("mnist_cntk_winml", 1.0),
    ],
)
def test_known_accuracies(zoo: Path, tmp_path: Path, name: str, expected: float) -> None:
    found = compared(zoo, tmp_path, name, samples=999)
    assert found.samples.count == found.samples.total
    assert not found.warnings
    assert found.task is not None
    top = found.task.metric("top1")
    assert top is not None
    assert top.original == pytest.approx(expected, abs=0.01)
    all_zero(found)


def test_detection(zoo: Path, tmp_path: Path) -> None:
    pytest.importorskip("pycocotools", reason="the extra detection is not installed")
    found = compared(zoo, tmp_path, "yolox_nano", samples=999)
    assert found.task is not None
    score = found.task.metric("mAP50")
    assert score is not None
    assert score.original == pytest.approx(0.514, abs=0.02)
    all_zero(found)


def test_segmentation(zoo: Path, tmp_path: Path) -> None:
    found = compared(zoo, tmp_path, "deeplab_v3_1_default_1", samples=999)
    assert found.task is not None
    classes = {p.label: p.original for p in found.task.parts if p.kind == "class"}
    assert classes["15"] == pytest.approx(0.543, abs=0.02)
    all_zero(found)


def test_edge_everywhere_is_no_cure(zoo: Path, tmp_path: Path) -> None:
    name = "efficientnet_lite0_torchscript_op13"
    found = compared(zoo, tmp_path, name, rewritten(zoo, tmp_path, name), samples=250)
    assert found.task is not None
    top, agreed = found.task.metric("top1"), found.task.metric("agreement")
    assert top is not None
    assert agreed is not None
    assert top.original == pytest.approx(0.876, abs=0.01)
    assert top.delta is not None
    assert -0.18 <= top.delta <= -0.06
    assert top.high is not None
    assert top.high < 0
    assert agreed.floor is not None
    assert agreed.high is not None
    assert agreed.high < agreed.floor
    assert found.task.flips is not None
    assert found.task.flips.p < 0.01
    assert found.border is not None
    assert found.border.real
    assert found.verdict is not None
    assert found.verdict.word == "worse"
    assert [mode for _, *mode in found.sites] == [["zero", "edge"]] * 17


def test_a_halo_harms_a_classifier_less_than_its_layers(zoo: Path, tmp_path: Path) -> None:
    """32 px of reflect around the picture, cropped before pooling; reflect at every layer."""
    name = "efficientnet_lite0_torchscript_op13"
    around = tmp_path / "halo.onnx"
    built = onnxpad.rewrite(zoo / "models" / f"{name}.onnx", "reflect", halo=32)
    assert built.halo is not None
    assert built.halo.pixels == (32, 32)
    built.save(around)
    agreed = []
    for candidate in (around, rewritten(zoo, tmp_path, name, "reflect")):
        found = compared(zoo, tmp_path, name, candidate, samples=150)
        assert found.task is not None
        agreed.append(found.task.metric("agreement"))
    halo, layers = agreed
    assert halo is not None
    assert layers is not None
    assert halo.low is not None
    assert layers.high is not None
    assert halo.low > layers.high  # the halo on all 250: agreement 0.836, top-1 0.876 → 0.804


MIXED = {"ch_PP-OCRv4_det_infer", "fns_candy"}
WITHOUT_MAPS = {"basic_pitch_nmp", "silero_vad"}


@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_every_model_against_its_edge_rewrite(zoo: Path, tmp_path: Path, path: Path) -> None:
    candidate = rewritten(zoo, tmp_path, path.stem)
    found = compared(zoo, tmp_path, path.stem, candidate, samples=1)
    assert found.verdict is not None
    assert found.verdict.reasons
    assert (found.task is None) == bool(found.no_task)
    assert (found.border is None) == bool(found.no_border)
    assert (found.layers is None) == bool(found.no_layers)
    assert found.no_tiles
    if path.stem in WITHOUT_MAPS:
        assert "no tensor follows" in found.no_border
        return
    assert found.border is not None
    assert found.layers is not None
    assert bool(found.border.mixed) == (path.stem in MIXED)
    if path.stem in MIXED:
        assert any("mixed" in reason for reason in found.verdict.reasons)
