"""The record of a walk: outputs, samples, what went wrong, and the task."""

from dataclasses import replace

from onnxpad.comparison import Comparison, Run
from onnxpad.data.sample import Plans, Source
from onnxpad.joining.request import Request
from onnxpad.joining.walk import Walk

_NO_DATA = "synthetic samples show no accuracy and no agreement on real ones; give data"


def record(
    names: tuple[str, str], walk: Walk, source: Source, filled: Plans, request: Request,
    warnings: tuple[str, ...], run: Run,
) -> Comparison:  # fmt: skip
    """What a finished walk found, without verdict and without a look inside the models.

    Args:
        names: of original and candidate as they are shown. warnings: of pairing their outputs.
    """
    found = Comparison(
        *names,
        tuple(tally.result() for tally in walk.outputs),
        walk.samples(source, filled, request.seed),
        (*warnings, *source.warnings(filled), *(w for t in walk.outputs for w in t.warnings())),
        run,
        pictures=tuple(walk.examples.pictures),
    )
    judge = walk.judge
    if judge is None:
        return replace(found, no_task=_NO_DATA)
    result = judge.result(request.seed)
    if result is None:
        return replace(found, no_task=judge.reason)
    told = (judge.choice.sentence,) if judge.choice and request.task.task is None else ()
    return replace(found, task=replace(result, notes=(*told, *result.notes)))
