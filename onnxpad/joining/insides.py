"""Both models opened so that their insides can be measured, and paired."""

from dataclasses import dataclass

from onnxpad.data.plan import InputPlan, main_input
from onnxpad.data.sample import Feed, Plans
from onnxpad.errors import RunError
from onnxpad.joining.models import Models
from onnxpad.probe.anatomy import Map
from onnxpad.probe.feeding import Feeding
from onnxpad.probe.probe import Probe, open_probe, pair_outputs


@dataclass(frozen=True, slots=True, eq=False)
class Insides:
    """Both probes.

    Attributes:
        main: the input whose space they follow.
        maps: the original's spatial outputs, or deepest maps; with the candidate's counterparts.
    """

    original: Probe
    candidate: Probe
    main: InputPlan
    maps: tuple[Map, ...]
    theirs: tuple[Map | None, ...]

    def need_maps(self) -> None:
        """Raise RunError, with the reason, where no map can be compared with real context."""
        anatomy = self.original.anatomy
        if anatomy.refused or not self.maps:
            raise RunError(anatomy.refused or "no tensor follows the size of the input")
        if not any(self.theirs):
            raise RunError("the candidate has no map of the same shape to hold against them")


def open_insides(models: Models, filled: Plans, feed: Feed) -> Insides:
    """Probe both models. Raises RunError, ModelError with the reason where that cannot be done."""
    main = main_input(filled)
    if main is None or main.layout is None or not main.layout.spatial:
        raise RunError("no input holds pictures or signals, so there is no border to measure")
    axes = tuple(sorted(main.layout.spatial))
    feeding = Feeding(main.info.name, axes, main.layout.channel, dict(feed.arrays))
    original, candidate = (
        open_probe(path, feeding, provider=models.provider, threads=models.threads, label=label)
        for path, label in zip(
            models.paths, (models.original.label, models.candidate.label), strict=True
        )
    )
    pairs = pair_outputs(original.anatomy, candidate.anatomy)
    maps = original.anatomy.outputs
    return Insides(original, candidate, main, maps, tuple(p[1] if p else None for p in pairs))
