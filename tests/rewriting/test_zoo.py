"""Real models: all that pads is found, changed to what numpy.pad gives, and back again.

The numbers are read from the models' own nodes, here and by hand, not from onnxpad.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import GraphProto, ModelProto, NodeProto, helper

import onnxpad
from tests.conftest import zoo_folder
from tests.rewriting.feeding import seeded
from tests.rewriting.running import Array, fault, outputs

pytestmark = pytest.mark.zoo

COPYING = ("edge", "reflect", "symmetric", "wrap")
MODES = (*COPYING, "linear", "partial")

# Convolutions that pad themselves, zero Pads in front of convolutions, other Pads there (reflect),
# padding pools, Pads that are something else.
EXPECTED = {
    "SqueezeNet_fp16_winml": (8, 0, 0, 0, 0),
    "basic_pitch_nmp": (6, 8, 9, 0, 7),
    "ch_PP-OCRv4_det_infer": (20, 0, 0, 0, 0),
    "deeplab_v3_1_default_1": (18, 0, 0, 0, 0),
    "efficientnet_lite0_ortquant_qdq": (17, 0, 0, 0, 0),
    "efficientnet_lite0_torchscript_op13": (0, 17, 0, 0, 0),
    "espcn_x3_core_from_ortext": (4, 0, 0, 0, 0),
    "facenet_mtcnn_pnet": (0, 0, 0, 0, 0),
    "fns_candy": (4, 0, 1, 0, 0),
    "keras_mlperftiny_resnet8_cifar10": (7, 0, 0, 0, 0),
    "keras_upscalerjs_rdn_x2_dynHW": (9, 0, 0, 0, 0),
    "light_densenet121": (59, 0, 0, 1, 0),
    "mnist_cntk_winml": (2, 0, 0, 0, 0),
    "road_segmentation_adas_0001": (1, 40, 0, 0, 0),
    "silero_vad": (8, 0, 2, 0, 0),
    "tflite_mobilenet_v2_1.0_224_quant": (18, 0, 0, 0, 0),
    "ultraface_RFB-320": (28, 0, 0, 0, 0),
    "winml_cifar_ImageClassifier": (4, 0, 0, 0, 0),
    "yolox_nano": (31, 0, 0, 3, 0),
}
NAMES = list(EXPECTED)


def _path(name: str) -> Path:
    folder = zoo_folder()
    assert folder is not None
    return folder / "models" / f"{name}.onnx"


@cache
def _model(name: str) -> ModelProto:
    return onnx.load(_path(name))


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _attributes(node: NodeProto) -> dict[str, object]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _pads(node: NodeProto) -> bool:
    """Whether a window op pads by itself, going by its attributes alone."""
    given = _attributes(node)
    if bytes(given.get("auto_pad", b"NOTSET")).startswith(b"SAME"):  # type: ignore[call-overload]  # bytes
        extents = zip(given["kernel_shape"], given.get("strides", (1, 1)), strict=True)  # type: ignore[call-overload]  # ints
        return any(k > s for k, s in extents)
    return any(given.get("pads", ()))  # type: ignore[call-overload]  # ints


@cache
def _shapes(name: str) -> list[tuple[int, ...]]:
    return [a.shape for a in outputs(_path(name), seeded(_model(name)))]


def test_every_model_is_expected(zoo: Path) -> None:
    assert {p.stem for p in (zoo / "models").glob("*.onnx")} == set(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_sites(name: str) -> None:
    """What is found is what a plain count of the nodes says."""
    convs, pads, others, pools, elsewhere = EXPECTED[name]
    nodes = list(_nodes(_model(name).graph))
    counted = Counter(n.op_type for n in nodes if n.op_type.endswith(("Conv", "Pool")) and _pads(n))
    assert counted["Conv"] == convs
    assert counted["MaxPool"] + counted["AveragePool"] == pools
    assert sum(n.op_type == "Pad" for n in nodes) == pads + others + elsewhere
    sites = onnxpad.find_sites(_path(name))
    own = [s for s in sites if s.form in ("pads", "auto_pad")]
    assert sum(s.conv for s in own) == convs
    assert sum(not s.conv for s in own) == pools
    explicit = [s for s in sites if s.form == "Pad"]
    assert sum(s.mode.name == "zero" for s in explicit) == pads
    assert sum(s.mode.name == "reflect" for s in explicit) == others
    assert len(sites) == len(own) + len(explicit)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_rewrite(name: str, mode: str, tmp_path: Path) -> None:
    convs, pads, others, pools, elsewhere = EXPECTED[name]
    source = _path(name)
    result = onnxpad.rewrite(source, mode)
    refused = 8 if (name, mode) == ("basic_pitch_nmp", "partial") else 0
    assert len(result.changed) == convs + pads - refused
    assert len(result.refused) == refused
    assert len(result.left) == others + pools
    assert len(result.others) == elsewhere
    target = result.save(tmp_path / "rewritten.onnx")
    if not result.changed:
        assert target.read_bytes() == source.read_bytes()
        return
    assert not fault(target)
    written = ModelProto.FromString(target.read_bytes())
    assert [a.shape for a in outputs(target, seeded(_model(name)))] == _shapes(name)
    assert result.undo(written).SerializeToString() == _model(name).SerializeToString()
    assert result.canonical == (_model(name).SerializeToString() == source.read_bytes())
    again = onnxpad.rewrite(written, mode)
    assert not again.changed
    assert again.model.SerializeToString() == written.SerializeToString()


@pytest.mark.parametrize("mode", [*COPYING, "zero"])
@pytest.mark.parametrize(("name", "pools"), [(n, e[3]) for n, e in EXPECTED.items() if e[3]])
def test_pools(name: str, pools: int, mode: str) -> None:
    """Max-pools of 3 with pads of 1: wrap and zeros alone can change what they return."""
    result = onnxpad.rewrite(_path(name), mode, pools=True)
    changed = sum(not c.site.conv for c in result.changed)
    assert changed == (pools if mode in ("wrap", "zero") else 0)
    assert not result.refused
    assert [a.shape for a in outputs(result.model, seeded(_model(name)))] == _shapes(name)


def _values(model: ModelProto, names: set[str], feeds: dict[str, Array]) -> dict[str, Array]:
    """Tensors of the main graph as they come when every node is run."""
    opened = ModelProto()
    opened.CopyFrom(model)
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    known = feeds | {name: stored[name] for name in names & set(stored)}
    if names <= set(known):
        return known
    names = names - {o.name for o in opened.graph.output} - set(known)
    opened.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names))
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        opened.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    wanted = sorted(names)
    return dict(zip(wanted, session.run(wanted, feeds), strict=True)) | known


def _amounts(node: NodeProto, rank: int, values: dict[str, Array]) -> list[tuple[int, int]]:
    """(begin, end) on every axis, from the original's node and run."""
    given = _attributes(node)
    if node.op_type == "Pad":
        flat = list(given["pads"] if "pads" in given else values[node.input[1]])  # type: ignore[call-overload]  # ints
        return list(zip(flat[:rank], flat[rank:], strict=True))
    auto = bytes(given.get("auto_pad", b"NOTSET"))  # type: ignore[call-overload]  # bytes
    half = rank - 2
    if auto.startswith(b"SAME"):  # stride 1 wherever this is met: k - 1 in all
        total = [k - 1 for k in given["kernel_shape"]]  # type: ignore[attr-defined]  # ints
        less, more = [t // 2 for t in total], [t - t // 2 for t in total]
        flat = [*more, *less] if auto == b"SAME_LOWER" else [*less, *more]
    else:
        flat = list(given["pads"])  # type: ignore[call-overload]  # ints
    return [(0, 0), (0, 0), *zip(flat[:half], flat[half:], strict=True)]


# silero_vad keeps its convolutions in branches of If, where no run can look; fns_candy's maps are
# large and of the plainest form.
LOOKED_INTO = [
    n for n, e in EXPECTED.items() if e[0] + e[1] and n not in ("silero_vad", "fns_candy")
]


@pytest.mark.parametrize("mode", [*COPYING, "linear"])
@pytest.mark.parametrize("name", LOOKED_INTO)
def test_every_convolution_reads_what_numpy_pads(name: str, mode: str) -> None:
    """In the rewritten model, run whole: each padded tensor is numpy.pad of the one before it."""
    model, feeds = _model(name), seeded(_model(name))
    result = onnxpad.rewrite(model, mode, place="site")
    nodes = {n.output[0]: n for n in model.graph.node}
    rewritten = {n.output[0]: n for n in result.model.graph.node}
    pairs = {}
    for change in result.changed:
        node, out = nodes[change.site.node], change.site.node
        pairs[out] = (node.input[0], out if node.op_type == "Pad" else rewritten[out].input[0])
        before = nodes.get(node.input[0])
        if before is not None and before.op_type == "DequantizeLinear" and mode != "linear":
            pairs[out] = (before.input[0], rewritten[pairs[out][1]].input[0])  # the integers
    told = {n.input[1] for n in nodes.values() if n.op_type == "Pad" and len(n.input) > 1}
    amounts = _values(model, told, feeds)
    seen = _values(result.model, {name for pair in pairs.values() for name in pair}, feeds)
    for out, (before, after) in pairs.items():
        source = seen[before]
        width = _amounts(nodes[out], source.ndim, amounts)
        if mode == "linear":
            expected = np.pad(source, width, mode="reflect", reflect_type="odd")
            # 2a - b is rounded once more by numpy or by us, and corners are turned twice
            tolerance = 4 * float(np.finfo(source.dtype).eps) * float(np.abs(expected).max())
            np.testing.assert_allclose(seen[after], expected, rtol=0, atol=tolerance)
        else:
            expected = np.pad(source, width, mode=mode)  # type: ignore[call-overload]  # numpy's word
            np.testing.assert_array_equal(seen[after], expected)


def test_nothing_to_change() -> None:
    result = onnxpad.rewrite(_path("facenet_mtcnn_pnet"), "edge", pools=True)
    assert (result.changed, result.left, result.refused, result.others) == ((), (), (), ())
    assert result.plan.modes == ()


def test_pads_into_concat_stay() -> None:
    """basic_pitch pads harmonics to one length with seven Pads, and joins them."""
    model = _model("basic_pitch_nmp")
    joined = {i for n in model.graph.node if n.op_type == "Concat" for i in n.input}
    into = {n.name for n in model.graph.node if n.op_type == "Pad" and n.output[0] in joined}
    assert len(into) == 7
    result = onnxpad.rewrite(model, "edge", from_mode=None, pools=True)
    assert {o.identity for o in result.others} == into
    assert all("Concat" in o.reason for o in result.others)
    before = {n.name: n.SerializeToString() for n in model.graph.node if n.name in into}
    after = {n.name: n.SerializeToString() for n in result.model.graph.node if n.name in into}
    assert before == after


# Models with something to move; the integers of quantised ones cost too little to be moved.
PLACED = {
    "deeplab_v3_1_default_1", "efficientnet_lite0_torchscript_op13",
    "road_segmentation_adas_0001", "ultraface_RFB-320",
}  # fmt: skip


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
@pytest.mark.parametrize("name", [n for n, e in EXPECTED.items() if e[0] + e[1]])
def test_placing_changes_no_bit(name: str, mode: str) -> None:
    """Of the outputs, and the window ops that read padding are the same ones."""
    placed = onnxpad.rewrite(_path(name), mode, place="auto")
    there = onnxpad.rewrite(_path(name), mode, place="site")
    moved = [c for c in placed.changed if c.place is not None and c.place.moved]
    assert bool(moved) == (name in PLACED)
    feeds = seeded(_model(name))
    for ours, theirs in zip(outputs(placed.model, feeds), outputs(there.model, feeds), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    readers = [
        {r for s in onnxpad.find_sites(one.model) for r in s.readers} for one in (placed, there)
    ]
    assert readers[0] == readers[1]


@pytest.mark.parametrize("mode", ["edge", "zero", "wrap"])
@pytest.mark.parametrize("name", ["basic_pitch_nmp", "fns_candy", "silero_vad"])
def test_reflect_pads_are_changed_when_named(name: str, mode: str) -> None:
    """zero names every copying mode by itself."""
    others = EXPECTED[name][2]
    result = onnxpad.rewrite(_path(name), mode, from_mode=None if mode == "zero" else "reflect")
    changed = [c for c in result.changed if c.site.mode.name == "reflect"]
    assert len(changed) == others
    assert [a.shape for a in outputs(result.model, seeded(_model(name)))] == _shapes(name)
    assert result.undo(result.model).SerializeToString() == _model(name).SerializeToString()


@pytest.mark.parametrize(
    "name", ["efficientnet_lite0_torchscript_op13", "road_segmentation_adas_0001"]
)
def test_zero_pads_fold_into_convolutions(name: str) -> None:
    """Implicit zeros: no Pad is left, and the outputs are the same up to the order of sums."""
    result = onnxpad.rewrite(_path(name), "zero")
    assert len(result.changed) == EXPECTED[name][1]
    assert "Pad" not in {n.op_type for n in result.model.graph.node}
    feeds = seeded(_model(name))
    for found, expected in zip(
        outputs(result.model, feeds), outputs(_path(name), feeds), strict=True
    ):
        # 1e-5: another kernel of the runtime may add in another order, through some 50 layers
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["SqueezeNet_fp16_winml", "ultraface_RFB-320"])
def test_nameless_nodes_are_named_by_their_output(name: str, tmp_path: Path) -> None:
    model = _model(name)
    assert not any(n.name for n in model.graph.node)
    own = [n.output[0] for n in model.graph.node if n.op_type == "Conv" and _pads(n)]
    assert [s.identity for s in onnxpad.find_sites(model)] == own
    one = onnxpad.rewrite(model, "edge", only=[own[0]])
    assert [c.site.identity for c in one.changed] == [own[0]]
    rest = onnxpad.rewrite(model, "edge", skip=[own[0]])
    assert [c.site.identity for c in rest.changed] == own[1:]
    some = onnxpad.rewrite(model, "edge", only=[f"{own[0][:-1]}*"])
    assert {c.site.identity for c in some.changed} == {o for o in own if o.startswith(own[0][:-1])}
    file = tmp_path / "plan.json"
    file.write_text(one.plan.to_json(), encoding="utf-8")
    planned = onnxpad.rewrite(model, plan=file)
    assert planned.model.SerializeToString() == one.model.SerializeToString()
