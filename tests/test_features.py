"""The one-feature models are what they claim: stable bytes, checked, runnable, padded."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
import pytest
from onnx import ModelProto, NodeProto

from tests.features import FEATURES, FILES, NOT_CHECKED, NOT_RUN, feeds

CONTROLS = {"conv_without_padding", "conv_zero_pads", "auto_pad_valid", "pad_nothing"}


def _all_nodes(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _all_nodes(attribute.g.node)


def _pads_somewhere(model: ModelProto) -> bool:
    nodes = [
        *_all_nodes(model.graph.node),
        *(n for f in model.functions for n in _all_nodes(f.node)),
    ]
    for node in nodes:
        if node.op_type in ("Pad", "Concat"):
            return True
        for attribute in node.attribute:
            referenced = attribute.name == "pads" and attribute.ref_attr_name
            if referenced or (attribute.name in ("pads", "the_pads") and any(attribute.ints)):
                return True
            if attribute.name == "auto_pad" and attribute.s.startswith(b"SAME"):
                return True
    return any(a.name == "the_pads" for f in model.functions for a in f.attribute_proto)


def test_there_are_enough() -> None:
    assert len(FEATURES) >= 84


@pytest.mark.parametrize("name", FEATURES)
def test_bytes_are_stable(name: str) -> None:
    first = FEATURES[name]().SerializeToString()
    assert FEATURES[name]().SerializeToString() == first
    assert ModelProto.FromString(first).SerializeToString() == first


@pytest.mark.parametrize("name", FEATURES)
def test_pads_somewhere(name: str) -> None:
    assert _pads_somewhere(FEATURES[name]()) == (name not in CONTROLS or name == "pad_nothing")


@pytest.mark.parametrize("name", FEATURES)
def test_checker_agrees(name: str) -> None:
    model = FEATURES[name]()
    if name in NOT_CHECKED:
        with pytest.raises(onnx.checker.ValidationError):
            onnx.checker.check_model(model)
    else:
        onnx.checker.check_model(model)


@pytest.mark.parametrize("name", FEATURES)
def test_runtime_agrees(name: str) -> None:
    import onnxruntime as ort

    model = FEATURES[name]()
    options = ort.SessionOptions()
    options.log_severity_level = 4

    def run() -> list[object]:
        data = model.SerializeToString()
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        return list(session.run(None, feeds(model)))

    if name in NOT_RUN:
        with pytest.raises(Exception, match=r"\w"):  # ORT's errors share no base
            run()
    else:
        assert run()


@pytest.mark.parametrize("name", FILES)
def test_files_are_valid(name: str, tmp_path: Path) -> None:
    path = FILES[name](tmp_path)
    onnx.checker.check_model(path)
    assert _pads_somewhere(onnx.load(path))
