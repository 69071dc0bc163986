"""A budget in a pipeline: a rewrite that makes the border worse is stopped, a better one passes."""

import json
from pathlib import Path

import pytest

from tests.command import onnxpad

BUDGET = "context_error<=0.8"
# most of the time that a process takes would be latency's
QUICK = (
    "from importlib import import_module\nimport_module('onnxpad.comparing').LATENCY_SECONDS = 0.05"
)


@pytest.mark.zoo
def test_edge_on_all_layers_is_stopped_and_a_halo_passes(zoo: Path, tmp_path: Path) -> None:
    """Trained with zeros, this super-resolution net does worse at the border with edge padding at
    every layer, and better with a halo of four pixels."""
    model = zoo / "models" / "keras_upscalerjs_rdn_x2_dynHW.onnx"
    codes = {}
    for name, halo in (("bad", ()), ("good", ("--halo", "4"))):
        ran = onnxpad(
            "rewrite", model, "--mode", "edge", *halo, "--budget", BUDGET, "--samples", "3",
            "--size", "64x64", "-o", tmp_path / f"{name}.onnx",
            "--report", f"json:{tmp_path / name}.json", before=QUICK, timeout=240,
        )  # fmt: skip
        assert "Traceback" not in ran.err
        codes[name] = ran.code
    assert codes == {"bad": 1, "good": 0}
    assert {p.name for p in tmp_path.iterdir()} == {"bad.json", "good.json", "good.onnx"}
    for name, code in codes.items():
        ran = onnxpad("gate", f"{name}.json", cwd=tmp_path)
        assert ran.code == code, ran.out
        found = json.loads((tmp_path / f"{name}.json").read_text())["comparison"]
        error = found["quantities"]["context_error"]
        assert (error["low"] > 0.8) if code else (error["high"] <= 0.8)
