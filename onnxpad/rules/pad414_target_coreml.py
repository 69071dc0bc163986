"""Pads that ONNX Runtime's CoreML provider leaves to the CPU.

What it finds
-------------
With `--target coreml`: Pads of modes other than constant and reflect, of types other than float
and float16, below opset 11, with amounts that are not stored in the model or negative, and reflect
along any but the last two axes or on free sizes. As its ML Program format takes them; the older
Neural Network format takes constant alone (pad_op_builder.cc, main branch of 2026).

Why it matters
--------------
The graph is split there: what is left to the CPU is copied out and in again, and the Neural Engine
gets the network in pieces.

Example
-------
Edge padding in front of every convolution: as many pieces as convolutions.

What to do
----------
Use zeros (`onnxpad rewrite MODEL --mode zero`) or reflect, with fixed sizes, at opset 11 or later.
"""

from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Severity
from onnxpad.rules.rule import rule
from onnxpad.rules.target import limited
from onnxpad.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such Pads, where the model is judged for coreml."""
    yield from limited(RULE, subject, "coreml")


RULE = rule(__name__, Severity.WARNING, Confidence.HIGH, check)
