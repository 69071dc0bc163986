import numpy as np
import pytest
from onnx import ModelProto, helper

import onnxpad
from onnxpad.findings import Severity
from onnxpad.modes import KINDS
from tests.rules.check import chain, found, model, weight
from tests.rules.running import run

LENGTH = 40


def _conv(pads: list[int], **given: object) -> ModelProto:
    layer = {"kernel_shape": [3], "pads": pads, **given}
    return chain(("Conv", layer), shape=(1, 3, LENGTH))


CAUSAL = _conv([8, 0], dilations=[4])


def _reads_ahead(made: ModelProto) -> bool:
    """Whether another future changes the first half of the output."""
    rng = np.random.default_rng(0)
    x, other = rng.standard_normal((2, 1, 3, LENGTH)).astype(np.float32)
    half = LENGTH // 2
    other[..., :half] = x[..., :half]
    return not np.array_equal(run(made, x)[..., :half], run(made, other)[..., :half])


def test_fires_once_for_all_causal_sites():
    layers = [
        ("Conv", {"kernel_shape": [3], "pads": [2 * d, 0], "dilations": [d]}) for d in (1, 2, 4)
    ]
    (finding,) = found("PAD403", chain(*layers, shape=(1, 3, LENGTH)))
    assert finding.severity is Severity.NOTE
    assert finding.facts == {"sites": 3}
    assert [place.detail for place in finding.locations] == ["pads 2+0", "pads 4+0", "pads 8+0"]


def test_the_modes_it_names_read_ahead_and_the_others_do_not():
    """A long receptive field, so that what is mirrored comes from later than it is read."""
    (finding,) = found("PAD403", CAUSAL)
    assert not _reads_ahead(CAUSAL)
    first = np.zeros((2, 1, 3, LENGTH), np.float32)
    first[1, ..., 1:] = 1  # two signals that agree at time 0 only
    for kind in KINDS:
        if kind.name in ("mean", "partial", "zero"):
            continue
        mode = "constant:0.5" if kind.name == "constant" else kind.name
        made = onnxpad.rewrite(CAUSAL, mode, allow_noncausal=True).model
        ahead = not np.array_equal(run(made, first[0])[..., 0], run(made, first[1])[..., 0])
        assert ahead == (kind.name in finding.message), kind.name


def test_an_explicit_pad_is_found_too():
    nodes = [
        helper.make_node("Pad", ["x"], ["p"], "pad", pads=[0, 0, 2, 0, 0, 0]),
        helper.make_node("Conv", ["p", "w"], ["y"], "conv", kernel_shape=[3]),
    ]
    made = model(nodes, [weight("w", (3, 3, 3))], (1, 3, LENGTH), 9)
    (finding,) = found("PAD403", made)
    assert finding.primary.identity == "pad"
    assert not _reads_ahead(made)


@pytest.mark.parametrize(
    "made",
    [
        _conv([1, 1]),
        _conv([0, 2]),
        _conv([1, 0]),
        _conv([0, 0]),
        chain(("Conv", {"kernel_shape": [3, 3], "pads": [2, 2, 0, 0]})),
        chain(("MaxPool", {"kernel_shape": [3], "pads": [2, 0]}), shape=(1, 3, LENGTH)),
    ],
    ids=["centred", "at the end", "half", "none", "2-D", "pool"],
)
def test_is_silent_on_other_padding(made: ModelProto):
    assert not found("PAD403", made)
