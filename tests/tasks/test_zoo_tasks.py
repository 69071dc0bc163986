"""Known accuracies of real models on real pictures, and what the guess makes of every model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onnxpad.data import synthetic
from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Boxes, Mask
from onnxpad.data.plan import main_input, plans
from onnxpad.measure.agreement_shift import shifted
from onnxpad.runtime import Session, choose_provider, open_session
from onnxpad.tasks.detection import Detection
from onnxpad.tasks.guess import View, choose
from onnxpad.tasks.result import TaskResult
from onnxpad.tasks.segmentation import Segmentation

pytestmark = pytest.mark.zoo

# COCO's panoptic numbers → Pascal VOC's classes; all others are background.
VOC = {
    5: 1,
    2: 2,
    16: 3,
    9: 4,
    44: 5,
    6: 6,
    3: 7,
    17: 8,
    62: 9,
    21: 10,
    67: 11,
    18: 12,
    19: 13,
    4: 14,
    1: 15,
    64: 16,
    20: 17,
    63: 18,
    7: 19,
    72: 20,
}


def session(zoo: Path, name: str) -> Session:
    return open_session(zoo / "models" / name, provider=choose_provider("cpu"), threads=1)


def pictures(zoo: Path) -> Iterator[tuple[str, Image.Image]]:
    for path in sorted((zoo / "images" / "coco64" / "images").iterdir()):
        with Image.open(path) as image:
            yield path.stem, image.convert("RGB")


def yolo_boxes(path: Path, width: int, height: int) -> Boxes:
    table = np.loadtxt(path, ndmin=2) if path.exists() else np.zeros((0, 5))
    size = np.array([width, height])
    centre, half = table[:, 1:3] * size, table[:, 3:] * size / 2
    return Boxes.of(np.concatenate([centre - half, centre + half], axis=1), table[:, 0])


def against_itself(result: TaskResult) -> None:
    for metric in result.metrics:
        if metric.delta is not None:
            assert (metric.delta, metric.low, metric.high) == (0, 0, 0)
    assert all(part.delta == 0 for part in result.parts)


def test_yolox_nano(zoo: Path) -> None:
    pytest.importorskip("pycocotools", reason="the extra detection is not installed")
    model = session(zoo, "yolox_nano.onnx")
    tally = Detection(("output",), "yolox").tally()
    for stem, image in pictures(zoo):
        width, height = image.size
        factor = 416 / max(width, height)
        wide, high = int(width * factor), int(height * factor)
        canvas = np.full((416, 416, 3), 114, np.float32)
        canvas[:high, :wide] = image.resize((wide, high), Image.Resampling.BILINEAR)
        fed = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None])
        view = Geometry((height, width), (416, 416), (high / height, wide / width), (0.0, 0.0))
        truth = yolo_boxes(zoo / "images/coco64/labels" / f"{stem}.txt", width, height)
        out = model.run({"images": fed})
        tally.add(out, out, truth, view, model.run({"images": shifted(fed, (2, 3))}))
    result = tally.result(0)
    assert result is not None
    against_itself(result)
    found, agreed = result.metric("mAP50"), result.metric("agreement")
    assert found is not None
    assert found.original == pytest.approx(0.514, abs=0.02)
    assert sum(p.kind == "class" and p.metric == "mAP50" for p in result.parts) == 62
    assert agreed is not None
    assert agreed.floor == pytest.approx(0.93, abs=0.03)


def test_deeplab(zoo: Path) -> None:
    model = session(zoo, "deeplab_v3_1_default_1.onnx")
    tally = Segmentation("ResizeBilinear_3", 3).tally()
    voc = np.array([VOC.get(i, 0) for i in range(256)], np.int32)
    for stem, image in pictures(zoo):
        width, height = image.size
        small = np.asarray(image.resize((257, 257), Image.Resampling.BILINEAR), np.float32)
        with Image.open(zoo / "images/coco64/masks" / f"{stem}.png") as mask:
            truth = Mask(voc[np.asarray(mask)])
        view = Geometry((height, width), (257, 257), (257 / height, 257 / width), (0.0, 0.0))
        out = model.run({"sub_7": small[None] / 127.5 - 1})
        tally.add(out, out, truth, view)
    result = tally.result(0)
    assert result is not None
    against_itself(result)
    classes = {p.label: p.original for p in result.parts if p.kind == "class"}
    assert classes["15"] == pytest.approx(0.543, abs=0.02)
    assert classes["0"] == pytest.approx(0.812, abs=0.01)


@pytest.mark.parametrize(
    ("name", "task", "outputs"),
    [
        ("efficientnet_lite0_torchscript_op13", "classification", ("logits",)),
        ("SqueezeNet_fp16_winml", "classification", ("softmaxout_1",)),
        (
            "tflite_mobilenet_v2_1.0_224_quant",
            "classification",
            ("MobilenetV2/Predictions/Softmax",),
        ),
        ("mnist_cntk_winml", "classification", ("Plus214_Output_0",)),
        ("yolox_nano", "detection", ("output",)),
        ("ultraface_RFB-320", "detection", ("boxes", "scores")),
        ("deeplab_v3_1_default_1", "segmentation", ("ResizeBilinear_3",)),
        ("road_segmentation_adas_0001", "segmentation", ("tf.identity",)),
        ("fns_candy", "image", ("outputImage",)),
        ("keras_upscalerjs_rdn_x2_dynHW", "image", ("Identity:0",)),
        ("espcn_x3_core_from_ortext", "image", ("output",)),
        ("ch_PP-OCRv4_det_infer", "tensor", ("sigmoid_0.tmp_0",)),
        ("facenet_mtcnn_pnet", "tensor", ("29", "28")),
    ],
)
def test_guesses(zoo: Path, name: str, task: str, outputs: tuple[str, ...]) -> None:
    model = session(zoo, f"{name}.onnx")
    filled = next(iter(plans(model.inputs, {})))
    fed = main_input(filled)
    assert fed is not None
    rows = fed.batch
    out = {k: v[:1] if rows > 1 else v for k, v in model.run(synthetic.feed(filled, 0, 0)).items()}
    found = choose(View(out, (1, *fed.shape[1:]), fed.layout))
    assert (found.task.name, found.task.outputs) == (task, outputs)
    if "mobilenet" in name:
        assert "labels start at 1" in found.sentence
    # and a model against itself, with its own decoder
    view = None
    if fed.layout is not None and len(fed.layout.spatial) == 2:
        size = (fed.shape[fed.layout.spatial[0]], fed.shape[fed.layout.spatial[1]])
        view = Geometry(size, size, (1.0, 1.0), (0.0, 0.0))
    tally = found.task.tally()
    tally.add(out, out, None, view)
    result = tally.result(0)
    assert result is not None
    agreed = result.metric("agreement")
    assert agreed is None or agreed.candidate == 1
