"""Architectures in plain PyTorch, small versions of what people export."""

from tests.frameworks.nets import classic, dense, mobile, modern, odd, signal
from tests.frameworks.nets.case import Case

CASES: tuple[Case, ...] = (
    *classic.CASES,
    *mobile.CASES,
    *modern.CASES,
    *dense.CASES,
    *signal.CASES,
    *odd.CASES,
)
