"""Whatever a model carries: unchanged by a rewrite, and back byte for byte when it is undone."""

import shutil
from pathlib import Path

import onnx_graphsurgeon as gs
import pytest
from onnx import ModelProto

import onnxpad
from onnxpad.errors import UsageError
from tests.features import FEATURES, FILES, NOT_CHECKED, NOT_RUN, feeds
from tests.rewriting.running import fault, outputs, parsed

MODES = ("edge", "reflect", "symmetric", "wrap", "linear", "partial", "constant:0.5", "zero")
# Serialising what was parsed gives other bytes: the canonical ones are had back, and it is said.
NOT_CANONICAL = {"fields_out_of_order", "graph_in_two_pieces"}
# The pads lie outside the file, where ONNX Runtime does not look for them.
NOT_LOADED = {"external_weights_and_pads", "external_without_offsets"}


def _same_again(model: ModelProto | Path, mode: str, *, pools: bool) -> None:
    again = onnxpad.rewrite(model, mode, pools=pools)
    assert not again.changed
    if isinstance(model, Path):
        model = ModelProto.FromString(model.read_bytes())
    assert again.model.SerializeToString() == model.SerializeToString()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FEATURES)
def test_feature(name: str, mode: str) -> None:
    model = FEATURES[name]()
    data = model.SerializeToString()
    before = [] if name in NOT_RUN else [a.shape for a in outputs(model, feeds(model))]
    for pools in (False, True):
        result = onnxpad.rewrite(model, mode, pools=pools)
        assert model.SerializeToString() == data
        assert result.undo(parsed(result.model)).SerializeToString() == data
        assert result.canonical
        assert bool(result.changed) == (result.model.SerializeToString() != data)
        assert name in NOT_CHECKED or not fault(result.model)
        if name not in NOT_RUN and result.changed:
            assert [a.shape for a in outputs(result.model, feeds(model))] == before
        _same_again(result.model, mode, pools=pools)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FILES)
def test_file(name: str, mode: str, tmp_path: Path) -> None:
    """From the file, with its data beside it, to a file in the same folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    path = FILES[name](folder)
    data = path.read_bytes()
    beside = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    model = ModelProto.FromString(data)
    before = [] if name in NOT_LOADED else [a.shape for a in outputs(path, feeds(model))]
    result = onnxpad.rewrite(path, mode)
    assert result.canonical == (name not in NOT_CANONICAL)
    target = result.save(folder / "rewritten.onnx")
    assert {p: p.read_bytes() for p in beside} == beside
    assert not fault(target)
    if name not in NOT_LOADED:
        assert [a.shape for a in outputs(target, feeds(model))] == before
    back = result.undo(ModelProto.FromString(target.read_bytes())).SerializeToString()
    expected = model.SerializeToString()
    assert back == expected
    assert (back == data) == (name not in NOT_CANONICAL)
    _same_again(target, mode, pools=False)


@pytest.mark.parametrize("name", ["external_weights", "external_in_subfolder"])
def test_undone_model_runs_as_the_original(name: str, tmp_path: Path) -> None:
    path = FILES[name](tmp_path)
    result = onnxpad.rewrite(path, "wrap")
    given = feeds(ModelProto.FromString(path.read_bytes()))
    undone = tmp_path / "undone.onnx"
    undone.write_bytes(result.undo(parsed(result.model)).SerializeToString())
    for a, b in zip(outputs(undone, given), outputs(path, given), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", ["conv_plain", "if_own_weights", "function_called_twice"])
def test_undo_does_not_change_what_it_is_given(name: str) -> None:
    result = onnxpad.rewrite(FEATURES[name](), "reflect")
    data = result.model.SerializeToString()
    result.undo(result.model)
    assert result.model.SerializeToString() == data


@pytest.mark.parametrize("mode", ["edge", "zero"])
def test_undo_of_nothing(mode: str) -> None:
    model = FEATURES["conv_without_padding"]()
    result = onnxpad.rewrite(model, mode)
    assert not result.changed
    assert result.undo(parsed(result.model)).SerializeToString() == model.SerializeToString()


@pytest.mark.parametrize("other", ["conv_without_padding", "if_own_weights", "loop_body"])
@pytest.mark.parametrize("name", ["nested_if", "pad_shared_by_two_convs", "function_with_if"])
def test_undo_on_another_model(name: str, other: str) -> None:
    """What was inserted is not there to be taken out."""
    result = onnxpad.rewrite(FEATURES[name](), "symmetric")
    with pytest.raises(UsageError, match="not the one that the rewrite made"):
        result.undo(FEATURES[other]())


@pytest.mark.parametrize("name", ["conv_plain", "nested_if", "qdq_conv"])
def test_undo_on_the_original_itself(name: str) -> None:
    """Undone already, or never done: taking out other nodes would leave a broken model."""
    model = FEATURES[name]()
    result = onnxpad.rewrite(model, "edge")
    with pytest.raises(UsageError, match="not the one that the rewrite made"):
        result.undo(model)


def test_undo_on_the_result_of_another_rewrite() -> None:
    model = FEATURES["nameless_nodes"]()
    both = onnxpad.rewrite(model, "edge")
    one = onnxpad.rewrite(model, "edge", only=["a"])
    with pytest.raises(UsageError, match="not the one that the rewrite made"):
        both.undo(one.model)


def test_graphsurgeon_cannot_import_it_but_it_is_rewritten() -> None:
    """Only new nodes pass through GraphSurgeon; the model itself never does."""
    model = FEATURES["non_utf8_attribute"]()
    with pytest.raises(UnicodeDecodeError):
        gs.import_onnx(parsed(model))
    result = onnxpad.rewrite(model, "reflect")
    assert len(result.changed) == 1
    # outputs() does not run it: ONNX Runtime takes the string as it is
    assert outputs(result.model, feeds(model))[0].shape == outputs(model, feeds(model))[0].shape
    assert result.undo(parsed(result.model)).SerializeToString() == model.SerializeToString()


def test_result_outlives_the_file(tmp_path: Path) -> None:
    """The edits are in the result, not in a file beside it."""
    path = FILES["external_weights_and_pads"](tmp_path)
    data = path.read_bytes()
    result = onnxpad.rewrite(path, "wrap")
    shutil.rmtree(tmp_path)
    assert result.undo(parsed(result.model)).SerializeToString() == data


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", sorted(NOT_LOADED))
def test_pads_outside_the_file_are_read(name: str, mode: str, tmp_path: Path) -> None:
    """The same as with pads in the file, weights aside: those are never read."""
    outside = onnxpad.rewrite(FILES[name](tmp_path), mode)
    inside = onnxpad.rewrite(FILES["external_weights"](tmp_path), mode)
    assert [c.site for c in outside.changed] == [c.site for c in inside.changed]
    assert len(outside.changed) == (1 if mode == "zero" else 2)
    assert [n.SerializeToString() for n in outside.model.graph.node] == [
        n.SerializeToString() for n in inside.model.graph.node
    ]
