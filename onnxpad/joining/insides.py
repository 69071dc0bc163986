"""Models opened so that their insides can be measured: one by itself, or two that are paired."""

from dataclasses import dataclass
from pathlib import Path

from onnxpad.data.plan import InputPlan, main_input
from onnxpad.data.sample import Feed, Plans
from onnxpad.errors import RunError
from onnxpad.joining.models import Models
from onnxpad.probe.anatomy import Map
from onnxpad.probe.feeding import Feeding
from onnxpad.probe.probe import Probe, open_probe, pair_outputs
from onnxpad.runtime import Provider


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """One model's probe, and the input whose space it follows."""

    probe: Probe
    main: InputPlan

    @property
    def maps(self) -> tuple[Map, ...]:
        """Its spatial outputs, or its deepest maps."""
        return self.probe.anatomy.outputs

    def need_maps(self) -> None:
        """Raise RunError, with the reason, where no map can be held against real context."""
        anatomy = self.probe.anatomy
        if anatomy.refused or not self.maps:
            raise RunError(anatomy.refused or "no tensor follows the size of the input")

    def need_layers(self) -> None:
        """Raise RunError, with the reason, where no layer can be seen."""
        anatomy = self.probe.anatomy
        if not anatomy.layers:
            raise RunError(anatomy.refused or "no layer slides a window over space")


@dataclass(frozen=True, slots=True, eq=False)
class Insides:
    """Both probes.

    Attributes:
        ours: the original.
        theirs: the candidate's counterparts of the original's maps.
    """

    ours: Inside
    candidate: Probe
    theirs: tuple[Map | None, ...]

    @property
    def original(self) -> Probe:
        """The original's probe."""
        return self.ours.probe

    @property
    def main(self) -> InputPlan:
        """The input whose space both follow."""
        return self.ours.main

    @property
    def maps(self) -> tuple[Map, ...]:
        """The original's spatial outputs, or its deepest maps."""
        return self.ours.maps

    def need_maps(self) -> None:
        """Raise RunError, with the reason, where no map can be compared with real context."""
        self.ours.need_maps()
        if not any(self.theirs):
            raise RunError("the candidate has no map of the same shape to hold against them")


def open_inside(
    path: Path, label: str, filled: Plans, feed: Feed, provider: Provider, threads: int | None
) -> Inside:
    """Probe a model on a feed it is known to run on.

    Raises RunError, ModelError with the reason where that cannot be done.
    """
    main, feeding = _feeding(filled, feed)
    return Inside(open_probe(path, feeding, provider=provider, threads=threads, label=label), main)


def open_insides(models: Models, filled: Plans, feed: Feed) -> Insides:
    """Probe both models. Raises RunError, ModelError with the reason where that cannot be done."""
    ours, theirs = (
        open_inside(path, label, filled, feed, models.provider, models.threads)
        for path, label in zip(
            models.paths, (models.original.label, models.candidate.label), strict=True
        )
    )
    pairs = pair_outputs(ours.probe.anatomy, theirs.probe.anatomy)
    return Insides(ours, theirs.probe, tuple(p[1] if p else None for p in pairs))


def _feeding(filled: Plans, feed: Feed) -> tuple[InputPlan, Feeding]:
    main = main_input(filled)
    if main is None or main.layout is None or not main.layout.spatial:
        raise RunError("no input holds pictures or signals, so there is no border to measure")
    axes = tuple(sorted(main.layout.spatial))
    return main, Feeding(main.info.name, axes, main.layout.channel, dict(feed.arrays))
