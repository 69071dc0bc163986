"""Layer by layer: what two models make of a constant image, and of the same pictures.

Joins probes and the measures of single maps; layers are paired as onnxpad.probe.probe says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from onnxpad.measure.constant_response import (
    ConstantResponse,
    constant_response,
    interior_value,
)
from onnxpad.measure.drift import Drift, DriftSums, drift
from onnxpad.measure.mean_map import MeanMap, MeanMapSums, mean_map
from onnxpad.measure.pair import Array
from onnxpad.probe.anatomy import Layer
from onnxpad.probe.probe import MAP_BYTES, Probe, groups, pair_layers, thinned

# What float32 leaves of a normalised colour that is taken to zero, relative to black.
_ZERO = 1e-6

# Of each layer of the original, that of a candidate; None where it has none.
Counterparts = tuple[ConstantResponse | None, ...]


@dataclass(frozen=True, slots=True)
class ConstantResponses:
    """The responses of all layers to one colour.

    Attributes:
        original: of each layer, in the order of the nodes.
        candidate: of each of them in the candidate, held against the same interior; None where
            it has no counterpart.
        first_sees_zero: whether the first window op is fed zeros, so that its own padding
            cannot show.
    """

    original: tuple[ConstantResponse, ...]
    candidate: tuple[ConstantResponse | None, ...]
    first_sees_zero: bool


def constant_responses(
    original: Probe, candidate: Probe | None, colour: float | Sequence[float] = 0.0,
    *, maps: bool = False,
) -> ConstantResponses:  # fmt: skip
    """Feed both models an image of one colour, at the size they are fed.

    Args:
        colour: as the input takes it, preprocessed: one value, or one for each channel.
        maps: whether the deviations are kept as maps.

    Raises RunError when a model fails.
    """
    several = () if candidate is None else (candidate,)
    ours, theirs = constant_beside(original, several, original.anatomy.layers, colour, maps=maps)
    found = theirs[0] if theirs else (None,) * len(ours)
    picture = original.feeding.constant(colour)[original.feeding.main]
    return ConstantResponses(ours, found, _sees_zero(original, picture))


def constant_beside(
    original: Probe, candidates: Sequence[Probe], layers: Sequence[Layer],
    colour: float | Sequence[float] = 0.0, *, maps: bool = False,
) -> tuple[tuple[ConstantResponse, ...], tuple[Counterparts, ...]]:  # fmt: skip
    """Some of the original's layers, and their counterparts in each candidate.

    All are held against the original's interior; the original runs once. None where a candidate
    has no counterpart. Raises RunError when a model fails.
    """
    picture = original.feeding.constant(colour)[original.feeding.main]
    pairs = [
        {a.map.name: b for a, b in pair_layers(original.anatomy, one.anatomy).layers}
        for one in candidates
    ]
    ours: list[ConstantResponse] = []
    theirs: list[list[ConstantResponse | None]] = [[] for _ in candidates]
    for group in groups(layers):
        inside = [
            interior_value(m, x)
            for m, x in zip(original.interior(group)(picture), group, strict=True)
        ]
        ours += _responses(original, group, group, inside, picture, maps)
        for candidate, known, found in zip(candidates, pairs, theirs, strict=True):
            both = [i for i, x in enumerate(group) if x.map.name in known]
            made: dict[int, ConstantResponse] = {}
            if both:
                others = [known[group[i].map.name] for i in both]
                named, values = [group[i] for i in both], [inside[i] for i in both]
                responses = _responses(candidate, others, named, values, picture, maps)
                made = dict(zip(both, responses, strict=True))
            found += [made.get(i) for i in range(len(group))]
    return tuple(ours), tuple(map(tuple, theirs))


def _responses(
    probe: Probe,
    fetched: Sequence[Layer],
    layers: Sequence[Layer],
    inside: Sequence[tuple[Array, str]],
    picture: Array,
    keep: bool,
) -> list[ConstantResponse]:
    maps = probe.runner([x.map for x in fetched])(picture)
    return [
        constant_response(m, value, x, unsure, maps=keep)
        for m, x, (value, unsure) in zip(maps, layers, inside, strict=True)
    ]


def _sees_zero(probe: Probe, picture: Array) -> bool:
    return not np.any(_first_seen(probe, picture))


def _first_seen(probe: Probe, picture: Array) -> Array:
    """What the first window op reads."""
    name = probe.first_input()
    if name is None:
        return picture
    return probe.session([name]).run(probe.feeding.with_main(picture), [name])[name]


def zero_colour(probe: Probe) -> tuple[float, ...] | None:
    """The colour, a value for each channel, for which the first window op is fed zeros.

    0 where nothing stands in front of it; else what a normalisation there, a·x + b in each
    channel, takes to 0. None where no colour is found that does. Raises RunError.
    """
    main, channel = probe.feeding.arrays[probe.feeding.main], probe.feeding.channel
    channels = 1 if channel is None else main.shape[channel]

    def seen(colour: Sequence[float] | float) -> Array:
        return _first_seen(probe, probe.feeding.constant(colour)[probe.feeding.main]).astype(float)

    black = seen(0.0)
    if not np.any(black):
        return (0.0,) * channels
    name = probe.first_input()
    found = probe.anatomy.maps.get(name) if name else None
    if found is None:
        return None
    axes = found.channels
    if len(axes) > 1 or prod(found.shape[axis] for axis in axes) not in (1, channels):
        return None
    step = seen(1.0) - black
    middle = tuple(
        slice(None) if axis in axes else n // 2 if axis in found.axes else 0
        for axis, n in enumerate(step.shape)
    )
    offset, slope = np.atleast_1d(black[middle]), np.atleast_1d(step[middle])
    if not np.all(slope):
        return None
    colour = tuple(float(v) for v in np.broadcast_to(-offset / slope, (channels,)))
    return colour if np.abs(seen(colour)).max() <= _ZERO * np.abs(black).max() else None


@dataclass(frozen=True, slots=True)
class LayerResults:
    """What the layers did with some pictures.

    Attributes:
        original, candidate: mean maps of the paired layers.
        drifts: of those whose maps could be held in memory, evenly chosen.
        unpaired: layers of the original without counterpart.
    """

    original: tuple[MeanMap, ...]
    candidate: tuple[MeanMap, ...]
    drifts: tuple[Drift, ...]
    unpaired: int


class MeanTally:
    """Mean maps of one model's layers over pictures; memory does not grow with their number."""

    def __init__(
        self, probe: Probe, layers: Sequence[Layer], told: Sequence[Layer] | None = None
    ) -> None:
        """Open the session. Raises RunError.

        Args:
            told: the layers that the records name in place of these, one for each.
        """
        self._layers = layers if told is None else told
        self._run = probe.means(layers)
        self._sums = [MeanMapSums()] * len(layers)

    def add(self, picture: Array, count: int | None = None) -> None:
        """Take in a batch at the size the model is fed; its first `count` are samples."""
        each = zip(self._sums, self._run(picture), self._layers, strict=True)
        self._sums = [s + mean_map(m, x, count) for s, m, x in each]

    def result(self) -> tuple[MeanMap, ...]:
        """The records."""
        return tuple(s.result(x) for s, x in zip(self._sums, self._layers, strict=True))


class LayerTally:
    """Mean maps and drift of two models over pictures; memory does not grow with their number."""

    def __init__(self, original: Probe, candidate: Probe, limit: int = MAP_BYTES) -> None:
        """Open the sessions. Raises RunError.

        Args:
            limit: bytes that one model's maps may take where drift needs them whole.
        """
        pairs = pair_layers(original.anatomy, candidate.anatomy)
        self._unpaired = pairs.unpaired
        ours = [a for a, _ in pairs.layers]
        chosen = {x.map.name for x in thinned(ours, limit)}
        whole = [(a, b) for a, b in pairs.layers if a.map.name in chosen]
        self._drifting = [a for a, _ in whole]
        self._means = (
            MeanTally(original, ours),
            MeanTally(candidate, [b for _, b in pairs.layers], ours),
        )
        self._maps = (
            original.runner([a.map for a, _ in whole]),
            candidate.runner([b.map for _, b in whole]),
        )
        self._drift_sums = [DriftSums()] * len(whole)

    def add(self, picture: Array, count: int | None = None) -> None:
        """Take in a batch at the size the models are fed; its first `count` are samples."""
        for one in self._means:
            one.add(picture, count)
        ours, theirs = (run(picture) for run in self._maps)
        both = zip(self._drift_sums, ours, theirs, self._drifting, strict=True)
        self._drift_sums = [s + drift(a, b, x, count) for s, a, b, x in both]

    def result(self) -> LayerResults:
        """The records."""
        original, candidate = (one.result() for one in self._means)
        drifts = (s.result(x) for s, x in zip(self._drift_sums, self._drifting, strict=True))
        return LayerResults(original, candidate, tuple(drifts), self._unpaired)
