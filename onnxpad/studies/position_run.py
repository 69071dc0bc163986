"""Two passes over the same pictures: what fits the read-out of every layer, and what judges it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from time import perf_counter

import numpy as np

from onnxpad.errors import DataError
from onnxpad.joining.insides import Inside
from onnxpad.joining.limit import Progress
from onnxpad.measure.pair import Array
from onnxpad.measure.position import Judged, LayerPosition, Places, Reading, channels
from onnxpad.probe.anatomy import Layer, Map
from onnxpad.probe.probe import groups

# Of four images two are fitted, one decides the penalty, and the last one is only judged on.
_PARTS = 4
_JUDGE, _TEST = 2, 3
FEWEST, MOST, SECONDS = 12, 48, 12.0
# Channels whose sums of products still fit into memory: 128 MiB for each half of the fit.
MOST_CHANNELS = 4096
INPUT = "input"

# Every call gives the same pictures again, each with the number of its rows that are samples.
Pictures = Callable[[], Iterator[tuple[Array, int]]]


@dataclass(slots=True)
class Positions:
    """Reads positions out of the input and of every layer.

    Attributes:
        most: images; None for as many as time allows, 48 at most.
        margin: positions nearer than so many input pixels to a border are left out.
        layers: at most so many are read, evenly chosen, the first and the last among them.
        images: how many were used. left: which layers were left out, and why.
    """

    inside: Inside
    pictures: Pictures
    most: int | None
    margin: int
    layers: int
    seed: int
    tell: Progress
    images: int = 0
    left: list[str] = field(default_factory=list)

    def read(self) -> list[LayerPosition]:
        """The layers in their order. Raises RunError, and DataError for fewer than 8 images."""
        picked, self.left = _picked(self.inside, self.margin)
        if len(picked) > self.layers:
            self.left.append(f"{len(picked) - self.layers} layers between those that are read")
            at = np.linspace(0, len(picked) - 1, self.layers).round().astype(int)
            picked = [picked[i] for i in at]
        bunches = list(groups([layer for layer, _ in picked]))
        places = {layer.map.name: where for layer, where in picked}
        found: list[LayerPosition] = []
        for number, bunch in enumerate(bunches):
            readings = [Reading(layer, places[layer.map.name]) for layer in bunch]
            self._fit(readings, number, len(bunches))
            found += self._judged(readings)
        return found

    def _fit(self, readings: list[Reading], number: int, bunches: int) -> None:
        """The first pass; the first of all decides how many images there are."""
        run = _runner(self.inside, [one.layer.map for one in readings])
        count, started, seen = self.images or self.most or MOST, perf_counter(), 0
        for i, features in _maps(run, self.pictures, count, test=False):
            for at, (reading, one) in enumerate(zip(readings, features, strict=True)):
                rng = np.random.default_rng((self.seed, i, at))
                reading.add(one, rng, judge=i % _PARTS == _JUDGE)
            seen = i + 1
            self.tell("positions", number * count + seen, bunches * count)
            late = perf_counter() - started > SECONDS / bunches
            if late and self.most is None and not self.images and seen >= FEWEST:
                count = seen
                break
        self.images = self.images or _whole(seen, count)

    def _judged(self, readings: list[Reading]) -> Iterator[LayerPosition]:
        """The second pass: layers that could be fitted, on the images that were not."""
        tests = [Judged(r, both) for r in readings if (both := r.readouts()) is not None]
        run = _runner(self.inside, [test.reading.layer.map for test in tests])
        for i, features in _maps(run, self.pictures, self.images, test=True):
            for at, (test, one) in enumerate(zip(tests, features, strict=True)):
                test.add(one, np.random.default_rng((self.seed, i, at)))
        results = {test.reading.layer.map.name: test.result() for test in tests}
        for reading in readings:
            result = results.get(reading.layer.map.name)
            if result is None:
                self.left.append(f"{reading.layer.name}: values that are not finite")
            else:
                yield result


def _whole(seen: int, count: int) -> int:
    """Images that there really are; every part has to have some. Raises DataError."""
    # the last image may have been one to judge on, which this pass did not run
    there = min(count, seen + (seen % _PARTS == _TEST))
    if there < 2 * _PARTS:
        raise DataError(
            f"positions are read from at least {2 * _PARTS} images, split into those that are "
            f"fitted and those that are judged; there are {there}"
        )
    return there


def _picked(inside: Inside, margin: int) -> tuple[list[tuple[Layer, Places]], list[str]]:
    """The input and the layers whose maps can be read, and why others cannot."""
    anatomy = inside.probe.anatomy
    found, left = [], []
    picture = anatomy.maps.get(inside.probe.feeding.main)
    first = [Layer(INPUT, "", picture, ())] if picture is not None else []
    for layer in (*first, *anatomy.layers):
        places = Places.of(layer.map.space, layer.map.stride, margin)
        size = "×".join(map(str, layer.map.space))
        if places is None:
            left.append(f"{layer.name}: too few of its {size} positions are inside")
        elif channels(layer.map) > MOST_CHANNELS:
            left.append(f"{layer.name}: more than {MOST_CHANNELS} channels")
        else:
            found.append((layer, places))
    return found, left


def _runner(inside: Inside, maps: Sequence[Map]) -> Callable[[Array], list[Array]]:
    """From a picture to its maps, each (rows, channels, positions); the input is one of them."""
    main = inside.probe.feeding.main
    run = inside.probe.runner([one for one in maps if one.name != main])

    def features(picture: Array) -> list[Array]:
        values = iter(run(picture))
        return [_flat(picture if one.name == main else next(values), one) for one in maps]

    return features


def _flat(values: Array, one: Map) -> Array:
    """(rows, channels, positions), a row for each sample of a batch."""
    if 0 in one.axes:
        values, axes = values[None], tuple(axis + 1 for axis in one.axes)
    else:
        axes = one.axes
    others = [axis for axis in range(1, values.ndim) if axis not in axes]
    moved = values.transpose(0, *others, *axes)
    return moved.reshape(len(moved), -1, prod(values.shape[axis] for axis in axes))


def _maps(
    run: Callable[[Array], list[Array]], pictures: Pictures, count: int, *, test: bool
) -> Iterator[tuple[int, list[Array]]]:
    """Number and maps (channels, positions) of the images to judge on, or of the others."""
    number = 0
    for picture, rows in pictures():
        numbers = range(number, min(number + rows, count))
        number += rows
        wanted = [i for i in numbers if (i % _PARTS == _TEST) == test]
        if wanted:
            made = run(picture)
            for i in wanted:
                yield i, [one[i - numbers[0]] for one in made]
        if number >= count:
            return
