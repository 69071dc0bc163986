"""What every framework's test does with an export: rewrite it, run it, hold it against a truth."""

import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

import onnxpad

Arrays = Sequence[NDArray[np.float32]]

# Two ways to compute the same sums in float32 differ by about this share of the largest value.
ROUNDING = 1e-5
# How much of it the unmodified export's own error may grow: other sums, other roundings.
GROWTH = 3
# A mode that moves the output less than this tests nothing.
EFFECT = 1e-3


def framework(name: str) -> ModuleType:
    """Import a framework, or skip the module that asks for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: ModuleType = pytest.importorskip(name)
    return module


def run(model: onnx.ModelProto, feeds: Mapping[str, NDArray[np.float32]]) -> list[NDArray]:
    """All outputs of a model in ONNX Runtime on one CPU thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return list(session.run(None, dict(feeds)))


def distance(values: Arrays, truths: Arrays) -> float:
    """The largest difference over the outputs, each relative to its truth's largest value."""
    assert [v.shape for v in values] == [t.shape for t in truths]
    return max(
        float(np.abs(np.asarray(v, np.float64) - t).max() / np.abs(t).max())
        for v, t in zip(values, truths, strict=True)
    )


def rewritten(
    model: onnx.ModelProto, mode: str, **options: object
) -> tuple[onnx.ModelProto, onnxpad.RewriteResult]:
    """Rewrite, with all that has to hold for every rewrite whatever its mode."""
    before = model.SerializeToString()
    result = onnxpad.rewrite(model, mode, **options)
    assert model.SerializeToString() == before, "the caller's model was changed"
    data = result.model.SerializeToString()
    onnx.checker.check_model(data, full_check=True)
    parsed = onnx.ModelProto.FromString(data)
    assert result.undo(parsed).SerializeToString() == before, "undo"
    return onnx.ModelProto.FromString(data), result


def check_truth(
    model: onnx.ModelProto,
    feeds: Mapping[str, NDArray[np.float32]],
    own: Arrays,
    truth: Arrays,
    *,
    base: float,
) -> None:
    """Hold a rewritten model against what the framework computes with that padding.

    Args:
        model: rewritten.
        feeds: its inputs.
        own: the framework's outputs with zeros.
        truth: the framework's outputs with the mode.
        base: the distance of the unmodified export from `own`.
    """
    assert distance(truth, own) >= EFFECT, "the mode does too little here to test anything"
    assert distance(run(model, feeds), truth) <= max(ROUNDING, GROWTH * base)
