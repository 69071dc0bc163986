"""The Python API: from paths and protos, what a result holds, and how it is saved."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto

import onnxpad
from onnxpad.errors import ModelError, UsageError, WriteError
from tests.features import FEATURES, FILES, feeds
from tests.rewriting.running import fault, outputs


def file(folder: Path, name: str = "conv_plain") -> Path:
    """A model in a file."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(FEATURES[name]().SerializeToString())
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return file(tmp_path / "models")


# --- in ------------------------------------------------------------------------------------------


def test_path_text_and_proto_give_the_same(model: Path) -> None:
    results = [
        onnxpad.rewrite(source, "reflect") for source in (model, str(model), onnx.load(model))
    ]
    assert len({r.model.SerializeToString() for r in results}) == 1
    assert [r.original for r in results] == [model, model, None]
    assert len({r.plan for r in results}) == 1


def test_neither_file_nor_proto_is_changed(model: Path) -> None:
    data, stamp = model.read_bytes(), model.stat().st_mtime_ns
    proto = onnx.load(model)
    onnxpad.rewrite(model, "wrap")
    result = onnxpad.rewrite(proto, "wrap")
    assert (model.read_bytes(), model.stat().st_mtime_ns) == (data, stamp)
    assert proto.SerializeToString() == data
    # nor do the two share anything that a later change could reach
    result.model.graph.node[0].name = "changed later"
    assert proto.SerializeToString() == data


def test_find_sites(model: Path) -> None:
    (site,) = onnxpad.find_sites(model)
    assert isinstance(site, onnxpad.PaddingSite)
    assert onnxpad.find_sites(onnx.load(model)) == (site,)
    with pytest.raises(AttributeError):
        site.identity = "other"  # type: ignore[misc]  # frozen: that is what is tested


def test_errors_have_one_root(tmp_path: Path) -> None:
    with pytest.raises(onnxpad.OnnxpadError) as missing:
        onnxpad.rewrite(tmp_path / "missing.onnx", "edge")
    assert isinstance(missing.value, ModelError)
    with pytest.raises(onnxpad.OnnxpadError):
        onnxpad.find_sites(tmp_path)
    with pytest.raises(onnxpad.OnnxpadError):
        onnxpad.rewrite(ModelProto(), "edge")


# --- what a result holds -------------------------------------------------------------------------


def test_provenance(model: Path) -> None:
    result = onnxpad.rewrite(model, "edge")
    entries = {e.key: e.value for e in result.model.metadata_props}
    assert entries["onnxpad.version"] == version("onnxpad")
    digest = hashlib.sha256(result.plan.to_json().encode()).hexdigest()
    assert entries["onnxpad.plan"] == digest == result.plan.digest


def test_provenance_is_beside_what_was_there() -> None:
    before = FEATURES["model_metadata_props"]()
    result = onnxpad.rewrite(before, "edge")
    assert list(result.model.metadata_props)[: len(before.metadata_props)] == list(
        before.metadata_props
    )


def test_provenance_of_two_rewrites_is_the_last_ones() -> None:
    once = onnxpad.rewrite(FEATURES["nameless_nodes"](), "edge", only=["a"])
    twice = onnxpad.rewrite(once.model, "wrap", only=["y"])
    keys = [e.key for e in twice.model.metadata_props]
    assert sorted(keys) == ["onnxpad.plan", "onnxpad.version"]
    assert {e.key: e.value for e in twice.model.metadata_props}["onnxpad.plan"] == twice.plan.digest
    back = twice.undo(twice.model)
    assert back.SerializeToString() == once.model.SerializeToString()
    assert once.undo(back).SerializeToString() == FEATURES["nameless_nodes"]().SerializeToString()


def test_nothing_changed_is_not_signed() -> None:
    model = FEATURES["conv_without_padding"]()
    assert onnxpad.rewrite(model, "edge").model == model


def test_every_site_is_in_one_place() -> None:
    for build in FEATURES.values():
        sites = {s.identity for s in onnxpad.find_sites(build())}
        result = onnxpad.rewrite(build(), "linear", pools=True)
        names = [r.site.identity for r in (*result.changed, *result.left, *result.refused)]
        assert sorted(names) == sorted(sites)


def test_new_nodes_carry_the_metadata_of_their_convolution() -> None:
    before = FEATURES["node_metadata_props"]()
    result = onnxpad.rewrite(before, "edge")
    pad = next(n for n in result.model.graph.node if n.op_type == "Pad")
    assert list(pad.metadata_props) == list(before.graph.node[0].metadata_props)


def test_new_names_are_nobody_elses() -> None:
    for build in FEATURES.values():
        result = onnxpad.rewrite(build(), "symmetric", pools=True)
        made = [o for n in result.model.graph.node for o in n.output if o]
        assert len(made) == len(set(made))


# --- out -----------------------------------------------------------------------------------------


def test_save(model: Path, tmp_path: Path) -> None:
    result = onnxpad.rewrite(model, "edge")
    target = tmp_path / "out.onnx"
    assert result.save(target) == target
    assert result.save(str(tmp_path / "text.onnx")) == tmp_path / "text.onnx"
    assert target.read_bytes() == result.model.SerializeToString()
    assert not fault(target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["models", "out.onnx", "text.onnx"]


def test_own_output_is_replaced(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    onnxpad.rewrite(model, "edge").save(target)
    wrapped = onnxpad.rewrite(model, "wrap")
    wrapped.save(target)
    assert target.read_bytes() == wrapped.model.SerializeToString()


@pytest.mark.parametrize("content", [b"", b"no model", None], ids=["empty", "text", "model"])
def test_foreign_files_are_not_replaced(content: bytes | None, model: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    foreign = FEATURES["max_pool"]().SerializeToString() if content is None else content
    target.write_bytes(foreign)
    result = onnxpad.rewrite(model, "edge")
    with pytest.raises(UsageError, match="not written by onnxpad"):
        result.save(target)
    assert target.read_bytes() == foreign
    result.save(target, force=True)
    assert target.read_bytes() == result.model.SerializeToString()


def test_the_original_is_never_replaced(model: Path, tmp_path: Path) -> None:
    result = onnxpad.rewrite(model, "edge")
    data = model.read_bytes()
    link, hard = tmp_path / "link.onnx", tmp_path / "hard.onnx"
    link.symlink_to(model)
    hard.hardlink_to(model)
    for target in (model, model.parent / ".." / "models" / model.name, link, hard):
        with pytest.raises(UsageError, match="the input itself"):
            result.save(target, force=True)
    assert model.read_bytes() == data


def test_a_rewritten_model_is_an_original_too(model: Path, tmp_path: Path) -> None:
    """That onnxpad wrote it is no leave to overwrite what is being read."""
    first = onnxpad.rewrite(model, "edge").save(tmp_path / "first.onnx")
    result = onnxpad.rewrite(first, "wrap", from_mode="edge")
    with pytest.raises(UsageError, match="the input itself"):
        result.save(first)


@pytest.mark.parametrize("name", ["conv_without_padding", "conv_reflect"])
def test_nothing_to_change_is_a_copy(name: str, tmp_path: Path) -> None:
    """Byte for byte, and again over itself: what would be replaced is what would be written."""
    known = {"conv_reflect": "pad_reflect"}.get(name, name)
    source = file(tmp_path / "models", known)
    target = tmp_path / "out.onnx"
    for _ in range(2):
        result = onnxpad.rewrite(source, "reflect")
        assert not result.changed
        result.save(target)
        assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", ["fields_out_of_order", "graph_in_two_pieces"])
def test_a_copy_keeps_bytes_that_are_not_canonical(name: str, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    source = FILES[name](tmp_path / "models")
    target = onnxpad.rewrite(source, "zero").save(tmp_path / "out.onnx")
    assert target.read_bytes() == source.read_bytes()


def test_folders_and_missing_folders(model: Path, tmp_path: Path) -> None:
    result = onnxpad.rewrite(model, "edge")
    for target in (tmp_path, tmp_path / "missing" / "out.onnx"):
        with pytest.raises(WriteError):
            result.save(target)


@pytest.mark.parametrize("name", [n for n in FILES if n.startswith("external")])
def test_external_data_stays_where_it_is(name: str, tmp_path: Path) -> None:
    """In the same folder the new model refers to the same data, unread and uncopied."""
    source = FILES[name](tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    target = onnxpad.rewrite(source, "edge").save(tmp_path / "out.onnx")
    after = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    assert set(after) - set(before) == {target}
    assert {p: after[p] for p in before} == before
    assert not fault(target)


@pytest.mark.parametrize("name", [n for n in FILES if n.startswith("external")])
def test_another_folder_needs_the_data(name: str, tmp_path: Path) -> None:
    source_folder, folder = tmp_path / "models", tmp_path / "elsewhere"
    source_folder.mkdir()
    folder.mkdir()
    source = FILES[name](source_folder)
    result = onnxpad.rewrite(source, "edge")
    with pytest.raises(UsageError, match="--self-contained"):
        result.save(folder / "out.onnx")
    assert not list(folder.iterdir())
    target = result.save(folder / "out.onnx", self_contained=True)
    assert not fault(target)
    data = {p.relative_to(source_folder): p.read_bytes() for p in source_folder.rglob("*")
            if p.is_file() and p != source}  # fmt: skip
    assert {n: (folder / n).read_bytes() for n in data} == data
    if "pads" not in name and "offsets" not in name:  # ONNX Runtime reads no pads from outside
        given = feeds(ModelProto.FromString(source.read_bytes()))
        (tmp_path / "models" / "same.onnx").write_bytes(target.read_bytes())
        here, there = outputs(target, given), outputs(source_folder / "same.onnx", given)
        for a, b in zip(here, there, strict=True):
            np.testing.assert_array_equal(a, b)


def test_other_data_of_the_same_name_is_not_replaced(tmp_path: Path) -> None:
    source_folder, folder = tmp_path / "models", tmp_path / "elsewhere"
    source_folder.mkdir()
    folder.mkdir()
    result = onnxpad.rewrite(FILES["external_weights"](source_folder), "edge")
    theirs = folder / "external_weights.onnx.data"
    theirs.write_bytes(b"somebody's weights")
    with pytest.raises(WriteError, match="another file"):
        result.save(folder / "out.onnx", self_contained=True)
    assert theirs.read_bytes() == b"somebody's weights"
    assert not (folder / "out.onnx").exists()


def test_the_data_file_is_never_the_target(tmp_path: Path) -> None:
    result = onnxpad.rewrite(FILES["external_weights"](tmp_path), "edge")
    data = tmp_path / "external_weights.onnx.data"
    before = data.read_bytes()
    with pytest.raises(UsageError, match="the input itself"):
        result.save(data, force=True)
    assert data.read_bytes() == before


def test_saving_a_proto_needs_no_file(tmp_path: Path) -> None:
    result = onnxpad.rewrite(FEATURES["qdq_conv"](), "edge")
    target = result.save(tmp_path / "out.onnx")
    assert result.original is None
    assert target.read_bytes() == result.model.SerializeToString()
