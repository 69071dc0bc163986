"""All studies as one command: what applies is shown, what does not says why, files lie apart."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from onnxpad.errors import DataError
from onnxpad.studies.each import request
from onnxpad.studies.everything import everything
from tests.command import onnxpad
from tests.sizes import nets
from tests.studies.test_sizes import classifier, saved

NAMES = ["foveation", "kernels", "sizes", "maps", "position", "shift", "modes"]


def test_everything_of_a_small_classifier(tmp_path: Path):
    path = saved(tmp_path / "m.onnx", classifier())
    done = onnxpad(
        "study", "all", path, "--samples", "8", "--save", tmp_path / "out",
        "--report", f"json:{tmp_path / 'all.json'}", "--report", f"html:{tmp_path / 'all.html'}",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "all.json").read_text())["studies"]
    assert [one["study"] for one in found] == NAMES
    for one in found:
        (model,) = one["models"]
        assert bool(model["absent"]) != bool(model["said"]), one["study"]
        assert (tmp_path / "out" / one["study"]).is_dir() or model["absent"]
        assert one["title"] in done.out
    shown = {one["study"]: one["models"][0] for one in found}
    assert shown["sizes"]["said"][0] == "1 of 1 strided window op read padding unevenly at 32×32"
    assert "33×33" in json.dumps(shown["sizes"], ensure_ascii=False)
    assert "<script>" not in (tmp_path / "all.html").read_text().split('id="data"')[0]


def test_what_does_not_apply_says_why(tmp_path: Path):
    net = nets.Net()
    net.op("MatMul", "x", net.constant(np.ones((4, 4)), np.float32))
    model = net.model("t0", (4, 4))
    found = everything([saved(tmp_path / "m.onnx", model)])
    absent = {one.name: one.models[0].absent for one in found}
    assert set(absent) == set(NAMES)
    for name in ("foveation", "kernels", "maps"):
        assert absent[name], name


def test_one_model_that_cannot_be_read_does_not_stop_the_other(tmp_path: Path):
    good = saved(tmp_path / "m.onnx", classifier())
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    asked = [request(p, samples=4) for p in (good, tmp_path / "bad.onnx")]
    found = {one.name: one for one in everything([good, tmp_path / "bad.onnx"], asked)}
    assert found["foveation"].models[0].said
    assert found["foveation"].models[1].absent
    alone = onnxpad("study", "all", tmp_path / "bad.onnx")
    assert alone.code == 3


def test_data_that_do_not_exist(tmp_path: Path):
    path = saved(tmp_path / "m.onnx", classifier())
    asked = request(path, data=str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="no such file"):
        everything([path], [asked])
    assert isinstance(onnx.load(path), onnx.ModelProto)
