"""Uneven padding at the model's size, and the nearest sizes without it: R2 and R3 of the paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onnxpad.costs import cost_ratio
from onnxpad.errors import ModelError, RunError
from onnxpad.joining.request import Request
from onnxpad.model import load_model
from onnxpad.studies.each import DoesNotApplyError, Source, each
from onnxpad.studies.sizes_look import Look, axis_names, counts, look, reading_rows
from onnxpad.studies.sizes_run import Free, Tell, accuracy, freed
from onnxpad.study import Cell, Chart, ModelStudy, Series, Study, Table
from onnxpad.tasks.result import TaskResult
from onnxpad.text import count, printable

OFFERED = 3
# Sizes whose accuracy is measured where there are labels.
MEASURED = 2
Space = tuple[int, ...]
_ABOUT = (
    "A strided window op is even where it reads as much padding at the begin as at the end of an "
    "axis and leaves no real element unread: u = (h + pads − dilation·(kernel − 1) − 1) mod stride "
    "elements are behind the last window (Alsallakh et al., arXiv 2010.02178, section 3). The "
    "paper finds ImageNet accuracy 0.4 % higher on average when networks are trained at an even "
    "size; a network trained at another has adapted to it."
)
_READ = (
    "1+0: windows read 1 invented element at the begin of the axis and 0 at the end; lost: real "
    "elements at the end that no window reads"
)
_MACS = "multiplications: of all convolutions, relative to the model's size"


@dataclass(slots=True)
class _Found:
    """What came out of running: sizes that run, those that do not and why, accuracies."""

    offered: list[Space] = field(default_factory=list)
    failed: list[tuple[Space, str]] = field(default_factory=list)
    accuracies: dict[Space, TaskResult] = field(default_factory=dict)
    unrun: str = ""
    unmeasured: str = ""
    note: str = ""


def _silent(stage: str, done: int, total: int | None) -> None:
    del stage, done, total


def sizes(
    models: Sequence[Source],
    requests: Sequence[Request] | None = None,
    *,
    near: Sequence[int] | None = None,
    progress: Tell = _silent,
) -> Study:
    """What strided window ops read at the model's size and at even sizes that really run.

    A size is offered only if ONNX Runtime runs the model there, on a copy whose spatial sizes are
    free. With labelled images a classifier's accuracy is measured at both sizes, on the same
    images, each preprocessed for its size.

    Args:
        models: paths of .onnx files.
        requests: one for each model: size (of models that leave theirs free), data, labels,
            preprocess, samples, seed, provider, threads; None for no data.
        near: the size to look around, one number for all axes or one for each; the model's own
            unless given.
        progress: told (stage, done, total).

    Raises:
        UsageError, DataError: numbers or data that do not fit.
        ModelError: a single model that cannot be read; among several it is said.
    """
    asked = requests or [Request()] * len(models)
    found = each(models, asked, lambda path, request: _one(path, request, near, progress))
    return Study("sizes", "Input sizes and uneven padding", _ABOUT, found)


def _one(path: Path, request: Request, near: Sequence[int] | None, tell: Tell) -> ModelStudy:
    seen = look(load_model(path), near, request.size)
    found = _run(path, seen, request, tell)
    at = [seen.own, *found.offered]
    on = [f"the model's size is {_told(seen.own)}; looked near {_told(seen.near)}"]
    if found.note:
        tried = len(found.offered) + len(found.failed)
        on.append(f"{count(tried, 'even size')} run by ONNX Runtime on a copy with free sizes; "
                  f"{found.note}")  # fmt: skip
    return ModelStudy(
        path.as_posix(), tuple(on), tuple(printable(t, 500) for t in _said(seen, found)),
        tuple(_tables(seen, found, at)), charts=tuple(_charts(seen)),
        arrays={
            f"{word} {name}": array
            for name, pair in zip(axis_names(len(seen.axes)), counts(seen), strict=True)
            for word, array in zip(("sizes", "uneven"), pair, strict=True)
        },
    )  # fmt: skip


def _run(path: Path, seen: Look, request: Request, tell: Tell) -> _Found:
    """Run the candidates until enough of them run, and measure the accuracy where there is any."""
    found = _Found()
    candidates = [space for space in seen.even.shapes if space != seen.own]
    if not candidates and request.labels is None:
        return found
    try:
        free = freed(path, request, seen.own, fixed=seen.fixed)
    except (RunError, ModelError) as error:
        found.unrun = str(error)
        return found
    found.note = free.note
    for space in candidates:
        tell("sizes", len(found.offered), OFFERED)
        why = free.why_not(space)
        if why:
            found.failed.append((space, why))
        else:
            found.offered.append(space)
        if len(found.offered) == OFFERED:
            break
    if request.labels is not None:
        _measure(free, seen, request, found, tell)
    return found


def _measure(free: Free, seen: Look, request: Request, found: _Found, tell: Tell) -> None:
    if not found.offered:
        found.unmeasured = "no even size runs"
    for space in found.offered[:MEASURED]:
        try:
            found.accuracies[space] = accuracy(free, request, seen.own, space, tell)
        except (DoesNotApplyError, RunError) as error:
            found.unmeasured = str(error)
            return


def _said(seen: Look, found: _Found) -> Iterator[str]:
    at = _told(seen.own)
    yield from _unevenness(seen)
    yield from _accuracies(seen, found)
    if found.unmeasured:
        yield f"the accuracy at even sizes was not measured: {found.unmeasured}"
    if found.failed:
        space, why = found.failed[0]
        yield (
            f"{count(len(found.failed), 'size')} that the graph alone allows did not run, and "
            f"{'is' if len(found.failed) == 1 else 'are'} not offered: {_told(space)}, {why}"
        )
    if found.unrun:
        yield f"no size is offered, because it could not be run: {found.unrun}"
    if found.offered:
        told = ", ".join(f"{_told(s)} ({_ratio(seen, s)})" for s in found.offered)
        yield f"even everywhere and running: {told}"
    elif seen.strided and not found.unrun and seen.uneven(seen.own) != 0:
        yield from _none(seen)
    if seen.fixed and found.offered:
        yield (
            f"the model declares {at}: nothing else in it fixes the size, so that exporting it "
            "with free spatial sizes, or for one of these, is all it needs"
        )


def _unevenness(seen: Look) -> Iterator[str]:
    own, at = seen.uneven(seen.own), _told(seen.own)
    if own is None and seen.unknown():
        yield f"what window ops read cannot be told at every size: {seen.unknown()}"
    elif not seen.strided and seen.apart():
        why = next((one.sentence for axis in seen.axes for one in axis.obstacles), "")
        yield (
            f"{count(seen.apart(), 'strided window op')} cannot be told at other sizes, as none of "
            f"them follows the size of the input{': ' * bool(why)}{why}"
        )
    elif not seen.strided:
        yield "no window op larger than 1×1 steps by more than 1: every size is even"
    elif own:
        yield f"{own} of {count(seen.strided, 'strided window op')} read padding unevenly at {at}"
    elif own == 0:
        ops = count(seen.strided, "strided window op")
        yield f"nothing to gain: {ops}, none of them uneven at {at}"


def _none(seen: Look) -> Iterator[str]:
    """Why no size is offered, and what another export would have to change."""
    space = seen.wanted()
    low, high = seen.even.axes[0].searched
    if space is None:
        if not seen.unknown():
            yield f"no size from {low} to {high} is even in every strided op"
        return
    obstacles = seen.obstacles(space)
    if obstacles:
        yield (
            f"{_told(space)} would be the nearest even size, but {count(len(obstacles), 'node')} "
            f"of this export cannot run there: {obstacles[0].sentence}; export it again for that "
            "size (or with free sizes), unless the network itself asks for other sizes"
        )
    else:
        yield f"no size from {low} to {high} is even in every strided op and runs in this graph"


def _accuracies(seen: Look, found: _Found) -> Iterator[str]:
    for space, result in found.accuracies.items():
        top = result.metric("top1")
        if top is None or top.original is None or top.delta is None:
            continue
        low, high = (top.low or 0.0), (top.high or 0.0)
        word = "lower" if high < 0 else "higher" if low > 0 else "not different beyond doubt"
        flips = result.flips
        changed = f"; {flips.lost} lost, {flips.gained} gained, p = {flips.p:.2g}" if flips else ""
        yield (
            f"at {_told(space)} top-1 is {word}: {top.candidate:.3f} against {top.original:.3f} at "
            f"{_told(seen.own)}, {top.delta:+.3f} [{low:+.3f}, {high:+.3f}] on "
            f"{count(result.labelled, 'image')}{changed}"
        )


def _tables(seen: Look, found: _Found, at: Sequence[Space]) -> Iterator[Table]:
    yield Table("sizes", "Sizes", _heads(found), tuple(_rows(seen, found, at)), (_MACS,))
    heads = ("layer", "op", "window/stride", "axis", *(f"at {_told(s)}" for s in at))
    for key, title, shortcuts in (
        ("layers", "Padding read by strided window ops", False),
        (
            "shortcuts",
            "1×1 windows that step: they drop the last row at even sizes by nature",
            True,
        ),
    ):
        rows = tuple(tuple(row) for row in reading_rows(seen, at, shortcuts=shortcuts))
        if rows:
            tones = tuple("bad" if _is_uneven(row[4]) and not shortcuts else "" for row in rows)
            yield Table(key, title, heads, rows, (_READ,), tones)
    space = None if found.offered else seen.wanted()
    obstacles = seen.obstacles(space) if space is not None and seen.strided else ()
    if obstacles and space is not None and space != seen.own:
        cells = tuple((o.op, o.node, o.reason) for o in obstacles)
        title = f"What another export would have to change, for {_told(space)}"
        yield Table("export", title, ("op", "node", "which"), cells)


def _is_uneven(cell: Cell) -> bool:
    begin, _, end = str(cell).partition("+")
    return begin != end


def _heads(found: _Found) -> tuple[str, ...]:
    measured = ("top-1", "Δ top-1", "low", "high", "lost", "gained") if found.accuracies else ()
    return ("size", "uneven ops", "multiplications", "runs", *measured)


def _rows(seen: Look, found: _Found, at: Sequence[Space]) -> Iterator[tuple[Cell, ...]]:
    first = next(iter(found.accuracies.values()), None)
    for space in at:
        row: list[Cell] = [_told(space), seen.uneven(space), _cost(seen, space), "yes"]
        if found.accuracies:
            row += _measured(found.accuracies.get(space), first if space == seen.own else None)
        yield tuple(row)
    for space, _ in found.failed:
        rest = [None] * (6 if found.accuracies else 0)
        yield (_told(space), seen.uneven(space), None, "no", *rest)


def _measured(result: TaskResult | None, own: TaskResult | None) -> list[Cell]:
    if own is not None:
        top = own.metric("top1")
        return [top.original if top else None, None, None, None, None, None]
    top = result.metric("top1") if result else None
    if result is None or top is None:
        return [None] * 6
    flips = result.flips
    return [
        top.candidate, top.delta, top.low, top.high,
        flips.lost if flips else None, flips.gained if flips else None,
    ]  # fmt: skip


def _charts(seen: Look) -> Iterator[Chart]:
    if seen.strided and not any(axis.untold for axis in seen.axes):
        series = tuple(
            Series(name, tuple(s.tolist()), tuple(u.tolist()))
            for name, (s, u) in zip(axis_names(len(seen.axes)), counts(seen), strict=True)
        )
        alike = len({one.ys for one in series}) == 1
        lines = (Series("", series[0].xs, series[0].ys),) if alike else series
        yield Chart("uneven", "Uneven strided window ops", "input size in px", "ops", lines)


def _cost(seen: Look, space: Space) -> float | None:
    before, after = (seen.picture.sizes(s) for s in (seen.own, space))
    return cost_ratio(seen.known.main, seen.picture.name, seen.picture.dims, before, after)


def _ratio(seen: Look, space: Space) -> str:
    ratio = _cost(seen, space)
    return "cost not known" if ratio is None else f"{ratio:.3f}× the multiplications"


def _told(space: Space) -> str:
    return "×".join(map(str, space))
