"""Architectures in plain PyTorch, small versions of what people export."""

from tests.frameworks.nets import (
    attention,
    classic,
    dense,
    detection,
    forms,
    mobile,
    modern,
    odd,
    restoration,
    signal,
    sound,
    video,
    weights,
    windows,
)
from tests.frameworks.nets.case import Case

CASES: tuple[Case, ...] = (
    *classic.CASES,
    *mobile.CASES,
    *modern.CASES,
    *dense.CASES,
    *signal.CASES,
    *odd.CASES,
)

# What model collections do besides: every construct once, in fewer configurations.
MORE: tuple[Case, ...] = (
    *attention.CASES,
    *detection.CASES,
    *forms.CASES,
    *restoration.CASES,
    *sound.CASES,
    *video.CASES,
    *weights.CASES,
    *windows.CASES,
)
