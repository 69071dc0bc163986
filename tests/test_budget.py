"""Budgets: the syntax, and pass, fail, inconclusive by the interval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad.budget import (
    NAMES,
    Limit,
    Quantity,
    judge,
    missed,
    own_limits,
    parse_budget,
)
from onnxpad.errors import UsageError
from onnxpad.measures import AUDITED, COMPARED, COUNTED

NUMBERS = st.floats(-1e6, 1e6).map(lambda v: float(f"{v:g}"))


def test_several_limits() -> None:
    found = parse_budget(" agreement >= 0.98, latency<=1.1 ,top1_delta>=-1e-2")
    assert found == (
        Limit("agreement", ">=", 0.98),
        Limit("latency", "<=", 1.1),
        Limit("top1_delta", ">=", -0.01),
    )


@given(st.sampled_from(NAMES), st.sampled_from(["<=", ">="]), NUMBERS)
def test_a_limit_reads_back(name: str, sign: str, bound: float) -> None:
    limit = Limit(name, sign, bound)
    assert parse_budget(str(limit)) == (limit,)


@pytest.mark.parametrize(
    "text", ["", " , ", "agreement", "agreement=1", "agreement>1", "a>=x", "a>=nan", "a>=1;b<=2",
             "a>=1e999", ">=1", "1a>=1", "a>=--1"]
)  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_budget(text)


def test_unknown_quantities_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"nothing called accuracy .* top1_delta, .* latency"):
        parse_budget("latency<=1.1,accuracy>=0.9")


@pytest.mark.parametrize(
    ("text", "quantity", "outcome"),
    [
        ("agreement>=0.9", Quantity(0.95, 0.92, 0.97), "pass"),
        ("agreement>=0.9", Quantity(0.95, 0.90, 0.97), "pass"),
        ("agreement>=0.9", Quantity(0.92, 0.88, 0.95), "inconclusive"),
        ("agreement>=0.9", Quantity(0.85, 0.80, 0.89), "fail"),
        ("agreement<=1.1", Quantity(1.0, 0.9, 1.1), "pass"),
        ("agreement<=1.1", Quantity(1.0, 0.9, 1.2), "inconclusive"),
        ("agreement<=1.1", Quantity(1.3, 1.2, 1.4), "fail"),
        ("agreement<=1.1", Quantity(float("nan"), 0.0, 1.0), "not measured"),
        ("latency<=1.1", Quantity(1.0, 1.0, 1.0), "not measured"),
    ],
)
def test_outcomes(text: str, quantity: Quantity, outcome: str) -> None:
    judged = judge(parse_budget(text), {"agreement": quantity})
    assert [one.outcome for one in judged] == [outcome]
    assert missed(judged) == (outcome in ("fail", "not measured"))
    assert missed(judged, strict=True) == (outcome != "pass")


def test_a_warning_is_missed_only_where_that_is_asked_for() -> None:
    found = {"agreement": Quantity(0.95, 0.94, 0.96)}
    judged = judge(parse_budget("agreement>=0.9, warn: agreement>=0.99"), found)
    assert [one.weight for one in judged] == ["held", "warning"]
    assert not missed(judged)
    assert missed(judged, strict=True)


def test_bounds_read_back_exactly() -> None:
    limit = Limit("agreement", ">=", 0.98765432101, warn=True)
    assert parse_budget(str(limit)) == (limit,)
    assert str(Limit("errors", "<=", 0)) == "errors<=0"


def test_no_name_means_two_things() -> None:
    assert not set(COMPARED) & set(AUDITED)
    assert set(COUNTED) < set(AUDITED)


def test_limits_of_other_results_are_refused_or_left() -> None:
    text = "errors<=0,agreement>=0.9"
    assert [x.name for x in own_limits(text, AUDITED, "an audit", shared=True)] == ["errors"]
    with pytest.raises(UsageError, match=r"an audit does not measure agreement; .*line_artifacts"):
        own_limits(text, AUDITED, "an audit", shared=False)
