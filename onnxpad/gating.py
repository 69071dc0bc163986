"""Judge saved results again, by a budget: no model is loaded, nothing is run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onnxpad.budget import (
    HELD,
    MISSED,
    WARNING,
    Judged,
    Limit,
    judge,
    missed,
    own_limits,
)
from onnxpad.config.settings import Config, settings_for
from onnxpad.errors import OnnxpadError
from onnxpad.findings import Audit
from onnxpad.measures import AUDITED, COUNTED
from onnxpad.saved import AUDIT, NAMES_OF, Saved, as_saved, read_saved

_EXAMPLE = "--budget 'agreement>=0.98,warn:latency<=1.1'"


@dataclass(frozen=True, slots=True)
class Gated:
    """One result, judged. Attributes: see `Saved`; judged is () where no limit is for it."""

    result: Saved
    judged: tuple[Judged, ...]

    @property
    def weight(self) -> str:
        """The heaviest of its limits: MISSED, WARNING or HELD."""
        found = {one.weight for one in self.judged}
        return next((weight for weight in (MISSED, WARNING) if weight in found), HELD)


@dataclass(frozen=True, slots=True)
class GatedFile:
    """What became of one file.

    Attributes:
        path: as given, untrusted. results: those in the file.
        error: why nothing in it was judged, "" if it was. exit_code: of the error.
    """

    path: str
    results: tuple[Gated, ...] = ()
    error: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """All files in the order they were given.

    Attributes:
        strict: whether warnings count as missed.
    """

    files: tuple[GatedFile, ...]
    strict: bool = False
    results: tuple[Gated, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Gather the results of all files."""
        object.__setattr__(self, "results", tuple(r for f in self.files for r in f.results))

    def fails(self, one: Judged) -> bool:
        """Whether one limit fails the gate."""
        return missed((one,), strict=self.strict)

    @property
    def exit_code(self) -> int:
        """The highest of all: of files that cannot be judged, 1 for a budget that is missed."""
        codes = [file.exit_code for file in self.files]
        return max((*codes, int(any(self.fails(j) for r in self.results for j in r.judged))))


def gate(
    paths: Sequence[Path], config: Config, budget: str | None = None, *, strict: bool = False
) -> Gate:
    """Judge every result in files.

    A result is held against the limits on what its kind measures: of `budget`, else of what the
    environment and the configuration say for its model, else those it was judged by when it was
    written. A file that cannot be judged does not stop the others.

    Args:
        budget: limits; each must be measured by one of the results at least.

    Raises:
        UsageError: the budget is not understood, or limits what none of the results measures.
    """
    read = [(path, _read(path)) for path in paths]
    if budget is not None:
        kinds = {one.kind for _, found in read if isinstance(found, tuple) for one in found}
        known = [name for kind in NAMES_OF if kind in kinds for name in NAMES_OF[kind]]
        if kinds:
            names = tuple(dict.fromkeys(known))
            own_limits(budget, names, " or ".join(sorted(kinds)), shared=False)
    return Gate(tuple(_file(path, found, config, budget) for path, found in read), strict)


def gate_audit(
    audit: Audit, config: Config, budget: str | None, *, measured: bool, strict: bool = False
) -> Gate:
    """Judge an audit that was just made, as `gate` would judge it once it is saved.

    Args:
        budget: as above; what it limits and the audit did not measure is missed.
        measured: whether the models were run. Where they were not, the limits of the configuration
            on what running them gives are left for when they are.

    Raises UsageError.
    """
    names = AUDITED if measured or budget is not None else COUNTED
    if budget is not None:
        own_limits(budget, AUDITED, AUDIT, shared=False)
    files = []
    for model in audit.models:
        one = as_saved(model)
        limits = [limit for limit in _limits(one, config, budget) if limit.name in names]
        files.append(GatedFile(model.model, (Gated(one, _judged(one, tuple(limits))),)))
    return Gate(tuple(files), strict)


def _read(path: Path) -> tuple[Saved, ...] | OnnxpadError:
    try:
        return read_saved(path)
    except OnnxpadError as error:
        return error


def _file(
    path: Path, found: tuple[Saved, ...] | OnnxpadError, config: Config, budget: str | None
) -> GatedFile:
    if isinstance(found, OnnxpadError):
        return GatedFile(str(path), (), str(found), found.exit_code)
    try:
        results = tuple(Gated(one, _judged(one, _limits(one, config, budget))) for one in found)
    except OnnxpadError as error:
        return GatedFile(str(path), (), str(error), error.exit_code)
    if not any(one.judged for one in results):
        told = f"no limit is for {found[0].kind}, so nothing is judged; give one: {_EXAMPLE}"
        return GatedFile(str(path), (), told, 2)
    return GatedFile(str(path), results)


def _limits(result: Saved, config: Config, budget: str | None) -> tuple[Limit, ...]:
    """The limits a result is held against. Raises UsageError."""
    try:
        settings = settings_for(Path(result.model), config, {"budget": budget})
    except ValueError:  # a path that no system has, with a NUL in it, say
        settings = settings_for(None, config, {"budget": budget})
    text = settings.budget.value or result.budget
    if not text:
        return ()
    return own_limits(text, NAMES_OF[result.kind], result.kind, shared=True)


def _judged(result: Saved, limits: tuple[Limit, ...]) -> tuple[Judged, ...]:
    return judge(limits, result.quantities)
