import json
from dataclasses import fields, replace
from math import nan

import pytest
from jsonschema import Draft202012Validator

from onnxpad.budget import Limit, Quantity, judge
from onnxpad.comparison import Comparison
from onnxpad.report.json import as_dict, dumps
from tests.report import whole
from tests.report.refresh import SCHEMA

FOUND = json.loads(SCHEMA.read_text(encoding="utf-8"))
MADE = (whole.full, whole.bare, whole.mixed, whole.many, whole.hostile, whole.comparison)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(FOUND)


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_every_comparison_is_valid(make) -> None:
    document = json.loads(dumps(make()), parse_constant=pytest.fail)
    Draft202012Validator(FOUND).validate(document)


def test_the_schema_knows_every_key_and_no_other() -> None:
    """Keys that are always there are checked by validation; here, that each object is closed."""
    for name, found in {"document": FOUND, **FOUND["$defs"]}.items():
        assert found["additionalProperties"] is False, name
        assert found["required"] == list(found["properties"]), name
        assert all("description" in value for value in found["properties"].values()), name


def test_every_field_of_a_comparison_is_told() -> None:
    known = {f.name for f in fields(Comparison)} - {"pictures", "judged"} | {"schema", "identical"}
    assert set(as_dict(whole.full())) == known | {"budget", "quantities"}


def test_timing_is_in_run_alone() -> None:
    def judged(latency: float) -> Comparison:
        limits = (Limit("latency", "<=", 1.1), Limit("agreement", ">=", 0.5))
        found = {"latency": Quantity(latency, 1, 2), "agreement": Quantity(0.9, 0.8, 1)}
        return replace(whole.full(), judged=judge(limits, found))

    first, second = as_dict(judged(1.2)), as_dict(judged(1.3))
    assert [j["quantity"] for j in first["budget"]] == ["agreement"]
    assert [j["quantity"] for j in first["run"]["budget"]] == ["latency"]
    assert first.pop("run") != second.pop("run")
    assert first == second


def test_twice_the_same_bytes() -> None:
    assert dumps(whole.full()) == dumps(whole.full())


def test_nan_and_infinity_are_null() -> None:
    error = as_dict(whole.mixed())["border"]["outputs"][0]["original"]["error"]
    assert error == [None, None, 0.1]
    judged = replace(
        whole.full(), judged=judge((Limit("psnr", ">=", 1),), {"psnr": Quantity(nan, nan, nan)})
    )
    assert as_dict(judged)["budget"][0]["found"]["value"] is None
