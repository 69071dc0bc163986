"""Pads that OpenVINO refuses.

What it finds
-------------
With `--target openvino`: Pads of mode wrap. The ONNX frontend knows constant, reflect and edge
(openvino issue 37772, August 2026, version 2026.1).

Why it matters
--------------
The whole model is refused when it is read, with "Unsupported padding mode: [wrap]".

Example
-------
A panorama network whose circular padding was exported at opset 19.

What to do
----------
Export below opset 19, or with slices and a Concat in the place of the Pad: `onnxpad rewrite`
composes wrap from them where the opset has none.
"""

from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Severity
from onnxpad.rules.rule import rule
from onnxpad.rules.target import limited
from onnxpad.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such Pads, where the model is judged for openvino."""
    yield from limited(RULE, subject, "openvino")


RULE = rule(__name__, Severity.ERROR, Confidence.HIGH, check)
