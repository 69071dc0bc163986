import numpy as np
from onnx import helper, numpy_helper

from onnxpad.auditing import DEFAULT_RULES
from onnxpad.findings import Severity
from tests.rules.check import found, model, the_rule


def net(*leaning, stride=2, layers=4, size=64):
    """Strided 3x3 convolutions of random kernels; those in ``leaning`` have a heavier first row."""
    nodes, tensors, last = [], [], "x"
    for number in range(layers):
        kernels = np.random.default_rng(number).standard_normal((8, 8, 3, 3))
        if number in leaning:
            kernels[:, :, 0] += 0.7
        tensors.append(numpy_helper.from_array(kernels.astype(np.float32), f"w{number}"))
        given = {"strides": [stride] * 2, "pads": [1, 1, 1, 1], "name": f"conv{number}"}
        nodes.append(helper.make_node("Conv", [last, f"w{number}"], [f"t{number}"], **given))
        last = f"t{number}"
    return model(nodes, tensors, (1, 8, size, size))


def test_fires_on_planted_asymmetry_and_names_its_layers():
    (finding,) = found("PAD504", net(1, 3))
    assert finding.severity is Severity.NOTE
    assert sorted(p.identity for p in finding.locations) == ["conv1", "conv3"]
    assert finding.facts["layers"] == 4
    assert finding.facts["uneven"] == 2
    assert "axis 2: " in finding.primary.detail
    assert "padding read 1+0" in finding.primary.detail


def test_is_beside_the_reading_and_not_told_by_it():
    (finding,) = found("PAD504", net(0, size=65, layers=1))
    assert finding.facts["uneven"] == 0
    assert "padding read 1+1" in finding.primary.detail


def test_is_silent_on_random_kernels():
    assert not found("PAD504", net())


def test_is_silent_on_layers_of_stride_1():
    assert not found("PAD504", net(0, 1, 2, 3, stride=1))


def test_is_silent_on_symmetric_kernels():
    whole = net(0)
    for tensor in whole.graph.initializer:
        kernels = numpy_helper.to_array(tensor)
        kernels = kernels + kernels[:, :, ::-1]
        kernels = kernels + kernels[:, :, :, ::-1]
        tensor.CopyFrom(numpy_helper.from_array(kernels, tensor.name))
    assert not found("PAD504", whole)


def test_runs_only_when_selected():
    assert the_rule("PAD504") not in DEFAULT_RULES
