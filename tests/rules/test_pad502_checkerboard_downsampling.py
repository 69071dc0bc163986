import pytest

from onnxpad.auditing import DEFAULT_RULES
from onnxpad.findings import Severity
from tests.rules.check import chain, found, the_rule


def net(kernel, stride, op="Conv"):
    return chain((op, {"kernel_shape": [kernel] * 2, "strides": [stride] * 2}))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (7, 2), (2, 3), (5, 4)])
def test_fires_where_kernels_are_no_multiples_of_the_stride(kernel, stride):
    (finding,) = found("PAD502", net(kernel, stride))
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (4, 2), (2, 2), (3, 3), (1, 2)])
def test_is_silent_on_multiples_and_on_pointwise_shortcuts(kernel, stride):
    assert not found("PAD502", net(kernel, stride))


def test_is_silent_on_pools():
    assert not found("PAD502", net(3, 2, "MaxPool"))


def test_runs_only_when_selected():
    assert the_rule("PAD502") not in DEFAULT_RULES
