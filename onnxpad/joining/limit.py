"""How far a part of a comparison may go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import perf_counter

# Images that the insides of models are shown at most, and the seconds that may take.
BORDER_IMAGES, BORDER_SECONDS = 12, 4.0
LAYER_IMAGES, LAYER_SECONDS = 16, 2.5

# progress(stage, done, total): total None where unknown.
Progress = Callable[[str, int, int | None], None]


@dataclass(slots=True)
class Limit:
    """A number of samples, and seconds from the moment this is made."""

    most: int
    seconds: float
    started: float = field(default_factory=perf_counter)

    @property
    def expired(self) -> bool:
        """Whether time is up."""
        return perf_counter() - self.started > self.seconds


def limited(asked: int | None, most: int, seconds: float) -> Limit:
    """At most so many images, and so many seconds where no number of samples is asked for."""
    return Limit(most, seconds) if asked is None else Limit(min(most, asked), inf)
