"""Which site gets which mode: globs, plans as files, fallbacks."""

import json
from pathlib import Path
from typing import Any

import pytest
from onnx import ModelProto, helper

import onnxpad
from onnxpad import Plan, read_plan
from onnxpad.errors import UsageError
from onnxpad.modes import Mode
from onnxpad.plan import SCHEMA
from tests.features import FEATURES
from tests.features._build import conv, ints, model, tensor, weight


def several() -> ModelProto:
    """Two blocks of convolutions, a pool, a reflect Pad."""
    nodes = [
        conv("x", "W", "a", name="block1/conv1"),
        conv("a", "V", "b", name="block1/conv2"),
        helper.make_node(
            "AveragePool", ["b"], ["c"], name="block1/pool", kernel_shape=[3, 3], pads=[1] * 4
        ),
        conv("c", "V", "d", name="block2/conv1"),
        helper.make_node("Pad", ["d", "pads"], ["e"], name="block2/pad", mode="reflect"),
        conv("e", "V", "y", name="block2/conv2", pads=None),
    ]
    pads = ints("pads", [0, 0, 1, 1, 0, 0, 1, 1])
    return model(nodes, [weight("W", 3, 2, 3, 3), weight("V", 3, 3, 3, 3), pads])


CONVS = ["block1/conv1", "block1/conv2", "block2/conv1"]


def changed(result: onnxpad.RewriteResult) -> dict[str, str]:
    return {c.site.identity: str(c.mode) for c in result.changed}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, CONVS),
        ({"only": ["block1/*"]}, CONVS[:2]),
        ({"only": ["*/conv1"]}, [CONVS[0], CONVS[2]]),
        ({"only": ["block1/conv1", "block2/*"]}, [CONVS[0], CONVS[2]]),
        ({"skip": ["block1/*"]}, CONVS[2:]),
        ({"only": ["*conv*"], "skip": ["block1/conv2"]}, [CONVS[0], CONVS[2]]),
        ({"only": ["block[12]/conv1"]}, [CONVS[0], CONVS[2]]),
        ({"only": ["block1/conv?"]}, CONVS[:2]),
        ({"pools": True}, [*CONVS[:2], "block1/pool", CONVS[2]]),
        ({"pools": True, "only": ["*pool"]}, ["block1/pool"]),
        ({"from_mode": "reflect"}, ["block2/pad"]),
        ({"from_mode": "zero"}, CONVS),
    ],
)
def test_selection(asked: dict[str, Any], expected: list[str]) -> None:
    result = onnxpad.rewrite(several(), "edge", **asked)
    assert list(changed(result)) == expected
    assert len(result.changed) + len(result.left) + len(result.refused) == 5


def test_what_is_left_says_why() -> None:
    result = onnxpad.rewrite(several(), "edge", only=["*conv*", "*pad"], skip=["block1/conv1"])
    reasons = {k.site.identity: k.reason for k in result.left}
    assert "--skip" in reasons["block1/conv1"]
    assert "--only" in reasons["block1/pool"]
    assert "--from reflect" in reasons["block2/pad"]
    without = {k.site.identity: k.reason for k in onnxpad.rewrite(several(), "edge").left}
    assert "--pools" in without["block1/pool"]


def test_set_selects_by_itself_and_later_ones_win() -> None:
    wanted = [("*", "reflect"), ("block1/*", "wrap"), ("block1/pool", "symmetric")]
    assert changed(onnxpad.rewrite(several(), set=wanted)) == {
        "block1/conv1": "wrap",
        "block1/conv2": "wrap",
        "block1/pool": "symmetric",
        "block2/conv1": "reflect",
    }


def test_set_beside_a_mode() -> None:
    """The rest gets the mode; a pool or a copying Pad only if it is named."""
    result = onnxpad.rewrite(several(), "edge", set={"block2/*": "wrap"})
    assert changed(result) == {
        "block1/conv1": "edge",
        "block1/conv2": "edge",
        "block2/conv1": "wrap",
        "block2/pad": "wrap",
    }


def test_set_takes_a_mapping_or_pairs() -> None:
    a = onnxpad.rewrite(several(), set={"block1/conv1": "edge"})
    b = onnxpad.rewrite(several(), set=[("block1/conv1", "edge")])
    assert a.model.SerializeToString() == b.model.SerializeToString()


@pytest.mark.parametrize("where", ["only", "skip", "set"])
@pytest.mark.parametrize("glob", ["nothing*", "BLOCK1/*", "", "block1"])
def test_glob_that_matches_nothing(where: str, glob: str) -> None:
    given: dict[str, Any] = {where: {glob: "edge"} if where == "set" else [glob]}
    with pytest.raises(UsageError, match="matches no padding site") as caught:
        onnxpad.rewrite(several(), "edge", **given)
    assert "block1/conv1" in str(caught.value)
    assert caught.value.exit_code == 2


def test_one_glob_as_a_string_is_one_glob() -> None:
    """Not its letters: the slip is easy, and * among them would select everything."""
    one = onnxpad.rewrite(several(), "edge", only="block1/*", skip="*conv2")
    assert list(changed(one)) == ["block1/conv1"]


def test_names_that_look_like_globs() -> None:
    """An identity always matches itself."""
    made = FEATURES["names_with_odd_characters"]()
    for identity in [s.identity for s in onnxpad.find_sites(made)]:
        assert list(changed(onnxpad.rewrite(made, "edge", only=[identity]))) == [identity]
        assert identity in changed(onnxpad.rewrite(made, set={identity: "wrap"}))


@pytest.mark.parametrize("glob", ["choose.then_branch/*", "*/conv_then"])
def test_sites_in_branches(glob: str) -> None:
    result = onnxpad.rewrite(FEATURES["if_shared_weights"](), "edge", only=[glob])
    assert list(changed(result)) == ["choose.then_branch/conv_then"]


def test_sites_in_functions() -> None:
    result = onnxpad.rewrite(FEATURES["function_overloads"](), "edge", only=["function *:wide/*"])
    assert list(changed(result)) == ["function org.example::block:wide/conv"]


@pytest.mark.parametrize("mode", ["", None])
def test_nothing_asked_for(mode: str | None) -> None:
    with pytest.raises(UsageError, match="no mode was given"):
        onnxpad.rewrite(several(), mode)


@pytest.mark.parametrize(
    "mode", ["Edge", "zeros", "replicate", "constant", "constant:", "constant:nan", "edge:1",
             "constant:inf", "reflect ", "circular"],
)  # fmt: skip
def test_unknown_modes(mode: str) -> None:
    if mode == "reflect ":
        assert onnxpad.rewrite(several(), mode).changed  # blanks around a word are no matter
        return
    for given in ({"mode": mode}, {"set": {"*": mode}}, {"mode": "edge", "fallback": mode}):
        with pytest.raises(UsageError, match="mode"):
            onnxpad.rewrite(several(), **given)  # type: ignore[arg-type]  # one of many words


def test_constant_0_is_zero() -> None:
    assert not onnxpad.rewrite(FEATURES["conv_plain"](), "constant:0").changed
    assert not onnxpad.rewrite(FEATURES["conv_plain"](), "constant:-0.0").changed


# --- fallback ------------------------------------------------------------------------------------


def test_fallback() -> None:
    made = FEATURES["conv_1d_causal"]()
    result = onnxpad.rewrite(made, "reflect", fallback="edge")
    assert list(changed(result).values()) == ["edge"]
    assert "reflect" in result.changed[0].remark
    assert "future" in result.changed[0].remark
    plain = onnxpad.rewrite(made, "edge")
    assert result.model.graph.node == plain.model.graph.node


def test_fallback_that_is_refused_too() -> None:
    result = onnxpad.rewrite(FEATURES["conv_integer"](), "linear", fallback="constant:0.5")
    assert not result.changed
    assert "nor constant:0.5" in result.refused[0].reason


def test_fallback_that_is_there_already() -> None:
    """A causal edge Pad stays what it is when reflect falls back to edge."""
    made = model(
        [
            helper.make_node("Pad", ["x", "pads"], ["p"], name="pad", mode="edge"),
            conv("p", "W", pads=None),
        ],
        [weight("W", 3, 2, 3), ints("pads", [0, 0, 2, 0, 0, 0])],
        inputs=[helper.make_tensor_value_info("x", 1, (1, 2, 9))],
    )
    result = onnxpad.rewrite(made, "reflect", from_mode="edge", fallback="edge")
    assert not result.changed
    assert "it is edge" in result.left[0].reason
    assert result.model.SerializeToString() == made.SerializeToString()


def test_fallback_changes_nothing_where_the_mode_works() -> None:
    with_it = onnxpad.rewrite(several(), "wrap", fallback="edge")
    without = onnxpad.rewrite(several(), "wrap")
    assert with_it.model.SerializeToString() == without.model.SerializeToString()


# --- plans as files ------------------------------------------------------------------------------

PLANNED: list[tuple[str, dict[str, Any]]] = [
    ("several", {"mode": "edge"}),
    ("several", {"mode": "constant:0.1", "pools": True}),
    ("several", {"set": {"block1/*": "wrap", "*2/conv1": "linear"}}),
    ("several", {"mode": "zero"}),
    ("names_with_odd_characters", {"mode": "symmetric"}),
    ("nested_if", {"mode": "partial"}),
    ("function_pads_reference", {"mode": "reflect"}),
    ("conv_1d_causal", {"mode": "reflect", "fallback": "edge"}),
    ("qdq_conv", {"mode": "wrap"}),
    ("conv_without_padding", {"mode": "edge"}),
]


def build(name: str) -> ModelProto:
    return several() if name == "several" else FEATURES[name]()


@pytest.mark.parametrize(("name", "asked"), PLANNED)
def test_a_saved_plan_does_the_same(name: str, asked: dict[str, Any], tmp_path: Path) -> None:
    first = onnxpad.rewrite(build(name), **asked)
    path = tmp_path / "plan.json"
    path.write_text(first.plan.to_json(), encoding="utf-8")
    plan = read_plan(path)
    assert plan == first.plan
    assert plan.digest == first.plan.digest
    assert plan.to_json() == first.plan.to_json()
    for source in (plan, path, str(path)):
        again = onnxpad.rewrite(build(name), plan=source)
        assert again.model.SerializeToString() == first.model.SerializeToString()


def test_sites_a_plan_does_not_name_stay() -> None:
    plan = Plan((("block1/conv2", Mode("wrap")),))
    result = onnxpad.rewrite(several(), plan=plan)
    assert changed(result) == {"block1/conv2": "wrap"}
    assert {k.reason for k in result.left} == {"not among the sites that are named"}


def test_a_plan_and_globs() -> None:
    """Globs narrow a plan; set adds to it and wins."""
    plan = onnxpad.rewrite(several(), "edge").plan
    narrowed = onnxpad.rewrite(several(), plan=plan, skip=["block1/*"])
    assert changed(narrowed) == {"block2/conv1": "edge"}
    more = onnxpad.rewrite(several(), plan=plan, set={"block1/conv1": "wrap"})
    assert changed(more) == {
        "block1/conv1": "wrap", "block1/conv2": "edge", "block2/conv1": "edge",
    }  # fmt: skip


def test_a_plan_for_another_model() -> None:
    plan = onnxpad.rewrite(several(), "edge").plan
    with pytest.raises(UsageError, match="the plan names the site 'block1/conv1'"):
        onnxpad.rewrite(FEATURES["conv_plain"](), plan=plan)


def test_a_mode_and_a_plan() -> None:
    with pytest.raises(UsageError, match="a mode and a plan"):
        onnxpad.rewrite(several(), "edge", plan=Plan(()))


def test_equal_plans_have_equal_bytes_and_digests() -> None:
    one, two = (onnxpad.rewrite(several(), "edge").plan for _ in range(2))
    assert one == two
    assert one.digest == two.digest
    assert one.digest != onnxpad.rewrite(several(), "wrap").plan.digest
    document = json.loads(one.to_json())
    assert document["schema"] == SCHEMA
    assert [s["site"] for s in document["sites"]] == CONVS


MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "no schema": b'{"sites": []}',
    "another schema": b'{"schema": "onnxpad.plan/99", "sites": []}',
    "sites is a number": b'{"schema": "onnxpad.plan/1", "sites": 5}',
    "sites is null": b'{"schema": "onnxpad.plan/1", "sites": null}',
    "sites is an object": b'{"schema": "onnxpad.plan/1", "sites": {"a": "edge"}}',
    "sites is text": b'{"schema": "onnxpad.plan/1", "sites": "edge"}',
    "a site is text": b'{"schema": "onnxpad.plan/1", "sites": ["edge"]}',
    "no mode": b'{"schema": "onnxpad.plan/1", "sites": [{"site": "conv"}]}',
    "no site": b'{"schema": "onnxpad.plan/1", "sites": [{"mode": "edge"}]}',
    "unknown mode": b'{"schema": "onnxpad.plan/1", "sites": [{"site": "conv", "mode": "mirror"}]}',
    "mode is a number": b'{"schema": "onnxpad.plan/1", "sites": [{"site": "conv", "mode": 1}]}',
    "unknown key":
        b'{"schema": "onnxpad.plan/1", "sites": [{"site": "conv", "mode": "edge", "x": 1}]}',
    "unknown place":
        b'{"schema": "onnxpad.plan/1", "sites": [{"site": "conv", "mode": "edge", "place": "?"}]}',
    "not UTF-8": b'{"schema": "onnxpad.plan/1", "sites": [{"site": "\xff", "mode": "edge"}]}',
    "a model": FEATURES["conv_plain"]().SerializeToString(),
    "too deep": b"[" * 200_000,
    "half a character":
        b'{"schema": "onnxpad.plan/1", "sites": [{"site": "\\ud800", "mode": "edge"}]}',
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_plans(what: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(MALFORMED[what])
    with pytest.raises(UsageError) as caught:
        onnxpad.rewrite(FEATURES["conv_plain"](), plan=path)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_one_site_twice(tmp_path: Path) -> None:
    """Two wishes for one site: nobody could tell which was meant."""
    path = tmp_path / "plan.json"
    sites = [{"site": "conv", "mode": mode} for mode in ("edge", "wrap")]
    path.write_text(json.dumps({"schema": SCHEMA, "sites": sites}), encoding="utf-8")
    with pytest.raises(UsageError, match="twice"):
        onnxpad.rewrite(FEATURES["conv_plain"](), plan=path)


def test_plans_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            onnxpad.rewrite(several(), plan=path)


def test_a_plan_larger_than_plans_are(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with path.open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(UsageError, match="larger"):
        onnxpad.rewrite(several(), plan=path)


def test_mean_needs_means() -> None:
    with pytest.raises(UsageError, match="means"):
        onnxpad.rewrite(FEATURES["conv_plain"](), "mean")


@pytest.mark.parametrize("feature", ["conv_float16", "conv_plain", "average_pool", "lp_pool"])
def test_a_number_that_is_rounded_is_still_the_same(feature: str) -> None:
    """0.1 is no float: the nearest one is written, and is known again for what was asked."""
    result = onnxpad.rewrite(FEATURES[feature](), "constant:0.1", pools=True)
    assert result.plan.modes[0][1] == Mode("constant", 0.1)
    (site,) = onnxpad.find_sites(result.model)
    assert str(site.mode) == "constant:0.1"
    again = onnxpad.rewrite(result.model, "constant:0.1", pools=True)
    assert not again.changed
    back = onnxpad.rewrite(result.model, "edge", from_mode="constant:0.1", pools=True)
    assert len(back.changed) == 1


def test_a_fill_that_is_stored_as_float16() -> None:
    pad = helper.make_node("Pad", ["x", "pads", "fill"], ["p"], name="pad")
    fill = tensor("fill", 0.1, "float16")
    made = model(
        [pad, conv("p", "W", pads=None)],
        [weight("W", 3, 2, 3, 3, dtype="float16"), ints("pads", [0, 0, 1, 1, 0, 0, 1, 1]), fill],
        inputs=[helper.make_tensor_value_info("x", 10, (1, 2, 9, 8))],
        outputs=[helper.make_tensor_value_info("y", 10, (None,) * 4)],
    )
    (site,) = onnxpad.find_sites(made)
    assert str(site.mode) == "constant:0.1"
