import json
from dataclasses import fields, replace
from math import inf, nan

import pytest

from onnxpad.comparison import Run, Samples
from onnxpad.measure.difference import Difference
from onnxpad.measure.latency import Latency
from onnxpad.report.json import SCHEMA, as_dict, dumps
from tests.report.examples import HOSTILE, comparison


def test_keys_are_the_fields_of_the_records() -> None:
    found = as_dict(comparison())
    assert found["schema"] == SCHEMA == "onnxpad.comparison/2"
    assert set(found["run"]) == {f.name for f in fields(Run)} | {"budget", "quantities"}
    assert set(found["samples"]) == {f.name for f in fields(Samples)}
    assert set(found["run"]["latency"]) == {f.name for f in fields(Latency)} | {"within_noise"}
    spatial, scores = found["outputs"]
    assert set(spatial) == set(scores)
    assert set(spatial["difference"]) == {f.name for f in fields(Difference)} | {
        "relative_max",
        "relative_rms",
    }


def test_values() -> None:
    spatial, scores = as_dict(comparison())["outputs"]
    assert spatial["shape"] == [1, 4, 6, 6]
    assert spatial["rings"]["axes"] == [2, 3]
    assert spatial["rings"]["relative"] == [0.25, 0.05, 0.0]
    assert spatial["rings"]["depth"] == 2
    assert spatial["agreement"] is None
    assert spatial["no_agreement"] == "not class scores"
    assert scores["rings"] is None
    assert scores["agreement"]["share"] == 0.9
    assert scores["no_agreement"] is None


def test_only_run_holds_what_changes_between_runs() -> None:
    first = comparison()
    other = replace(first, run=replace(first.run, seconds=9.0, provider="cuda", onnxruntime="0"))
    ours, theirs = as_dict(first), as_dict(other)
    assert ours.pop("run") != theirs.pop("run")
    assert ours == theirs


def test_text_is_strict_json_in_ascii() -> None:
    first = comparison()
    broken = replace(
        first.outputs[0], difference=replace(first.outputs[0].difference, max_abs=inf, rms=nan)
    )
    text = dumps(replace(first, original=HOSTILE, outputs=(broken,)))
    assert text.isascii()
    assert text.endswith("}\n")
    assert "\x1b" not in text
    found = json.loads(text, parse_constant=pytest.fail)
    assert found["original"] == HOSTILE
    assert found["outputs"][0]["difference"]["max_abs"] is None
    assert found["outputs"][0]["difference"]["rms"] is None
