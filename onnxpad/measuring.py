"""Run one model and measure what its padding does: the parts of a comparison that need no second.

The numbers are those that `compare` gives for its original on the same samples.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onnxpad.budget import Quantity
from onnxpad.errors import ModelError, OnnxpadError, RunError
from onnxpad.findings import Finding, Measurement, ModelAudit
from onnxpad.joining.context import Context, context, surroundings
from onnxpad.joining.insides import Inside
from onnxpad.joining.layers import mean_maps, responses
from onnxpad.joining.limit import (
    BORDER_IMAGES,
    BORDER_SECONDS,
    LAYER_IMAGES,
    LAYER_SECONDS,
    Progress,
    limited,
)
from onnxpad.joining.opening import Opened, open_one
from onnxpad.joining.part import part
from onnxpad.joining.quantities import constant_quantity, context_quantity, lines_quantity
from onnxpad.joining.request import Request
from onnxpad.measure.context import ORIGINAL
from onnxpad.measure.layers import ConstantResponses
from onnxpad.measure.mean_map import MeanMap
from onnxpad.rules import pad901_constant_response as pad901
from onnxpad.rules import pad902_line_artifacts as pad902
from onnxpad.rules import pad903_context_error as pad903
from onnxpad.rules.rule import Rule
from onnxpad.runtime import choose_provider

MEASURED_RULES = (pad901.RULE, pad902.RULE, pad903.RULE)


@dataclass(frozen=True, slots=True)
class Measured:
    """What running one model showed; None and the reason for what could not be measured.

    Attributes:
        fed: one sentence: what the model was fed.
        lines: mean maps of its layers.
    """

    fed: str
    constant: ConstantResponses | None
    no_constant: str
    lines: tuple[MeanMap, ...] | None
    no_lines: str
    context: Context | None
    no_context: str


def add_measured(
    audit: ModelAudit,
    path: Path,
    request: Request,
    rules: Sequence[Rule] = MEASURED_RULES,
    progress: Progress | None = None,
) -> ModelAudit:
    """A model's audit with what running the model shows.

    Args:
        rules: those that are selected; others than MEASURED_RULES are passed over.

    Data that cannot be used make the model's audit an error; a model that does not run is told in
    the measurements and in the exit code, and keeps what its graph alone showed.
    """
    if audit.error:
        return audit
    try:
        found = measure(path, request, progress)
    except OnnxpadError as error:
        told = f"cannot be measured: {error}"
        return replace(audit, findings=(), error=told, exit_code=error.exit_code)
    codes = {rule.code for rule in rules}
    new = [finding for finding in findings(found) if finding.code in codes]
    merged = sorted((*audit.findings, *new), key=lambda f: (-f.severity, f.code))
    code = audit.exit_code if found.fed else RunError.exit_code
    return replace(audit, findings=tuple(merged), measured=measurements(found), exit_code=code)


def measure(path: Path, request: Request, progress: Progress | None = None) -> Measured:
    """Run a model on samples, or on scenes, and look inside it.

    Raises:
        UsageError, DataError: the request, or data that do not exist or do not fit.
        RunError: the provider that was asked for is not there.
    """
    choose_provider(request.provider)  # one that is not there is no fault of the model
    try:
        opened = open_one(path, request)
        inside = opened.inside()
    except (RunError, ModelError) as error:
        why = str(error)
        return Measured("", None, why, None, why, None, why)
    return _parts(opened, inside, progress or _silent)


def _parts(opened: Opened, inside: Inside, tell: Progress) -> Measured:
    pictures, request = opened.pictures, opened.request

    def surrounded() -> Context:
        around = surroundings(inside, pictures, sized=request.size is not None)
        limit = limited(request.samples, BORDER_IMAGES, BORDER_SECONDS)
        return context(inside, around, {}, limit, tell)

    limit = limited(request.samples, LAYER_IMAGES, LAYER_SECONDS)
    return Measured(
        opened.source.note(opened.filled),
        *part(lambda: responses(inside)),
        *part(lambda: mean_maps(inside, pictures, limit, tell)),
        *part(surrounded),
    )


def findings(found: Measured) -> Iterator[Finding]:
    """What the measured rules have to say of it."""
    if found.constant is not None:
        yield from pad901.findings(found.constant)
    if found.lines is not None:
        yield from pad902.findings(found.lines)
    if found.context is not None:
        yield from pad903.findings(found.context)


def measurements(found: Measured) -> tuple[Measurement, ...]:
    """The quantities that budgets may limit, measured or not."""
    constant, lines, around = found.constant, found.lines, found.context
    pictures = max((m.images for m in lines or ()), default=0)
    return (
        _told(
            "constant_response",
            None if constant is None else constant_quantity(constant.original),
            found.no_constant or "no layer has a scale to measure by",
            "an image of one colour",
        ),
        _told(
            "line_artifacts",
            None if lines is None else lines_quantity(lines),
            found.no_lines or _first_reason(lines or ()),
            f"{pictures} images: {found.fed}",
        ),
        _told(
            "context_ne",
            None if around is None else context_quantity(around.errors[ORIGINAL]),
            found.no_context or "what the model gives does not vary",
            "" if around is None else _crops(around),
        ),
    )


def _first_reason(maps: Iterable[MeanMap]) -> str:
    return next((m.unjudged for m in maps if m.unjudged), "no layer was seen")


def _crops(around: Context) -> str:
    where = "the user's own images" if around.real else "synthetic scenes"
    crop, large = ("×".join(map(str, size)) for size in (around.crop, around.large))
    told = f"{around.images} crops of {crop} out of {large}, {where}"
    return f"{told}; mixed: part of the model reads the whole image" if around.mixed else told


def _told(name: str, found: Quantity | None, reason: str, stands_on: str) -> Measurement:
    if found is None:
        return Measurement(name, None, None, None, reason)
    return Measurement(name, found.value, found.low, found.high, stands_on)


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total
