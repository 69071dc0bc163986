"""Run the rules over a model: static, nothing is executed."""

from collections.abc import Sequence
from pathlib import Path

from onnx import ModelProto

from onnxpad.errors import OnnxpadError
from onnxpad.findings import ModelAudit
from onnxpad.model import Model, blaming, load_model
from onnxpad.rules import RULES
from onnxpad.rules.rule import Rule
from onnxpad.subject import subject

DEFAULT_RULES = tuple(rule for rule in RULES if rule.default and rule.check is not None)


def audit_model(
    source: str | Path | ModelProto | Model,
    name: str = "",
    rules: Sequence[Rule] = DEFAULT_RULES,
    targets: tuple[str, ...] = (),
    size: tuple[int, ...] | None = None,
) -> ModelAudit:
    """What the rules find in one model.

    Args:
        name: what the model is called in the result, its path unless given.
        targets: runtimes to judge it for.
        size: input height and width to judge it at, the model's own unless given.

    Raises:
        ModelError: the model cannot be read.
    """
    model = source if isinstance(source, Model) else load_model(source, exact=False)
    called = name or (model.path.as_posix() if model.path else "the model")
    looked = subject(model, targets, size)
    with blaming(model):
        found = [f for rule in rules if rule.check is not None for f in rule.check(looked)]
    found.sort(key=lambda f: (-f.severity, f.code))
    survey = looked.survey
    return ModelAudit(called, tuple(found), len(survey.sites), survey.window_ops, looked.size)


def audit_file(
    path: Path,
    name: str,
    rules: Sequence[Rule] = DEFAULT_RULES,
    targets: tuple[str, ...] = (),
    size: tuple[int, ...] | None = None,
) -> ModelAudit:
    """The same for one of several models: one that cannot be read becomes a result, too."""
    try:
        return audit_model(path, name, rules, targets, size)
    except OnnxpadError as error:
        return ModelAudit(name, error=str(error), exit_code=error.exit_code)
