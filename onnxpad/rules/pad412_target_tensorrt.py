"""Pads that TensorRT may refuse.

What it finds
-------------
With `--target tensorrt`: Pads of uint8, which neither onnx-tensorrt's list for 8.5 nor NVIDIA's
page on Slice for 8.6 names; Pads of int8, a warning of low confidence, as the list for 8.5 has
them; and Pads whose amounts are computed at run time (NVIDIA/TensorRT issues 439 and 670, of 2020:
newer parsers take some of them), of low confidence too.

Why it matters
--------------
The engine is not built, which shows at deployment and not before.

Example
-------
A uint8 model rewritten to edge on the integers, which is the fastest form on the CPU.

What to do
----------
`onnxpad rewrite --target tensorrt` pads in front of Q, on floats. Fix the input's size, so that
amounts become constants. Zero padding needs no Pad at all (`--mode zero`).
"""

from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Severity
from onnxpad.rules.rule import rule
from onnxpad.rules.target import limited
from onnxpad.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such Pads, where the model is judged for tensorrt."""
    yield from limited(RULE, subject, "tensorrt")


RULE = rule(__name__, Severity.ERROR, Confidence.MEDIUM, check)
