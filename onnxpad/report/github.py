"""An audit as workflow commands of GitHub Actions: an annotation for each finding.

Each line is a command of its own. GitHub shows the first ten annotations of a level and step, so
the worst come first.
"""

from collections.abc import Iterator

from onnxpad.findings import Audit, Finding, ModelAudit, Severity
from onnxpad.report.audit_text import (
    error,
    message,
    others,
    place,
    summary,
    worst_first,
)
from onnxpad.text import printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def dumps(audit: Audit) -> str:
    """The commands and a last line with the counts; ends in a newline."""
    return "\n".join((*_commands(audit), f"onnxpad: {summary(audit)}")) + "\n"


def _commands(audit: Audit) -> Iterator[str]:
    models = worst_first(audit)
    for model in models:
        if model.error:
            yield _command("error", model, "cannot be audited", error(model))
    pairs = [(f, model) for model in models for f in model.findings]
    for finding, model in sorted(pairs, key=lambda pair: -pair[0].severity):
        title = f"{finding.code} {finding.name}"
        yield _command(_COMMANDS[finding.severity], model, title, _told(finding))


def _told(finding: Finding) -> str:
    where = " ".join(filter(None, (place(finding.primary), others(finding))))
    return f"{message(finding)} [{where}]" if where else message(finding)


def _command(command: str, model: ModelAudit, title: str, text: str) -> str:
    return annotation(command, model.model, title, text)


def annotation(command: str, file: str, title: str, text: str) -> str:
    """One command: "error", "warning" or "notice", at a file; file and title are untrusted."""
    return f"::{command} file={_property(file)},title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    """What a command's message may hold; line breaks are gone already and escaped all the same."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """What a command's property may hold."""
    return _data(printable(text, 4096)).replace(":", "%3A").replace(",", "%2C")
