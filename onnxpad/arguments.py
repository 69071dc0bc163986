"""Arguments of the Python API, checked: a caller's slip is told in one sentence."""

from collections.abc import Iterable, Mapping
from typing import Any

from onnxpad.errors import UsageError, expect
from onnxpad.modes import Mode, parse_mode


def globs(given: object, what: str) -> tuple[str, ...]:
    """One glob, several, or none.

    Raises:
        UsageError: something else; ``what`` names the argument.
    """
    several: Any = (given,) if isinstance(given, str) else given or ()
    expect(several, Iterable, what, "globs")
    found = tuple(several)
    for glob in found:
        expect(glob, str, what, "globs")
    return found


def assignments(given: object) -> tuple[tuple[str, Mode], ...]:
    """A mapping of globs to modes, or pairs of them.

    Raises:
        UsageError: something else, or an unknown mode.
    """
    pairs: Any = given.items() if isinstance(given, Mapping) else given or ()
    expect(pairs, Iterable, "set", "a mapping of globs to modes")
    found = []
    for pair in pairs:
        expect(pair, (tuple, list), "set", "pairs of glob and mode")
        if len(pair) != 2:
            raise UsageError(f"set: expected pairs of glob and mode, found {pair!r:.80}")
        expect(pair[0], str, "set", "a glob")
        found.append((pair[0], parse_mode(pair[1])))
    return tuple(found)
