"""Pads that ONNX Runtime runs on the CPU although the rest runs on CUDA.

What it finds
-------------
With `--target cuda`: Pads of 8-bit integers, for which the CUDA provider has no kernel, and Pads at
opset 19 or later, for which ONNX Runtime 1.23 has none (issue 26393 of microsoft/onnxruntime,
October 2025; later releases may: pull request 27774, March 2026).

Why it matters
--------------
The node falls back to the CPU: the map is copied to the host and back, in the middle of the
network. Nothing fails, it is only slow.

Example
-------
A model exported at opset 20 with reflect padding in front of each convolution.

What to do
----------
Export at opset 18, or pad with zeros, which need no Pad at all (`onnxpad rewrite MODEL --mode
zero`). For quantised models `onnxpad rewrite --target cuda` pads in front of Q, on floats.
"""

from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Severity
from onnxpad.rules.rule import rule
from onnxpad.rules.target import limited
from onnxpad.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such Pads, where the model is judged for cuda."""
    yield from limited(RULE, subject, "cuda")


RULE = rule(__name__, Severity.WARNING, Confidence.HIGH, check)
