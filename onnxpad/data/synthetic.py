"""Synthetic scenes with the statistics of natural images, any size, nothing to download.

Dead leaves: opaque discs with random grey values and radii r ~ r^-3 that hide one another. The
model reproduces what padding reacts to in photographs: edges, flat areas, occlusion, scale
invariance (A. B. Lee, D. Mumford, J. Huang, "Occlusion Models for Natural Images", International
Journal of Computer Vision 41, 2001). 1/f noise is laid over it as texture (D. J. Field,
"Relations between the statistics of natural images and the response properties of cortical
cells", JOSA A 4, 1987). Sounds are pink noise.

Only uniform numbers are drawn from the generator, so that a seed gives the same scene everywhere.
"""

from functools import lru_cache
from math import gamma, log, pi, prod

import numpy as np

from onnxpad.data.arrange import arrange
from onnxpad.data.plan import InputPlan
from onnxpad.data.preprocess import Preprocess
from onnxpad.runtime import Array

# How often leaves cover the area, on average; what stays uncovered is one more flat leaf.
_COVER = 4.0
_MAX_LEAVES = 4000
_TEXTURE = 0.06
_SAMPLE_RATE = 16000
_VOCABULARY = 10


def generator(seed: int, sample: int) -> np.random.Generator:
    """The random numbers of one sample: independent of all others and of their order."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, sample))))


def feed(
    plans: tuple[InputPlan, ...],
    seed: int,
    sample: int,
    batch: int = 1,
    preprocess: Preprocess | None = None,
) -> dict[str, Array]:
    """Arrays for every input: scenes and signals number `sample` to `sample` + `batch` − 1.

    Inputs with a role of their own (states, rates, masks, lengths, tokens) get its constants.
    Scenes become values as `preprocess` says, without it 0..1 (see `place`).
    """
    longest = max((size for p in plans if p.layout for size in _space(p)), default=1)
    return {p.info.name: _array(p, seed, sample, batch, longest, preprocess) for p in plans}


def _space(plan: InputPlan) -> tuple[int, ...]:
    assert plan.layout is not None
    return tuple(plan.shape[i] for i in plan.layout.spatial)


def _array(
    plan: InputPlan,
    seed: int,
    sample: int,
    batch: int,
    longest: int,
    preprocess: Preprocess | None,
) -> Array:
    dtype = np.dtype(plan.info.dtype)
    if plan.role in ("scene", "signal"):
        values = _data(plan, seed, sample, batch)
        if preprocess is None or plan.role == "signal":
            return place(values, plan, signed=plan.role == "signal")
        return arrange(preprocess.values(255 * values), plan)
    if plan.role == "tokens":
        rng = generator(seed, sample)
        return np.floor(rng.random(plan.shape) * _VOCABULARY).astype(dtype)
    value = {"rate": _SAMPLE_RATE, "length": longest, "ones": 1}.get(plan.role, 0)
    return np.full(plan.shape, value, dtype)


def _data(plan: InputPlan, seed: int, sample: int, batch: int) -> Array:
    """(N, *space, C): scenes in 0..1, signals in −1..1."""
    layout = plan.layout
    assert layout is not None
    make = _scene if plan.role == "scene" else _signal
    channels = 1 if layout.channel is None else plan.shape[layout.channel]
    values = [
        make(_space(plan), channels, generator(seed, sample + i))
        for i in range(plan.batch if layout.batch is not None else batch)
    ]
    return np.stack(values)


def place(values: np.ndarray, plan: InputPlan, *, signed: bool = False) -> Array:
    """(N, *space, C) values made to an input's axes and type.

    Values lie in 0..1, or in −1..1 where `signed`; floating types keep them, unsigned integers
    get 0..255, int8 −128..127, wider integers 0..255 (−32768..32767 where signed).
    """
    dtype = np.dtype(plan.info.dtype)
    if dtype.kind in "iu":
        values = _quantised(values, dtype, signed=signed)
    return arrange(values, plan)


def _quantised(values: np.ndarray, dtype: np.dtype, *, signed: bool) -> np.ndarray:
    unit = (values + 1) / 2 if signed else values
    if dtype.itemsize == 1:
        return np.rint(unit * 255) - (128 if dtype.kind == "i" else 0)
    if not signed:
        return np.rint(unit * 255)
    return np.rint(unit * 65535) - (32768 if dtype.kind == "i" else 0)


def _scene(space: tuple[int, ...], channels: int, rng: np.random.Generator) -> np.ndarray:
    """(*space, C) in 0..1: coloured dead leaves under 1/f texture."""
    leaf = _leaves(space, rng)
    count = int(leaf.max()) + 1
    grey = rng.random((count, 1))
    colours = 0.7 * grey + 0.3 * rng.random((count, channels))
    texture = noise(space, rng, exponent=1.0)
    texture = (texture - texture.mean()) * (_TEXTURE / max(float(texture.std()), 1e-12))
    scene: np.ndarray = np.clip(colours[leaf] + texture[..., None], 0.0, 1.0)
    return scene


def _signal(space: tuple[int, ...], channels: int, rng: np.random.Generator) -> np.ndarray:
    """(T, C) in −1..1: pink noise, power 1/f."""
    voices = [noise(space, rng, exponent=0.5) for _ in range(channels)]
    values: np.ndarray = np.stack(voices, axis=-1)
    values /= max(float(np.abs(values).max()), 1e-12)
    return values


def noise(space: tuple[int, ...], rng: np.random.Generator, exponent: float) -> np.ndarray:
    """White noise whose amplitudes fall as 1/f^exponent; (*space).

    Cut from a field of twice the size, because the field itself is periodic: its opposite borders
    would fit together, and wrap padding would look better than it is.
    """
    field = tuple(2 * n for n in space)
    spectrum = np.fft.rfftn(rng.random(field))
    spectrum /= _falling(field, exponent)
    noise = np.fft.irfftn(spectrum, s=field, axes=range(len(field)))
    return noise[tuple(slice(n) for n in space)]


@lru_cache(maxsize=2)  # scenes of one size follow each other
def _falling(field: tuple[int, ...], exponent: float) -> np.ndarray:
    """f^exponent at each frequency of a spectrum."""
    axes = [np.fft.fftfreq(n) for n in field[:-1]] + [np.fft.rfftfreq(field[-1])]
    squares = [f**2 for f in np.ix_(*axes)]
    frequency = np.sqrt(sum(squares[1:], squares[0]))
    frequency.flat[0] = np.inf
    found: np.ndarray = frequency**exponent
    return found


def _leaves(space: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """The number of the leaf seen at each position; 0 where none lies."""
    dims, short = len(space), min(space)
    large = max(short / 4, 1.0)
    small = min(max(short / 64, 1.5), large / 1.5)
    # Balls in d dimensions keep scale invariance with r ~ r^-(d+1), and have this mean volume.
    spread = small**-dims - large**-dims
    ball = pi ** (dims / 2) / gamma(dims / 2 + 1)
    mean = ball * dims * log(large / small) / spread
    # Leaves fall beside the picture too, or its border would be emptier than its inside.
    around = [n + 2 * large for n in space]
    count = int(min(max(_COVER * prod(around) / mean, 16), _MAX_LEAVES))
    radii = (small**-dims - rng.random(count) * spread) ** (-1 / dims)
    centres = rng.random((count, dims)) * np.array(around) - large
    limit = np.array(space)
    first = np.maximum((centres - radii[:, None]).astype(np.int64), 0)
    behind = np.minimum((centres + radii[:, None]).astype(np.int64) + 2, limit)
    inside = (first < behind).all(axis=1)
    seen = np.zeros(space, np.int32)
    lines = [np.arange(n).reshape([-1 if i == j else 1 for j in range(dims)])
             for i, n in enumerate(space)]  # fmt: skip
    for number in np.flatnonzero(inside):
        where = tuple(map(slice, first[number].tolist(), behind[number].tolist()))
        centre, square = centres[number].tolist(), 0.0
        for axis, line in enumerate(lines):
            near = line[tuple(where[axis] if i == axis else slice(None) for i in range(dims))]
            square = square + (near - centre[axis]) ** 2
        seen[where][square <= radii[number] ** 2] = number + 1
    return seen
