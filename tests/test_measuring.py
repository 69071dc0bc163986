"""The measured audit: the numbers of a comparison's original, and what the rules make of them."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import onnxpad
from onnxpad.auditing import audit_file
from onnxpad.comparing import compare_as
from onnxpad.comparison import Comparison
from onnxpad.errors import DataError
from onnxpad.findings import Severity
from onnxpad.joining.request import Request
from onnxpad.measure.context import ORIGINAL
from onnxpad.measuring import Measured, add_measured, findings, measure, measurements
from tests.command import assert_refused
from tests.command import onnxpad as onnxpad_command
from tests.data.graphs import classifier, saved
from tests.measure.nets import chain
from tests.test_comparing_parts import photographs

comparing = import_module("onnxpad.comparing")


@pytest.fixture(autouse=True)
def short_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LATENCY_SECONDS", 0.02)


def equal(found: Measured, comparison: Comparison) -> None:
    """Every number of the original, exactly."""
    layers, border = comparison.layers, comparison.border
    assert layers is not None
    assert border is not None
    assert layers.constant is not None
    assert layers.results is not None
    assert found.constant is not None
    assert found.lines is not None
    assert found.context is not None
    assert found.constant.original == layers.constant.original
    assert found.constant.first_sees_zero == layers.constant.first_sees_zero
    assert [m.lines for m in found.lines] == [m.lines for m in layers.results.original]
    for ours, theirs in zip(found.lines, layers.results.original, strict=True):
        assert np.array_equal(ours.values, theirs.values)
    assert found.context.errors[ORIGINAL] == tuple(one.original for one in border.outputs)
    assert (found.context.crop, found.context.images) == (border.crop, border.images)


def test_the_numbers_are_those_of_a_comparison(tmp_path: Path) -> None:
    path = saved(chain(3, bias=1.0), tmp_path / "a.onnx")
    onnxpad.rewrite(path, "edge").save(tmp_path / "b.onnx")
    request = Request(samples=3, provider="cpu")
    found = measure(path, request)
    equal(found, compare_as(path, path, request))
    equal(found, compare_as(path, tmp_path / "b.onnx", request))


def test_the_same_with_data(tmp_path: Path) -> None:
    path = classifier(tmp_path / "a.onnx", shape=("N", 3, 32, 32))
    data = photographs(tmp_path / "p", 6, 96)
    request = Request(data=str(data), samples=6, provider="cpu")
    found = measure(path, request)
    equal(found, compare_as(path, path, request))
    assert found.context is not None
    assert found.context.real
    told = {m.name: m.remark for m in measurements(found)}
    assert "the user's own images" in told["context_ne"]


@pytest.mark.zoo
@pytest.mark.parametrize("name", ["mnist_cntk_winml", "espcn_x3_core_from_ortext"])
def test_the_same_on_real_models(zoo: Path, name: str) -> None:
    path = zoo / "models" / f"{name}.onnx"
    request = Request(samples=3, provider="cpu")
    equal(measure(path, request), compare_as(path, path, request))


def test_a_net_without_padding_has_nothing_to_find(tmp_path: Path) -> None:
    found = measure(saved(chain(3, pad=0), tmp_path / "a.onnx"), Request(samples=2))
    assert not list(findings(found))
    values = {m.name: m.value for m in measurements(found)}
    assert values["constant_response"] == 0
    assert values["context_ne"] == pytest.approx(0, abs=1e-9)


def test_a_net_of_zero_padding(tmp_path: Path) -> None:
    """With a large bias the second layer's border misses it: all three rules see that."""
    path = saved(chain(3, bias=3.0), tmp_path / "a.onnx")
    found = measure(path, Request(samples=4))
    by_code = {f.code: f for f in findings(found)}
    assert {"PAD901", "PAD903"} <= set(by_code)
    values = {m.name: m.value for m in measurements(found)}
    assert by_code["PAD901"].facts["largest"] == values["constant_response"]
    assert by_code["PAD903"].facts["ne"] == values["context_ne"]
    assert by_code["PAD903"].facts["images"] == "synthetic"
    assert all(f.severity < Severity.ERROR and f.measured for f in by_code.values())
    edged = tmp_path / "b.onnx"
    onnxpad.rewrite(path, "edge").save(edged)
    assert "PAD901" not in {f.code for f in findings(measure(edged, Request(samples=4)))}


def test_a_model_that_does_not_run_is_told(tmp_path: Path) -> None:
    """ONNX Runtime knows no such operator: static findings stay, and the reason is said."""
    from onnx import helper

    from tests.rules.check import model

    path = tmp_path / "a.onnx"
    node = helper.make_node("Unknown", ["x"], ["y"], domain="nobody")
    made = model([node])
    made.opset_import.append(helper.make_opsetid("nobody", 1))
    path.write_bytes(made.SerializeToString())
    audit = audit_file(path, "a.onnx")
    found = add_measured(audit, path, Request())
    assert (found.error, found.findings) == ("", audit.findings)
    assert [m.value for m in found.measured] == [None] * 3
    assert all("the model a.onnx" in m.remark for m in found.measured)


def test_data_that_do_not_exist_are_an_error(tmp_path: Path) -> None:
    path = saved(chain(2), tmp_path / "a.onnx")
    request = Request(data=str(tmp_path / "nothing"))
    with pytest.raises(DataError):
        measure(path, request)
    found = add_measured(audit_file(path, "a.onnx"), path, request)
    assert found.exit_code == 2
    assert "cannot be measured" in found.error


def test_only_selected_rules_speak(tmp_path: Path) -> None:
    path = saved(chain(3, bias=3.0), tmp_path / "a.onnx")
    found = add_measured(audit_file(path, "a.onnx"), path, Request(samples=2), ())
    assert not [f for f in found.findings if f.measured]
    assert len(found.measured) == 3


def test_the_command(tmp_path: Path) -> None:
    saved(chain(3, bias=3.0), tmp_path / "a.onnx")
    few = ("--measure", "--samples", "2", "--provider", "cpu")
    report = tmp_path / "audit.json"
    ran = onnxpad_command(
        "audit", "a.onnx", *few, "--budget", "errors<=0,context_ne<=1e-9",
        "--report", f"json:{report}", cwd=tmp_path,
    )  # fmt: skip
    assert ran.code == 1, ran.err
    assert "PAD901" in ran.out
    assert "budget: 1 limit missed; 1 of 2 limits held" in ran.out
    again = onnxpad_command("gate", report, "--budget", "context_ne<=1e-9", cwd=tmp_path)
    assert again.code == 1
    assert onnxpad_command("audit", "a.onnx", *few, cwd=tmp_path).code == 0
    static = onnxpad_command("audit", "a.onnx", "--budget", "line_artifacts<=99", cwd=tmp_path)
    assert static.code == 1
    assert "not measured" in static.out
    alone = onnxpad_command("audit", "a.onnx", "--data", "nothing", cwd=tmp_path)
    assert_refused(alone, 2, "--measure")
    lost = onnxpad_command("audit", "a.onnx", *few, "--data", "nothing", cwd=tmp_path)
    assert lost.code == 2
    assert "cannot be measured" in lost.out
