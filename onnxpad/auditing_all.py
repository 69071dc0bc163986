"""Audit many models: which, how each, in how many processes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from onnxpad.auditing import audit_file
from onnxpad.config.audit import audit_settings_for
from onnxpad.config.settings import AuditSettings, Config, settings_for
from onnxpad.errors import ModelError, RunError, UsageError
from onnxpad.findings import Audit, ModelAudit, Severity
from onnxpad.jobs import available_cores, run_jobs
from onnxpad.rules import RULES
from onnxpad.rules.rule import Rule
from onnxpad.selecting import NodeIgnores, check_codes, covers, select_rules, without_nodes
from onnxpad.text import one_line, printable
from onnxpad.walking import Found, find_models

# A worker takes as long to start (0.3 s of work) as four models of usual size take to audit; with
# twice as many it earns its keep.
MODELS_A_WORKER = 8
STAGE = "models"
_WORDS = {"select", "ignore", "extend_select", "target"}
_FLAGS = _WORDS | {"exclude", "fail_on", "size", "jobs"}

Progress = Callable[[str, int, int | None], None]
# From the audit of a model, its file and the rules in force to the audit with what running shows.
Measuring = Callable[[ModelAudit, Path, Sequence[Rule]], ModelAudit]


@dataclass(frozen=True, slots=True)
class Task:
    """One model and how to look at it.

    Attributes:
        targets: runtimes. size: height and width, None for the model's own.
        node_ignores: see `selecting.without_nodes`.
    """

    found: Found
    rules: tuple[Rule, ...]
    targets: tuple[str, ...] = ()
    size: tuple[int, ...] | None = None
    node_ignores: NodeIgnores = ()


def audit(
    *paths: Path | str,
    config: Path | str | None = None,
    skip: bool = True,
    progress: Progress | None = None,
    **settings: Any,
) -> Audit:
    """What the rules find in all models that paths lead to; nothing is run.

    Args:
        paths: files and folders; the current folder, or what the configuration names, unless given.
        config: a configuration file; none is looked for.
        skip: False also takes hidden, git-ignored and excluded files, and environments.
        progress: told the stage ("models"), the models done and their number.
        settings: select, ignore, extend_select, target, exclude (each a list), fail_on, size,
            jobs: as in a configuration file. One job unless more are asked for: a script that
            asks must be importable (`if __name__ == "__main__":`).

    Raises:
        UsageError: a setting is not understood, or no model was found. A model that cannot be
            read is an entry of the result.
    """
    from onnxpad.config.files import load_config

    settings = {"jobs": 1} | settings
    unknown = sorted(set(settings) - _FLAGS)
    if unknown:
        raise UsageError(f"audit() takes no {unknown[0]}; it takes {', '.join(sorted(_FLAGS))}")
    given = {
        key: ",".join(value) if key in _WORDS and isinstance(value, list | tuple) else value
        for key, value in settings.items()
    }
    read = load_config(None if config is None else Path(config))
    return audit_as(tuple(map(Path, paths)), read, given, skip=skip, progress=progress)


def audit_as(
    paths: tuple[Path, ...],
    config: Config,
    flags: Mapping[str, Any],
    *,
    skip: bool = True,
    progress: Progress | None = None,
    measuring: Measuring | None = None,
) -> Audit:
    """The same with a configuration that was read before; flags are by the key of the setting.

    Args:
        measuring: called for one model after the other, in this process, once all were looked at.
    """
    run = audit_settings_for(None, config, flags)
    found = find_models(paths or _configured(run), run.exclude.value, skip=skip)
    tasks = [task_for(one, config, flags, run=measuring is not None) for one in found]
    severity = None if run.fail_on.value == "never" else Severity[run.fail_on.value.upper()]
    models = audit_tasks(tasks, run.jobs.value, progress)
    if measuring is not None:
        models = tuple(
            without_nodes(measuring(model, task.found.path, task.rules), task.node_ignores)
            for model, task in zip(models, tasks, strict=True)
        )
    ran = {rule.code for task in tasks for rule in task.rules if rule.check or measuring}
    return Audit(models, tuple(rule.info for rule in RULES if rule.code in ran), severity)


def audit_tasks(
    tasks: Sequence[Task], jobs: int | None = None, progress: Progress | None = None
) -> tuple[ModelAudit, ...]:
    """What is found in each model, in the order of the tasks.

    Args:
        jobs: worker processes; None: as many as there are cores, and as are worth starting.
    """
    worth = min(available_cores(), max(1, len(tasks) // MODELS_A_WORKER))
    tell = None if progress is None else lambda done, total: progress(STAGE, done, total)
    return run_jobs(_audit, tasks, worth if jobs is None else jobs, _died, tell)


def task_for(found: Found, config: Config, flags: Mapping[str, Any], *, run: bool = False) -> Task:
    """How a model is to be looked at. Raises UsageError.

    Args:
        run: whether the models are run as well, so that rules that ask for it count.
    """
    size = settings_for(found.path, config, flags).size.value
    settings = audit_settings_for(found.path, config, flags)
    dropped = [
        code
        for globs, codes in settings.per_file_ignores.value
        if globs.match(found.path)
        for code in codes
    ]
    rules = tuple(rule for rule in _rules(settings, run=run) if not covers(dropped, rule.code))
    return Task(found, rules, settings.target.value, size, settings.per_node_ignores.value)


def _rules(settings: AuditSettings, *, run: bool) -> tuple[Rule, ...]:
    """The rules in force, whatever the file. Raises UsageError that says who named no rule."""
    for setting in (settings.select, settings.ignore, settings.extend_select):
        _checked(setting.value or (), setting.origin)
    for where in (settings.per_file_ignores, settings.per_node_ignores):
        for _, codes in where.value:
            _checked(codes, where.origin)
    select = settings.select.value
    rules = _selected(select, settings.ignore.value, settings.extend_select.value)
    if not any(run or rule.check for rule in rules):
        raise UsageError(
            "no rule is selected that looks at a model without running it; --measure runs it"
        )
    return rules


_selected = lru_cache(maxsize=None)(select_rules)


def _checked(codes: Sequence[str], origin: str) -> None:
    try:
        check_codes(codes)
    except UsageError as error:
        raise UsageError(f"{origin}: {error}") from None


def _configured(run: AuditSettings) -> tuple[Path, ...]:
    """The paths that the configuration names. Raises UsageError where one leads nowhere."""
    paths = run.paths.value or ()
    for path in paths:
        if not path.exists():
            raise UsageError(
                f"{run.paths.origin}: paths: {printable(str(path))}: no such file or folder"
            )
    return tuple(_seen_from_here(path) for path in paths)


def _seen_from_here(path: Path) -> Path:
    """A path below the current folder as people write it, any other as it is."""
    whole, here = path.absolute(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else path


def _audit(task: Task) -> ModelAudit:
    """One model, by itself or in a worker: whatever happens to it is its own entry."""
    one = task.found
    if one.error:
        return ModelAudit(one.name, error=one.error, exit_code=ModelError.exit_code)
    try:
        found = audit_file(one.path, one.name, task.rules, task.targets, task.size)
    except MemoryError:
        return _failed(one, "not enough memory for this model")
    except Exception as error:  # noqa: BLE001 - a fault of our own must not cost the other models
        shown = one_line(f"{type(error).__name__}: {error}")
        return _failed(one, f"onnxpad itself failed: {shown}; please report it")
    return without_nodes(found, task.node_ignores)


def _died(task: Task) -> ModelAudit:
    return _failed(
        task.found,
        "the process that looked at it was killed or crashed, though it was the only one then; is "
        "there enough memory?",
    )


def _failed(found: Found, reason: str) -> ModelAudit:
    return ModelAudit(found.name, error=reason, exit_code=RunError.exit_code)
