import pytest
from onnx import helper

from tests.rules.check import chain, found, model, weight

CONV = helper.make_node("Conv", ["x", "w"], ["a"], name="conv", pads=[1, 1, 1, 1])


def with_nodes(*nodes):
    tensors = [weight("w", (3, 3, 3, 3)), weight("s", (3,)), weight("one", (3, 3, 1, 1))]
    return model([CONV, *nodes], tensors)


def test_fires_on_instance_normalisation():
    norm = helper.make_node("InstanceNormalization", ["a", "s", "s"], ["y"], name="norm")
    (finding,) = found("PAD503", with_nodes(norm, helper.make_node("Relu", ["y"], ["z"])))
    assert [p.identity for p in finding.locations] == ["norm"]


def test_fires_on_squeeze_and_excite_where_it_flows_back():
    (finding,) = found(
        "PAD503",
        with_nodes(
            helper.make_node("GlobalAveragePool", ["a"], ["p"], name="squeeze"),
            helper.make_node("Conv", ["p", "one"], ["q"]),
            helper.make_node("Sigmoid", ["q"], ["r"]),
            helper.make_node("Mul", ["a", "r"], ["y"]),
        ),
    )
    assert [p.identity for p in finding.locations] == ["squeeze"]


def test_fires_on_a_mean_over_space_written_as_a_reduction():
    (finding,) = found(
        "PAD503",
        with_nodes(
            helper.make_node("ReduceMean", ["a"], ["p"], name="mean", axes=[2, 3]),
            helper.make_node("Sub", ["a", "p"], ["y"]),
        ),
    )
    assert finding.facts == {"sites": 1}


@pytest.mark.parametrize("axis", [2, 3, -1])
def test_fires_on_softmax_along_space(axis):
    assert found("PAD503", with_nodes(helper.make_node("Softmax", ["a"], ["y"], axis=axis)))


def test_is_silent_on_classifiers():
    conv = ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
    assert not found("PAD503", chain(conv, ("GlobalAveragePool", {}), ("Flatten", {})))


def test_is_silent_on_softmax_over_channels():
    assert not found("PAD503", with_nodes(helper.make_node("Softmax", ["a"], ["y"], axis=1)))


def test_is_silent_on_a_mean_over_channels():
    mean = helper.make_node("ReduceMean", ["a"], ["y"], axes=[1])
    assert not found("PAD503", with_nodes(mean))
