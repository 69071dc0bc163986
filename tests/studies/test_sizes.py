"""The sizes study against the paper's table, hand-made nets, real runs and a hand count."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from PIL import Image

from onnxpad.studies.each import request
from onnxpad.studies.sizes import sizes
from onnxpad.study import ModelStudy, Table
from tests.command import onnxpad
from tests.conftest import zoo_models
from tests.sizes import nets, truth


def saved(path: Path, model: onnx.ModelProto) -> Path:
    onnx.save(model, path)
    return path


def table(shown: ModelStudy, key: str) -> Table:
    return next(t for t in shown.tables if t.key == key)


def column(found: Table, head: str) -> list[object]:
    return [row[found.heads.index(head)] for row in found.rows]


PAPER = [
    ("ResNet", nets.RESNET, (224, 224), ["225×225", "193×193", "257×257"], 5),
    ("MobileNet", nets.MOBILENET, (224, 224), ["225×225", "193×193", "257×257"], 5),
    ("VGG", nets.VGG, (225, 225), ["224×224", "256×256", "192×192"], 1),
    ("DenseNet", nets.DENSENET, (224, 224), ["221×221", "253×253", "189×189"], 2),
    ("ConvNeXt", nets.CONVNEXT, (225, 225), ["224×224", "256×256", "192×192"], 1),
    ("YOLOv8", nets.YOLOV8, (640, 640), ["641×641", "609×609", "673×673"], 5),
]


@pytest.mark.parametrize(("steps", "own", "even", "uneven"), [p[1:] for p in PAPER],
                         ids=[p[0] for p in PAPER])  # fmt: skip
def test_the_papers_table(steps, own, even, uneven, tmp_path: Path):
    path = saved(tmp_path / "m.onnx", nets.architecture(steps, own))
    found = table(sizes([path]).models[0], "sizes")
    assert column(found, "size") == ["×".join(map(str, own)), *even]
    assert column(found, "uneven ops") == [uneven, 0, 0, 0]
    assert column(found, "runs") == ["yes"] * 4


def test_readings_and_cost(tmp_path: Path):
    path = saved(tmp_path / "m.onnx", nets.architecture(nets.RESNET, (224, 224)))
    shown = sizes([path]).models[0]
    layers = table(shown, "layers")
    assert column(layers, "at 224×224") == ["3+2", "1+0", "1+0", "1+0", "1+0"]
    assert column(layers, "at 225×225") == ["3+3", "1+1", "1+1", "1+1", "1+1"]
    assert set(column(layers, "axis")) == {"y, x"}

    # positions of a 7×7 and, behind each step, of a 3×3 kernel; channels cancel out
    def cost(size: int) -> int:
        total, n = 0, size
        for kernel, conv in ((7, True), (3, False), (3, True), (3, True), (3, True)):
            n = (n + 1) // 2
            total += n * n * (9 + (kernel**2 if conv else 0))
        return total

    ratio = column(table(shown, "sizes"), "multiplications")[1]
    assert ratio == pytest.approx(cost(225) / cost(224), rel=1e-12)
    assert shown.said[0] == "5 of 5 strided window ops read padding unevenly at 224×224"
    assert any("declares 224×224: nothing else in it fixes the size" in text for text in shown.said)


def test_near_another_size_and_axes_apart(tmp_path: Path):
    path = saved(tmp_path / "m.onnx", nets.architecture(nets.RESNET))
    shown = sizes([path], near=(480, 640)).models[0]
    found = column(table(shown, "sizes"), "size")
    assert found[1] == "481×641"
    assert "looked near 480×640" in shown.on[0]
    one = sizes([path], near=(300,)).models[0]
    assert column(table(one, "sizes"), "size")[1] == "289×289"


@pytest.mark.parametrize("how", ["scales", "floor", "shape"])
def test_only_sizes_that_run_where_maps_are_doubled_and_joined(how: str, tmp_path: Path):
    for down in (("MaxPool", 2, 2, 0), ("Conv", 3, 2, 1)):
        model = nets.u_net(3, down=down, sizes=how)
        found = table(sizes([saved(tmp_path / "m.onnx", model)], near=(65,)).models[0], "sizes")
        offered = [tuple(map(int, str(s).split("×"))) for s in column(found, "size")[1:]]
        assert truth.runs(model, [truth.picture(*size) for size in offered]) == [True] * len(
            offered
        )
        # strided convolutions ask for 8 n + 1, doubling for 8 n
        assert bool(offered) == (down[0] == "MaxPool" or how == "shape")


def test_sizes_that_look_even_but_do_not_run_are_counted(tmp_path: Path):
    # position 16 of a map of half the size: which sizes have it, no rule follows
    net = nets.Net()
    last = net.window("x", "Conv", 3, 2, 1)
    net.op("GatherND", last, net.constant([[0, 0, 16, 16]]))
    model = net.model([last, f"t{len(net.nodes) - 1}"], (33, 33))
    shown = sizes([saved(tmp_path / "m.onnx", model)], near=(32,)).models[0]
    found = {row[0]: row[3] for row in table(shown, "sizes").rows}
    assert found["35×35"] == "yes"
    assert found["31×31"] == "no"
    assert any("did not run" in text for text in shown.said)


def test_a_fixed_classifier_says_which_node_fixes_it(tmp_path: Path):
    net = nets.Net()
    flat = net.op("Flatten", net.window(net.window("x", "Conv", 3, 2, 1), "Conv", 3, 2, 1))
    net.op("Gemm", flat, net.constant(np.ones((nets.CHANNELS * 64, 5)), np.float32))
    model = net.model(f"t{len(net.nodes) - 1}", (32, 32))
    shown = sizes([saved(tmp_path / "m.onnx", model)]).models[0]
    # 29..32 give 8×8 positions, and 29 = 4·7 + 1 is even
    assert column(table(shown, "sizes"), "size") == ["32×32", "29×29"]
    far = sizes([tmp_path / "m.onnx"], near=(224,)).models[0]
    assert [row[0] for row in table(far, "export").rows] == ["Gemm"]
    assert any("export it again" in text for text in far.said)


def test_nothing_is_said_of_ops_behind_a_hard_coded_reshape(tmp_path: Path):
    net = nets.Net()
    fixed = net.op("Reshape", "x", net.constant([1, nets.CHANNELS, 16, 64]))
    model = net.model(net.window(fixed, "Conv", 3, 2, 1), (32, 32))
    shown = sizes([saved(tmp_path / "m.onnx", model)]).models[0]
    assert shown.said[0].startswith("1 strided window op cannot be told at other sizes")
    assert "Reshape" in shown.said[0]
    assert not any("every size is even" in text for text in shown.said)


def classifier() -> onnx.ModelProto:
    """Class 0 for dark pictures, 1 for bright ones."""
    net = nets.Net()
    weight = np.zeros((2, 3, 3, 3), np.float32)
    weight[1, :, 1, 1] = 1.0
    last = net.op("Conv", "x", net.constant(weight, np.float32), kernel_shape=[3, 3],
                  strides=[2, 2], pads=[1] * 4)  # fmt: skip
    pooled = net.op("Flatten", net.op("GlobalAveragePool", last))
    net.op("Add", pooled, net.constant([[1.5, 0.0]], np.float32))
    model = net.model(f"t{len(net.nodes) - 1}", (32, 32))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3
    return model


def pictures(folder: Path) -> Path:
    for name, value in (("a_dark", 60), ("b_bright", 200)):
        (folder / name).mkdir(parents=True)
        for number in range(4):
            # one of each kind belongs to the other class
            shade = value if number else 260 - value
            Image.fromarray(np.full((40, 40, 3), shade, np.uint8)).save(
                folder / name / f"{number}.png"
            )
    return folder


def test_accuracy_at_both_sizes(tmp_path: Path):
    path = saved(tmp_path / "m.onnx", classifier())
    asked = request(path, data=str(pictures(tmp_path / "data")), labels="folders",
                    preprocess="unit")  # fmt: skip
    shown = sizes([path], [asked]).models[0]
    found = table(shown, "sizes")
    # a mean is the same at any size, so nothing changes: 6 of 8 right
    assert column(found, "top-1")[:2] == [0.75, 0.75]
    assert column(found, "Δ top-1")[1] == 0.0
    assert column(found, "lost")[1] == column(found, "gained")[1] == 0
    assert any("not different beyond doubt" in text for text in shown.said)


def test_no_accuracy_of_what_is_no_classifier(tmp_path: Path):
    net = nets.Net()
    model = net.model(net.window("x", "Conv", 3, 2, 1), (32, 32))
    path = saved(tmp_path / "m.onnx", model)
    np.save(tmp_path / "x.npy", np.zeros((4, nets.CHANNELS, 32, 32), np.float32))
    np.save(tmp_path / "y.npy", np.zeros(4, np.int64))
    asked = request(path, data=str(tmp_path / "x.npy"), labels=f"array={tmp_path / 'y.npy'}")
    shown = sizes([path], [asked]).models[0]
    assert any("needs a folder of images" in text for text in shown.said)


def test_the_command(tmp_path: Path):
    path = saved(tmp_path / "m.onnx", nets.architecture(nets.RESNET, (224, 224)))
    done = onnxpad("study", "sizes", path, "--near", "224", "--save", tmp_path / "out")
    assert done.code == 0, done.err
    assert "225×225" in done.out
    with np.load(tmp_path / "out" / "sizes" / "m.npz", allow_pickle=False) as archive:
        assert dict(zip(archive["sizes_y"], archive["uneven_y"], strict=True))[225] == 0
    assert (tmp_path / "out" / "sizes" / "uneven.png").is_file()
    wrong = onnxpad("study", "sizes", path, "--near", "0")
    assert wrong.code == 2
    assert onnxpad("study", "sizes", path, "--near", "224x224x3").code == 2


@pytest.mark.zoo
@pytest.mark.parametrize("path", zoo_models(), ids=lambda p: p.stem)
def test_every_zoo_model(path: Path):
    shown = sizes([path]).models[0]
    assert shown.absent == ""
    found = table(shown, "sizes")
    offered = [row for row in found.rows[1:] if row[3] == "yes"]
    assert all(row[1] == 0 for row in offered)
    assert shown.said
    if path.stem == "efficientnet_lite0_torchscript_op13":
        assert column(found, "size")[1:] == ["223×223", "255×255", "191×191"]
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        assert session.get_inputs()[0].shape[2:] == [224, 224]  # the file is as it was
