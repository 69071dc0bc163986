"""The one root of onnxpad's errors.

Inner code raises with the short reason; each class carries the exit code the command line ends
with, the same for every command (see README, "Exit codes").
"""


class OnnxpadError(Exception):
    """A problem that can be told in one sentence: what, where, expected, found, what to try."""

    exit_code = 2


class UsageError(OnnxpadError):
    """The request cannot be understood: options, plans, globs, configuration."""


def expect(given: object, kinds: type | tuple[type, ...], what: str, wanted: str) -> None:
    """Tell a caller of the Python API in one sentence that an argument is of the wrong type.

    Raises:
        UsageError: ``given`` is none of ``kinds``.
    """
    if not isinstance(given, kinds):
        raise UsageError(f"{what}: expected {wanted}, found {type(given).__name__} {given!r:.80}")


class DataError(OnnxpadError):
    """Samples or labels cannot be read or do not fit the model."""


class ModelError(OnnxpadError):
    """The model cannot be read or is not supported."""

    exit_code = 3


class RunError(OnnxpadError):
    """A model failed to run, or the provider that was asked for is not there."""

    exit_code = 4


class WriteError(OnnxpadError):
    """A result cannot be written."""

    exit_code = 5
