"""How far a part of a comparison may go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

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
