"""What every source of samples offers, and what it gives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from onnxpad.data import synthetic
from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Label, LabelFacts
from onnxpad.data.plan import InputPlan
from onnxpad.runtime import Array

Plans = tuple[InputPlan, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a feed.

    Attributes:
        name: printable, unique in its source.
        label: None where it has none.
        geometry: where its picture lies in the input; None for what is no picture.
    """

    name: str
    label: Label | None = None
    geometry: Geometry | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """What one run gets.

    Attributes:
        arrays: one for every input.
        count: how many samples it holds.
        batch: rows of the batch, each for one sample; those beyond `count` only fill it up. 1
            where a sample is a whole feed.
        name: the sample's (first) name, for messages.
        samples: the `count` samples, in the order of the batch's first rows.
    """

    arrays: Mapping[str, Array]
    count: int
    batch: int
    name: str
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that could not be used, and why. Both texts are printable."""

    name: str
    reason: str


class Source(Protocol):
    """Samples that can be walked through as often as needed."""

    @property
    def origin(self) -> str:
        """One of "synthetic", "images", "arrays", "function"."""
        ...

    @property
    def total(self) -> int | None:
        """How many samples there are; None: as many as wanted, or nobody knows (`endless`)."""
        ...

    @property
    def endless(self) -> bool:
        """Whether samples are made as long as somebody takes them."""
        ...

    @property
    def labels(self) -> LabelFacts | None:
        """What the labels of all samples have in common; None without labels."""
        ...

    @property
    def known(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the feeds that the samples fix, by input."""
        ...

    def note(self, plans: Plans) -> str:
        """One sentence: what was fed."""
        ...

    def warnings(self, plans: Plans) -> tuple[str, ...]:
        """What the reader of a result must know about the samples."""
        ...

    def feeds(self, plans: Plans, seed: int) -> Iterator[Feed | Skipped]:
        """The samples, in an order that the seed fixes."""
        ...


def batch_size(plans: Plans) -> int:
    """Samples in one feed."""
    return max((p.batch for p in plans), default=1)


def order(total: int, seed: int) -> list[int]:
    """A shuffled order, so that any first part of it is a fair choice of the whole.

    Folders are sorted by class: their first images would show one class only.
    """
    keys = synthetic.generator(seed, 0).random(total)
    return [int(i) for i in np.argsort(keys, kind="stable")]
