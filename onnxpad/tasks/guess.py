"""Which task a model has: as declared, as its labels say, or as the shapes of its outputs look.

A guess is always said, with its reason, in one sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from onnxpad.errors import UsageError
from onnxpad.measure.agreement import class_count
from onnxpad.tasks import builders
from onnxpad.tasks.task import Task
from onnxpad.tasks.view import TaskOptions, View
from onnxpad.text import printable

__all__ = ["NAMES", "Choice", "TaskOptions", "View", "choose"]

NAMES = ("classification", "detection", "segmentation", "image", "tensor")
# Usual lengths of embeddings; class counts are seldom such numbers.
_EMBEDDINGS = frozenset((64, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1280, 2048))


@dataclass(frozen=True, slots=True)
class Choice:
    """The task, and the sentence that says it and why."""

    task: Task
    sentence: str


def choose(view: View) -> Choice:
    """The task.

    Raises UsageError for a task that is declared, or that the labels ask for, and that the outputs
    do not fit; the sentence says what would.
    """
    view = _narrowed(view)
    declared = view.options.task
    if declared is None and view.options.decoder is not None:
        declared = "detection"
    if declared is not None and declared not in NAMES:
        raise UsageError(f"unknown task {printable(declared)!r}: choose one of {', '.join(NAMES)}")
    asked = view.asked
    if declared and asked and declared not in (asked, "tensor"):
        raise UsageError(f"the task is {declared}, but the labels are for {asked}")
    wanted = declared or asked
    if wanted is None:
        return _guessed(view)
    found = _BUILDERS[wanted](view)
    if found is None:
        told = ", ".join(view.shape(name) for name in list(view.outputs)[:4])
        because = "as declared" if declared else "as the labels ask"
        raise UsageError(
            f"{wanted}, {because}, does not fit the model's {told}; declare another task, or "
            f"{'a decoder' if wanted == 'detection' else 'the output to judge'}"
        )
    reason = "as declared" if declared else f"because the labels are for it ({asked})"
    return Choice(found[0], f"task {wanted}, {reason}: {found[1]}")


def _narrowed(view: View) -> View:
    wanted = view.options.output
    if wanted is None:
        return view
    if wanted not in view.outputs:
        known = ", ".join(printable(n, 40) for n in list(view.outputs)[:8])
        raise UsageError(f"the model has no output {printable(wanted)}; it has {known}")
    return replace(view, outputs={wanted: view.outputs[wanted]})


def _guessed(view: View) -> Choice:
    """Detection first: its tables are the least likely to be anything else."""
    maps = [name for name in view.outputs if view.spatial(name)]
    if len(maps) <= 1:  # several maps: heads of a kind nobody knows
        for name in ("detection", "classification", "image", "segmentation"):
            found = _BUILDERS[name](view)
            if found is not None and not (name == "classification" and _is_embedding(view)):
                return Choice(found[0], f"task {name}, guessed: {found[1]}; declare it if not so")
    built = builders.tensors(view)
    why = "it could as well be an embedding as class scores" if _is_embedding(view) else built[1]
    return Choice(built[0], f"task tensor, as no other is certain: {why}; declare one if there is")


def _is_embedding(view: View) -> bool:
    """Whether the first output that could be class scores is as long as embeddings are."""
    counts = [class_count(output.shape) for output in view.outputs.values()]
    return next((count for count in counts if count), None) in _EMBEDDINGS


_BUILDERS: dict[str, Callable[[View], builders.Built]] = {
    "classification": builders.classification,
    "detection": builders.detection,
    "segmentation": builders.segmentation,
    "image": builders.image,
    "tensor": builders.tensors,
}
