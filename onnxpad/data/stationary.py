"""Pictures of noise whose statistics are the same at every position, borders included.

What a network can tell of a position from such a picture it has from the network, not from the
picture: photographs have the sky up, and even noise that is centred or scaled by its own mean and
spread would differ between the middle and the border. Here the field is cut from a larger, periodic
one, and scaled by what its spectrum says, not by what came out.
"""

from math import prod, sqrt

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.arrange import arrange
from onnxpad.data.plan import InputPlan
from onnxpad.data.preprocess import Preprocess
from onnxpad.runtime import Array

EXPONENT = 1.0  # amplitudes fall as 1/f, as those of photographs do
_CONTRAST = 0.2
# What channels share of their noise, and have of their own; the squares make 1.
_SHARED, _OWN = 0.8, 0.6


def stationary(
    plan: InputPlan,
    seed: int,
    sample: int,
    preprocess: Preprocess | None = None,
    exponent: float = EXPONENT,
) -> Array:
    """Samples number `sample` to `sample` + batch − 1 for an input that takes pictures.

    Args:
        preprocess: gives pictures the range a model was trained on; without it they are 0..1.
        exponent: of the amplitudes 1/f^exponent, above 0.
    """
    layout = plan.layout
    assert layout is not None
    space = tuple(plan.shape[axis] for axis in layout.spatial)
    channels = 1 if layout.channel is None else plan.shape[layout.channel]
    values = np.stack(
        [
            _picture(space, channels, synthetic.generator(seed, sample + row), exponent)
            for row in range(plan.batch)
        ]
    )
    if preprocess is None:
        return synthetic.place(values, plan)
    return arrange(preprocess.values(255 * values), plan)


def _picture(
    space: tuple[int, ...], channels: int, rng: np.random.Generator, exponent: float
) -> Array:
    """(*space, C) in 0..1."""
    spread = _spread(space, exponent)
    shared, *own = (synthetic.noise(space, rng, exponent) / spread for _ in range(1 + channels))
    mixed = np.stack([_SHARED * shared + _OWN * one for one in own], axis=-1)
    picture: Array = np.clip(0.5 + _CONTRAST * mixed, 0.0, 1.0)
    return picture


def _spread(space: tuple[int, ...], exponent: float) -> float:
    """The standard deviation of `synthetic.noise`: uniform numbers (1/12) through its spectrum."""
    field = [2 * n for n in space]
    axes = np.ix_(*(np.fft.fftfreq(n) for n in field))
    squares = sum(axis**2 for axis in axes[1:]) + axes[0] ** 2
    squares.flat[0] = np.inf
    return sqrt(float((squares**-exponent).sum()) / prod(field) / 12)
