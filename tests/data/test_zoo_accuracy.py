"""Published models over the whole road from files to scores, against their known accuracy.

The numbers and recipes are the zoo's own. Top-1 is computed here, by numpy alone.
"""

from pathlib import Path

import numpy as np
import pytest

from onnxpad.data.label_spec import parse_labels
from onnxpad.data.labels import ClassLabel
from onnxpad.data.plan import plans
from onnxpad.data.preprocess_syntax import parse_preprocess
from onnxpad.data.sample import Feed
from onnxpad.data.source import open_source
from onnxpad.runtime import Session, choose_provider, open_session

INNER = "resize=crop:0.875,filter=bicubic"
IMAGENET = ("imagenet250", "csv=imagenet250/labels.csv")
CIFAR = ("cifar200", "folders")
# Integer kernels, and the arithmetic of each processor, move scores a little.
TOLERANCE = 0.01

CASES = [
    ("efficientnet_lite0_torchscript_op13", *IMAGENET, "efficientnet_lite", 0, 0.876),
    ("efficientnet_lite0_ortquant_qdq", *IMAGENET, "efficientnet_lite", 0, 0.872),
    ("SqueezeNet_fp16_winml", *IMAGENET, f"caffe,{INNER}", 0, 0.632),
    ("tflite_mobilenet_v2_1.0_224_quant", *IMAGENET, f"raw,{INNER}", 1, 0.888),
    ("keras_mlperftiny_resnet8_cifar10", *CIFAR, "raw", 0, 0.720),
    ("winml_cifar_ImageClassifier", *CIFAR, "tf", 0, 0.645),
    ("mnist_cntk_winml", "mnist200", "folders", "raw", 0, 1.0),
]


def session(path: Path) -> Session:
    return open_session(path, provider=choose_provider("cpu"), threads=2, label=path.name)


@pytest.mark.zoo
@pytest.mark.parametrize(
    ("name", "folder", "labels", "preprocess", "offset", "expected"),
    CASES,
    ids=[c[0] for c in CASES],
)
def test_top_1(
    zoo: Path,
    name: str,
    folder: str,
    labels: str,
    preprocess: str,
    offset: int,
    expected: float,
) -> None:
    model = session(zoo / "models" / f"{name}.onnx")
    source = open_source(
        zoo / "images" / folder,
        model.inputs,
        preprocess=parse_preprocess(preprocess),
        labels=parse_labels(labels).within(zoo / "images"),
    )
    filled = next(plans(model.inputs, source.known))
    assert not source.warnings(filled)
    right = []
    for feed in source.feeds(filled, 0):
        assert isinstance(feed, Feed)
        (sample,) = feed.samples
        assert isinstance(sample.label, ClassLabel)
        (scores,) = model.run(feed.arrays).values()
        right.append(int(np.asarray(scores, np.float64).argmax()) == sample.label.index + offset)
    assert len(right) == source.total
    assert np.mean(right) == pytest.approx(expected, abs=TOLERANCE)
