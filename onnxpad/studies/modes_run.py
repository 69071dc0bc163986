"""Runs the candidates of the study of modes beside their original, which is run once for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from onnxpad.comparison import Border, BorderOutput, Comparison, Run
from onnxpad.errors import OnnxpadError, RunError
from onnxpad.joining.context import Context, context, surroundings
from onnxpad.joining.insides import Inside, open_inside
from onnxpad.joining.judging import Judge
from onnxpad.joining.limit import BORDER_IMAGES, Limit, Progress, limited
from onnxpad.joining.models import Models
from onnxpad.joining.opening import Opened
from onnxpad.joining.part import part
from onnxpad.joining.record import record
from onnxpad.joining.together import Once, walk_together
from onnxpad.joining.walk import Walk
from onnxpad.measure.constant_response import ConstantResponse
from onnxpad.measure.context import ORIGINAL
from onnxpad.measure.context_run import Contender
from onnxpad.measure.latency import Latency, latency
from onnxpad.measure.layers import constant_beside, zero_colour
from onnxpad.probe.anatomy import told
from onnxpad.probe.probe import Probe, pair_outputs
from onnxpad.runtime import open_session, version
from onnxpad.studies.modes_build import Candidate
from onnxpad.tally import pair_outputs as pair_tallies
from onnxpad.verdict import verdict

# Seconds for each candidate where no number of samples is asked for: about a minute for all.
SAMPLE_SECONDS, BORDER_SECONDS, LATENCY_SECONDS = 2.5, 1.2, 1.2
_SCENES = 8
# Files of candidates that are open at once, in bytes; each is opened up to three times.
_BYTES = 2**29


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one candidate did.

    Attributes:
        comparison: with its verdict; None where it failed.
        why: the reason of that, or why its insides could not all be seen, "" if they could.
        constant: the response of the last layer that it shares with the original, or None.
    """

    candidate: Candidate
    comparison: Comparison | None
    constant: ConstantResponse | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What all of them did.

    Attributes:
        own: the original's constant response in its last layer.
        no_border, no_constant: why these were not measured, "" if they were.
    """

    each: tuple[Outcome, ...]
    own: ConstantResponse | None
    no_border: str
    no_constant: str


def measured(
    opened: Opened, inside: Inside, candidates: Sequence[Candidate], tell: Progress
) -> Outcomes:
    """Run them, in groups of which all models fit into memory at once."""
    groups = list(_groups(candidates))
    parts = [_group(opened, inside, group, len(candidates), tell) for group in groups]
    return Outcomes(
        tuple(one for found in parts for one in found.each),
        parts[0].own, parts[0].no_border, parts[0].no_constant,
    )  # fmt: skip


def _groups(candidates: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    group: list[Candidate] = []
    size = 0
    for one in candidates:
        assert one.path is not None
        own = sum(file.stat().st_size for file in one.path.parent.iterdir())
        if group and size + own > _BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += own
    if group:
        yield group


def _group(
    opened: Opened, inside: Inside, group: Sequence[Candidate], count: int, tell: Progress
) -> Outcomes:
    share = len(group)
    walks, warnings, failed = _walked(opened, group, tell)
    records = {}
    for number, (name, walk) in enumerate(walks.items()):
        tell("latency", number, count)
        records[name] = record(
            (str(opened.path), name), walk, opened.source, opened.filled, opened.request,
            warnings[name], _run(opened, walk),
        )  # fmt: skip
    opened_ones = {c.name: part(lambda c=c: _probe(opened, c)) for c in group if c.name in walks}  # type: ignore[misc]  # bound now
    open_ones = {name: one for name, (one, _) in opened_ones.items() if one is not None}
    tell("border", 0, BORDER_IMAGES)
    found, no_border = part(lambda: _context(opened, inside, open_ones, share, tell))
    tell("constant", 0, None)
    responses, no_constant = part(lambda: _constant(inside, open_ones))
    own, theirs = responses or (None, {})
    each = []
    for one in group:
        if one.name not in records:
            each.append(Outcome(one, None, None, failed.get(one.name, "it was not run")))
            continue
        why = no_border or opened_ones[one.name][1]
        edge = _border(found, one.name) if found and one.name in open_ones else None
        full = replace(records[one.name], border=edge, no_border="" if edge else why)
        judged = replace(full, verdict=verdict(full))
        each.append(
            Outcome(one, judged, theirs.get(one.name), _blind(inside, *opened_ones[one.name]))
        )
    return Outcomes(tuple(each), own, no_border, no_constant)


def _walked(
    opened: Opened, group: Sequence[Candidate], tell: Progress
) -> tuple[dict[str, Walk], dict[str, tuple[str, ...]], dict[str, str]]:
    """The walks that came through, the warnings of each, and why the others did not."""
    once = Once(opened.session)
    walks: dict[str, Walk] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    failed: dict[str, str] = {}
    for one in group:
        try:
            walks[one.name], warnings[one.name] = _walk(opened, once, one)
        except OnnxpadError as error:
            failed[one.name] = str(error)
    source, request = opened.source, opened.request
    limit = _limit(opened, len(group))
    failed |= walk_together(walks, source, opened.filled, request.seed, limit, tell)
    return {n: w for n, w in walks.items() if n not in failed}, warnings, failed


def _walk(opened: Opened, once: Once, one: Candidate) -> tuple[Walk, tuple[str, ...]]:
    assert one.path is not None
    request, source = opened.request, opened.source
    session = open_session(
        one.path, provider=opened.provider, threads=request.threads, label=f"mode {one.name}"
    )
    models = Models(once, session, (opened.path, one.path), opened.provider, request.threads)
    real = source.origin != "synthetic"
    outputs, warnings = pair_tallies(once, session, opened.filled, real=real)
    names = {tally.original: tally.candidate for tally in outputs}
    judge = Judge(once, opened.filled, request.task, names, source.labels) if real else None
    return Walk(models, outputs, judge, request.strict), warnings


def _limit(opened: Opened, models: int) -> Limit:
    """The samples asked for, else as many as fit into the time of so many models."""
    asked, total = opened.request.samples, opened.source.total
    if asked is not None:
        return Limit(asked if total is None else min(asked, total), inf)
    return Limit(_SCENES if total is None else total, SAMPLE_SECONDS * models)


def _run(opened: Opened, walk: Walk) -> Run:
    arrays = walk.first.arrays
    found: Latency = latency(
        lambda: opened.session.run(arrays),
        lambda: walk.models.candidate.run(arrays),
        seconds=LATENCY_SECONDS,
    )
    provider = opened.provider
    return Run(provider.name, provider.note, opened.request.threads, version(), 0.0, found)


def _probe(opened: Opened, one: Candidate) -> Probe:
    """A candidate's probe. Raises RunError where it runs at no other size."""
    assert one.path is not None
    return open_inside(
        one.path, f"mode {one.name}", opened.filled, opened.feed, opened.provider,
        opened.request.threads,
    ).probe  # fmt: skip


def _blind(original: Inside, probe: Probe | None, why: str) -> str:
    """Why a candidate's insides were not seen, or not all of them; "" if they were."""
    blocked = probe.anatomy.blocked if probe else ()
    more = [name for name in blocked if name not in original.probe.anatomy.blocked]
    if not more:
        return why
    return f"{told(more)} runs at no other size, and nothing behind it"


def _context(
    opened: Opened, inside: Inside, probes: dict[str, Probe], share: int, tell: Progress
) -> Context:
    around = surroundings(inside, opened.pictures, sized=opened.request.size is not None)
    contenders = {}
    for name, probe in probes.items():
        pairs = pair_outputs(inside.probe.anatomy, probe.anatomy)
        contenders[name] = Contender(probe.some([p[1] if p else None for p in pairs]))
    limit = limited(opened.request.samples, BORDER_IMAGES, BORDER_SECONDS * (share + 1))
    return context(inside, around, contenders, limit, tell)


def _border(found: Context, name: str) -> Border:
    errors = found.errors
    outputs = tuple(
        BorderOutput(output, errors[ORIGINAL][i], errors[name][i])
        for i, output in enumerate(found.names)
    )
    return Border(
        outputs, found.crop, found.large, found.images, found.skipped, found.mixed, found.real
    )


def _constant(
    inside: Inside, probes: dict[str, Probe]
) -> tuple[ConstantResponse, dict[str, ConstantResponse | None]]:
    """The last layer's response to zeros at the first one, of the original and of each."""
    inside.need_layers()
    colour = zero_colour(inside.probe)
    if colour is None:
        raise RunError("no colour makes the first layer see zeros alone")
    last = inside.probe.anatomy.layers[-1:]
    ours, theirs = constant_beside(inside.probe, tuple(probes.values()), last, colour, maps=True)
    return ours[0], {name: one[0] for name, one in zip(probes, theirs, strict=True)}
