"""Layer by layer: what two models make of a constant image, and of the same pictures.

Joins probes and the measures of single maps; layers are paired as onnxpad.probe.probe says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
    original: Probe, candidate: Probe | None, colour: float | Sequence[float] = 0.0
) -> ConstantResponses:
    """Feed both models an image of one colour, at the size they are fed.

    Args:
        colour: as the input takes it, preprocessed: one value, or one for each channel.

    Raises RunError when a model fails.
    """
    name = original.feeding.main
    picture = original.feeding.constant(colour)[name]
    pairs = pair_layers(original.anatomy, candidate.anatomy).layers if candidate else ()
    theirs = {a.map.name: b for a, b in pairs}
    ours: list[ConstantResponse] = []
    found: list[ConstantResponse | None] = []
    for group in groups(original.anatomy.layers):
        inside = [
            interior_value(m, x)
            for m, x in zip(original.interior(group)(picture), group, strict=True)
        ]
        ours += _responses(original, group, group, inside, picture)
        both = [i for i, x in enumerate(group) if x.map.name in theirs]
        made: dict[int, ConstantResponse] = {}
        if candidate is not None and both:
            layers = [theirs[group[i].map.name] for i in both]
            known = [inside[i] for i in both]
            responses = _responses(candidate, layers, [group[i] for i in both], known, picture)
            made = dict(zip(both, responses, strict=True))
        found += [made.get(i) for i in range(len(group))]
    return ConstantResponses(tuple(ours), tuple(found), _sees_zero(original, picture))


def _responses(
    probe: Probe,
    fetched: Sequence[Layer],
    layers: Sequence[Layer],
    inside: Sequence[tuple[Array, str]],
    picture: Array,
) -> list[ConstantResponse]:
    maps = probe.runner([x.map for x in fetched])(picture)
    return [
        constant_response(m, value, x, unsure)
        for m, x, (value, unsure) in zip(maps, layers, inside, strict=True)
    ]


def _sees_zero(probe: Probe, picture: Array) -> bool:
    name = probe.first_input()
    if name is None:
        return not np.any(picture)
    feeds = probe.feeding.with_main(picture)
    return not np.any(probe.session([name]).run(feeds, [name])[name])


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
