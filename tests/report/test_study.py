"""A study in every format: what is seen, what is saved, and that hostile names stay harmless."""

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console, RenderableType

from onnxpad.report import heat, study_files, study_html, study_json, study_markdown
from onnxpad.report.study_terminal import render, render_all
from onnxpad.study import Chart, ModelStudy, Picture, Series, Study, Table, across

HOSTILE = "a<script>alert(1)</script>\x1b[31m\n| `x` $y$ \u202e"


def plain(shown: RenderableType) -> str:
    console = Console(file=StringIO(), width=200, color_system=None)
    console.print(shown)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def model_study(name: str, top: float) -> ModelStudy:
    values = np.array([[0.0, 1.0], [top, np.nan]])
    return ModelStudy(
        name,
        ("on 8 scenes",),
        ("the border is dark",),
        (Table("layers", "Layers", ("layer", "asymmetry"), ((HOSTILE, 0.25), ("b", None))),),
        (Picture("zero", "zero padding", values, "paths", "paths"),),
        (Chart("width", "width", "layer", "px", (Series("zero", (1, 2), (0.0, None)),)),),
        {"kernels": np.arange(6).reshape(2, 3)},
    )


def study(*models: ModelStudy) -> Study:
    found = models or (model_study("a/net.onnx", 2.0), model_study("b/net.onnx", 4.0))
    return Study("foveation", "Paths", "How to read it.", found)


def test_pictures_of_one_scale_share_their_colours_across_models():
    found = study()
    (first,), (second,) = (one.pictures for one in found.models)
    ranges = found.ranges()
    assert heat.limits(first, ranges) == heat.limits(second, ranges) == (0.0, 4.0)
    ours, theirs = heat.painted(first, ranges), heat.painted(second, ranges)
    assert (ours[0] == theirs[0]).all()
    assert not (ours[1, 0] == theirs[1, 0]).all()
    assert ours[1, 1].tolist() == [128, 128, 128]


def test_a_centred_picture_is_white_at_its_centre():
    picture = Picture("p", "p", np.array([[-1.0, 0.0, 3.0]]), centre=0.0)
    low, high = heat.limits(picture, {"p": (-1.0, 3.0)})
    assert (low, high) == (-3.0, 3.0)
    assert heat.painted(picture, {"p": (-1.0, 3.0)})[0, 1].min() > 240


def test_charts_of_several_models_become_one():
    (chart,) = across(study())
    assert [s.name for s in chart.series] == ["a/net.onnx: zero", "b/net.onnx: zero"]


def test_saved_arrays_and_pictures_read_back(tmp_path: Path):
    found = study()
    written = study_files.save(found, tmp_path)
    names = sorted(path.name for path in written)
    assert names == ["a_net.npz", "b_net.npz", "width.png", "zero.png"]
    with np.load(tmp_path / "foveation" / "a_net.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["kernels"], found.models[0].arrays["kernels"])
        np.testing.assert_array_equal(archive["zero"], found.models[0].pictures[0].values)
    for name in ("zero.png", "width.png"):
        with Image.open(tmp_path / "foveation" / name) as image:
            assert min(image.size) > 100
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in study_files.save(found, tmp_path)] == before


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    from onnxpad.errors import WriteError

    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="cannot be made"):
        study_files.save(study(), tmp_path / "file")


def test_json_has_no_number_that_json_lacks():
    read = json.loads(study_json.dumps(study()), parse_constant=pytest.fail)
    assert read["schema"] == "onnxpad.study/1"
    assert read["models"][0]["pictures"][0]["highest"] == 2.0
    assert read["models"][0]["tables"][0]["rows"][1] == ["b", None]


def test_hostile_names_are_harmless(tmp_path: Path):
    hostile = study(model_study(HOSTILE, 1.0), ModelStudy("gone.onnx", absent=HOSTILE))
    page = study_html.dumps(hostile)
    assert "<script>alert" not in page
    assert "\x1b" not in page
    markdown = study_markdown.dumps(hostile)
    assert "<script>" not in markdown
    assert "\x1b" not in markdown
    assert "\x1b" not in plain(render(hostile))
    for path in study_files.save(hostile, tmp_path):
        assert path.resolve().is_relative_to(tmp_path.resolve())


def test_what_does_not_apply_is_said_in_every_format():
    found = study(ModelStudy("audio.onnx", absent="it has no spatial axes"))
    for text in (plain(render(found)), study_markdown.dumps(found), study_html.dumps(found)):
        assert "does not apply: it has no spatial axes" in text


def test_a_record_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="no map"):
        Picture("p", "p", np.zeros(3))
    with pytest.raises(ValueError, match="not as long"):
        Table("t", "t", ("a", "b"), (("x",),))


def test_several_studies_are_one_page_with_contents():
    one, other = study(model_study("a/net.onnx", 2.0)), study(model_study("a/net.onnx", 3.0))
    both = (one, replace(other, name="kernels", title="Kernels of <b>all</b>"))
    page = study_html.dumps_all(both)
    assert page.count('<a href="#') == 2
    assert 'id="foveation"' in page
    assert "Kernels of &lt;b&gt;all&lt;/b&gt;</a>: the border is dark" in page
    # each chart has an element of its own, and its data
    drawn = re.findall(r'data-chart="([^"]+)"', page)
    assert len(set(drawn)) == 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert sorted(data) == sorted(drawn)


def test_several_studies_as_data_and_text():
    both = (study(), replace(study(), name="kernels", title="Kernels"))
    found = json.loads(study_json.dumps_all(both))
    assert [one["study"] for one in found["studies"]] == ["foveation", "kernels"]
    assert found["studies"][0]["models"] == json.loads(study_json.dumps(study()))["models"]
    for text in (study_markdown.dumps_all(both), plain(render_all(both))):
        assert text.index("Paths") < text.index("Kernels")
